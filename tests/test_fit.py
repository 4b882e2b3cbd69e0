"""`zsh_jax.fit` and the few lines around it: every method by name, vmappable, and bad arguments told in one line."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from method_data import small, toy

import zsh_jax as zsh
from zsh_jax import METHODS
from zsh_jax.core.metrics.cosine import cosine_average_precision
from zsh_jax.training.streams import streams

pytestmark = pytest.mark.usefixtures("strict_promotion")

BITS = 8
KEY = jax.random.key(0)
QUICK = {"anchors": 20}  # few, so that programs are small

KINDS = ("zsh", "itq", "joint", "csq", "sdh", "cosine_predictions")
"""Methods of each kind; test_methods_contract.py does the same with `fit` of every method."""


def _bits(name):
    return BITS if METHODS[name].has_codes else 0


def _settings(name):
    settings = dict(vars(small(name)))
    if any(read.name in ("RBF", "GRAPH") for read in METHODS[name].reads):
        settings |= QUICK
    return settings | ({"neighbours": 5} if "gamma" in METHODS[name].weights._fields else {})


def _labels(data, several):
    if not several:
        return data.labels
    more = np.random.default_rng(0).random(data.classes.shape) < 0.1
    more[:, -1] = False
    return (data.classes > 0) | more


def _given(several=False, dtype=np.float32):
    data = toy()
    return data.raw.astype(dtype), data.vectors.astype(dtype), _labels(data, several)


@pytest.mark.parametrize(
    ("name", "several"),
    [*((name, False) for name in METHODS), *((name, True) for name in KINDS)],
)
def test_every_method_by_name_in_five_lines(name, several, tmp_path):
    features, vectors, labels = _given(several)
    model = zsh.fit(KEY, features, vectors, labels, bits=_bits(name), method=name, **_settings(name))
    zsh.save(tmp_path / "model.safetensors", model)
    loaded = zsh.load(tmp_path / "model.safetensors")
    new, database = jnp.asarray(toy(1).raw, jnp.float32), jnp.asarray(features)
    own, other = jnp.asarray(toy().labels), jnp.asarray(toy(1).labels)
    assert zsh.code_length(model) == _bits(name)
    if not METHODS[name].has_codes:
        found = cosine_average_precision(zsh.project(loaded, new), other, zsh.project(model, database), own)
        assert float(found.mean()) > 0.6  # a quarter by chance
        return
    queries, codes = zsh.encode(loaded, new), zsh.encode(model, database)
    assert (codes.shape, codes.dtype) == ((120, 1), jnp.uint8)
    judged = zsh.evaluate(queries, other, codes, own, bits=BITS)
    least = {"lsh": 0.45, "random_rotation": 0.45, "pcah": 0.45, "joint": 0.6}
    assert float(judged.mean_average_precision) > least.get(name, 0.7)
    if model.class_head is None:
        with pytest.raises(ValueError, match="no class codes"):
            zsh.encode_classes(loaded, jnp.asarray(vectors))
    else:
        names = zsh.encode_classes(loaded, jnp.asarray(vectors))
        assert names.shape == (5, 1)
        by_name = zsh.evaluate(names[:4], jnp.arange(4), codes, own, bits=BITS)
        assert float(by_name.mean_average_precision) > 0.5


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
def test_numpy_and_jax_arrays_of_any_float_make_the_same_function(several):
    features, vectors, labels = _given(several)
    settings = _settings("zsh") | {"bits": BITS}
    plain = zsh.fit(KEY, features, vectors, labels, **settings)
    for given in (
        jax.tree.map(jnp.asarray, (features, vectors, labels)),
        (features.astype(float), vectors.astype(float), labels.astype(np.int64)),
        (features.tolist(), vectors.tolist(), labels.tolist()),
    ):
        model = zsh.fit(KEY, *given, **settings)
        assert jax.tree.structure(model) == jax.tree.structure(plain)
        jax.tree.map(partial(np.testing.assert_array_equal, strict=True), model, plain)


def test_the_published_form_is_the_same_steps_taken_by_hand(float64):
    """With the oracle's solver, kernel and graph."""
    data = toy()
    settings = {"alpha": 1e-2, "gamma": 1e-3, "anchors": 20, "neighbours": 5, "bandwidth": 0.7}
    model = zsh.fit(KEY, data.raw, 3 * data.vectors, data.labels, bits=BITS, **settings)
    np.testing.assert_allclose(model.preprocessing.mean, data.mean, rtol=1e-12)
    np.testing.assert_allclose(model.preprocessing.scale, data.scale, rtol=1e-12)
    points = np.asarray(model.feature_map.anchors)
    distances = oracle.distances(points, data.x)
    np.testing.assert_allclose(distances.min(1), 0, atol=1e-6)
    assert len(set(distances.argmin(1))) == 20
    width = 0.7 * oracle.bandwidth(data.x, points)
    assert float(model.feature_map.bandwidth) == pytest.approx(width, rel=1e-10)

    phi, laplacian = oracle.rbf(data.x, points, width), oracle.laplacian(*oracle.knn(data.x, 5))
    targets = data.semantics.astype(np.float32).astype(float)  # as those of every source of class vectors are
    problem = zsh.make_problem(jnp.asarray(phi), jnp.asarray(targets))
    start = zsh.init_state(problem, streams(KEY).start, bits=BITS)
    weights = (1e-2, 1e-2, 1e-4, 1e-3)
    b, w = np.asarray(start.codes), np.asarray(start.regression)
    solved = oracle.solve(phi, targets, laplacian, weights, b, np.eye(7), w)
    np.testing.assert_allclose(model.head.projection, solved.projection, rtol=1e-5, atol=1e-7)
    codes = zsh.unpack_codes(zsh.encode(model, jnp.asarray(data.raw)), bits=BITS)
    expected = oracle.encode(data.raw, data.mean, data.scale, points, width, solved.projection)
    np.testing.assert_array_equal(np.asarray(codes) > 0, expected)


def _assert_rows_equal(batched, singles):
    for i, single in enumerate(singles):
        row = jax.tree.map(lambda leaf, i=i: leaf[i], batched)
        assert jax.tree.structure(row) == jax.tree.structure(single)
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-6, atol=1e-8), row, single)


@pytest.mark.parametrize("name", ["zsh", "itq"])  # of all methods: tests/test_methods_contract.py
def test_vmap_over_the_key_and_a_weight_equals_the_loop(name, float64):
    features, vectors, labels = _given(dtype=np.float64)
    weight = next(iter(METHODS[name].weights._fields), None)
    paper = 0.0 if weight is None else getattr(METHODS[name].weights(), weight)
    values = jnp.asarray([paper, paper / 4])
    keys = jax.random.split(KEY, 2)

    def run(key, value):
        settings = _settings(name) | ({} if weight is None else {weight: value})
        return zsh.fit(key, features, vectors, labels, bits=_bits(name), method=name, **settings)

    singles = [run(key, value) for key, value in zip(keys, values, strict=True)]
    _assert_rows_equal(jax.jit(jax.vmap(run))(keys, values), singles)


@pytest.mark.parametrize(
    "setting", ["bandwidth", "anchors", "neighbours", "preprocessing", "laplacian", "graph"]
)
def test_what_comes_before_the_method_is_a_setting_too(setting):
    features, vectors, labels = _given()
    other = {
        "bandwidth": 3.0,
        "anchors": 30,
        "neighbours": 9,
        "preprocessing": "unit",
        "laplacian": "normalised",
        "graph": "anchors",
    }
    plain = {"anchors": 20, "neighbours": 5, "alpha": 1e-3, "gamma": 1e-2, "bits": BITS}
    one = zsh.fit(KEY, features, vectors, labels, **plain)
    two = zsh.fit(KEY, features, vectors, labels, **plain | {setting: other[setting]})
    same = one.head.projection.shape == two.head.projection.shape and np.allclose(
        one.head.projection, two.head.projection
    )
    assert not same


def test_features_may_be_traced():
    features, vectors, labels = _given()

    @jax.jit
    def codes(features):
        return zsh.encode(zsh.fit(KEY, features, vectors, labels, method="itq", bits=BITS), features)

    model = zsh.fit(KEY, features, vectors, labels, method="itq", bits=BITS)
    same = np.asarray(codes(features)) == np.asarray(zsh.encode(model, jnp.asarray(features)))
    assert same.mean() > 0.95  # rounding may flip a bit of some byte


def test_pca_shortens_what_the_head_reads():
    features, vectors, labels = _given()
    model = zsh.fit(
        KEY, features, vectors, labels, method="lsh", bits=BITS, preprocessing="pca", pca_dimensions=5
    )
    assert model.head.projection.shape == (5, BITS)
    assert zsh.encode(model, jnp.asarray(features)).shape == (120, 1)


def test_a_bound_has_no_bits_whatever_is_asked():
    features, vectors, labels = _given()
    for name in ("cosine_features", "cosine_predictions"):
        model = zsh.fit(KEY, features, vectors, labels, method=name, bits=16, anchors=20)
        assert zsh.code_length(model) == 0


def test_there_are_as_many_anchors_as_few_samples():
    features, vectors, labels = _given()
    model = zsh.fit(KEY, features, vectors, labels, method="semantic_ridge", bits=BITS)
    assert model.feature_map.anchors.shape == (120, 12)


def test_the_trace_tells_how_the_solver_got_there():
    features, vectors, labels = _given()
    settings = _settings("zsh") | {"restarts": 3, "bits": BITS}
    model, trace = zsh.fit_with_trace(KEY, features, vectors, labels, **settings)
    again = zsh.fit(KEY, features, vectors, labels, **settings)
    jax.tree.map(np.testing.assert_array_equal, model, again)
    assert trace.start_objectives.shape == (3,)
    assert float(trace.objective) == float(trace.start_objectives.min())
    steps = np.asarray(trace.terms.total)[: int(trace.iterations)]
    assert (np.diff(steps) <= 1e-4 * steps[:-1]).all()
    assert int(trace.status) in (zsh.Status.CONVERGED, zsh.Status.ITERATION_LIMIT)
    assert zsh.fit_with_trace(KEY, features, vectors, labels, method="lsh", bits=BITS)[1] is None


def test_the_length_of_a_class_vector_does_not_matter_and_an_unseen_one_changes_no_image_code():
    features, vectors, labels = _given()
    lengths = np.array([[0.5], [2.0], [8.0], [1.0], [4.0]], np.float32)  # powers of two: to the bit
    settings = _settings("zsh") | {"bits": BITS}
    one = zsh.fit(KEY, features, vectors, labels, **settings)
    two = zsh.fit(KEY, features, lengths * vectors, labels, **settings)
    np.testing.assert_allclose(one.head.projection, two.head.projection, rtol=1e-4, atol=1e-5)
    other = vectors.copy()
    other[4] = -other[3]
    three = zsh.fit(KEY, features, other, labels, **settings)
    np.testing.assert_array_equal(one.head.projection, three.head.projection)


def test_more_bits_than_samples_are_no_matter():
    features, vectors, labels = (rows[:6] if len(rows) > 6 else rows for rows in _given())
    for name in ("cosdish", "ksh", "zsh", "joint"):
        model = zsh.fit(
            KEY, features, vectors, labels, method=name, bits=BITS, **_settings(name) | {"anchors": 6}
        )
        assert zsh.encode(model, jnp.asarray(features)).shape == (6, 1)
