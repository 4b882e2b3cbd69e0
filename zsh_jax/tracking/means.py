"""The means over the cells of a sweep, for a tuner outside: on validation classes and on unseen ones apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zsh_jax.sweep.metrics import METRICS


def mean_metrics(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The mean of each scalar metric over the cells of a sweep.

    Args:
        rows: from `read_results`.

    Returns:
        `validation/METRIC` over cells with validation classes, `test/METRIC` over the others: a tuner that reads the
        first never sees a figure of unseen classes. A metric that is missing or not finite in one of the cells is
        left out.

    Examples:
        >>> from zsh_jax.tracking.means import mean_metrics
        >>> mean_metrics([{"validation": 3, "mean_average_precision": value} for value in (0.25, 0.75)])
        {'validation/mean_average_precision': 0.5}
    """
    sides = {
        "validation": [row for row in rows if row["validation"]],
        "test": [row for row in rows if not row["validation"]],
    }
    found = {}
    for side, cells in sides.items():
        for name in METRICS if cells else ():
            values = [row.get(name) for row in cells]
            if all(isinstance(value, int | float) and np.isfinite(value) for value in values):
                found[f"{side}/{name}"] = float(np.mean(values))  # type: ignore[arg-type]
    return found
