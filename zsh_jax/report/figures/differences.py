"""Differences of variants to a reference, with intervals."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zsh_jax.report.figures.style import COLOURS, MARKERS, axes_for, folded, legend_below, shortened, styled
from zsh_jax.report.paired import Difference, paired_differences
from zsh_jax.report.series import MAP, Row, worded


@styled()
def differences(rows: Sequence[Row], reference: str, *, metric: str = MAP, title: str = "mAP") -> Figure:
    """A forest plot: the mean difference of each variant to the reference, and its 95 % confidence interval.

    Args:
        rows: from `read_sweeps`.
        reference: name of the reference variant.
        metric: name of a scalar metric.
        title: displayed name of the metric.

    Returns:
        The figure, variants from best to worst; its height grows with their number.

    Raises:
        InputError: see `paired_differences`.
    """
    found = [
        one for one in paired_differences(rows, reference=reference, metric=metric) if isfinite(one.mean)
    ]
    by_variant: dict[str, list[Difference]] = {}
    for one in found:
        by_variant.setdefault(one.variant, []).append(one)
    variants = sorted(by_variant, key=lambda variant: -np.mean([one.mean for one in by_variant[variant]]))
    settings = list(dict.fromkeys(_label(one.setting) for one in found))
    tall = max(0.26, 0.16 * len(settings) + 0.08)
    figure, axes = axes_for(settings, height=1.2 + tall * max(len(variants), 2))
    axes.axvline(0, color="#333333", linewidth=1)
    for i, setting in enumerate(settings):
        for place, variant in enumerate(variants):
            for one in by_variant[variant]:
                if _label(one.setting) != setting:
                    continue
                known = isfinite(one.low)
                axes.errorbar(
                    one.mean,
                    place + 0.7 * (i - (len(settings) - 1) / 2) / len(settings),
                    xerr=[[one.mean - one.low], [one.high - one.mean]] if known else None,
                    color=COLOURS[i % len(COLOURS)],
                    marker=MARKERS[i % len(MARKERS)],
                    linestyle="none",
                    elinewidth=1.2,
                    label=setting if setting not in axes.get_legend_handles_labels()[1] else None,
                )
    axes.set_yticks(range(len(variants)), [folded(variant) for variant in variants])
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_ylim(max(len(variants), 1) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"difference in {title} to {shortened(reference)}")
    axes.set_title(f"Difference of each variant in {title}")
    legend_below(figure, axes, settings)
    return figure


def _label(setting: Mapping[str, Any]) -> str:
    return ", ".join(worded(axis, value) for axis, value in setting.items() if value is not None)
