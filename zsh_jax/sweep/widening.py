"""Ranges of tuned axes that turn out too narrow: the best value is the lowest or highest that was tried."""

from collections.abc import Mapping, Sequence
from typing import Any

from zsh_jax.errors import InputError
from zsh_jax.sweep.axes import check_value
from zsh_jax.sweep.grid import Choices

Further = dict[str, dict[str, tuple[float, ...]]]
"""By variant and tuned axis, values beyond those that were tried."""


def further_values(axes: Mapping[str, Mapping[str, Any]], choices: Choices) -> Further:
    """The next values of each axis beyond an end that was chosen for any set of unseen classes.

    A range grows by the ratio of its two outermost values. Of equal settings the first one tried is chosen, so a range
    ends where a further value changes nothing.

    Args:
        axes: from `zsh_jax.sweep.tuning.tried_axes`.
        choices: from `zsh_jax.sweep.tuning.choose`.

    Returns:
        By variant and axis, one or two values; an axis that needs none, or can take none, is left out.
    """
    found: Further = {}
    for variant, by_unseen in choices.items():
        for axis, values in axes[variant].items():
            chosen = {setting[axis] for setting in by_unseen.values()}
            further = tuple(one for one in _beyond(values, chosen) if _is_valid(axis, one))
            if further:
                found.setdefault(variant, {})[axis] = further
    return found


def _beyond(values: Sequence[Any], chosen: set[Any]) -> list[float]:
    """A value below the lowest and one above the highest, each only if that end is chosen."""
    if any(type(one) is not float or one <= 0 for one in values):
        return []
    ordered = sorted(set(values))
    if len(ordered) < 2:
        return []
    ends = ((ordered[0], ordered[1]), (ordered[-1], ordered[-2]))
    # Rounded: 1e-10, not 1.0000000000000002e-10.
    return [float(f"{end * end / inner:.6g}") for end, inner in ends if end in chosen]


def _is_valid(axis: str, value: float) -> bool:
    method, _, own = axis.rpartition(".")
    try:
        check_value(axis, own, value, method)
    except InputError:
        return False
    return True
