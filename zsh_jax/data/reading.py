"""Turn any exception of a file-reading library into one line that names the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zsh_jax.data.library_errors import reason
from zsh_jax.errors import InputError

AGAIN = "fetch or make it again"
PICKLED = "holds Python objects, which are never unpickled; fix: save plain arrays of numbers and strings"


@contextmanager
def reading(path: str | Path, what: str = "is damaged", fix: str = AGAIN) -> Iterator[None]:
    """Context in which a library reads a file: every exception counts as damage of the file.

    A damaged file makes NumPy, SciPy, HDF5, zlib, Pillow, TFDS and others raise exceptions of many types. Put only
    calls of these libraries inside, so that our own bugs are not reported as damaged files.

    Args:
        path: of the file, or another name of the place.
        what: what is wrong, placed before the reason.
        fix: what the user should do.

    Yields:
        Nothing.

    Raises:
        InputError: in place of any other exception.
    """
    try:
        yield
    except InputError:
        raise
    except MemoryError as problem:
        raise InputError(
            f"{path} does not fit into memory; fix: free memory, or give a smaller file"
        ) from problem
    except FileNotFoundError as problem:
        raise InputError(f"{problem.filename or path} is missing; fix: {fix}") from problem
    except Exception as problem:
        raise InputError(f"{path} {what} ({reason(problem)}); fix: {fix}") from problem


def written(path: str | Path) -> Path:
    """Expand `~` in a path from the user.

    Args:
        path: the path as given.

    Returns:
        The expanded path; unchanged if that home does not exist, so it is reported as missing later.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
