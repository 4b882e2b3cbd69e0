"""The linear methods against scikit-learn, SciPy and NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from method_data import BITS, codes_of, toy, training
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA

from zsh_jax import HashFunction, Identity, Linear, Preprocessing, encode, random_rotation, unpack_codes
from zsh_jax.core.hashing import encode_each
from zsh_jax.methods import cca_itq, itq, lsh, pcah
from zsh_jax.methods import random_rotation as rotations
from zsh_jax.methods.protocol import NoOptions, NoWeights, TrainingData

pytestmark = pytest.mark.usefixtures("strict_promotion")


def _linear_hash_function(seed=0, bits=11):
    rng = np.random.default_rng(seed)
    shapes = (5,), (5,), (5, bits), (bits,)
    mean, scale, projection, offset = (jnp.asarray(rng.normal(size=shape)) for shape in shapes)
    preprocessing = Preprocessing(mean, jnp.abs(scale) + 1, None, None)
    return rng.normal(size=(50, 5)), HashFunction(preprocessing, Identity(), Linear(projection, offset))


@pytest.mark.parametrize("block", [1, 7, 50, 4096])
def test_linear_codes_are_signs_of_the_map(block, float64):
    x, function = _linear_hash_function()
    found = encode(function, jnp.asarray(x), block=block)
    (mean, scale, _, _), (projection, offset) = function.preprocessing, function.head
    expected = (x - np.asarray(mean)) / np.asarray(scale) @ np.asarray(projection) + np.asarray(offset) > 0
    np.testing.assert_array_equal(np.asarray(unpack_codes(found, bits=11)) > 0, expected)


def test_linear_codes_vmap_over_maps_that_share_the_features(float64):
    x, function = _linear_hash_function()
    other = _linear_hash_function(1)[1].head
    both = jax.tree.map(lambda *leaves: jnp.stack(leaves), function.head, other)
    found = encode_each(function._replace(head=both), jnp.asarray(x))
    for i, head in enumerate((function.head, other)):
        np.testing.assert_array_equal(found[i], encode(function._replace(head=head), jnp.asarray(x)))


@pytest.mark.parametrize("degrees", [10, 60, 90, 150])
def test_lsh_separates_two_vectors_as_often_as_their_angle_says(degrees):
    bits, angle = 20_000, np.radians(degrees)
    x = np.array([[1.0, 0.0, 0.0], [np.cos(angle), np.sin(angle), 0.0]])
    data = TrainingData(x=jnp.asarray(x, jnp.float32))
    found = lsh.fit(jax.random.key(0), data, NoWeights(), NoOptions(), bits=bits).head
    codes = x @ np.asarray(found.projection) > 0
    share = angle / np.pi
    assert (codes[0] != codes[1]).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / bits))
    np.testing.assert_array_equal(found.offset, 0)


@pytest.mark.parametrize("bits", [5, 12, 30], ids=["fewer than features", "as many", "more"])
def test_random_rotations_are_orthonormal_in_blocks_and_turn_about_the_mean(bits, float64):
    data = toy()
    shifted = training(data)._replace(x=jnp.asarray(data.x + 0.5))
    found = rotations.fit(jax.random.key(0), shifted, NoWeights(), NoOptions(), bits=bits).head
    projection = np.asarray(found.projection)
    assert projection.shape == (12, bits)
    for start in range(0, bits, 12):
        block = projection[:, start : start + 12]
        np.testing.assert_allclose(block.T @ block, np.eye(block.shape[1]), atol=1e-12)
    blocks = {projection[:, start : start + 5].tobytes() for start in range(0, bits - 4, 12)}
    assert len(blocks) == len(range(0, bits - 4, 12))  # none is drawn twice
    projected = (data.x + 0.5) @ projection + np.asarray(found.offset)
    np.testing.assert_allclose(projected, (data.x - data.x.mean(0)) @ projection, atol=1e-12)


def test_rotations_estimate_an_angle_with_less_variance_than_independent_hyperplanes(float64):
    """Ji et al. 2012, theorem 2: the mean is the same, the angle over pi; the variance is less."""
    x = np.random.default_rng(0).normal(size=(2, 12))
    cosine = x[0] @ x[1] / np.prod(np.linalg.norm(x, axis=1))
    keys = jax.random.split(jax.random.key(0), 2000)
    data = TrainingData(x=jnp.asarray(np.concatenate([x, -x])))  # of mean zero

    def share(method):
        fit = lambda key: method.fit(key, data, NoWeights(), NoOptions(), bits=12).head.projection  # noqa: E731
        codes = np.einsum("id,kdl->kil", x, np.asarray(jax.vmap(fit)(keys))) > 0
        return (codes[:, 0] != codes[:, 1]).mean(1)

    turned, drawn = share(rotations), share(lsh)
    for shares in (turned, drawn):
        assert abs(shares.mean() - np.arccos(cosine) / np.pi) < 4 * shares.std() / np.sqrt(2000)
    assert turned.var() < 0.8 * drawn.var()


def test_pcah_projects_on_the_principal_components(float64):
    data = toy()
    shifted = training(data)._replace(x=jnp.asarray(data.x + 0.5))
    found = pcah.fit(jax.random.key(0), shifted, NoWeights(), NoOptions(), bits=BITS).head
    pca = PCA(BITS, svd_solver="full").fit(data.x + 0.5)
    projected = (data.x + 0.5) @ np.asarray(found.projection) + np.asarray(found.offset)
    expected = pca.transform(data.x + 0.5)
    np.testing.assert_allclose(projected * np.sign((projected * expected).sum(0)), expected, atol=1e-9)


@pytest.mark.parametrize("method", ["pcah", "itq"])
def test_more_bits_than_features_are_refused(method):
    module, options = {"pcah": (pcah, NoOptions()), "itq": (itq, itq.Options())}[method]
    with pytest.raises(ValueError, match="13 bits cannot be principal components of 12 features"):
        module.fit(jax.random.key(0), training(toy(), jnp.float32), NoWeights(), options, bits=13)


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
    turned = v @ np.asarray(start)
    before = np.sum((np.where(turned > 0, 1, -1) - turned) ** 2)
    assert found.error[-1] < 0.9 * before


def test_itq_fits_that_rotation_to_the_principal_components(float64):
    data, key = toy(), jax.random.key(3)
    fitted = itq.fit(key, training(data), NoWeights(), itq.Options(), bits=BITS)
    mean, directions = pcah.principal_directions(jnp.asarray(data.x), count=BITS)
    v = (data.x - np.asarray(mean)) @ np.asarray(directions)
    rotation, _ = _itq_in_numpy(v, np.asarray(random_rotation(key, size=BITS, dtype=jnp.float64)), 50)
    np.testing.assert_array_equal(codes_of("itq", data, fitted, data.raw), np.where(v @ rotation > 0, 1, -1))


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
    found = cca_itq.fit(jax.random.key(0), data, cca_itq.Weights(), cca_itq.Options(), bits=16).head
    projection = np.asarray(found.projection)
    assert np.linalg.matrix_rank(projection, tol=1e-5) == 3  # classes in training, less one
    assert (np.linalg.norm(projection, axis=0) > 1e-3).all()
    directions, _ = cca_itq.canonical_directions(data.x, data.classes - data.classes.mean(0)[None], 1e-4)
    np.testing.assert_allclose(projection @ projection.T, directions @ directions.T, atol=1e-9)
