"""Runs of Weights & Biases as they lie on disk, read back record by record.

A `.wandb` file is a LevelDB log: a header of 7 bytes, then blocks of 32 KiB, in each of which chunks follow one
another: checksum (4 bytes), length (2), kind (1), data. A record is one whole chunk, or a first, any middle and a
last one. Each record is a protobuf message.
"""

import json
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

BLOCK, HEADER = 1 << 15, 7
WHOLE, FIRST, MIDDLE, LAST = 1, 2, 3, 4


class Run(NamedTuple):
    run_id: str
    name: str
    group: str
    project: str
    config: dict
    history: list[dict]
    summary: dict
    exit_code: int
    folder: Path
    job_type: str = ""
    tags: tuple[str, ...] = ()


def offline_runs(workdir):
    """Every offline run below a sweep's workdir, by id."""
    import wandb

    wandb.teardown()  # the service closes the file of a finished run a moment later, and all of them by its own end
    runs = [_read_run(path) for path in sorted(Path(workdir).glob("wandb/offline-run-*/*.wandb"))]
    assert len({run.run_id for run in runs}) == len(runs), "a run is there twice"
    return {run.run_id: run for run in runs}


def _read_run(path):
    from wandb.proto.wandb_internal_pb2 import Record

    started, config, history, summary, exit_code = None, {}, [], {}, None
    for data in _records(path.read_bytes()):
        record = Record.FromString(data)
        match record.WhichOneof("record_type"):
            case "run":
                started = record.run
                config |= _values(record.run.config.update)
            case "config":
                config |= _values(record.config.update)
            case "history":
                history.append(_values(record.history.item) | {"_step": record.history.step.num})
            case "summary":
                summary |= _values(record.summary.update)
            case "exit":
                exit_code = record.exit.exit_code
    return Run(
        started.run_id,
        started.display_name,
        started.run_group,
        started.project,
        _own(config),
        [_own(row) | {"_step": row["_step"]} for row in history],
        _own(summary),
        exit_code,
        path.parent,
        started.job_type,
        tuple(started.tags),
    )


def _records(content):
    assert content[:4] == b":W&B"
    place, parts = HEADER, []
    while place < len(content):
        left = BLOCK - place % BLOCK
        if left < HEADER:
            place += left
            continue
        checksum, length, kind = struct.unpack("<IHB", content[place : place + HEADER])
        data = content[place + HEADER : place + HEADER + length]
        assert len(data) == length, "a record is cut short"
        assert zlib.crc32(bytes([kind]) + data) == checksum
        assert (kind in (MIDDLE, LAST)) == bool(parts)
        parts.append(data)
        if kind in (WHOLE, LAST):
            yield b"".join(parts)
            parts = []
        place += HEADER + length
    assert not parts, "a record is cut short"


def _no_constant(name):
    raise AssertionError(f"{name} is not JSON")


def _values(items):
    pairs = {}
    for item in items:
        key = item.key or "/".join(item.nested_key)
        pairs[key] = json.loads(item.value_json, parse_constant=_no_constant)
    return pairs


def _own(values):
    """Without what W&B adds by itself."""
    return {key: value for key, value in values.items() if not key.startswith("_")}
