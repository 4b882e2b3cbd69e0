"""Files that appear whole or not at all, and lines that are added whole or not at all."""

import errno
import os
import re
import secrets
from collections.abc import Container
from contextlib import suppress
from pathlib import Path

from zsh_jax.errors import InputError
from zsh_jax.interrupts import unbroken

BESIDE = re.compile(r"\..+\.[0-9a-f]{8}")  # the name of a file that is being written
# What the disk is to blame for, and not the choice of a folder: the same command resumes when it is mended.
FULL = {errno.ENOSPC, errno.EDQUOT}
DISK = FULL | {errno.EIO, errno.ESTALE, errno.EFBIG, errno.ENOENT}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its name, then move it there: a reader sees the old content or the new, never a part.

    Args:
        path: the file; its folder exists.
        content: all of it.

    Raises:
        OSError: if the folder cannot be written to.
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


def append_whole(path: Path, content: bytes, *, make: bool = False) -> None:
    """Add to a file that is there, in one write that has reached the disk on return.

    Args:
        path: the file.
        content: whole lines.
        make: whether the file is made if it is not there. Where it was there before, and is gone, that is to be told.

    Raises:
        OSError: if the disk is full or gone; the file then stands as it was before.
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
    """What is to be raised where a file cannot be written.

    Args:
        path: the file or folder.
        error: why.
        fix: what mends it where it is not the disk.

    Returns:
        An `InputError` where another folder mends it (permissions, a read-only disk, a file in the way); else an
        `OSError` that names the path: the disk is full, failed or gone.
    """
    if error.errno in DISK:
        return type(error)(error.errno, error.strerror, str(path))
    return InputError(f"{path} cannot be written ({error.strerror}); {fix}")


def check_disk(folder: Path, room: int = 1 << 16) -> None:
    """See to it that a folder is there and takes a file: for libraries that do not tell a full disk from other trouble.

    Args:
        folder: where it is tried.
        room: bytes of the file.

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
    """Take away what processes that were killed were writing, beside its name. No other process writes there.

    Args:
        folder: looked through with all that is below it.
        but: names of folders in it that are left alone.
    """
    for there, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in but]
        for name in filter(BESIDE.fullmatch, files):
            with suppress(OSError):
                Path(there, name).unlink()


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")
