"""Rankings with ties, and every order of theirs."""

from itertools import permutations, product

import jax.numpy as jnp
import numpy as np

BITS = 8


def histograms_of(d, relevant, bits=BITS):
    d, relevant = np.asarray(d), np.asarray(relevant, bool)
    items = np.bincount(d, minlength=bits + 1)
    return jnp.asarray(items), jnp.asarray(np.bincount(d[relevant], minlength=bits + 1))


def orders(d):
    """Every ranking by distance, ties in every order."""
    runs = [np.flatnonzero(d == value) for value in np.unique(d)]
    for chosen in product(*(permutations(run) for run in runs)):
        yield np.concatenate(chosen)


def tied_cases():
    """All ties of up to five items with all patterns of relevance, and longer random ones."""
    for n in range(1, 6):
        for cuts in product([0, 1], repeat=n - 1):
            d = np.concatenate([[0], np.cumsum(cuts)]).astype(int)
            for pattern in product([False, True], repeat=n):
                if any(pattern):
                    yield d, np.array(pattern)
    rng = np.random.default_rng(0)
    for _ in range(20):
        yield rng.permutation([0, 0, 0, 2, 2, 5, 5, 5]), np.append(rng.random(7) < 0.5, True)
