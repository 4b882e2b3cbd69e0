"""Files that appear whole or not at all, and lines that are added whole or not at all."""

import errno
import os
import secrets
from pathlib import Path

from zsh_jax.errors import InputError
from zsh_jax.interrupts import unbroken

# What the disk is to blame for, and not the choice of a folder: the same command resumes when it is mended.
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.EFBIG, errno.ENOENT}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its name, then move it there: a reader sees the old content or the new, never a part.

    Args:
        path: the file; its folder exists.
        content: all of it.

    Raises:
        OSError: if the folder cannot be written to.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with unbroken:
        try:
            with beside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def append_whole(path: Path, content: bytes) -> None:
    """Add to a file that is there, in one write that has reached the disk on return.

    Args:
        path: the file. It is not made: where it is gone, so is its folder, and that is to be told.
        content: whole lines.

    Raises:
        OSError: if the disk is full or gone; the file then stands as it was before.
    """
    with unbroken, open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), "wb", buffering=0) as file:
        before = os.fstat(file.fileno()).st_size
        try:
            if file.write(content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(before)
            raise


def cannot_write(path: Path, error: OSError) -> InputError | OSError:
    """What is to be raised where a file cannot be written.

    Args:
        path: the file or folder.
        error: why.

    Returns:
        An `InputError` where another folder mends it (permissions, a read-only disk, a file in the way); else an
        `OSError` that names the path: the disk is full, failed or gone.
    """
    if error.errno in DISK:
        return type(error)(error.errno, error.strerror, str(path))
    return InputError(f"{path} cannot be written ({error.strerror}); choose another --config.workdir")
