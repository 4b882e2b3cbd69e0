"""The hash functions of a sweep's cells on disk."""

from pathlib import Path

from zsh_jax.errors import InputError
from zsh_jax.model_file import load_with_metadata
from zsh_jax.tracking.results import cell_id


def model_path(workdir: str | Path, identifier: str) -> Path:
    """Where the hash function of a cell is.

    Args:
        workdir: of the sweep.
        identifier: the cell's `cell_id`.

    Returns:
        `<workdir>/models/<cell_id>.safetensors`.
    """
    return Path(workdir) / "models" / f"{identifier}.safetensors"


def is_whole_model(path: str | Path) -> bool:
    """Whether a file holds the hash function of the cell that it is named for, as it was saved.

    Args:
        path: of `model_path`.

    Returns:
        False if the file is missing, cut, damaged, another's or another cell's.
    """
    path = Path(path)
    try:
        return cell_id(load_with_metadata(path)[1]) == path.stem
    except (InputError, ValueError):
        return False
