"""Provenance of results: versions, commit, device and date."""

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax

from zsh_jax.version import package_version

PROVENANCE = ("version", "commit", "jax", "jaxlib", "device", "date")
"""The keys of each row after its metrics. All are text; `commit` is null outside a git checkout."""
LIBRARIES = ("jax", "jaxlib", "numpy", "optax", "ml_collections", "wandb")
PATIENCE = 5.0  # seconds: time limit of git


def provenance() -> dict[str, str | None]:
    """Provenance that all rows of a run share: `version` of the package, `commit`, `jax`, `jaxlib`, and `device`."""
    return {
        "version": package_version(),
        "commit": commit(),
        "jax": version("jax"),
        "jaxlib": version("jaxlib"),
        "device": jax.devices()[0].device_kind,
    }


def dated(made_by: Mapping[str, str | None]) -> dict[str, str | None]:
    """Provenance with the current `date` (UTC, ISO 8601, to the second); empty stays empty."""
    return {**made_by, "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")} if made_by else {}


def run_provenance(made_by: Mapping[str, str | None]) -> dict[str, Any]:
    """Provenance for runs in Weights & Biases: adds `host`, `system`, `python`, and the versions of `libraries`."""
    found = {name: _installed(name) for name in LIBRARIES}
    return {
        **made_by,
        "host": platform.node(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: number for name, number in found.items() if number is not None},
    }


def commit(package: Path | None = None) -> str | None:
    """The commit of the git checkout of the package.

    Args:
        package: the package's folder; this one if None.

    Returns:
        40 hexadecimal digits, followed by `-dirty` if a tracked file has changed; None if the package is not part of a
        checkout, or git is not installed.
    """
    folder = package or _root() / "zsh_jax"
    if _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None  # not in a checkout, or in the checkout of another project
    return _git(folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(folder: Path, *arguments: str) -> str | None:
    # Without the variables of a git hook, and without changing the index of the checkout.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _root() -> Path:
    return Path(__file__).resolve().parent.parent.parent
