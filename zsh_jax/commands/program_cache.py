"""Compiled programs on disk, so that a second start of a sweep compiles nothing."""

import hashlib
import os
import platform
from pathlib import Path
from typing import Any

import jax

from zsh_jax.cache_folder import cache_folder

MOST_BYTES = 2 * 2**30
LEAST_SECONDS = 0.3  # programs that compile faster are not worth a file


def keep_programs() -> None:
    """Let JAX keep compiled programs in the user's cache folder, unless a folder is set already.

    The folder is `~/.cache/zsh_jax/programs`, or below XDG_CACHE_HOME, with a part for each processor: a program
    compiled for one may not run on another. Beyond 2 GiB the oldest programs are deleted. A folder that cannot be
    written is not used.
    """
    settings: Any = jax.config
    if settings.jax_compilation_cache_dir or not settings.jax_enable_compilation_cache:
        return
    folder = cache_folder("programs") / _processor()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # programs are code: only their owner may write
    except OSError:
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_compilation_cache_max_size", MOST_BYTES)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", LEAST_SECONDS)


def _processor() -> str:
    """A name that differs between processors with different instructions."""
    told = [platform.machine(), platform.processor()]
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        told += sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))})
    except OSError:
        pass
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
