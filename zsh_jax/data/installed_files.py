"""Files that another installed package brings, found without importing it."""

import importlib.util
from pathlib import Path


def installed_file(package: str, name: str) -> Path | None:
    """A file or folder in the folder of an installed package.

    Args:
        package: its import name, without a dot.
        name: path below its folder.

    Returns:
        The path; None if the package is not installed, or lacks it.
    """
    spec = importlib.util.find_spec(package)
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    return next((path for path in (Path(folder) / name for folder in folders) if path.exists()), None)
