"""Weights & Biases: one run a cell, grouped by sweep, and one for the sweep with its table of results.

Runs are written after the compiled programs have returned, from one shared service process, without what W&B
would gather by itself: console, code, git, machine, packages. Everything lies below `<directory>/wandb`. Offline runs
never touch the network; `wandb sync <directory>/wandb/offline-run-*` uploads them later.
"""

import contextlib
import csv
import hashlib
import io
import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args

from zsh_jax.errors import InputError
from zsh_jax.sweep.result import CellResult
from zsh_jax.tracking.results import ID, cell_id, json_value

Mode = Literal["offline", "online", "disabled"]
NOTHING: Mapping[str, bytes] = MappingProxyType({})
PATIENCE = 30.0  # seconds that an online run may wait for the server, at its start and at its end


class WandbSettings(NamedTuple):
    """Where runs go.

    Attributes:
        directory: the sweep's workdir; files go below its `wandb` folder.
        group: the sweep that the runs belong to.
        project: in W&B.
        entity: user or team in W&B; the account's default if None.
        mode: "offline" (files alone), "online", or "disabled" (nothing is written, wandb is not even imported).
    """

    directory: str | Path
    group: str
    project: str = "zsh_jax"
    entity: str | None = None
    mode: Mode = "offline"


def check_wandb(settings: WandbSettings) -> None:
    """Find out, before anything long starts, whether runs can be logged. The network is not asked.

    Args:
        settings: where runs go.

    Raises:
        InputError: if there is no such mode; or, online, if there is no API key.
    """
    if settings.mode not in get_args(Mode):
        raise InputError(f"wandb.mode takes {', '.join(get_args(Mode))}, not {settings.mode!r}")
    if settings.mode != "online":
        return
    # In a folder that goes again: bad input is not to leave a workdir behind.
    with TemporaryDirectory() as folder, _wandb(settings._replace(directory=folder)) as (wandb, _):
        try:
            found = wandb.login(prompt=False, verify=False)
        except wandb.errors.Error as error:
            raise InputError(
                f"W&B cannot be used online ({_one_line(error)}); use --config.wandb.mode=offline"
            ) from None
    if not found:
        raise InputError(
            "W&B cannot be used online without an API key; run `wandb login`, set WANDB_API_KEY, "
            "or use --config.wandb.mode=offline"
        )


def log_cells(settings: WandbSettings, results: Sequence[CellResult]) -> WandbSettings:
    """One run for each cell.

    Its config is the cell's identity; its history the objective, its terms and the flips, the step being the number
    of the iteration; its summary the metrics, curves as lists, and the `cell_id`. Numbers that are not finite are
    null. The run's id is made from sweep and cell, so that a cell run anew is not there twice: offline it replaces
    its folder, online it resumes its run.

    Results are safe in `results.jsonl` by then, and no trouble with W&B ends a sweep: it is told in a line on the
    standard error, and what follows is written offline, or not at all if even that fails.

    Args:
        settings: where runs go.
        results: what the engine yields.

    Returns:
        The settings for whatever is logged next.
    """
    for result in results:
        config = {key: json_value(value) for key, value in result.cell.items()}
        name = "{method} {bits} bits seed {seed}, {dataset}, {unseen}".format_map(config)
        run = _Run(cell_id(result.cell), name, "cell", config, partial(_fill_cell, result))
        settings = _log(settings, run)
    return settings


def log_sweep(
    settings: WandbSettings,
    config: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    report: Mapping[str, bytes] = NOTHING,
) -> WandbSettings:
    """One more run, for the sweep: its config, its report, and `results`, a table with a row for each cell.

    The table holds what is one value a cell. Curves and values at several cut-offs are in the cells' own runs. Each
    figure of the report is an image, each of its tables a table, and its page is `report`.

    Args:
        settings: where runs go.
        config: of the sweep; values that JSON can hold. The run's id is made from it.
        rows: as `read_results` gives them.
        report: files by name, as `zsh_jax.report.write.report_files` gives them; PNG, CSV and HTML are logged.

    Returns:
        The settings for whatever is logged next.
    """
    scalars = [
        {key: json_value(value) for key, value in row.items() if not isinstance(value, list)} for row in rows
    ]
    columns = list(dict.fromkeys(key for row in scalars for key in row))

    table = [[row.get(column) for column in columns] for row in scalars]
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]
    name = f"{settings.group}, all cells"
    return _log(settings, _Run(digest, name, "sweep", config, partial(_fill_sweep, columns, table, report)))


class _Run(NamedTuple):
    """What is to be written as one run."""

    digest: str  # of what it is about: 16 hexadecimal digits
    name: str
    kind: str
    config: Mapping[str, Any]
    fill: Callable[[Any], None]  # logs into the open run


def _fill_cell(result: CellResult, run: Any) -> None:
    history = {name: json_value(values) for name, values in result.history.items()}
    for step, values in enumerate(zip(*history.values(), strict=True), 1):
        run.log(dict(zip(history, values, strict=True)), step=step)
    metrics = {name: json_value(value) for name, value in result.metrics.items()}
    run.summary.update({ID: cell_id(result.cell)} | metrics)


def _fill_sweep(
    columns: Sequence[str], table: list[list[Any]], report: Mapping[str, bytes], run: Any
) -> None:
    import wandb
    from PIL import Image

    logged: dict[str, Any] = {
        "results": wandb.Table(columns=list(columns), data=table, allow_mixed_types=True)
    }
    for name, content in report.items():
        path = PurePosixPath(name)
        key = f"{path.parent.name}/{path.stem}"
        if path.suffix == ".png":
            logged[key] = wandb.Image(Image.open(io.BytesIO(content)))
        elif path.suffix == ".csv":
            heads, *lines = csv.reader(io.StringIO(content.decode()))
            data = [[_number(text) for text in line] for line in lines]
            logged[key] = wandb.Table(columns=list[str | int](heads), data=data, allow_mixed_types=True)
        elif name == "index.html":
            logged["report"] = wandb.Html(io.StringIO(content.decode()), inject=False)
    run.log(logged)


def _number(text: str) -> str | float | None:
    """A value of a table as what it is; nothing where nothing was run."""
    try:
        return float(text) if text else None
    except ValueError:
        return text


def _log(settings: WandbSettings, run: _Run) -> WandbSettings:
    """Write one run; offline where online fails, not at all where that fails too."""
    while settings.mode != "disabled":
        try:
            _write(settings, run)
        except Exception as error:  # any failure in here, of whatever kind, must not cost the sweep
            settings = settings._replace(mode="offline" if settings.mode == "online" else "disabled")
            message = f"zsh_jax: W&B failed ({_one_line(error)}); it is {settings.mode} from here on"
            print(message, file=sys.stderr)
            _forget_open_runs()
        else:
            break
    return settings


def _forget_open_runs() -> None:
    """End the service process: it would hold a run that failed, and its id, until the program ends."""
    import wandb

    # It can wait for ever on a service that has lost its connection.
    ending = threading.Thread(target=wandb.teardown, kwargs={"exit_code": 1}, daemon=True)
    ending.start()
    ending.join(PATIENCE)


def _write(settings: WandbSettings, run: _Run) -> None:
    group = re.sub(r"[^\w-]+", "-", settings.group)[:64]
    run_id = f"{group}-{run.digest}"
    pattern = re.compile(rf"offline-run-\d+_\d+-{re.escape(run_id)}(-[^-]+)?")
    folder = Path(settings.directory) / "wandb"
    earlier = [path for path in folder.glob("offline-run-*") if pattern.fullmatch(path.name)]
    with _wandb(settings) as (wandb, options):
        opened = wandb.init(
            project=settings.project,
            entity=settings.entity,
            id=run_id,
            name=run.name[:128],
            group=settings.group[:128],
            job_type=run.kind,
            config=dict(run.config),
            # Nothing can be resumed offline; there, the new folder takes the place of the earlier one.
            resume="allow" if settings.mode == "online" else None,
            allow_val_change=True,
            settings=options,
        )
        with opened:
            run.fill(opened)
    for path in earlier:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _wandb(settings: WandbSettings) -> Iterator[tuple[Any, Any]]:
    """The library and lean settings for it, with its caches and error reports kept from the home folder and the net."""
    folder = Path(settings.directory).absolute()
    home = {
        "WANDB_CACHE_DIR": str(folder / "wandb" / "cache"),
        "WANDB_DATA_DIR": str(folder / "wandb" / "data"),
        "WANDB_ERROR_REPORTING": "false",
    }
    added = {key: value for key, value in home.items() if key not in os.environ}
    os.environ.update(added)
    try:
        import wandb

        folder.mkdir(parents=True, exist_ok=True)
        options = wandb.Settings(
            mode=settings.mode,
            root_dir=str(folder),
            use_dot_wandb=False,
            symlink=False,
            silent=True,
            console="off",
            reinit="create_new",
            disable_git=True,
            disable_code=True,
            save_code=False,
            sagemaker_disable=True,
            label_disable=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_disable_machine_info=True,
            x_save_requirements=False,
            init_timeout=PATIENCE,
            finish_timeout=PATIENCE,
            finish_timeout_raises=True,
        )
        wandb.setup(options)
        yield wandb, options
    finally:
        for key in added:
            os.environ.pop(key, None)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
