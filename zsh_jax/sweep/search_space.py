"""What a study draws: the declared values of the tuned axes as distributions."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from zsh_jax.methods.table import METHODS


class LogRange(NamedTuple):
    """Numbers between two positive ends, drawn evenly on a logarithmic scale."""

    low: float
    high: float


Space = Mapping[str, LogRange | tuple[Any, ...]]
"""By axis, `METHOD.AXIS` for an own one: a range, or the values to choose from."""


def search_space(tried: Mapping[str, Any]) -> Space:
    """The distributions of a variant's tuned axes.

    Args:
        tried: by axis, its values, from `zsh_jax.sweep.tuning.tried_axes`; they are valid.

    Returns:
        For a weight with two or more values, all positive: the range between the smallest and the largest. For all
        else, the values themselves: another option compiles a program, and another data split is prepared anew.

    Examples:
        >>> from zsh_jax.sweep.search_space import search_space
        >>> search_space({"zsh.alpha": (1e-5, 1.0, 1e-3), "zsh.gamma": (0.0, 1e-6), "anchors": (300, 1000)})
        {'zsh.alpha': LogRange(low=1e-05, high=1.0), 'zsh.gamma': (0.0, 1e-06), 'anchors': (300, 1000)}
    """
    return {axis: _distribution(axis, tuple(values)) for axis, values in tried.items()}


def _distribution(axis: str, values: tuple[Any, ...]) -> LogRange | tuple[Any, ...]:
    method, _, own = axis.rpartition(".")
    is_weight = method in METHODS and own in METHODS[method].weights._fields
    if is_weight and len(values) > 1 and min(values) > 0:
        return LogRange(float(min(values)), float(max(values)))
    return values
