"""The cells of given settings, which are points and not a product of values: as few programs as they allow."""

from collections.abc import Mapping
from typing import Any

from zsh_jax.sweep.axes import DataSplit, Program
from zsh_jax.sweep.grid import Group, Points, groups


def groups_of_points(
    axes: Mapping[str, Any], variants: Mapping[str, Mapping[str, Any]], points: Points
) -> list[Group]:
    """The cells of given settings of the tuned axes, each with every value of the other axes.

    Args:
        axes: as in `zsh_jax.sweep.grid.groups`.
        variants: as there; those with points run.
        points: the settings.

    Returns:
        Groups. Settings that differ in weights alone are one group, and so one program; equal settings are one.

    Raises:
        InputError: as in `groups`.
    """
    weights: dict[tuple[str, tuple[DataSplit, ...], Program], dict[Any, None]] = {}
    for name, by_set in points.items():
        for unseen, settings in by_set.items():
            variant = {name: {**variants[name], "unseen": (unseen,)}}
            for setting in settings:
                for group in groups(axes, variant, {name: {unseen: setting}}):
                    same = weights.setdefault((name, group.splits, group.program), {})
                    same.update(dict.fromkeys(group.weights))
    return [Group(splits, program, tuple(same), name) for (name, splits, program), same in weights.items()]
