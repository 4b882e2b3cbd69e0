"""Event files of TensorBoard below `<workdir>/tensorboard`: one run folder a cell, made from its row and history.

A file is written whole, under a name that follows from its contents: a cell that runs again replaces its file, and what
a killed process has not written is found by its name at the next start.
"""

import hashlib
import io
import json
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from zsh_jax.atomic import write_whole
from zsh_jax.errors import InputError
from zsh_jax.sweep.result import CellResult
from zsh_jax.tracking.history import HISTORY, read_history
from zsh_jax.tracking.provenance import PROVENANCE
from zsh_jax.tracking.results import ID, RESULTS, json_value, read_results, row_of
from zsh_jax.tracking.row import identity_of
from zsh_jax.tracking.wandb_groups import group_of, setting_of

FOLDER = "tensorboard"
HEAD = "events.out.tfevents."  # TensorBoard finds files by it
NAN = float("nan")


def check_tensorboard() -> None:
    """Check, before anything slow starts, that event files can be written.

    Raises:
        InputError: if the package is not installed.
    """
    if find_spec("tensorboard") is None:
        raise InputError(
            "tensorboard: the package tensorboard is not installed; fix: pip install 'zsh_jax[tensorboard]', or "
            "--config.tensorboard=False"
        )


def write_events(workdir: str | Path, sweep: str, results: Sequence[CellResult]) -> None:
    """Write the event file of each cell of a finished batch.

    Args:
        workdir: of the sweep; the folder exists.
        sweep: its name.
        results: of the engine.

    Raises:
        OSError: if the disk failed.
    """
    for result in results:
        row = {key: json_value(value) for key, value in row_of(result).items()}
        history = {name: json_value(values) for name, values in result.history.items()}
        _write(Path(workdir), sweep, row, history)


def write_missing_events(workdir: str | Path, sweep: str, cells: Container[str]) -> int:
    """Write the event files that finished cells lack: a process was killed, or the sweep ran without them.

    Args:
        workdir: of the sweep; the results are open.
        sweep: its name.
        cells: `cell_id` of the sweep's cells.

    Returns:
        The number of cells that lacked theirs.

    Raises:
        InputError: if the results or histories cannot be read.
        OSError: if the disk failed.
    """
    workdir = Path(workdir)
    every = read_results(workdir / RESULTS)
    rows = [{key: json_value(value) for key, value in row.items()} for row in every if row[ID] in cells]
    history = workdir / HISTORY
    histories = read_history(history).by_cell if history.exists() else {}
    written = 0
    for row in rows:
        traces = {name: json_value(values) for name, values in histories.get(row[ID], {}).items()}
        folder = run_folder(workdir, row)
        if [path.name for path in folder.glob(f"{HEAD}*")] != [_name(row, traces)]:
            _write(workdir, sweep, row, traces)
            written += 1
    return written


def run_folder(workdir: str | Path, row: Mapping[str, Any]) -> Path:
    """The run folder of a cell: its name has variant or method, code length, seed and `cell_id`."""
    head = f"{row.get('variant') or row['method']}-{row['bits']}-bits-seed-{row['seed']}"
    return Path(workdir) / FOLDER / f"{head}-{row[ID]}"


def _write(workdir: Path, sweep: str, row: Mapping[str, Any], history: Mapping[str, Any]) -> None:
    folder, name = run_folder(workdir, row), _name(row, history)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / name, _content(sweep, row, history))
    for path in folder.glob(f"{HEAD}*"):
        if path.name != name:
            path.unlink()


def _name(row: Mapping[str, Any], history: Mapping[str, Any]) -> str:
    stated = {key: value for key, value in row.items() if key not in PROVENANCE}
    numbers = {
        name: [None if one is None else float(one) for one in values] for name, values in history.items()
    }
    text = json.dumps([stated, numbers], sort_keys=True)
    return f"{HEAD}0.{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _content(sweep: str, row: Mapping[str, Any], history: Mapping[str, Any]) -> bytes:
    """An event file: setting, traces over iterations, metrics, curves, and the end of the run."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata
    from tensorboard.plugins.hparams.api_pb2 import Status
    from tensorboard.plugins.hparams.plugin_data_pb2 import (
        HParamsPluginData,
        SessionEndInfo,
        SessionStartInfo,
    )
    from tensorboard.summary.writer.record_writer import RecordWriter

    file = io.BytesIO()
    records, made = RecordWriter(file), _seconds(row)

    def write(step: int, tag: str, **value: Any) -> None:
        summary = Summary(value=[Summary.Value(tag=tag, **value)])
        records.write(Event(wall_time=made, step=step, summary=summary).SerializeToString())

    def state(tag: str, **info: Any) -> None:
        about = metadata.create_summary_metadata(HParamsPluginData(version=0, **info))
        write(0, tag, metadata=about, tensor=metadata.NULL_TENSOR)

    records.write(Event(wall_time=made, file_version="brain.Event:2").SerializeToString())
    start = SessionStartInfo(group_name=group_of(sweep, identity_of(row)), start_time_secs=made)
    for key, value in setting_of(identity_of(row)).items():
        _set(start.hparams[key], value)
    state(metadata.SESSION_START_INFO_TAG, session_start_info=start)
    for step, tag, number in _scalars(row, history):
        write(step, tag, simple_value=NAN if number is None else number)
    status = Status.STATUS_FAILURE if row.get("status") == "non_finite" else Status.STATUS_SUCCESS
    end = SessionEndInfo(status=status, end_time_secs=made)
    state(metadata.SESSION_END_INFO_TAG, session_end_info=end)
    return file.getvalue()


def _scalars(row: Mapping[str, Any], history: Mapping[str, Any]) -> Iterator[tuple[int, str, float | None]]:
    """Step, tag and value of each number: of traces from step 1, of curves over radius or cut-off."""
    for name, values in history.items():
        for step, value in enumerate(values, 1):
            yield step, f"history/{name}", value
    identity = identity_of(row)
    for name, value in row.items():
        if name in identity or name in (ID, "cutoffs", *PROVENANCE) or isinstance(value, str):
            continue
        if not isinstance(value, list):
            yield 0, f"metrics/{name}", value
            continue
        steps = row["cutoffs"] if "_at" in name else range(len(value))
        for step, one in zip(steps, value, strict=True):
            yield step, f"curves/{name}", one


def _set(hparam: Any, value: object) -> None:
    """Set a value of TensorBoard, which may be a number, a truth value or a text."""
    if isinstance(value, bool):
        hparam.bool_value = value
    elif isinstance(value, int | float):
        hparam.number_value = value
    else:
        hparam.string_value = "" if value is None else str(value)


def _seconds(row: Mapping[str, Any]) -> float:
    """When the row was made; now if it does not say."""
    date = row.get("date")
    return time.time() if date is None else datetime.fromisoformat(date).timestamp()
