"""Tuning by Optuna, which draws a batch of settings, is told their mAP on validation classes, and draws the next.

Each variant has a study of its own for each set of unseen classes. A batch is a plan like any other: its cells are
rows of `validation/results.jsonl`, and finished ones are skipped. Since draws follow from the seed of the sampler and
from these rows, a study resumes from the rows alone; Optuna's own file is a copy for other programs.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from ml_collections import ConfigDict
from rich.console import Console

from zsh_jax.commands.cells import run_cells
from zsh_jax.commands.optuna_studies import Asked, Key, open_studies
from zsh_jax.commands.places import check_places
from zsh_jax.commands.record import Around, wandb_of
from zsh_jax.commands.resume import check_start
from zsh_jax.report.printing import say
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.grid import Choices, Points
from zsh_jax.sweep.layout import lay_out, lay_out_points
from zsh_jax.sweep.mesh import sweep_mesh
from zsh_jax.sweep.plan import Plan
from zsh_jax.sweep.search_space import search_space
from zsh_jax.sweep.settings import check_settings
from zsh_jax.sweep.tuning import best_of, described, mean_of_settings, tried_axes, validation_config
from zsh_jax.tracking.wandb_runs import log_sweep

Means = dict[Key, dict[tuple[Any, ...], float]]
"""By study, the mean mAP of each setting, in the order in which they were drawn."""


def run_study(config: ConfigDict, around: Around) -> Choices:
    """Draw settings in batches, run each batch on validation classes, and choose the best setting.

    Args:
        config: of the sweep, with `tuning.axes` and `tuning.trials`.
        around: what it runs in.

    Returns:
        The best setting of each variant, for each set of unseen classes; of equal ones the first drawn.

    Raises:
        InputError: if the sweep on validation classes cannot run, or no setting was finite.
        OSError: if the disk failed.
    """
    validation, axes = validation_config(config), tried_axes(config)
    check_settings(validation)
    check_start(validation.workdir)
    check_places(validation)
    trials, at_once = config.tuning.trials, config.tuning.batch
    tell = partial(say, around.console)
    plan, inputs = lay_out(validation)
    keys = _keys(plan)
    spaces = {name: search_space(axes[name]) for name, _ in keys}
    means: Means = {key: {} for key in keys}
    rows: dict[str, dict[str, Any]] = {}
    wandb = wandb_of(validation)
    compiled = Compiled(sweep_mesh(config.mesh.sweep, config.mesh.data), keeps=True)
    quiet = around._replace(console=Console(quiet=True))
    with open_studies(keys, validation.workdir, config.tuning.sampler_seed) as studies:
        tell(f"studies: {len(keys)}, of {trials} settings each, {at_once} at once; {validation.workdir}")
        for start in range(0, trials, at_once):
            count = min(at_once, trials - start)
            asked = {key: [studies.ask(key, spaces[key[0]]) for _ in range(count)] for key in keys}
            plan, inputs = lay_out_points(validation, inputs, _points(asked))
            finished = run_cells(validation, quiet, plan, inputs, compiled)
            assert finished is not None  # this process leads: it is the only one
            wandb = finished.wandb
            validation.profile = False  # the first batch was traced
            rows |= {row["cell_id"]: row for row in finished.rows}
            found = mean_of_settings(finished.rows, axes)
            for key, batch in asked.items():
                for one in batch:
                    means[key].setdefault(one.values, found[key][one.values])
                    studies.tell(key, one, found[key][one.values])
            tell(f"{start + count}/{trials} settings, best validation mAP: {_so_far(means)}")
    log_sweep(wandb, validation.to_dict(), list(rows.values()))
    choices: dict[str, dict[str, dict[str, Any]]] = {}
    for (name, unseen), tried in means.items():
        best = best_of(tried, name, unseen)
        choices.setdefault(name, {})[unseen] = dict(zip(axes[name], best, strict=True))
    tell(f"chosen on validation classes:\n{described(choices)}")
    return choices


def _keys(plan: Plan) -> list[Key]:
    """The variants and sets of unseen classes of a sweep, in its order."""
    return list(dict.fromkeys((group.variant, one.unseen) for group in plan.groups for one in group.splits))


def _points(asked: Mapping[Key, Sequence[Asked]]) -> Points:
    points: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for (name, unseen), batch in asked.items():
        points.setdefault(name, {})[unseen] = [one.setting for one in batch]
    return points


def _so_far(means: Means) -> str:
    """The best of each variant: the mean over its sets of unseen classes."""
    best: dict[str, list[float]] = {}
    for (name, _), tried in means.items():
        best.setdefault(name, []).append(
            max([one for one in tried.values() if np.isfinite(one)], default=np.nan)
        )
    return ", ".join(f"{name} {np.mean(values):.4f}" for name, values in best.items())
