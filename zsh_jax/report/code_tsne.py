"""Codes in two dimensions, by t-SNE on Hamming distances; `pip install -e '.[sklearn]'`."""

from importlib.util import find_spec

import numpy as np
from jaxtyping import Int, UInt8

from zsh_jax.errors import InputError
from zsh_jax.report.code_map import CodeMap, distinct_codes

MOST = 1000  # distinct codes; others are left out
PERPLEXITY = 30.0
ITERATIONS = 500
SEED = 0


def check_tsne() -> None:
    """Check, before anything slow starts, that maps can be made.

    Raises:
        InputError: if scikit-learn is not installed.
    """
    if find_spec("sklearn") is None:
        raise InputError(
            "gallery.tsne: scikit-learn is not installed; fix: pip install 'zsh_jax[sklearn]', or "
            "--config.gallery.tsne=False"
        )


def tsne_map(
    codes: UInt8[np.ndarray, "n bytes"], classes: Int[np.ndarray, " n"], bits: int
) -> CodeMap | None:
    """Lay codes out so that near ones stay near.

    Args:
        codes: packed.
        classes: class of each.
        bits: code length.

    Returns:
        A map of at most 1,000 distinct codes, the same each time; of no explained variance. None for fewer than five
        codes, of which there is nothing to lay out.
    """
    from sklearn.manifold import TSNE

    found = distinct_codes(codes, classes)
    rows = np.random.default_rng(SEED).permutation(len(found.counts))[:MOST]
    rows.sort()
    if len(rows) < 5:
        return None
    signs = 2.0 * np.unpackbits(found.codes[rows], axis=1, count=bits) - 1
    distances = (bits - signs @ signs.T) / 2
    layout = TSNE(
        metric="precomputed",
        init="random",
        perplexity=min(PERPLEXITY, (len(rows) - 1) / 3),
        max_iter=ITERATIONS,
        random_state=SEED,
    )
    points = layout.fit_transform(distances).astype(float)
    return CodeMap(points, found.classes[rows], found.counts[rows], np.zeros(2))
