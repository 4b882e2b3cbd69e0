"""Training on samples in blocks gives what training on all samples at once gives."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from zsh_jax import METHODS, RBF, Hyperparameters, Problem, unpack_codes
from zsh_jax.core.blocks.iteration import advance
from zsh_jax.core.blocks.products import products_in_blocks
from zsh_jax.core.blocks.solver import Running, Start, begin
from zsh_jax.core.blocks.statistics import fit_preprocessing_in_blocks
from zsh_jax.core.blocks.stream import Mapped, Stream, block_at, blocks_of
from zsh_jax.core.random_signs import CHUNK, random_packed_signs, random_signs
from zsh_jax.data.semantics.targets import semantic_targets
from zsh_jax.errors import InputError
from zsh_jax.methods.protocol import Reads
from zsh_jax.training.fit_in_blocks import fit_in_blocks
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
    "unit length, several labels": {"kind": "unit", "several": True},
    "few directions, no graph": {"kind": "pca", "dimensions": 3, "locality": "none"},
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
    "a large alpha": {"alpha": 1.0},
    "a tolerance": {"alpha": 0.1, "tolerance": 1e-3},
    "fewer dimensions than classes, a random rotation": {"e": 4, "rotation": "random"},
    "several labels and starts, few bits, no locality": {
        "several": True,
        "bits": 3,
        "restarts": 3,
        "locality": "none",
    },
    "no rotation, locality on the semantics, a growing alpha": {
        "rotation": "none",
        "locality": "semantics",
        "alpha_growth": 1.5,
    },
    "limits": {"alpha": 1.0, "max_iterations": 2, "max_sweeps": 1},
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


def test_fit_in_blocks_refuses_what_needs_all_samples():
    x, labels, vectors, _ = _data(False, 9)
    fit = partial(fit_in_blocks, jax.random.key(0), x, vectors, labels, bits=8, anchors=20)
    for changes, said in (
        ({"method": "ksh", "graph": "anchors"}, "method: ksh needs all samples at once; fix: use zsh"),
        ({}, "graph: the exact kNN graph needs all samples at once; fix: graph='anchors'"),
    ):
        with pytest.raises(InputError, match=said):
            fit(**changes)
    x[17, 2] = np.nan
    with pytest.raises(InputError, match="features: row 17 is not finite"):
        fit(graph="anchors")


def test_packed_codes_are_the_codes_of_every_chunk():
    key, shape = jax.random.key(5), {"samples": 2 * CHUNK + 100, "bits": 3}
    signs, packed = random_signs(key, **shape), random_packed_signs(key, **shape)
    np.testing.assert_array_equal(unpack_codes(packed, bits=3), signs)
    np.testing.assert_array_equal(signs[:CHUNK], jax.random.rademacher(key, (CHUNK, 3), jnp.float32))
    chunks = np.asarray(signs[: 2 * CHUNK]).reshape(2, -1)
    assert abs(np.mean(chunks[0] == chunks[1]) - 0.5) < 0.01
    assert np.abs(chunks.mean(1)).max() < 0.01


def test_no_array_has_samples_times_anchors():
    """What the compiled programs take grows by a few bytes a sample: its code, and where it is."""
    d, e, anchors, bits, block = 8, 5, 60, 16, 512
    sized, dtype = jax.ShapeDtypeStruct, jnp.float32

    def peaks(n):
        key = jax.eval_shape(lambda: jax.random.key(0))
        features, index = sized((2 * n, d), dtype), sized((n,), jnp.int32)
        stream = Stream(features, index, sized((CLASSES, e), dtype), index)
        fitted = jax.eval_shape(fit_preprocessing_in_blocks, stream)
        mapped = Mapped(stream, fitted, RBF(sized((anchors, d), dtype), sized((), dtype)))
        products = jax.eval_shape(partial(products_in_blocks, nearest=3), mapped)
        problem = Problem(None, stream.targets, *products)
        hyper, start = (
            Hyperparameters(*[sized((), dtype)] * 5),
            Start(sized((n, 2), jnp.uint8), sized((e, e), dtype)),
        )
        fixed, position = jax.eval_shape(
            partial(begin, bits=bits, max_iterations=9), problem, hyper, start, sized((), dtype), None
        )
        lowered = {
            "start": random_packed_signs.lower(key, samples=n, bits=bits),
            "preprocessing": fit_preprocessing_in_blocks.lower(stream, block=block),
            "products": products_in_blocks.lower(mapped, nearest=3, block=block),
            "pass": advance.lower(mapped, fixed, position, sized((), jnp.int32), block=block),
        }
        found = {name: one.compile().memory_analysis() for name, one in lowered.items()}
        return {name: one.temp_size_in_bytes + one.output_size_in_bytes for name, one in found.items()}

    few, many = peaks(2 * CHUNK), peaks(5 * CHUNK)
    for name in few:
        grown = (many[name] - few[name]) / (3 * CHUNK)
        print(f"{name}: {few[name]:,} bytes and {grown:.1f} a sample")
        assert grown <= bits
        assert few[name] < CHUNK * anchors * 4 or name == "start"  # half of Phi
