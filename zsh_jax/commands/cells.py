"""Run the unfinished cells of a plan and save them; of several processes, all run and the one that leads saves."""

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from zsh_jax.commands.events import open_events
from zsh_jax.commands.profile import traced
from zsh_jax.commands.record import Around, open_record, plan_digest
from zsh_jax.commands.saving import save_batches
from zsh_jax.inputs.load import Inputs
from zsh_jax.report.printing import say
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.config import evaluation_of
from zsh_jax.sweep.engine import run
from zsh_jax.sweep.fit import fit_plan
from zsh_jax.sweep.grid import NO_CHOICES, Choices
from zsh_jax.sweep.layout import describe
from zsh_jax.sweep.plan import Batch, Plan
from zsh_jax.sweep.processes import leads, told
from zsh_jax.tracking.positions import keeper_of
from zsh_jax.tracking.progress import progress
from zsh_jax.tracking.results import cell_id, check_evaluation, read_results
from zsh_jax.tracking.time_left import work_of
from zsh_jax.tracking.wandb_runs import WandbSettings, log_missing


class Finished(NamedTuple):
    """The cells of a plan when all are finished.

    Attributes:
        plan: as it fitted the memory.
        rows: of its cells, as in `results.jsonl`.
        wandb: settings for the next call.
        results: path of `results.jsonl`.
    """

    plan: Plan
    rows: list[dict[str, Any]]
    wandb: WandbSettings
    results: Path


def run_cells(
    config: ConfigDict,
    around: Around,
    plan: Plan,
    inputs: Inputs,
    compiled: Compiled,
    *,
    choices: Choices = NO_CHOICES,
    shown: frozenset[str] = frozenset(),
) -> Finished | None:
    """Run the unfinished cells of a plan, and save each batch as it ends.

    Args:
        config: of the sweep.
        around: what it runs in.
        plan: of the sweep.
        inputs: of the sweep, with fingerprints.
        compiled: stores the programs.
        choices: of tuning.
        shown: `cell_id` of the cells whose hash functions the retrieval examples need.

    Returns:
        The finished cells; None in a process that does not lead.

    Raises:
        InputError: if the workdir has other results, or one cell does not fit the memory.
        OSError: if the disk failed.
    """
    console, processes = around.console, around.processes
    identities = [identity(cell, inputs) for cell in plan.cells()]
    cells = set(map(cell_id, identities))
    evaluation = evaluation_of(config)
    if processes is not None:
        processes.check_same(plan_digest(config, plan, identities), "plans")
    record = None
    if leads(processes):
        check_evaluation(config.workdir, cells, **evaluation)
        record = open_record(
            config,
            inputs,
            identities,
            command=around.command,
            choices=choices,
            shown=shown,
            check=around.check,
        )
    done = frozenset(told(processes, record and sorted(record.done)))

    def is_done(cell: Mapping[str, Any]) -> bool:
        return cell_id(cell) in done

    def todo(batch: Batch) -> int:
        return sum(not is_done(identity(cell, inputs)) for cell in batch.cells())

    def keeps_model(cell: dict[str, Any]) -> bool:
        return config.save_models or cell_id(cell) in shown

    tell: Callable[[str], None] = partial(say, console)
    memory: dict[str, Any] = {"memory_gib": config.memory_gib, "compiled": compiled}
    plan = fit_plan(plan, inputs, **memory, **evaluation, is_done=is_done)
    batches = run(
        plan,
        inputs,
        **memory,
        **evaluation,
        keeps_model=keeps_model,
        is_done=is_done,
        tell=tell,
        keeper=keeper_of(config.workdir, config.checkpoint_seconds, tell),
    )
    if record is None:
        deque(batches, maxlen=0)
        return None
    if config.profile and any(map(todo, plan.batches)):
        batches = traced(batches, config.workdir, tell)
    say(console, describe(plan, inputs, is_done, name=config.name, workdir=config.workdir))
    if record.other_data:
        say(console, record.other_data)
    wandb = log_missing(record.wandb, done, tell)
    events = open_events(config, done, tell)
    with progress(console, work_of(plan.batches, todo)) as advance:
        results, wandb = save_batches(
            config.workdir,
            batches,
            record.results,
            wandb,
            made_by=record.made_by,
            check=around.check,
            advance=advance,
            record=events,
        )
    rows = [row for row in read_results(results.path) if row["cell_id"] in cells]
    return Finished(plan, rows, wandb, results.path)
