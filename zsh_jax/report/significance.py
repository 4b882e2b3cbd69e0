"""Find the best settings, and those that do not differ significantly from the best."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from scipy.special import stdtr  # scipy.stats takes a second to import

LEVEL = 0.05

Pairs = Mapping[Hashable, float]
"""A metric by the key that pairs cells: seed and unseen classes."""


def p_value(one: Pairs, other: Pairs) -> float:
    """Two-sided p value of the paired t test that two settings have the same mean.

    Returns:
        The value over pairs with two finite values; 1 if all are equal, NaN for fewer than two pairs.
    """
    shared = [key for key in one if key in other and np.isfinite(one[key]) and np.isfinite(other[key])]
    if len(shared) < 2:
        return float("nan")
    differences = np.array([one[key] - other[key] for key in shared])
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stdtr(len(differences) - 1, -abs(mean / error)))


def among_the_best(means: Sequence[float], pairs: Sequence[Pairs]) -> list[bool]:
    """Mark the setting with the highest mean, and those not significantly worse (p >= 0.05).

    Args:
        means: of each setting, as in the table; NaN for none.
        pairs: of each setting.

    Returns:
        For each setting, whether it is among the best; all false if fewer than two settings have a mean.
    """
    if sum(np.isfinite(means)) < 2:
        return [False] * len(means)
    top = int(np.nanargmax(means))
    return [
        bool(np.isfinite(mean)) and (i == top or p_value(pairs[top], one) >= LEVEL)
        for i, (mean, one) in enumerate(zip(means, pairs, strict=True))
    ]


def mean_ranks(pairs: Sequence[Pairs]) -> list[float]:
    """Mean rank of each setting (1 is best, ties share their mean rank) over the keys that all settings have.

    Returns:
        One rank a setting; NaN for all if no key is finite in every setting.
    """
    shared = [key for key in pairs[0] if all(np.isfinite(one.get(key, np.nan)) for one in pairs)]
    if not shared:
        return [float("nan")] * len(pairs)
    from scipy.stats import rankdata

    values = np.array([[one[key] for key in shared] for one in pairs])
    return [float(rank) for rank in rankdata(-values, axis=0).mean(axis=1)]
