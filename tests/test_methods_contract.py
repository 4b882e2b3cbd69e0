"""What holds for every method: it learns, compiles once, and says what is not finite. For batches: `test_grids.py`."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxprs import batched_factorisations, largest_array
from method_data import BITS, bits_of, function_of, several_labels, small, toy, training

import zsh_jax as zsh
from zsh_jax import METHODS, Status, evaluate
from zsh_jax.core.metrics.cosine import cosine_average_precision
from zsh_jax.methods.protocol import Reads, TrainingData
from zsh_jax.model_file import load, save
from zsh_jax.sweep.axes import Program
from zsh_jax.sweep.train import train
from zsh_jax.training.prepare import GraphOptions, Preparation, Taught, prepare
from zsh_jax.training.streams import streams

pytestmark = pytest.mark.usefixtures("strict_promotion")
each_method = pytest.mark.parametrize("name", METHODS)

LEARNED = ("dpsh", "hashnet", "dtsh", "greedyhash", "csq", "orthohash")
KEYLESS = {"pcah", "cosine_features", "cosine_predictions"}
LEAST = {
    **dict.fromkeys(("lsh", "random_rotation", "pcah"), 0.5),  # hyperplanes at random, or without labels
    "joint": 0.6,  # chosen for classes that are held out, not for those of the samples
}
"""Mean average precision that a method reaches, if not 0.8."""
DEALT_OUT = {
    "zsh": "each sample starts with random bits of its own",
    "zsh_relaxed": "each sample starts with random bits of its own",
    "zsh_coupled": "each sample starts with random bits of its own",
    "ksh": "the labelled samples are drawn by their place",
    "sdh": "each sample starts with random bits of its own",
    "fsdh": "each sample starts with random bits of its own",
    "cosdish": "each sample starts with random bits of its own, and columns are drawn by their place",
    **dict.fromkeys(LEARNED, "batches are drawn by the place of the samples"),
}
"""The methods whose randomness is dealt out sample by sample, and so depends on their order."""

FAR = {"tolerance": 1e9, "beta": 1.0, "odds": 0.2, "centring": 0.1}
"""Weights that are not moved to thirty times those of the paper. `alpha`, `beta` and `gamma` count by ratio. Much more
weight on the semantics, or on the mean, leaves the frame of `joint_fixed` directions that the toy data do not fill, and
rounding turns it in them."""

FIELDS = {
    Reads.FEATURES: ("x",),
    Reads.RBF: ("phi", "gram"),
    Reads.LABELS: ("classes", "labels"),
    Reads.CLASS_VECTORS: ("semantics", "vectors"),
    Reads.GRAPH: ("locality", "semantic_locality"),
}


def _fit(name, bits=None):
    """(key, data, weights) -> Fitted."""
    bits = bits_of(name) if bits is None else bits
    return lambda key, data, weights: METHODS[name].fit(key, data, weights, small(name), bits=bits)


def _settings(name):
    """The paper's weights, and others far from them."""
    weights = METHODS[name].weights
    return weights(), weights(
        **{field: FAR.get(field, 30 * one) for field, one in weights()._asdict().items()}
    )


def _arrays(weights):
    """Numbers compile another program than arrays do: tests in float32 share the one of arrays."""
    return jax.tree.map(lambda one: jnp.asarray(one, jnp.float32), weights)


def _stack(*trees):
    return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *trees)


def _same(one, other):
    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.allclose(a, b) for a, b in leaves)


def _ranked(name, data, fitted, new):
    """Mean average precision of new images as queries."""
    function = function_of(name, data, fitted)
    raw = [jnp.asarray(one.raw, jnp.float32) for one in (new, data)]
    labels = [jnp.asarray(one.labels) for one in (new, data)]
    if METHODS[name].has_codes:
        queries, database = (zsh.encode(function, one) for one in raw)
        judged = evaluate(queries, labels[0], database, labels[1], bits=BITS)
        return float(judged.mean_average_precision)
    queries, database = (zsh.project(function, one) for one in raw)
    return float(cosine_average_precision(queries, labels[0], database, labels[1]).mean())


@each_method
@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
def test_new_images_of_the_classes_are_retrieved_better_than_by_chance(name, several):
    data, new = several_labels(toy()) if several else toy(), toy(1)
    weights = _arrays(METHODS[name].weights())
    fitted = _fit(name)(jax.random.key(0), training(data, jnp.float32), weights)
    for leaf in jax.tree.leaves((fitted.head, fitted.class_head)):
        assert leaf.dtype in (jnp.float32, jnp.uint8)
    assert fitted.head.bits == bits_of(name)
    # A quarter by chance.
    assert _ranked(name, data, fitted, new) > LEAST.get(name, 0.8)


def test_codes_that_are_all_alike_are_ranked_as_by_chance():
    """What a method that learns nothing would be given above."""
    nothing = jnp.zeros((120, 1), jnp.uint8)
    labels = [jnp.asarray(one.labels) for one in (toy(1), toy())]
    judged = evaluate(nothing, labels[0], nothing, labels[1], bits=BITS)
    assert float(judged.mean_average_precision) < 0.3


@each_method
def test_the_key_matters_where_something_is_drawn(name):
    data, weights = training(toy(), jnp.float32), _arrays(METHODS[name].weights())
    heads = [_fit(name)(jax.random.key(seed), data, weights).head for seed in (0, 1)]
    assert _same(*heads) == (name in KEYLESS)


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name].weights()])
def test_the_weights_matter(name):
    data = training(toy(), jnp.float32)
    heads = [_fit(name)(jax.random.key(0), data, _arrays(weights)).head for weights in _settings(name)]
    assert not _same(*heads)


@each_method
def test_a_second_call_does_not_compile_again(name):
    fit, weights = METHODS[name].fit, _settings(name)
    _fit(name)(jax.random.key(0), training(toy(), jnp.float32), _arrays(weights[0]))
    before = fit._cache_size()
    assert before > 0
    _fit(name)(jax.random.key(1), training(toy(2), jnp.float32), _arrays(weights[1]))
    assert fit._cache_size() == before


@pytest.mark.parametrize("name", [name for name in METHODS if name not in DEALT_OUT])
def test_the_order_of_the_samples_does_not_matter(name, float64):
    data, key, weights = training(toy()), jax.random.key(0), METHODS[name].weights()
    order = np.random.default_rng(0).permutation(120)
    by_sample = ("x", "phi", "classes", "semantics", "labels")
    shuffled = data._replace(**{field: getattr(data, field)[order] for field in by_sample})
    straight, other = _fit(name)(key, data, weights), _fit(name)(key, shuffled, weights)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-7), straight, other)


@pytest.mark.parametrize("name", DEALT_OUT)
def test_the_order_does_matter_where_randomness_is_dealt_out(name, float64):
    """Else the method belongs among the others."""
    data, weights = training(toy()), METHODS[name].weights()
    order = np.random.default_rng(0).permutation(120)
    by_sample = ("x", "phi", "classes", "semantics", "labels")
    shuffled = data._replace(**{field: getattr(data, field)[order] for field in by_sample})
    heads = [_fit(name)(jax.random.key(0), one, weights).head for one in (data, shuffled)]
    assert not _same(*heads)


@each_method
def test_a_method_learns_from_nothing_but_what_it_says_that_it_reads(name):
    data, weights = training(toy(), jnp.float32), _arrays(METHODS[name].weights())
    kept = [field for read in METHODS[name].reads for field in FIELDS[read]]
    less = TrainingData(**{field: getattr(data, field) for field in kept})
    key, fit = jax.random.key(0), METHODS[name].fit
    how = {"bits": bits_of(name)}
    whole, alone = (fit.lower(key, one, weights, small(name), **how).as_text() for one in (data, less))
    if whole != alone:  # the same program needs no run; what is handed on and not read is in the text too
        whole, alone = (_fit(name)(key, one, weights) for one in (data, less))
        jax.tree.map(np.testing.assert_array_equal, whole, alone)


@each_method
def test_what_is_left_unread_changes_nothing(name, float64):
    method, data = METHODS[name], training(toy())
    off = {field: 0.0 for field in ("gamma", "delta") if field in method.weights._fields}
    weights = method.weights()._replace(**off)
    unread = method.unread(weights, small(name))
    expected = {Reads.GRAPH} if off else set()
    expected |= (
        {Reads.CLASS_VECTORS} if hasattr(small(name), "centres") else set()
    )  # those of a Hadamard matrix
    assert unread == expected
    if not unread:
        return
    without = data._replace(**dict.fromkeys((field for read in unread for field in FIELDS[read]), None))
    heads = [_fit(name)(jax.random.key(0), one, weights).head for one in (data, without)]
    assert _same(*heads)


@each_method
def test_no_array_of_samples_by_samples(name):
    n = 3000
    given = training(toy(), jnp.float32)
    by_sample = ("x", "phi", "classes", "semantics", "labels")
    more = {
        field: jnp.zeros((n, *getattr(given, field).shape[1:]), getattr(given, field).dtype)
        for field in by_sample
    }
    fit = lambda key, data: _fit(name)(key, data, METHODS[name].weights())  # noqa: E731
    assert largest_array(fit, jax.random.key(0), given._replace(**more)) <= n * (12 + 21 + BITS)


def _train(name, split):
    """One cell, as a sweep trains it."""
    program = Program(name, bits_of(name), small(name))
    weights = jax.tree.map(lambda value: jnp.asarray([value], jnp.float32), METHODS[name].weights())
    stacked = jax.tree.map(lambda leaf: leaf[None], split)
    return jax.tree.map(
        lambda leaf: leaf[0, 0, 0],
        train(stacked, weights, program=program, samples=len(split.data.semantics), outer=program.of.shared),
    )


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name].reads])
def test_what_is_not_finite_is_told(name):
    vectors, labels = toy().vectors, toy().labels
    how = Preparation(anchors=20, graph=GraphOptions(neighbours=5))
    taught = Taught(
        jnp.asarray(labels), jnp.asarray(vectors[labels], jnp.float32), jnp.asarray(vectors, jnp.float32)
    )
    given = partial(prepare, taught=taught, keys=streams(jax.random.key(0)), bandwidth_scale=1.0, how=how)
    found = []
    for value in (None, np.nan, np.inf, 1e38):
        raw = toy().raw.copy()
        raw[7, 3] = raw[7, 3] if value is None else value
        split = given(jnp.asarray(raw, jnp.float32), reads=METHODS[name].reads)
        found.append(int(_train(name, split).trace.status))
    assert found[0] in (Status.CONVERGED, Status.ITERATION_LIMIT)
    assert found[1:] == [Status.NON_FINITE] * 3


@each_method
def test_a_saved_function_is_the_loaded_one_and_a_sample_alone_has_the_code_it_has_among_others(
    name, tmp_path, float64
):
    data = toy()
    fitted = _fit(name)(jax.random.key(0), training(data), METHODS[name].weights())
    function, raw = function_of(name, data, fitted), jnp.asarray(toy(1).raw)
    save(tmp_path / "model.safetensors", function)
    loaded = load(tmp_path / "model.safetensors")
    assert jax.tree.structure(loaded) == jax.tree.structure(function)
    jax.tree.map(partial(np.testing.assert_array_equal, strict=True), loaded, jax.device_get(function))
    whole = zsh.project(function, raw)
    assert len(np.unique(np.asarray(whole) > 0, axis=0)) > 1
    alone = jnp.concatenate([zsh.project(loaded, raw[i : i + 1]) for i in range(10)])
    np.testing.assert_allclose(alone, whole[:10], rtol=1e-9, atol=1e-9)
    if METHODS[name].has_codes:
        codes = zsh.encode(function, raw)
        np.testing.assert_array_equal(zsh.encode(loaded, raw), codes)
        for i in range(10):
            np.testing.assert_array_equal(zsh.encode(loaded, raw[i : i + 1]), codes[i : i + 1])
    if fitted.class_head is not None:
        vectors = jnp.asarray(data.vectors)
        classes = zsh.encode_classes(function, vectors)
        assert len(np.unique(classes, axis=0)) > 1
        for i in range(len(vectors)):
            np.testing.assert_array_equal(zsh.encode_classes(loaded, vectors[i : i + 1])[0], classes[i])


@each_method
def test_what_reads_class_vectors_alone_may_name_classes(name):
    fitted = jax.eval_shape(
        _fit(name), jax.random.key(0), training(toy(), jnp.float32), METHODS[name].weights()
    )
    names = fitted.class_head is not None
    assert names == name.startswith(("zsh", "joint"))
    assert not names or Reads.CLASS_VECTORS in METHODS[name].reads


@each_method
def test_no_batched_factorisation_is_in_the_program(name):
    data, (one, other) = training(toy(), jnp.float32), _settings(name)
    keys, stacked = jax.random.split(jax.random.key(0), 2), _stack(data, data)
    over_weights = jax.vmap(_fit(name), (None, None, 0 if one else None), axis_size=2)
    over_data = jax.vmap(over_weights, (0, 0, None))
    assert batched_factorisations(over_data, keys, stacked, _stack(one, other)) == []


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name].most_bits])
def test_the_longest_code_is_the_one_that_the_table_says(name):
    data, most = training(toy(), jnp.float32), METHODS[name].most_bits(12)
    assert _fit(name, most)(jax.random.key(0), data, METHODS[name].weights()).head.bits == most
    with pytest.raises(ValueError, match=f"{most + 1} bits cannot be"):
        _fit(name, most + 1)(jax.random.key(0), data, METHODS[name].weights())


def test_a_method_stands_under_its_name_and_says_where_it_comes_from():
    for name, method in METHODS.items():
        assert method.name == name
        assert len(method.paper) > 10
        assert set(method.shared) <= set(method.weights._fields)
        options = {field for field in method.options.__dataclass_fields__}
        assert set(method.ranges) <= options | set(method.weights._fields)
        assert not options & set(method.weights._fields)
