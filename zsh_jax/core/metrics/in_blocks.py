"""Metrics of a database that is given in blocks, such as codes of memory-mapped files."""

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Shaped, UInt8

from zsh_jax.core.metrics.evaluate import Metrics, metrics_of
from zsh_jax.core.metrics.histograms import Histograms, distance_histograms

_metrics_of = jax.jit(metrics_of, static_argnames="cutoffs")


def evaluate_in_blocks(
    query_codes: UInt8[np.ndarray, "q bytes"],
    query_labels: Shaped[np.ndarray, "q *c"],
    blocks: Iterable[tuple[UInt8[np.ndarray, "k bytes"], Shaped[np.ndarray, "k *c"]]],
    *,
    bits: int,
    cutoffs: tuple[int, ...] = (),
) -> Metrics:
    """`evaluate_queries` for a database in blocks: memory is that of one block and of the histograms.

    Histograms of blocks add up, and all metrics follow from their sum: the result is the same for any blocks.

    Args:
        query_codes: packed codes, (q, ceil(bits / 8)).
        query_labels: class indices (q,), or multi-hot (q, c).
        blocks: packed codes and labels of the database; each block size compiles a program.
        bits: code length l.
        cutoffs: the N of precision at N.

    Returns:
        Metrics whose leaves have a leading axis of q; NaN for a query with no relevant item.

    Raises:
        ValueError: there is no block, or the database has 2^31 items or more.

    Examples:
        >>> import numpy as np
        >>> from zsh_jax.core.metrics.in_blocks import evaluate_in_blocks
        >>> stored, classes = np.array([[0], [1], [255]], np.uint8), np.array([0, 0, 1])
        >>> blocks = ((stored[row : row + 1], classes[row : row + 1]) for row in (1, 2))
        >>> found = evaluate_in_blocks(stored[:1], classes[:1], blocks, bits=8)
        >>> float(found.mean_average_precision[0])
        1.0
    """
    total: tuple[np.ndarray, ...] | None = None
    for codes, labels in blocks:
        counted = distance_histograms(
            *map(jnp.asarray, (query_codes, query_labels, codes, labels)), bits=bits
        )
        found = [np.asarray(counts, np.int64) for counts in counted]
        total = tuple(found) if total is None else tuple(map(np.add, total, found))
    if total is None:
        raise ValueError("the database has no block; fix: give one or more")
    if total[0].sum(-1).max(initial=0) >= 2**31:
        raise ValueError("counts of 2^31 items do not fit 32 bits; fix: give fewer items")
    histograms = Histograms(*(jnp.asarray(counts, jnp.int32) for counts in total))
    return _metrics_of(histograms, cutoffs=cutoffs)
