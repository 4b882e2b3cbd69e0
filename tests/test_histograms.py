"""Histograms of distances in each form, against NumPy; and how many dependent steps they take on an accelerator."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from jaxprs import count, dependent_steps, largest_array

from zsh_jax import pack_codes
from zsh_jax.core.metrics import histograms, histograms_by_planes
from zsh_jax.core.metrics.histograms import count_by_comparison, count_by_scatter, distance_histograms
from zsh_jax.core.metrics.histograms_by_planes import count_by_planes
from zsh_jax.core.metrics.relevance import label_words
from zsh_jax.sweep.chance import chance_levels
from zsh_jax.sweep.evaluate import evaluate_cells
from zsh_jax.sweep.roles import Roles

pytestmark = pytest.mark.usefixtures("strict_promotion")

# Queries, items, bits, several labels: odd and even numbers of queries; more bins of pairs than items, and fewer.
CASES = [(7, 300, 5, False), (6, 300, 5, True), (3, 90, 40, False), (1, 1, 1, False), (5, 2000, 33, True)]


def _case(q, n, bits, several):
    rng = np.random.default_rng(q)
    codes = [rng.random((size, bits)) < 0.5 for size in (q, n)]
    labels = [rng.integers(0, 4, size) for size in (q, n)]
    relevant = labels[0][:, None] == labels[1]
    if several:
        labels = [rng.random((size, 40)) < 0.04 for size in (q, n)]
        relevant = labels[0].astype(int) @ labels[1].T > 0
    packed = [pack_codes(jnp.where(one, 1.0, -1.0)) for one in codes]
    arguments = [one for pair in zip(packed, map(jnp.asarray, labels), strict=True) for one in pair]
    return arguments, oracle.hamming(*codes), relevant


def _counts(distances, relevant, bits):
    items, hits = (
        np.stack([np.bincount(d[some], minlength=bits + 1) for d, some in zip(distances, kept, strict=True)])
        for kept in (np.ones_like(relevant), relevant)
    )
    return items, hits


@pytest.mark.parametrize("case", CASES)
def test_histograms_count_items_and_relevant_ones(case):
    arguments, distances, relevant = _case(*case)
    found = distance_histograms(*arguments, bits=case[2])
    for one, expected in zip(found, _counts(distances, relevant, case[2]), strict=True):
        np.testing.assert_array_equal(one, expected)


@pytest.mark.parametrize("pairs", [1, 1000])
@pytest.mark.parametrize("case", CASES[:4])
def test_all_forms_count_alike(case, pairs, monkeypatch):
    monkeypatch.setattr(histograms, "PAIRS", pairs)
    monkeypatch.setattr(histograms_by_planes, "PAIRS", pairs)
    (codes, labels, database, held), *_ = _case(*case)
    some = np.arange(len(database)) % 3 != 1
    for items in ((), (jnp.asarray(some),)):
        arguments = codes, label_words(labels), database, label_words(held), *items
        one, *others = (
            jax.jit(form, static_argnames="bits")(*arguments, bits=case[2])
            for form in (count_by_scatter, count_by_comparison, count_by_planes)
        )
        for other in others:
            np.testing.assert_array_equal(one, other)


def test_accelerators_count_long_codes_by_comparison(monkeypatch):
    arguments, *_ = _case(3, 60, 6, False)

    def products():
        def found(*arrays):
            return distance_histograms.__wrapped__(*arrays, bits=6)

        return count(found, "dot_general", *arguments, platform="cuda")

    assert not products()
    monkeypatch.setattr(histograms, "BY_PLANES", 5)
    assert products()


def test_a_vmapped_histogram_is_each_histogram():
    (codes, labels, database, held), *_ = _case(4, 60, 6, False)
    several = jnp.stack([codes, codes[::-1]])
    found = jax.vmap(lambda one: distance_histograms(one, labels, database, held, bits=6))(several)
    for one, codes in zip(found.items, several, strict=True):
        np.testing.assert_array_equal(one, distance_histograms(codes, labels, database, held, bits=6).items)


def test_no_array_of_the_accelerators_form_is_larger_than_a_block_but_the_fused_comparison():
    q, n, bits = 1000, 59_000, 64
    shapes = [((q, 8), jnp.uint8), ((q,), jnp.int32), ((n, 8), jnp.uint8), ((n,), jnp.int32)]
    arguments = [jax.ShapeDtypeStruct(*shape) for shape in shapes]

    def run(*arguments):
        return count_by_comparison(*arguments, bits=bits)

    assert largest_array(run, *arguments) <= histograms.PAIRS * 2 * (bits + 1) < q * n * 2 * (bits + 1) / 10


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
@pytest.mark.parametrize("bits", [16, 128])
def test_an_accelerator_evaluates_a_cell_in_at_most_200_dependent_steps(bits, several):
    """Trip counts of nested loops multiplied, those of loops after each other added."""
    n, q, c, seen = 60_000, 1000, 10, 1000
    codes = jax.ShapeDtypeStruct((1, 1, n, bits // 8), jnp.uint8)
    names = jax.ShapeDtypeStruct((1, 1, c, bits // 8), jnp.uint8)
    labels = jax.ShapeDtypeStruct((n, c), jnp.bool_) if several else jax.ShapeDtypeStruct((n,), jnp.int32)
    indices = [jax.ShapeDtypeStruct((1, size), jnp.int32) for size in (q, n - q, seen)]
    key = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), 1))
    roles = Roles(*indices, jax.ShapeDtypeStruct((1, c), jnp.bool_), key)

    def run(codes, names, labels, roles):
        chances = chance_levels(labels, roles, cutoffs=(100, 1000))
        return evaluate_cells(codes, names, labels, roles, chances, bits=bits, cutoffs=(100, 1000))

    arguments = codes, names, labels, roles
    with jax.numpy_dtype_promotion("standard"):  # the sweep is no part of the core
        assert dependent_steps(run, *arguments, platform="cuda") <= 200
        assert dependent_steps(run, *arguments, platform="cpu") > 200  # what is counted is there
