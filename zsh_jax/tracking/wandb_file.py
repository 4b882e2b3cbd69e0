"""The file of an offline run, `run-ID.wandb`: check that all of it is on disk.

It is a LevelDB log: a header of 7 bytes, then blocks of 32 KiB of consecutive chunks: checksum (4 bytes), length (2),
kind (1), data. A record is one whole chunk, or a first, any number of middle and a last chunk.
"""

import os
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK, HEADER = 1 << 15, 7
WHOLE, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def records(content: bytes) -> Iterator[bytes]:
    """The records of a file, each a protobuf message of W&B, up to the first damaged or truncated one."""
    place, parts = HEADER, b""
    while content[:4] == b":W&B" and place < len(content):
        left = BLOCK - place % BLOCK
        if left < HEADER:
            place += left
            continue
        head = content[place : place + HEADER]
        if len(head) < HEADER:
            return
        checksum, length, kind = struct.unpack("<IHB", head)
        data = content[place + HEADER : place + HEADER + length]
        if len(data) < length or zlib.crc32(bytes([kind]) + data) != checksum:
            return
        parts = parts + data if kind in (MIDDLE, LAST) else data
        if kind in (WHOLE, LAST):
            yield parts
        place += HEADER + length


def is_finished(path: Path) -> bool:
    """Whether the file of a run exists and holds the end of the run."""
    from wandb.proto import wandb_internal_pb2

    messages: Any = wandb_internal_pb2  # its names are created at import

    try:
        content = path.read_bytes()
    except OSError:
        return False
    return any(
        messages.Record.FromString(one).WhichOneof("record_type") == "exit" for one in records(content)
    )


def wait_until_finished(path: Path, patience: float) -> None:
    """Wait until a finished run is on disk: the service writes its file with a short delay.

    Args:
        path: the file.
        patience: seconds to wait.

    Raises:
        TimeoutError: if it is not complete by then.
        OSError: if the disk failed.
    """
    end = time.monotonic() + patience
    pause = 0.001
    while not is_finished(path):
        if time.monotonic() > end:
            raise TimeoutError(f"{path.name} is incomplete")
        time.sleep(pause)
        pause = min(2 * pause, 0.1)
    with path.open("rb") as file:
        os.fsync(file.fileno())
