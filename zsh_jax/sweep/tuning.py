"""Tuning without a look at the unseen classes: some seen ones stand in for them, and the best setting there is run.

For each set of unseen classes by itself: their images are nowhere while settings are tried for them.
"""

from collections.abc import Iterable, Mapping
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from zsh_jax.errors import InputError
from zsh_jax.sweep.axes import AXES, BOUNDS
from zsh_jax.sweep.grid import Choices

VALIDATION = "validation"  # the folder of that sweep, below the workdir
FIXED = ("unseen", "bits", "seed", "validation", "queries", "method")


def check_tuning(config: ConfigDict) -> None:
    """See to it that a tuning is one, and gives every variant the same budget.

    Args:
        config: of the sweep.

    Raises:
        InputError: if a variant or an axis is none that can be tuned, or budgets differ.
    """
    budgets = {}
    for name, tried in config.tuning.axes.to_dict().items():
        if name not in config.variants:
            raise InputError(f"tuning.axes: there is no variant {name!r}; name those of config.variants")
        for axis, values in tried.items():
            if axis not in AXES or axis in FIXED:
                raise InputError(
                    f"tuning.axes.{name}: {axis!r} cannot be tuned; take an axis of the method or its features"
                )
            if not isinstance(values, tuple | list) or not values:
                raise InputError(f"tuning.axes.{name}.{axis} takes a tuple of values, not {values!r}")
        budgets[name] = prod(len(values) for values in tried.values())
    if len(set(budgets.values())) > 1:
        told = ", ".join(f"{name} {budget}" for name, budget in budgets.items())
        raise InputError(f"tuning.axes: budgets differ ({told} settings); give each variant the same number")


def validation_config(config: ConfigDict) -> ConfigDict:
    """The sweep that tries the settings.

    Args:
        config: of the sweep.

    Returns:
        A configuration with the variants that are tuned alone, on validation classes, in a folder of its own.
    """
    asked = config.tuning
    made = ConfigDict(config.to_dict())
    made.name = f"{config.name}-{VALIDATION}"
    made.workdir = str(Path(config.workdir) / VALIDATION)
    made.reference = None
    made.gallery.queries = 0
    made.evaluation.seen_queries = 0
    made.save_models = False
    made.sweep.validation = (asked.validation,)
    made.sweep.seed = tuple(asked.seed)
    made.variants = ConfigDict()
    for name, tried in asked.axes.to_dict().items():
        variant = config.variants[name].to_dict()
        methods = variant.get("method", config.sweep.method)
        lengths = {} if set(methods) <= set(BOUNDS) else {"bits": tuple(asked.bits)}
        made.variants[name] = ConfigDict(variant | lengths | tried)
    made.tuning.axes = ConfigDict()
    return made.lock()


def choose(rows: Iterable[Mapping[str, Any]], axes: Mapping[str, Mapping[str, Any]]) -> Choices:
    """The setting of each variant with the highest MAP on validation classes, for each set of unseen classes.

    Args:
        rows: of the sweep of `validation_config`.
        axes: `config.tuning.axes`: what was tried.

    Returns:
        The choices; of equal settings the one that was tried first.

    Raises:
        InputError: if no setting of a variant gave a finite MAP.
    """
    found: dict[tuple[str, str], dict[tuple[Any, ...], list[float]]] = {}
    for row in rows:
        if row["variant"] in axes:
            setting = tuple(row[axis] for axis in axes[row["variant"]])
            tried = found.setdefault((row["variant"], row["unseen"]), {})
            tried.setdefault(setting, []).append(row["mean_average_precision"])
    choices: dict[str, dict[str, dict[str, Any]]] = {}
    for (variant, unseen), tried in found.items():
        means = {setting: float(np.mean(values)) for setting, values in tried.items()}
        # In the order in which they are listed, whatever the order of the rows: the first of equals counts.
        finite = [one for one in product(*axes[variant].values()) if np.isfinite(means.get(one, np.nan))]
        if not finite:
            raise InputError(f"no setting of {variant} was finite on validation classes for {unseen}")
        best = finite[int(np.argmax([means[one] for one in finite]))]
        choices.setdefault(variant, {})[unseen] = dict(zip(axes[variant], best, strict=True))
    return choices


def told(choices: Choices) -> str:
    """The choices in words: a line a variant, with how many sets of unseen classes took which value."""
    lines = []
    for variant, by_unseen in choices.items():
        counts: dict[str, int] = {}
        for chosen in by_unseen.values():
            words = ", ".join(
                f"{axis} {value:g}" if isinstance(value, float) else f"{axis} {value}"
                for axis, value in chosen.items()
            )
            counts[words] = counts.get(words, 0) + 1
        listed = "; ".join(
            f"{words} ({count})" for words, count in sorted(counts.items(), key=lambda item: -item[1])
        )
        lines.append(f"  {variant}: {listed}")
    return "\n".join(lines)
