"""The hash function: the oracle's bits, whatever the block and under vmap."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest

from zsh_jax import (
    RBF,
    FeaturesAndRBF,
    HashFunction,
    Identity,
    Linear,
    Preprocessing,
    code_length,
    encode,
    project,
    standardisation,
    unpack_codes,
)
from zsh_jax.core.hashing import encode_each, mapped_rbf

pytestmark = pytest.mark.usefixtures("strict_promotion")

BITS = 11


@pytest.fixture
def hashing():
    """Raw features, of scales 1 to 1,000, and a hash function for them.

    No projection is nearer to zero than 0.0016 of its terms' size: a thousand times what float32 rounds away.
    """
    rng = np.random.default_rng(0)
    scales = np.array([1.0, 10.0, 0.1, 1000.0, 5.0])
    x = 7 + scales * rng.normal(size=(50, 5))
    mean, scale = x.mean(0), x.std(0)
    anchors = ((x - mean) / scale)[:6]
    projection = rng.normal(size=(7, BITS))
    preprocessing = Preprocessing(mean, scale, None, None)
    return x, HashFunction(preprocessing, RBF(anchors, np.asarray(3.5)), Linear(projection))


def _jax(function):
    return jax.tree.map(jnp.asarray, function)


def _expected(x, function):
    (mean, scale, _, _), rbf = function.preprocessing, function.feature_map
    return oracle.encode(x, mean, scale, *rbf, function.head.projection)


def test_what_is_projected_has_the_codes_as_signs(hashing, float64):
    x, function = hashing
    projected = project(_jax(function), jnp.asarray(x))
    assert code_length(function) == projected.shape[1] == BITS
    np.testing.assert_array_equal(np.asarray(projected) > 0, _expected(x, function))
    for block in (1, 7, 4096):
        np.testing.assert_allclose(
            project(_jax(function), jnp.asarray(x), block=block), projected, rtol=1e-12
        )


def test_each_feature_map_gives_the_head_what_its_name_says(hashing, float64):
    x, function = hashing
    z = (x - function.preprocessing.mean) / function.preprocessing.scale
    phi = oracle.rbf(z, *function.feature_map)
    for feature_map, features in ((Identity(), z), (RBF(*function.feature_map), phi)):
        np.testing.assert_allclose(_jax(feature_map)(jnp.asarray(z)), features, rtol=1e-10)
    both = FeaturesAndRBF(*function.feature_map)
    np.testing.assert_allclose(_jax(both)(jnp.asarray(z)), np.hstack([z, phi]), rtol=1e-10)
    projection = np.random.default_rng(1).normal(size=(12, BITS))
    offset = np.random.default_rng(2).normal(size=BITS)
    joined = function._replace(feature_map=both, head=Linear(projection, offset))
    expected = np.hstack([z, phi]) @ projection + offset > 0
    found = unpack_codes(encode(_jax(joined), jnp.asarray(x)), bits=BITS)
    np.testing.assert_array_equal(np.asarray(found) > 0, expected)


@pytest.mark.parametrize("x64", [True, False])
def test_bits_are_those_of_the_oracle(hashing, x64):
    x, function = hashing
    with jax.enable_x64(x64):
        found = unpack_codes(encode(_jax(function), jnp.asarray(x)), bits=BITS)
    np.testing.assert_array_equal(np.asarray(found) > 0, _expected(x, function))


@pytest.mark.parametrize("block", [1, 7, 25, 50, 4096])
def test_the_block_changes_nothing(hashing, block):
    x, function = hashing
    whole = encode(_jax(function), jnp.asarray(x))
    np.testing.assert_array_equal(encode(_jax(function), jnp.asarray(x), block=block), whole)


def test_vmap_over_projections_equals_the_loop(hashing):
    x, function = hashing
    x, function = jnp.asarray(x), _jax(function)
    one = function.head.projection
    several = function._replace(head=Linear(jnp.stack([one, -one, one[:, ::-1]])))
    axes = HashFunction(None, None, 0, None)
    batched = jax.vmap(encode, (axes, None))(several, x)
    for i, projection in enumerate(several.head.projection):
        np.testing.assert_array_equal(batched[i], encode(function._replace(head=Linear(projection)), x))
    np.testing.assert_array_equal(encode_each(several, x), batched)


def test_rbf_features_that_are_computed_before_give_the_same_codes(hashing):
    x, function = hashing
    x, function = jnp.asarray(x), _jax(function)
    phi = mapped_rbf(function.preprocessing, function.feature_map, x, block=9)
    np.testing.assert_array_equal(encode(function, x, phi), encode(function, x))
    np.testing.assert_array_equal(encode(function, jnp.zeros_like(x), phi), encode(function, x))


def test_a_projection_of_zero_is_bit_zero(hashing):
    x, function = hashing
    function = _jax(function)._replace(head=Linear(jnp.zeros((7, BITS))))
    assert not np.asarray(encode(function, jnp.asarray(x))).any()


def test_standardised_features_have_mean_zero_and_deviation_one(hashing, float64):
    x, _ = hashing
    mean, scale = standardisation(jnp.asarray(x))
    np.testing.assert_allclose(mean, x.mean(0), rtol=1e-12, atol=1e-12 * x.std(0).max())
    np.testing.assert_allclose(scale, x.std(0), rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, -123.456, 1e-20, 3e4])
@pytest.mark.parametrize("n", [3, 999])
def test_a_constant_feature_is_not_scaled(value, n):
    x = jnp.stack([jnp.full(n, value), jnp.linspace(0.0, 1.0, n)], axis=1)
    mean, scale = standardisation(x)
    assert scale[0] == 1
    assert scale[1] != 1
    np.testing.assert_allclose((x[:, 0] - mean[0]) / scale[0], 0, atol=1e-6 * max(abs(value), 1e-6) * 10)
