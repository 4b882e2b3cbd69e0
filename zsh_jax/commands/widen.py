"""Tuning over ranges that grow: where the best value of an axis lies at an end, values beyond it are tried too."""

from collections.abc import Iterator
from functools import partial

from ml_collections import ConfigDict

from zsh_jax.commands.cells import run_cells
from zsh_jax.commands.places import check_places
from zsh_jax.commands.record import Around
from zsh_jax.commands.resume import check_start
from zsh_jax.report.printing import say
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.grid import Choices
from zsh_jax.sweep.layout import lay_out
from zsh_jax.sweep.mesh import sweep_mesh
from zsh_jax.sweep.processes import leads, told
from zsh_jax.sweep.settings import check_settings
from zsh_jax.sweep.tuning import choose, tried_axes, validation_config, with_values
from zsh_jax.sweep.widening import Further, further_values


def widened(config: ConfigDict, around: Around) -> ConfigDict:
    """Try the settings of a sweep on validation classes, and values beyond each end that is best, until none is.

    Args:
        config: of the sweep; `tuning.widen` is the most times that a range grows.
        around: what it runs in.

    Returns:
        The configuration with all values that are to be tried; those of the last round may not have run.

    Raises:
        InputError: if the sweep on validation classes cannot run, or no setting of a variant was finite.
        OSError: if the disk failed.
    """
    tell = partial(say, around.console)
    compiled = Compiled(sweep_mesh(config.mesh.sweep, config.mesh.data), around.processes)
    for _ in range(config.tuning.widen):
        validation, axes = validation_config(config), tried_axes(config)
        check_settings(validation)
        if leads(around.processes):
            check_start(validation.workdir)
            check_places(validation)
        plan, inputs = lay_out(validation)
        finished = run_cells(validation, around, plan, inputs, compiled)
        around.check()
        rows = told(around.processes, finished and finished.rows)
        further = further_values(axes, choose(rows, axes))
        if not further:
            break
        tell(f"best at an end of its range, so tried beyond it: {_listed(further)}")
        config = with_values(config, further)
    return config


def say_ends(config: ConfigDict, around: Around, choices: Choices) -> None:
    """Say which choices lie at an end of what was tried."""
    ends = further_values(tried_axes(config), choices)
    if ends:
        named = ", ".join(name for name, _ in _named(ends))
        say(
            around.console, f"at an end of their range: {named}; to go on beyond, raise --config.tuning.widen"
        )


def _listed(further: Further) -> str:
    return "; ".join(
        f"{name} {', '.join(f'{value:g}' for value in values)}" for name, values in _named(further)
    )


def _named(further: Further) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Each variant with the plain name of its axis, and the values."""
    for variant, axes in further.items():
        for axis, values in axes.items():
            yield f"{variant} {axis.rpartition('.')[2]}", values
