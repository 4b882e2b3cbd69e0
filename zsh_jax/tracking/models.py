"""The hash functions of a sweep's cells on disk."""

from pathlib import Path

from zsh_jax.errors import InputError
from zsh_jax.model_file import load_with_metadata
from zsh_jax.tracking.results import cell_id


def model_path(workdir: str | Path, identifier: str) -> Path:
    """Path of a cell's hash function: `<workdir>/models/<cell_id>.safetensors`."""
    return Path(workdir) / "models" / f"{identifier}.safetensors"


def is_whole_model(path: str | Path) -> bool:
    """Whether a file of `model_path` is undamaged and holds the hash function of its cell."""
    path = Path(path)
    try:
        return cell_id(load_with_metadata(path)[1]) == path.stem
    except (InputError, ValueError):
        return False
