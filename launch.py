"""Run a sweep: `python launch.py --config experiments/sweep_bits.py[:dataset] [--config.KEY=VALUE ...]`."""

import re
import sys
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from absl import flags, logging
from ml_collections import ConfigDict, config_flags
from rich.console import Console

from zsh_jax.data.nearest import nearest_names
from zsh_jax.errors import InputError
from zsh_jax.report.at_end import kept_for_gallery, write_end
from zsh_jax.report.table import paired_table, results_table, unseen_table
from zsh_jax.report.tuned import as_tuned
from zsh_jax.sweep.axes import BOUNDS
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.engine import run
from zsh_jax.sweep.grid import Choices
from zsh_jax.sweep.layout import describe, lay_out
from zsh_jax.sweep.tuning import check_tuning, choose, told, validation_config
from zsh_jax.tracking.history import append_history
from zsh_jax.tracking.models import model_path, save_model
from zsh_jax.tracking.progress import progress
from zsh_jax.tracking.results import append_results, cell_id, check_evaluation, open_results, read_results
from zsh_jax.tracking.vectors import save_vectors
from zsh_jax.tracking.wandb_runs import WandbSettings, check_wandb, log_cells, log_sweep

WIDTH = 180  # of tables that are not printed to a terminal

SETTINGS = "zsh_jax/sweep/config.py has all settings and their defaults"


def read_config(arguments: Sequence[str]) -> ConfigDict:
    """The configuration that the command line asks for.

    Args:
        arguments: as in `sys.argv`.

    Returns:
        The locked configuration, with `workdir` set.

    Raises:
        InputError: if the experiment, a key or a value is wrong.
    """
    experiment = _experiment(arguments)
    # Twice: first without the settings, so that what fails then is the experiment, and keys can be checked.
    config, _ = _parse([arguments[0], f"--config={experiment}"], f"{experiment} cannot be read")
    for argument in arguments[1:]:
        setting = re.match(r"--?(?:no)?config\.([^=]*)", argument)
        if setting:
            _check_key(config, setting[1])
    config, rest = _parse(arguments, "the command line cannot be read")
    if rest:
        raise InputError(f"unexpected argument {rest[0]!r}; settings are given as --config.KEY=VALUE")
    if not config.workdir:
        config.workdir = f"runs/{config.name}-{config.dataset.name}"
    return config


def _experiment(arguments: Sequence[str]) -> str:
    """What is given as --config: a file, and perhaps a colon and what its `get_config` is to be told."""
    given = ""
    for argument, following in pairwise([*arguments, ""]):
        name, equals, value = argument.partition("=")
        if name in ("-config", "--config"):
            given = value if equals else following
    file = given.partition(":")[0]
    if not file:
        raise InputError("no experiment given; give one, as in --config experiments/sweep_bits.py")
    if not Path(file).is_file():
        raise InputError(f"there is no experiment {file}; give one, as in --config experiments/sweep_bits.py")
    return given


def _check_key(config: ConfigDict, setting: str) -> None:
    here: Any = config
    for key in setting.split("."):
        if not isinstance(here, ConfigDict):
            raise InputError(f"there is no setting --config.{setting}, for what is before .{key} is a value")
        if key not in here:
            raise InputError(f"there is no setting --config.{setting}; {nearest_names(key, here.keys())}")
        here = here[key]


def _parse(arguments: Sequence[str], trouble: str) -> tuple[ConfigDict, list[str]]:
    """The configuration, and the arguments that are no flags."""
    parsed = flags.FlagValues()  # of this call alone, not of the process
    config_flags.DEFINE_config_file("config", None, "", flag_values=parsed, sys_argv=list(arguments))
    try:
        rest = parsed(list(arguments))
        config: Any = parsed["config"].value
        config.name  # noqa: B018  a file that could not be read says so at the first access
    except (flags.Error, AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        # What was raised first says most; flags and configurations wrap it in lines of their own.
        chain: list[BaseException] = [error]
        while inner := chain[-1].__cause__ or chain[-1].__context__:
            chain.append(inner)
        for one in chain[::-1]:
            if isinstance(one, InputError):
                raise one from None
        if isinstance(error, flags.IllegalFlagValueError) and len(chain) > 1:
            flag = str(error).partition(": ")[0]
            raise InputError(f"{flag} is not of the right kind ({chain[1]}); {SETTINGS}") from None
        said = " ".join(str(chain[-1]).split())
        raise InputError(f"{trouble} ({type(chain[-1]).__name__}: {said}); {SETTINGS}") from None
    return config, rest[1:]


def run_sweep(config: ConfigDict, console: Console) -> int:
    """Plan, run, record and sum up a sweep.

    Args:
        config: of the sweep.
        console: where to.

    Returns:
        Exit status: 0, or 3 where a solve was not finite.

    Raises:
        InputError: if the sweep cannot be run as asked; nothing has been written then.
    """
    group = f"{config.name}-{config.dataset.name}"
    wandb = WandbSettings(config.workdir, group, config.wandb.project, config.wandb.entity, config.wandb.mode)
    check_wandb(wandb)
    check_tuning(config)
    plan, inputs = lay_out(config)
    choices = _tune(config, console) if config.tuning.axes else {}
    if choices:
        plan, inputs = lay_out(config, choices)
    cutoffs = tuple(config.evaluation.cutoffs)
    cells = {cell_id(identity(cell, inputs)) for group in plan.groups for cell in group.cells()}
    evaluation = {"cutoffs": cutoffs, "seen_queries": config.evaluation.seen_queries}
    check_evaluation(config.workdir, cells, **evaluation)
    results = open_results(config.workdir, config.to_dict() | ({"choices": choices} if choices else {}))
    save_vectors(config.workdir, inputs)
    shown = kept_for_gallery(config, plan, inputs)

    def is_done(cell: dict[str, Any]) -> bool:
        identifier = cell_id(cell)
        wants_model = config.save_models and cell["method"] not in BOUNDS
        kept = not wants_model or model_path(config.workdir, identifier).exists()
        return identifier in results.done and kept

    def keeps_model(cell: dict[str, Any]) -> bool:
        return config.save_models or cell_id(cell) in shown

    console.print(describe(plan, inputs, config, is_done), highlight=False, soft_wrap=True)
    todo = sum(not is_done(identity(cell, inputs)) for group in plan.groups for cell in group.cells())
    with progress(console, todo) as advance:
        for batch in run(plan, inputs, **evaluation, keeps_model=keeps_model, is_done=is_done):
            for result in batch:
                if result.model is not None:
                    path = model_path(config.workdir, cell_id(result.cell))
                    save_model(path, result.model, result.cell, result.class_codes)
            append_history(config.workdir, batch)
            results = append_results(results, batch)
            wandb = log_cells(wandb, batch)
            advance(len(batch))

    rows = [row for row in read_results(results.path) if row["cell_id"] in cells]
    rows.sort(key=lambda row: row["variant"] != config.reference)  # stable: the reference first
    rows = as_tuned(rows, config.tuning.axes.to_dict())
    console.print(results_table(rows, cutoffs))
    if len({row["unseen"] for row in rows}) > 1:
        console.print(unseen_table(rows))
    if config.reference:
        console.print(paired_table(rows, config.reference))
    report = write_end(config, plan, inputs, partial(console.print, highlight=False, soft_wrap=True))
    log_sweep(wandb, config.to_dict(), rows, report)
    failed = sum(row["status"] == "non_finite" for row in rows)
    if failed:
        console.print(f"{failed} of {len(rows)} cells were not finite; see status in {results.path}")
    return 3 if failed else 0


def _tune(config: ConfigDict, console: Console) -> Choices:
    """Try settings on validation classes, as a sweep below the workdir, and choose."""
    validation = validation_config(config)
    run_sweep(validation, console)
    rows = read_results(Path(validation.workdir) / "results.jsonl")
    choices = choose(rows, config.tuning.axes.to_dict())
    console.print(f"chosen on validation classes:\n{told(choices)}", highlight=False, soft_wrap=True)
    return choices


def main(arguments: Sequence[str]) -> int:
    """Run `launch.py`.

    Args:
        arguments: as in `sys.argv`.

    Returns:
        Exit status: 0; 1 where the disk failed, 2 for bad input, 3 where a solve was not finite, 130 if interrupted.
    """
    if {"-h", "-help", "--help"} & set(arguments[1:]):
        print(f"{__doc__}\n\n{SETTINGS}.")
        return 0
    logging.set_verbosity(logging.ERROR)  # TFDS warns of what it would rather have installed
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    try:
        return run_sweep(read_config(arguments), console)
    except InputError as error:
        print(f"launch.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"launch.py: {error}; what has ended is kept, and the same command goes on from there",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(
            "launch.py: interrupted; what has ended is kept, and the same command goes on from there",
            file=sys.stderr,
        )
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv))
