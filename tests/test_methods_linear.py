"""The linear methods against scikit-learn, SciPy and NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from baseline_methods import BITS, codes_of, toy, training
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA

from zsh_jax import random_rotation, unpack_codes
from zsh_jax.baselines import cca_itq, itq, lsh, pcah
from zsh_jax.baselines.data import TrainingData
from zsh_jax.baselines.hash_functions import LinearHashFunction, encode_linear

pytestmark = pytest.mark.usefixtures("strict_ranks")


def _linear_hash_function(seed=0, bits=11):
    rng = np.random.default_rng(seed)
    shapes = (5,), (5,), (5, bits), (bits,)
    mean, scale, projection, offset = (rng.normal(size=shape) for shape in shapes)
    return rng.normal(size=(50, 5)), LinearHashFunction(mean, np.abs(scale) + 1, projection, offset)


@pytest.mark.parametrize("block", [1, 7, 50, 4096])
def test_linear_codes_are_signs_of_the_map(block, float64):
    x, function = _linear_hash_function()
    found = encode_linear(jax.tree.map(jnp.asarray, function), jnp.asarray(x), block=block)
    expected = (x - function.mean) / function.scale @ function.projection + function.offset > 0
    np.testing.assert_array_equal(np.asarray(unpack_codes(found, bits=11)) > 0, expected)


def test_linear_codes_vmap_over_maps_that_share_the_features(float64):
    x, function = _linear_hash_function()
    other = _linear_hash_function(1)[1]
    both = function._replace(
        projection=jnp.stack([function.projection, other.projection]),
        offset=jnp.stack([function.offset, other.offset]),
    )
    axes = LinearHashFunction(None, None, 0, 0)
    found = jax.vmap(encode_linear, (axes, None))(jax.tree.map(jnp.asarray, both), jnp.asarray(x))
    for i, one in enumerate((function, other)):
        single = function._replace(projection=one.projection, offset=one.offset)
        np.testing.assert_array_equal(
            found[i], encode_linear(jax.tree.map(jnp.asarray, single), jnp.asarray(x))
        )


@pytest.mark.parametrize("degrees", [10, 60, 90, 150])
def test_lsh_separates_two_vectors_as_often_as_their_angle_says(degrees):
    bits, angle = 20_000, np.radians(degrees)
    x = np.array([[1.0, 0.0, 0.0], [np.cos(angle), np.sin(angle), 0.0]])
    nothing = jnp.zeros((2, 1))
    data = TrainingData(jnp.asarray(x, jnp.float32), nothing, nothing, nothing)
    found = lsh.fit(jax.random.key(0), data, lsh.LSHOptions(), bits=bits)
    codes = x @ np.asarray(found.projection) > 0
    share = angle / np.pi
    assert (codes[0] != codes[1]).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / bits))
    np.testing.assert_array_equal(found.offset, 0)


def test_pcah_projects_on_the_principal_components(float64):
    data = toy()
    shifted = training(data)._replace(x=jnp.asarray(data.x + 0.5))
    found = pcah.fit(jax.random.key(0), shifted, pcah.PCAHOptions(), bits=BITS)
    pca = PCA(BITS, svd_solver="full").fit(data.x + 0.5)
    projected = (data.x + 0.5) @ np.asarray(found.projection) + np.asarray(found.offset)
    expected = pca.transform(data.x + 0.5)
    np.testing.assert_allclose(projected * np.sign((projected * expected).sum(0)), expected, atol=1e-9)


@pytest.mark.parametrize("method", ["pcah", "itq"])
def test_more_bits_than_features_are_refused(method):
    module, options = {"pcah": (pcah, pcah.PCAHOptions()), "itq": (itq, itq.ITQOptions())}[method]
    with pytest.raises(ValueError, match="13 bits cannot be principal components of 12 features"):
        module.fit(jax.random.key(0), training(toy(), jnp.float32), options, bits=13)


def _itq_in_numpy(v, r, iterations):
    errors = []
    for _ in range(iterations):
        b = np.where(v @ r > 0, 1.0, -1.0)
        u, _, wt = np.linalg.svd(b.T @ v)
        r = wt.T @ u.T
        errors.append(np.sum((b - v @ r) ** 2))
    return r, errors


def test_itq_equals_a_plain_loop_and_its_error_never_rises(float64):
    data = toy()
    v = PCA(BITS).fit_transform(data.x)
    start = random_rotation(jax.random.key(3), size=BITS, dtype=jnp.float64)
    np.testing.assert_allclose(start.T @ start, np.eye(BITS), atol=1e-12)
    found = itq.rotate(jnp.asarray(v), start, iterations=50)
    rotation, errors = _itq_in_numpy(v, np.asarray(start), 50)
    np.testing.assert_allclose(found.rotation, rotation, atol=1e-9)
    np.testing.assert_allclose(found.error, errors, rtol=1e-9)
    assert (np.diff(found.error) <= 1e-9).all()
    before = np.sum((np.where(v @ start > 0, 1, -1) - v @ start) ** 2)
    assert found.error[-1] < 0.9 * before


def test_itq_fits_that_rotation_to_the_principal_components(float64):
    data, key = toy(), jax.random.key(3)
    found = itq.fit(key, training(data), itq.ITQOptions(), bits=BITS)
    mean, directions = pcah.principal_directions(jnp.asarray(data.x), count=BITS)
    v = (data.x - np.asarray(mean)) @ np.asarray(directions)
    rotation, _ = _itq_in_numpy(v, np.asarray(random_rotation(key, size=BITS, dtype=jnp.float64)), 50)
    np.testing.assert_array_equal(codes_of(data, found, data.raw), np.where(v @ rotation > 0, 1, -1))


@pytest.mark.parametrize("ridge", [1e-4, 0.5])
def test_canonical_directions_solve_the_generalised_eigenproblem(ridge, float64):
    data = toy()
    y = data.classes - data.classes.mean(0)
    directions, correlations = cca_itq.canonical_directions(jnp.asarray(data.x), jnp.asarray(y), ridge)
    n = len(data.x)
    cxx = data.x.T @ data.x / n + ridge * np.eye(12)
    cyy, cxy = y.T @ y / n + ridge * np.eye(5), data.x.T @ y / n
    values, vectors = scipy.linalg.eigh(cxy @ np.linalg.solve(cyy, cxy.T), cxx)
    values, vectors = values[::-1], vectors[:, ::-1]
    np.testing.assert_allclose(np.square(correlations)[:3], values[:3], rtol=1e-8)
    np.testing.assert_allclose(correlations[3:], 0, atol=1e-6)  # four classes in training
    expected = vectors[:, :3] * np.sqrt(values[:3])
    found = np.asarray(directions)[:, :3]
    np.testing.assert_allclose(found * np.sign((found * expected).sum(0)), expected, atol=1e-8)


def test_canonical_correlations_are_those_of_scikit_learn(float64):
    data = toy()
    y = data.classes[:, :3]  # without what the sum to one makes redundant
    _, correlations = cca_itq.canonical_directions(jnp.asarray(data.x), jnp.asarray(y - y.mean(0)), 0.0)
    left, right = CCA(3, max_iter=5000, tol=1e-12).fit_transform(data.x, y)
    expected = [np.corrcoef(left[:, i], right[:, i])[0, 1] for i in range(3)]
    np.testing.assert_allclose(correlations, expected, rtol=1e-5)


def test_bits_beyond_the_classes_turn_the_same_directions(float64):
    data = training(toy())
    found = cca_itq.fit(jax.random.key(0), data, cca_itq.CCAITQOptions(), bits=16)
    projection = np.asarray(found.projection)
    assert np.linalg.matrix_rank(projection, tol=1e-5) == 3  # classes in training, less one
    assert (np.linalg.norm(projection, axis=0) > 1e-3).all()
    directions, _ = cca_itq.canonical_directions(data.x, data.classes - data.classes.mean(0)[None], 1e-4)
    np.testing.assert_allclose(projection @ projection.T, directions @ directions.T, atol=1e-9)
