"""Training on samples in blocks gives what training on all samples at once gives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from zsh_jax import METHODS
from zsh_jax.core.blocks.solver import Running
from zsh_jax.core.blocks.stream import Mapped, block_at, blocks_of
from zsh_jax.data.semantics.targets import semantic_targets
from zsh_jax.methods.protocol import Reads
from zsh_jax.training.prepare import GraphOptions, Preparation, Taught, prepare
from zsh_jax.training.prepare_in_blocks import prepare_in_blocks, supervision
from zsh_jax.training.streams import streams

ZSH = METHODS["zsh"]
SAMPLES, EVERY, FEATURES, CLASSES = 150, 200, 6, 7
ANCHOR_GRAPH = GraphOptions("anchors", neighbours=4)


def _data(several, e):
    """Raw features of more samples than are trained on; one feature is constant."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES - 1, EVERY)
    x = rng.normal(size=(CLASSES, FEATURES))[labels] + 0.7 * rng.normal(size=(EVERY, FEATURES))
    x[:, 2] = 0.1
    if several:
        labels = np.eye(CLASSES, dtype=bool)[labels] | (rng.random((EVERY, CLASSES)) < 0.2)
    vectors = rng.normal(size=(CLASSES, e))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    rows = rng.permutation(EVERY)[:SAMPLES]
    return x, labels, vectors, rows


def _reads(locality):
    return ZSH.reads if locality != "none" else ZSH.reads - {Reads.GRAPH}


def both(*, several=False, e=9, block, kind="standardise", dimensions=0, locality="projection"):
    """The prepared split in memory and in blocks, in the current precision."""
    x, labels, vectors, rows = _data(several, e)
    keys = streams(jax.random.key(3))
    how = Preparation(kind, dimensions, anchors=20, graph=ANCHOR_GRAPH)
    reads, dtype = _reads(locality), jnp.result_type(float)
    targets = jnp.asarray(semantic_targets(labels[rows], vectors), dtype)
    taught = Taught(jnp.asarray(labels[rows]), targets, jnp.asarray(vectors, dtype))
    whole = prepare(jnp.asarray(x[rows], dtype), taught, keys, 1.5, how=how, reads=reads)
    parts, stream = prepare_in_blocks(
        jnp.asarray(x, dtype),
        jnp.asarray(rows),
        supervision(labels[rows], vectors),
        keys,
        1.5,
        how=how,
        reads=reads,
        block=block,
    )
    return whole, parts, stream


@pytest.mark.parametrize("block", [30, 64, 1000])
def test_each_sample_is_new_in_one_block(block):
    of = [block_at(i, SAMPLES, block) for i in range(blocks_of(SAMPLES, block))]
    new = np.concatenate([np.asarray(one.places)[np.asarray(one.new)] for one in of])
    np.testing.assert_array_equal(new, np.arange(SAMPLES))
    assert {one.places.shape for one in of} == {(min(block, SAMPLES),)}
    assert all(0 <= int(one.places.min()) <= int(one.places.max()) < SAMPLES for one in of)


PREPARED = {
    "standardise": {},
    "unit": {"kind": "unit"},
    "none": {"kind": "none"},
    "pca": {"kind": "pca"},
    "few directions": {"kind": "pca", "dimensions": 3},
    "several labels": {"several": True},
    "no graph": {"locality": "none"},
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("changes", PREPARED.values(), ids=PREPARED)
def test_the_preparation_is_that_of_all_samples(changes):
    whole, parts, _ = both(block=64, **changes)
    for name in ("gram", "locality", "semantic_locality", "basis"):
        one, other = getattr(whole.data, name), getattr(parts.data, name)
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-11 * np.abs(one).max(), err_msg=name)
    for one, other in zip(
        jax.tree.leaves((whole.preprocessing, whole.rbf)),
        jax.tree.leaves((parts.preprocessing, parts.rbf)),
        strict=True,
    ):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-12)


SOLVES = {
    "published": {},
    "a block as large as the data": {"block": 1000},
    "a block that divides the number of samples": {"block": 30},
    "blocks of one sample": {"block": 1},
    "several labels": {"several": True},
    "fewer dimensions than classes": {"e": 4},
    "fewer dimensions than bits and classes, several labels": {"e": 4, "several": True, "bits": 3},
    "no rotation": {"rotation": "none"},
    "a random rotation": {"rotation": "random"},
    "a random rotation without a basis": {"rotation": "random", "e": 4},
    "locality on the semantics": {"locality": "semantics"},
    "no locality": {"locality": "none"},
    "several starts": {"restarts": 3},
    "a growing alpha": {"alpha_growth": 1.5},
    "a large alpha": {"alpha": 1.0, "max_sweeps": 1},
    "a tolerance": {"alpha": 0.1, "tolerance": 1e-3},
    "an iteration limit": {"alpha": 1.0, "max_iterations": 2},
}
WEIGHTS = ("alpha", "tolerance")


@pytest.mark.usefixtures("float64", "strict_promotion")
@pytest.mark.parametrize("changes", SOLVES.values(), ids=SOLVES)
def test_codes_are_those_of_all_samples_at_once(changes):
    changes = dict(changes)
    block, bits = changes.pop("block", 64), changes.pop("bits", 11)
    data = {name: changes.pop(name) for name in ("several", "e") if name in changes}
    weights = ZSH.weights(**{name: changes.pop(name) for name in WEIGHTS if name in changes})
    weights = jax.tree.map(jnp.asarray, weights)
    options = ZSH.options(**changes)
    whole, parts, stream = both(block=block, locality=options.locality, **data)
    one = ZSH.fit(whole.start, whole.data, weights, options, bits=bits)
    mapped = Mapped(stream, parts.preprocessing, parts.rbf)
    running = Running(block=block, at_once=2)
    other = ZSH.fit_in_blocks(parts.start, mapped, parts.data, weights, options, bits=bits, running=running)

    np.testing.assert_array_equal(one.class_head.codes, other.class_head.codes)
    np.testing.assert_array_equal(one.trace.flips, other.trace.flips)
    assert int(one.trace.iterations) == int(other.trace.iterations) > 1
    assert int(one.trace.status) == int(other.trace.status)
    for a, b in zip(jax.tree.leaves(one.trace), jax.tree.leaves(other.trace), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-7, atol=1e-9 * SAMPLES)
    head = one.head.projection
    np.testing.assert_allclose(other.head.projection, head, rtol=1e-6, atol=1e-7 * np.abs(head).max())
    np.testing.assert_allclose(other.class_head.dictionary, one.class_head.dictionary, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(other.class_head(parts.vectors), one.class_head(whole.vectors))
