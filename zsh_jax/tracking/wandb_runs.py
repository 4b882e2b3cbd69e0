"""Weights & Biases: one run a cell, grouped by setting, and one for the sweep with its tables, charts and report.

Runs are written after the compiled programs have returned, by one shared service process, without the data that W&B
collects by default: console, code, git, machine, packages. All files are below `<directory>/wandb`. Offline runs never
use the network; `wandb sync <directory>/wandb/offline-run-*` uploads them later.
"""

import csv
import io
from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, get_args

from zsh_jax.errors import InputError
from zsh_jax.sweep.result import CellResult
from zsh_jax.tracking.history import HISTORY, read_history
from zsh_jax.tracking.means import mean_metrics
from zsh_jax.tracking.provenance import PROVENANCE
from zsh_jax.tracking.results import ID, cell_id, json_value, read_results, row_of
from zsh_jax.tracking.run_ids import cell_run_id, sweep_run_id
from zsh_jax.tracking.wandb_charts import Means, charts_of, no_means, table_of
from zsh_jax.tracking.wandb_groups import LONGEST_TAG, group_of, tags_of
from zsh_jax.tracking.wandb_journal import note_run, open_journal
from zsh_jax.tracking.wandb_service import Mode, Run, WandbSettings, one_line, wandb_with, write_run

__all__ = ["WandbSettings", "check_wandb", "log_cells", "log_missing", "log_rows", "log_sweep"]

RESULTS = "results.jsonl"
NOTHING: Mapping[str, Any] = MappingProxyType({})


def check_wandb(settings: WandbSettings) -> None:
    """Check, before anything slow starts, that runs can be logged. Does not use the network.

    Raises:
        InputError: if the mode does not exist; or, online, if there is no API key.
    """
    if settings.mode not in get_args(Mode):
        raise InputError(
            f"wandb.mode: takes {', '.join(get_args(Mode))}, not {settings.mode!r}; fix: set --config.wandb.mode"
        )
    if settings.mode != "online":
        return
    # In a temporary folder: bad input must not create a workdir.
    with TemporaryDirectory() as folder, wandb_with(settings._replace(directory=folder)) as (wandb, _):
        try:
            found = wandb.login(prompt=False, verify=False)
        except wandb.errors.Error as error:
            raise InputError(
                f"W&B cannot be used online ({one_line(error)}); fix: --config.wandb.mode=offline"
            ) from None
    if not found:
        raise InputError(
            "W&B cannot be used online without an API key; fix: run `wandb login`, set WANDB_API_KEY, "
            "or set --config.wandb.mode=offline"
        )


def log_cells(settings: WandbSettings, results: Sequence[CellResult]) -> WandbSettings:
    """Write one run for each cell of a finished batch; see `log_rows`.

    Args:
        settings: of W&B.
        results: of the engine.

    Returns:
        The settings for the next call.

    Raises:
        OSError: if the disk failed.
    """
    histories = {cell_id(result.cell): result.history for result in results}
    return log_rows(settings, [row_of(result) for result in results], histories)


def log_missing(
    settings: WandbSettings, cells: Container[str], say: Callable[[str], object] = print
) -> WandbSettings:
    """Write the runs of finished cells that lack one because a process or W&B died, at the start of a sweep.

    Args:
        settings: of W&B; the results are open.
        cells: `cell_id` of the sweep's cells.
        say: prints a line with the number of these cells.

    Returns:
        The settings for the next call.

    Raises:
        InputError: if the results, histories or the journal cannot be read.
        OSError: if the disk failed.
    """
    if settings.mode == "disabled" or settings.run_id is not None:
        return settings
    folder = Path(settings.directory)
    there = open_journal(folder)
    rows = [row for row in read_results(folder / RESULTS) if row[ID] in cells and row[ID] not in there]
    if not rows:
        return settings
    histories = read_history(folder / HISTORY).by_cell if (folder / HISTORY).exists() else {}
    settings = log_rows(settings, rows, histories)
    if settings.mode != "disabled":
        say(f"W&B: wrote the missing runs of {len(rows):,} finished cells")
    return settings


def log_rows(
    settings: WandbSettings,
    rows: Sequence[Mapping[str, Any]],
    histories: Mapping[str, Mapping[str, Any]],
) -> WandbSettings:
    """Write one run for each row of the results.

    The config is the cell's identity; the group its setting, the same for all seeds and unseen classes; the type its
    method; the history is the objective, its terms and the flips at each iteration; the
    summary is the metrics, curves as lists, and the `cell_id`. Numbers that are not finite are null. The run's id is
    a digest of sweep, cell and results: a cell that runs again does not appear twice (offline it replaces its folder,
    online it resumes its run), and a run never replaces one with other results. Finished runs are recorded in the
    journal.

    Results are in `results.jsonl` by then, and no W&B failure ends a sweep: it prints a line on standard error, and
    later runs are written offline, or not at all if that fails too.

    Args:
        settings: of W&B.
        rows: from `row_of` or `read_results`.
        histories: by `cell_id`, one value an iteration; a cell may have none.

    Returns:
        The settings for the next call.

    Raises:
        OSError: if the disk failed.
    """
    for row in rows:
        if settings.mode == "disabled" or settings.run_id is not None:
            break
        values = {key: json_value(value) for key, value in row.items()}
        keys = list(values)
        identity = {key: values[key] for key in keys[: keys.index(ID)]}
        summary = {key: values[key] for key in keys[keys.index(ID) :] if key not in PROVENANCE}
        made_by = {key: values[key] for key in PROVENANCE if key in values}
        history = {name: json_value(trace) for name, trace in histories.get(row[ID], {}).items()}
        name = "{method} {bits} bits seed {seed}, {dataset}, {unseen}".format_map(identity)
        config = identity | _provenance(settings, made_by)
        run = Run(
            cell_run_id(row),
            name,
            "cell",
            config,
            partial(_fill_cell, history, summary),
            group=group_of(settings.group, identity),
            job=identity["method"],
            tags=tags_of(settings.group, identity),
        )
        settings = write_run(settings, run)
        if settings.mode != "disabled":
            note_run(settings.directory, row[ID], run.digest, settings.mode)
    return settings


def log_sweep(
    settings: WandbSettings,
    config: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    report: Mapping[str, bytes] = NOTHING,
    means: Callable[[], Means] = no_means,
) -> WandbSettings:
    """Write the run of the sweep: its config, its report, `results`, a table with a row for each cell, and its means.

    The table of cells has the scalar values of each cell; curves and values at several cut-offs are in the cells' own
    runs. Each figure of the report is an image, each table a table, and the page is `report`. With
    `settings.run_id` it is that run, and also has the means over all cells, see `mean_metrics`.

    Args:
        settings: of W&B.
        config: of the sweep; JSON values. The run's id is a digest of it and the rows.
        rows: from `read_results`.
        report: files by name, from `zsh_jax.report.write.report_files`; PNG, CSV and HTML are logged.
        means: gives means over seeds, such as `zsh_jax.report.means.means_of` does; see `charts_of`.

    Returns:
        The settings for the next call.
    """
    scalars = [
        {key: json_value(value) for key, value in row.items() if not isinstance(value, list)} for row in rows
    ]
    columns = list(dict.fromkeys(key for row in scalars for key in row))

    table = [[row.get(column) for column in columns] for row in scalars]
    digest, config = sweep_run_id(config, rows), {**config, **_provenance(settings)}
    name = f"{settings.group}, all cells"
    told = {} if settings.run_id is None else mean_metrics(rows)
    fill = partial(_fill_sweep, columns, table, report, means, told=told)
    run = Run(digest, name, "sweep", config, fill, tags=(settings.group[:LONGEST_TAG],))
    return write_run(settings, run)


def _provenance(settings: WandbSettings, made_by: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
    """The provenance entry of a run's config: of this process, unless an earlier one made the results."""
    found = {**settings.provenance, **made_by}
    return {"provenance": found} if found else {}


def _fill_cell(history: Mapping[str, Any], summary: Mapping[str, Any], run: Any) -> None:
    for step, values in enumerate(zip(*history.values(), strict=True), 1):
        # Committed, or the last step would replace a figure of the summary that has its name, such as the objective.
        run.log(dict(zip(history, values, strict=True)), step=step, commit=True)
    run.summary.update(summary)


def _fill_sweep(
    columns: Sequence[str],
    table: list[list[Any]],
    report: Mapping[str, bytes],
    means: Callable[[], Means],
    run: Any,
    *,
    told: Mapping[str, float],
) -> None:
    import wandb
    from PIL import Image

    logged: dict[str, Any] = {"results": table_of(columns, table)} | charts_of(means())
    for name, content in report.items():
        path = PurePosixPath(name)
        key = f"{path.parent.name}/{path.stem}"
        if path.suffix == ".png":
            logged[key] = wandb.Image(Image.open(io.BytesIO(content)))
        elif path.suffix == ".csv":
            heads, *lines = csv.reader(io.StringIO(content.decode()))
            data = [[_number(text) for text in line] for line in lines]
            logged[key] = table_of(heads, data)
        elif name == "index.html":
            logged["report"] = wandb.Html(io.StringIO(content.decode()), inject=False)
    run.log(logged | dict(told))


def _number(text: str) -> str | float | None:
    """A text of a table as a number if it is one; None if it is empty."""
    try:
        return float(text) if text else None
    except ValueError:
        return text
