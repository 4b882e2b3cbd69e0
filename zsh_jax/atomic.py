"""Files that appear whole or not at all."""

import os
import secrets
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its name, then move it there: a reader sees the old content or the new, never a part.

    Args:
        path: the file; its folder exists.
        content: all of it.

    Raises:
        OSError: if the folder cannot be written to.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
