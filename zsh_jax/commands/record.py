"""What surrounds a sweep, and its workdir, open for writing: of several processes, the one that leads has it."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ml_collections import ConfigDict
from rich.console import Console

from zsh_jax.commands.resume import cells_done, told_other_data
from zsh_jax.inputs.load import Inputs
from zsh_jax.sweep.grid import Choices
from zsh_jax.sweep.plan import Plan
from zsh_jax.sweep.processes import Processes
from zsh_jax.tracking.provenance import provenance, run_provenance
from zsh_jax.tracking.results import Results, open_results
from zsh_jax.tracking.splits import save_splits
from zsh_jax.tracking.vectors import save_vectors
from zsh_jax.tracking.wandb_runs import WandbSettings
from zsh_jax.version import package_version


class Around(NamedTuple):
    """What a sweep runs in.

    Attributes:
        console: where it prints.
        command: the command line.
        check: raises if the workdir no longer exists.
        processes: that run it together; None for one.
    """

    console: Console
    command: str
    check: Callable[[], None]
    processes: Processes | None


class Record(NamedTuple):
    """What a sweep writes to.

    Attributes:
        results: of the workdir.
        wandb: settings of W&B.
        made_by: provenance of each row.
        done: `cell_id` of the finished cells.
        other_data: a line about cells with other data; may be empty.
    """

    results: Results
    wandb: WandbSettings
    made_by: Mapping[str, str | None]
    done: frozenset[str]
    other_data: str


def wandb_of(config: ConfigDict) -> WandbSettings:
    """The settings of Weights & Biases."""
    group = f"{config.name}-{config.dataset.name}"
    asked = config.wandb
    return WandbSettings(
        config.workdir, group, asked.project, asked.entity, mode=asked.mode, run_id=asked.run_id
    )


def plan_digest(config: ConfigDict, plan: Plan, identities: Sequence[Mapping[str, Any]]) -> str:
    """A digest that is equal for processes that run the same batches."""
    sizes = [(len(batch.splits), len(batch)) for batch in plan.batches]
    kept = (config.evaluation.to_dict(), config.save_models, config.gallery.queries, config.memory_gib)
    content = json.dumps([package_version(), sizes, kept, identities])
    return hashlib.sha256(content.encode()).hexdigest()


def open_record(
    config: ConfigDict,
    inputs: Inputs,
    identities: Sequence[Mapping[str, Any]],
    *,
    command: str,
    choices: Choices,
    shown: frozenset[str],
    check: Callable[[], None],
) -> Record:
    """Open the workdir, save what is known of the sweep, and find the finished cells.

    Args:
        config: of the sweep.
        inputs: of the sweep.
        identities: of its cells.
        command: the command line; may be empty.
        choices: of tuning.
        shown: `cell_id` of the cells whose hash functions the retrieval examples need.
        check: raises if the workdir no longer exists.

    Raises:
        InputError: if the workdir has results of another program, or cannot be written.
        OSError: if the disk failed.
    """
    kept = config.to_dict() | ({"choices": choices} if choices else {})
    results = open_results(config.workdir, kept | ({"command": command} if command else {}))
    save_vectors(config.workdir, inputs)
    save_splits(config.workdir, inputs)
    done = cells_done(config.workdir, results, identities, save_models=config.save_models, shown=shown)
    made_by = provenance()
    wandb = wandb_of(config)._replace(provenance=run_provenance(made_by), check=check)
    return Record(results, wandb, made_by, done, told_other_data(results, identities))
