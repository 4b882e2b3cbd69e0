"""How far rounding alone may move a figure: bounds that hold on every processor, whatever the order of its sums."""

import numpy as np

FLOAT32 = float(np.finfo(np.float32).eps)


def of_sums(terms: int) -> float:
    """Relative difference, in float32, of two ways to add `terms` numbers of one sign: half an eps a term and way."""
    return terms * FLOAT32
