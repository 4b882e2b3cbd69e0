"""Tuning without the unseen classes: some seen classes replace them, and the best setting is then run.

Each set of unseen classes is tuned separately; images of these classes are excluded everywhere during tuning.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from zsh_jax.data.nearest import nearest_names
from zsh_jax.data.unseen import NONE
from zsh_jax.errors import InputError
from zsh_jax.methods.ranges import own_takes
from zsh_jax.methods.table import METHODS
from zsh_jax.sweep.axes import SPLIT_AXES, check_value, reads_axis
from zsh_jax.sweep.grid import Choices, axis_values, groups
from zsh_jax.takes import check, shown, whole

VALIDATION = "validation"  # the folder of that sweep, below the workdir
FIXED = ("unseen", "bits", "seed", "validation", "queries", "method")


def check_tuning(config: ConfigDict) -> None:
    """Check that tuning is valid, excludes the unseen classes, and gives every variant the same budget.

    Raises:
        InputError: if a variant or an axis cannot be tuned, budgets differ, or the sweep sets its own validation
            classes.
    """
    every = config.tuning.axes
    if not every:
        if config.tuning.trials:
            raise InputError(
                "tuning.trials: there are no axes to draw from; fix: set tuning.axes, or --config.tuning.trials=0"
            )
        if config.tuning.widen:
            raise InputError(
                "tuning.widen: there are no axes to widen; fix: set tuning.axes, or --config.tuning.widen=0"
            )
        return
    if config.tuning.trials and config.tuning.widen:
        raise InputError(
            "tuning.widen: Optuna draws from the ranges as they are; fix: --config.tuning.widen=0 or "
            "--config.tuning.trials=0"
        )
    check(whole(1), "tuning.validation", config.tuning.validation)  # 0 would tune on the unseen classes
    for key, axis in (("tuning.bits", "bits"), ("tuning.seed", "seed")):
        axis_values(key, axis, config.tuning[axis])
    _check_own_validation(config)
    budgets = {}
    for name, tried in every.items():
        if name not in config.variants:
            raise InputError(
                f"tuning.axes: there is no variant {name!r}; {nearest_names(name, config.variants.keys())}"
            )
        if not isinstance(tried, ConfigDict) or not tried:
            raise InputError(
                f"tuning.axes.{name}: takes a dict of axes and values, not {shown(tried)}; "
                f"fix: set tuning.axes.{name}.AXIS"
            )
        flat = _flat(tried)
        for axis, values in flat.items():
            _check_tried(config, name, axis, values)
        budgets[name] = prod(map(len, flat.values()))
    if (
        len(set(budgets.values())) > 1 and not config.tuning.trials
    ):  # each study has the same number of trials
        counted = ", ".join(f"{name} {budget}" for name, budget in budgets.items())
        raise InputError(
            f"tuning.axes: budgets differ ({counted} settings); fix: give each variant the same number of settings"
        )
    for made in (validation_config(config), tried_config(config)):
        groups(made.sweep.to_dict(), made.variants.to_dict())


def _check_own_validation(config: ConfigDict) -> None:
    """Refuse a sweep with its own validation classes: tuning would use other classes, or those that it is tested on."""
    for where, axes in {
        "sweep": config.sweep,
        **{f"variants.{n}": v for n, v in config.variants.items()},
    }.items():
        own = axes.get("validation", 0)
        if own not in (0, (0,)):
            raise InputError(
                f"{where}.validation: {shown(own)} contradicts tuning.axes, which reads tuning.validation; fix: "
                f"remove {where}.validation"
            )
        unseen = axes.get("unseen", ())
        if NONE in (unseen if isinstance(unseen, tuple | list) else (unseen,)):
            raise InputError(
                f"{where}.unseen: {NONE!r} contradicts tuning.axes, which lets seen classes stand in for unseen ones; "
                "fix: remove the tuning.axes"
            )


def _check_tried(config: ConfigDict, name: str, axis: str, values: object) -> None:
    key = f"tuning.axes.{name}.{axis}"
    method, _, own = axis.rpartition(".")
    known = own in own_takes(method) if method in METHODS else not method and axis in SPLIT_AXES
    owners = [one for one in METHODS if axis in own_takes(one)]
    if owners and not known:
        raise InputError(
            f"{key}: it is an axis of {', '.join(owners)}; fix: set tuning.axes.{name}.{owners[0]}.{axis}"
        )
    if not known or axis in FIXED:
        raise InputError(f"{key}: {axis!r} cannot be tuned; fix: use an axis of the method or its features")
    if not isinstance(values, tuple | list) or not values:
        raise InputError(f"{key}: takes a tuple of values, not {shown(values)}; fix: --config.{key}='(...)'")
    axis_values(key, own, values, method)
    for running in _methods(config, name):
        if method not in ("", running) or not (method or reads_axis(METHODS[running], axis)):
            raise InputError(
                f"{key}: {running} does not read {axis}, so all values give the same result; fix: tune an axis that "
                f"it reads, or remove {name}"
            )


def _methods(config: ConfigDict, variant: str) -> tuple[str, ...]:
    """The methods of a variant."""
    found = config.variants[variant].get("method", config.sweep.method)
    every = found if isinstance(found, tuple | list) else (found,)
    for one in every:
        check_value(f"variants.{variant}.method", "method", one)
    return tuple(every)


def tried_axes(config: ConfigDict) -> dict[str, dict[str, Any]]:
    """By variant, the tuned axes and the values to try, flat; an own axis of a method is `METHOD.AXIS`."""
    return {name: _flat(tried) for name, tried in config.tuning.axes.items() if isinstance(tried, ConfigDict)}


def _flat(tried: ConfigDict) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for axis, values in tried.items():
        if isinstance(values, ConfigDict):
            flat |= {f"{axis}.{own}": value for own, value in values.items()}
        else:
            flat[axis] = values
    return flat


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for axis, value in flat.items():
        method, _, own = axis.rpartition(".")
        if method:
            made.setdefault(method, {})[own] = value
        else:
            made[axis] = value
    return made


def with_values(config: ConfigDict, further: Mapping[str, Mapping[str, Sequence[Any]]]) -> ConfigDict:
    """A copy of a configuration whose tuned axes have further values.

    Args:
        config: of the sweep.
        further: by variant and axis, as in `tried_axes`; they are tried after the others.
    """
    made = ConfigDict(config.to_dict())
    for name, values in further.items():
        tried = tried_axes(config)[name]
        flat = {axis: (*tried[axis], *values.get(axis, ())) for axis in tried}
        made.tuning.axes[name] = ConfigDict(_nested(flat))
    return made.lock()


def _untuned(tuning: ConfigDict) -> ConfigDict:
    return ConfigDict(tuning.to_dict() | {"axes": {}, "trials": 0, "widen": 0})


def _merged(base: ConfigDict, *changes: Mapping[str, Any]) -> ConfigDict:
    """A copy of a variant with other values for some axes."""
    made = base.to_dict()
    for change in changes:
        for axis, value in change.items():
            inner = isinstance(value, Mapping) and isinstance(made.get(axis), Mapping)
            made[axis] = {**made[axis], **value} if inner else value
    return ConfigDict(made)


def tried_config(config: ConfigDict) -> ConfigDict:
    """The sweep of all settings that tuning may choose: it contains every cell that may run. It has no tuning."""
    made = ConfigDict(config.to_dict())
    for name, tried in tried_axes(config).items():
        made.variants[name] = _merged(config.variants[name], _nested(tried))
    made.tuning = _untuned(made.tuning)
    return made.lock()


def validation_config(config: ConfigDict) -> ConfigDict:
    """The sweep that tries the settings: the tuned variants, on validation classes, in a folder of its own."""
    tuning = config.tuning
    made = ConfigDict(config.to_dict())
    made.name = f"{config.name}-{VALIDATION}"
    made.workdir = config.workdir and str(Path(config.workdir) / VALIDATION)
    made.reference = None
    made.gallery.queries = 0
    made.evaluation.seen_queries = 0
    made.evaluation.search = ()
    made.save_models = False
    made.sweep.validation = (tuning.validation,)
    made.sweep.seed = tuple(tuning.seed)
    made.variants = ConfigDict()
    for name, tried in tried_axes(config).items():
        has_codes = any(METHODS[method].has_codes for method in _methods(config, name))
        lengths = {"bits": tuple(tuning.bits)} if has_codes else {}
        # Set these in each variant too: a variant may have its own seeds or validation classes.
        drawn = {"seed": tuple(tuning.seed), "validation": (tuning.validation,)}
        made.variants[name] = _merged(config.variants[name], lengths, drawn, _nested(tried))
    made.tuning = _untuned(made.tuning)
    return made.lock()


def choose(rows: Iterable[Mapping[str, Any]], axes: Mapping[str, Mapping[str, Any]]) -> Choices:
    """The setting of each variant with the highest mAP on validation classes, for each set of unseen classes.

    Args:
        rows: of the sweep of `validation_config`.
        axes: from `tried_axes`.

    Returns:
        The choices; of equal settings the first one tried.

    Raises:
        InputError: if no setting of a variant gave a finite mAP.
    """
    choices: dict[str, dict[str, dict[str, Any]]] = {}
    for (variant, unseen), means in mean_of_settings(rows, axes).items():
        # In the order of the configuration, whatever the order of the rows: the first of equal settings is chosen.
        tried = {one: means.get(one, np.nan) for one in product(*axes[variant].values())}
        best = best_of(tried, variant, unseen)
        choices.setdefault(variant, {})[unseen] = dict(zip(axes[variant], best, strict=True))
    return choices


def mean_of_settings(
    rows: Iterable[Mapping[str, Any]], axes: Mapping[str, Mapping[str, Any]]
) -> dict[tuple[str, str], dict[tuple[Any, ...], float]]:
    """The mean mAP of each setting over its cells, by variant and set of unseen classes.

    Args:
        rows: of a sweep on validation classes.
        axes: by variant, the tuned axes; a setting has their values, in their order.
    """
    found: dict[tuple[str, str], dict[tuple[Any, ...], list[float]]] = {}
    for row in rows:
        if row["variant"] in axes:
            setting = tuple(row[axis.rpartition(".")[2]] for axis in axes[row["variant"]])
            tried = found.setdefault((row["variant"], row["unseen"]), {})
            tried.setdefault(setting, []).append(row["mean_average_precision"])
    return {
        key: {setting: float(np.mean(values)) for setting, values in tried.items()}
        for key, tried in found.items()
    }


def best_of(means: Mapping[tuple[Any, ...], float], variant: str, unseen: str) -> tuple[Any, ...]:
    """The setting with the highest mean; of equal ones the first.

    Raises:
        InputError: if none is finite.
    """
    finite = {setting: mean for setting, mean in means.items() if np.isfinite(mean)}
    if not finite:
        raise InputError(
            f"no setting of {variant} was finite on validation classes for {unseen}; fix: try other values in "
            f"tuning.axes.{variant}"
        )
    return max(finite, key=finite.__getitem__)


def described(choices: Choices) -> str:
    """The choices as text: a line a variant, with the number of sets of unseen classes that chose each value."""
    lines = []
    for variant, by_unseen in choices.items():
        counts: dict[str, int] = {}
        for chosen in by_unseen.values():
            words = ", ".join(
                f"{axis.rpartition('.')[2]} {value:g}" if isinstance(value, float) else f"{axis} {value}"
                for axis, value in chosen.items()
            )
            counts[words] = counts.get(words, 0) + 1
        listed = "; ".join(
            f"{words} ({count})" for words, count in sorted(counts.items(), key=lambda item: -item[1])
        )
        lines.append(f"  {variant}: {listed}")
    return "\n".join(lines)
