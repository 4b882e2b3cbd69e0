"""Atomic file writes and appends."""

import errno
import os
import re
import secrets
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from zsh_jax.errors import InputError
from zsh_jax.interrupts import unbroken

BESIDE = re.compile(r"\..+\.[0-9a-f]{8}")  # the name of a file that is being written
# Errors of the disk, not of the chosen folder: the same command resumes when the disk works again.
FULL = {errno.ENOSPC, errno.EDQUOT}
DISK = FULL | {errno.EIO, errno.ESTALE, errno.EFBIG, errno.ENOENT}


def write_whole(path: Path, content: bytes) -> None:
    """Write a temporary file, then rename it: a reader sees the old content or the new, never a part.

    Args:
        path: the file; its folder exists.
        content: of the file.

    Raises:
        OSError: if the folder is not writable.
    """
    beside = _beside(path)
    with unbroken:
        try:
            with beside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


@contextmanager
def writing_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces a file when the context ends, and is deleted if it ends by an exception.

    Args:
        path: the file; its folder exists.

    Yields:
        The temporary file, open for writing.

    Raises:
        OSError: if the folder is not writable, or the disk is full.
    """
    beside = _beside(path)
    try:
        with beside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with unbroken:
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def append_whole(path: Path, content: bytes, *, make: bool = False) -> None:
    """Append to a file in one write that is on disk on return.

    Args:
        path: the file.
        content: whole lines.
        make: whether to create a missing file. If not, a missing file is an error.

    Raises:
        OSError: if the disk is full or gone; the file is then unchanged.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT if make else 0)
    with unbroken, open(os.open(path, flags, 0o666), "wb", buffering=0) as file:
        before = os.fstat(file.fileno()).st_size
        try:
            if file.write(content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(before)
            raise


def cannot_write(
    path: Path, error: OSError, fix: str = "choose another --config.workdir"
) -> InputError | OSError:
    """The exception to raise if a file cannot be written.

    Args:
        path: the file or folder.
        error: the cause.
        fix: what the user should do if the disk is not the cause.

    Returns:
        An `InputError` if another folder helps (permissions, a read-only disk, a file in the way); else an `OSError`
        that names the path: the disk is full, failed or gone.
    """
    if error.errno in DISK:
        return type(error)(error.errno, error.strerror, str(path))
    return InputError(f"{path} cannot be written ({error.strerror}); fix: {fix}")


def check_disk(folder: Path, room: int = 1 << 16) -> None:
    """Check that a file of `room` bytes fits in a folder: for libraries that do not distinguish a full disk.

    Raises:
        OSError: if it does not.
    """
    beside = _beside(folder / "room")
    try:
        with beside.open("xb") as file:
            file.write(bytes(room))
    finally:
        beside.unlink(missing_ok=True)


def remove_leftovers(folder: Path, but: Container[str] = ()) -> None:
    """Delete temporary files of killed processes. No other process may write there.

    Args:
        folder: searched with all folders below it.
        but: names of folders that are skipped.
    """
    for there, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in but]
        for name in filter(BESIDE.fullmatch, files):
            with suppress(OSError):
                Path(there, name).unlink()


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")
