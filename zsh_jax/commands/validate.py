"""`--config.validate_only`: check everything and print the plan, without running or writing anything."""

from pathlib import Path

from ml_collections import ConfigDict
from rich.console import Console

from zsh_jax.byte_size import byte_size
from zsh_jax.commands.disk import check_disk, tried_cells
from zsh_jax.report.printing import say
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.config import evaluation_of
from zsh_jax.sweep.layout import describe, lay_out
from zsh_jax.tracking.results import ID, cell_id, check_evaluation, read_results


def validate(config: ConfigDict, console: Console) -> None:
    """Check the inputs, the evaluation and the disk of a sweep, and print its plan.

    The caller has checked settings, limits, W&B and the workdir. Features are not extracted: only their size is needed.

    Raises:
        InputError: if the sweep cannot run.
    """
    plan, inputs = lay_out(config, extract=False)
    identifiers = {cell_id(identity(cell, inputs)) for cell in plan.cells()}
    check_evaluation(config.workdir, identifiers, **evaluation_of(config))
    needed, free = check_disk(config, plan, inputs)
    path = Path(config.workdir) / "results.jsonl"
    done = {row[ID] for row in read_results(path)} if path.exists() else set()
    named = {"name": config.name, "workdir": config.workdir}
    say(console, describe(plan, inputs, lambda cell: cell_id(cell) in done, **named))
    if tried := tried_cells(config):
        more = ", and more beyond each end that is best" if config.tuning.widen else ""
        say(console, f"tuning first: {len(tried)} cells on validation classes{more}")
    if inputs.fingerprints is None:
        say(console, "features: not extracted yet; the sweep extracts them first")
    say(console, f"disk: about {byte_size(needed)} needed, {byte_size(free)} free")
    say(
        console,
        "all checks passed; nothing was run or written; remove --config.validate_only to run the sweep",
    )
