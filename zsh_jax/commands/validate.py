"""`--config.validate_only`: everything is checked, the plan is told, and nothing is run or written."""

from pathlib import Path

from ml_collections import ConfigDict
from rich.console import Console

from zsh_jax.byte_size import byte_size
from zsh_jax.commands.disk import check_disk, tried_cells
from zsh_jax.report.printing import say
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.layout import describe, lay_out
from zsh_jax.tracking.results import ID, cell_id, check_evaluation, read_results


def validate(config: ConfigDict, console: Console) -> None:
    """Check all that a sweep needs, and say what it would do.

    Settings, limits, W&B and that the workdir can be written to are checked before. Features that are not extracted yet
    stay so: how many values they have is known.

    Args:
        config: of the sweep.
        console: where to.

    Raises:
        InputError: if the sweep cannot be run as asked.
    """
    plan, inputs = lay_out(config, extract=False)
    identifiers = {cell_id(identity(cell, inputs)) for group in plan.groups for cell in group.cells()}
    evaluation = {"cutoffs": config.evaluation.cutoffs, "seen_queries": config.evaluation.seen_queries}
    check_evaluation(config.workdir, identifiers, **evaluation)
    needed, free = check_disk(config, plan, inputs)
    path = Path(config.workdir) / "results.jsonl"
    done = {row[ID] for row in read_results(path)} if path.exists() else set()
    say(console, describe(plan, inputs, config, lambda cell: cell_id(cell) in done))
    if tried := tried_cells(config):
        say(console, f"tuning first: {len(tried)} cells on validation classes")
    if inputs.fingerprints is None:
        say(console, "features: not extracted yet; the sweep does that first")
    say(console, f"disk: about {byte_size(needed)} of {byte_size(free)} that are free")
    say(console, "all is well: nothing was run, nothing written; leave out --config.validate_only to run it")
