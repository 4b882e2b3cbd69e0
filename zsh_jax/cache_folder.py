"""Where the package keeps what it can make again."""

import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """The folder `~/.cache/zsh_jax/NAME`, or below XDG_CACHE_HOME if that is set."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zsh_jax" / name
