"""Compare the offline runs of Weights & Biases with `results.jsonl`: each cell has one run, with the same figures."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zsh_jax.sweep.shard import FOLDER
from zsh_jax.tracking.provenance import PROVENANCE
from zsh_jax.tracking.results import ID, RESULTS, json_value, read_results
from zsh_jax.tracking.row import identity_of
from zsh_jax.tracking.wandb_file import records
from zsh_jax.tracking.wandb_journal import modes

ABSENT = "nothing"


class CellRun(NamedTuple):
    """The run of a cell, as its file says.

    Attributes:
        cell: its `cell_id`; empty if the file ends before it.
        config: identity of the cell and provenance.
        summary: metrics.
    """

    cell: str
    config: Mapping[str, Any]
    summary: Mapping[str, Any]


class Checked(NamedTuple):
    """What was compared.

    Attributes:
        cells: number of cells in the results.
        online: number of them that have an online run, which is not compared.
        missing: `cell_id` of the cells without a run.
        several: of the cells with more than one.
        unlike: of the cells whose run has other values, and the first of these, in words.
        foreign: number of runs of no cell of the results, or with a damaged file.
    """

    cells: int
    online: int
    missing: Sequence[str]
    several: Sequence[str]
    unlike: Mapping[str, str]
    foreign: int

    @property
    def is_whole(self) -> bool:
        """Whether each cell has exactly one run, with equal values."""
        return not (self.missing or self.several or self.unlike or self.foreign)


def check_runs(workdir: str | Path) -> Checked:
    """Read every offline run of a workdir, and compare it with the results. Writes nothing and uses no network.

    Args:
        workdir: of a sweep. The runs of its parts below `shards` count as its own.

    Returns:
        What lacks a run, has several, or has other values.

    Raises:
        InputError: if there are no results, or they are of another program.
        OSError: if the disk failed.
    """
    workdir = Path(workdir)
    rows = {row[ID]: row for row in read_results(workdir / RESULTS)}
    online = {cell for cell, mode in modes(workdir).items() if mode == "online"} & rows.keys()
    runs: dict[str, list[CellRun]] = {cell: [] for cell in rows}
    foreign = 0
    for run in cell_runs(workdir):
        if run.cell in runs:
            runs[run.cell].append(run)
        else:
            foreign += 1
    differences = {cell: difference(rows[cell], own[0]) for cell, own in runs.items() if len(own) == 1}
    return Checked(
        cells=len(rows),
        online=sum(not runs[cell] for cell in online),
        missing=[cell for cell, own in runs.items() if not own and cell not in online],
        several=[cell for cell, own in runs.items() if len(own) > 1],
        unlike={cell: said for cell, said in differences.items() if said},
        foreign=foreign,
    )


def run_of_agent(workdir: str | Path) -> str:
    """The id of the run of W&B's agent that the sweep of a workdir wrote instead of one for each cell; else empty."""
    try:
        config = json.loads((Path(workdir) / "config.json").read_text())
        return str((config.get("wandb") or {}).get("run_id") or "")
    except (OSError, ValueError, AttributeError):
        return ""


def cell_runs(workdir: str | Path) -> Iterator[CellRun]:
    """The offline runs of cells below a workdir and its parts; the run of the whole sweep is left out."""
    for folder in (Path(workdir), *sorted((Path(workdir) / FOLDER).glob("*-of-*"))):
        for path in sorted(folder.glob("wandb/offline-run-*/run-*.wandb")):
            run = _read(path.read_bytes())
            if run is not None:
                yield run


def difference(row: Mapping[str, Any], run: CellRun) -> str:
    """The first value of a row that its run does not have, in words; empty if it has all."""
    identity = identity_of(row)
    for key, value in row.items():
        if key == ID or key in PROVENANCE:
            continue
        expected, there = json_value(value), run.config if key in identity else run.summary
        found = there.get(key, ABSENT)
        if found != expected or isinstance(found, bool) != isinstance(expected, bool):
            return f"{key} {_short(found)}, not {_short(expected)}"
    return ""


def _read(content: bytes) -> CellRun | None:
    """A run of a cell; None for another kind of run."""
    from wandb.proto import wandb_internal_pb2

    messages: Any = wandb_internal_pb2  # its names are created at import
    config: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    is_sweep, is_finished = False, False
    for one in records(content):
        record = messages.Record.FromString(one)
        match record.WhichOneof("record_type"):
            case "run":
                is_sweep = record.run.job_type == "sweep"
                config |= _values(record.run.config.update)
            case "config":
                config |= _values(record.config.update)
            case "summary":
                summary |= _values(record.summary.update)
            case "exit":
                is_finished = True
    if is_sweep:
        return None
    return CellRun(str(summary.get(ID, "")) if is_finished else "", config, summary)


def _values(items: Any) -> dict[str, Any]:
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 24 else f"{text[:21]}..."
