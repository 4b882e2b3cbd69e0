"""The version of this package."""

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def package_version() -> str:
    """The version of this package: of its checkout, or of the installed package."""
    try:
        project = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text("utf-8"))
        if project["project"]["name"] == "zsh_jax":
            return str(project["project"]["version"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        return version("zsh_jax")
    except PackageNotFoundError:
        return "unknown"
