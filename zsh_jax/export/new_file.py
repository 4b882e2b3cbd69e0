"""Write one new file of an export, whole or not at all."""

from pathlib import Path

from zsh_jax.atomic import cannot_write, write_whole
from zsh_jax.errors import InputError


def check_new_file(path: str | Path, ending: str) -> Path:
    """Check the name of a file that an export will write.

    Args:
        path: the file.
        ending: such as `.onnx`.

    Returns:
        The path.

    Raises:
        InputError: the name has another ending, or the file exists.
    """
    path = Path(path)
    if path.suffix.lower() != ending:
        raise InputError(f"{path} must be a {ending} file; fix: name it so")
    if path.exists():
        raise InputError(f"{path} exists already; fix: choose another file, or delete it")
    return path


def write_new_file(path: Path, content: bytes) -> None:
    """Write a file; its folder is created if needed, but not the one above.

    Raises:
        InputError: it cannot be written there.
        OSError: if the disk is full or gone; no file is left.
    """
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise cannot_write(path, error, "choose another folder") from None
