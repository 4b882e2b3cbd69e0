"""One guard around every library that reads a file: what it raises becomes one line that names the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zsh_jax.data.library_errors import reason
from zsh_jax.errors import InputError

AGAIN = "fetch or make it again"
PICKLED = "holds Python objects, which are never unpickled; fix: save plain arrays of numbers and strings"


@contextmanager
def reading(path: str | Path, what: str = "is damaged", fix: str = AGAIN) -> Iterator[None]:
    """Read a file inside this, and nothing else: every exception is taken for damage of the file.

    A damaged file makes NumPy, SciPy, HDF5, zlib, Pillow, TFDS and others fail in more ways than can be listed: a
    ValueError here, an IndexError or RecursionError there. A defect of our own must not hide among them, so only
    calls of such libraries belong inside.

    Args:
        path: of the file, or what else names the place.
        what: is wrong with it, to stand before the reason.
        fix: what to do about it.

    Yields:
        Nothing.

    Raises:
        InputError: instead of any other exception.
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
    """A path as a user wrote it, `~` standing for a home.

    Args:
        path: as it was given.

    Returns:
        The path; where there is no such home, as it was given, for it is then not found.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
