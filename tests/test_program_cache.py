"""Compiled programs are kept for the next start: in the user's folder, unless told otherwise."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys, jax, jax.numpy as jnp
from zsh_jax.commands import program_cache
program_cache.LEAST_SECONDS = 0.0
before = jax.config.jax_compilation_cache_dir
jax.jit(lambda a: a + 1)(jnp.ones(3))  # the cache may be set after programs have run
program_cache.keep_programs()
jax.jit(lambda a: jnp.sin(a) @ a)(jnp.ones((3, 3)))
print(jax.config.jax_compilation_cache_dir)
"""


def _run(home, **env):
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env=inherited | {"XDG_CACHE_HOME": str(home)} | env,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_programs_are_kept_in_the_user_s_folder(tmp_path):
    folder = Path(_run(tmp_path))
    assert folder.parent == tmp_path / "zsh_jax" / "programs"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    kept = {path.name for path in folder.iterdir() if path.name.endswith("-cache")}
    assert kept
    assert _run(tmp_path) == str(folder)
    assert {path.name for path in folder.iterdir() if path.name.endswith("-cache")} == kept


@pytest.mark.parametrize("name", ["JAX_COMPILATION_CACHE_DIR", "JAX_ENABLE_COMPILATION_CACHE"])
def test_a_folder_that_the_user_set_is_used_and_a_cache_turned_off_stays_off(name, tmp_path):
    value = str(tmp_path / "own") if name.endswith("DIR") else "false"
    assert _run(tmp_path, **{name: value}) == (value if name.endswith("DIR") else "None")
    assert not (tmp_path / "zsh_jax").exists()


def test_a_place_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    assert _run(tmp_path / "file") == "None"
