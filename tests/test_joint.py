"""The joint form against a plain NumPy port, and what it promises."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from method_data import function_of, several_labels, toy, training

from zsh_jax import encode, encode_classes, evaluate, unpack_codes
from zsh_jax.core.hashing import encode_each
from zsh_jax.core.heads import Joint
from zsh_jax.core.steps.rotation import random_rotation
from zsh_jax.methods.joint_fixed import Options, Weights, fit, within_class_whitening

pytestmark = pytest.mark.usefixtures("strict_promotion")

SIZES = {"directions": 6, "rank": 4}


def _options(turns=0):
    """A frame that is left as it was drawn; or, of any number of bits, turned."""
    return Options(turns=turns, turned="all", **SIZES)


def _unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _function(data, found):
    return function_of("joint_fixed", data, found)


def _appearance(data, weights, q):
    """Of the training samples, and the map that gives it: principal directions, then whitening within classes."""
    x, c = data.x, data.classes
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    leading = vectors[:, np.argsort(-values)[:q]]
    projected = (x - x.mean(0)) @ leading
    within = projected - c @ np.linalg.lstsq(c, projected, rcond=None)[0]
    variances, turn = np.linalg.eigh(within.T @ within / len(x))
    whitening = leading @ turn @ np.diag(1 / np.sqrt(variances + weights.shrinkage * variances.mean()))
    return _unit((x - x.mean(0)) @ whitening), whitening


def _codes_in_numpy(data, weights, frame, sizes):
    share = weights.odds / (1 + weights.odds)
    gram = data.phi.T @ data.phi
    regression = np.linalg.solve(gram + weights.ridge * np.eye(len(gram)), data.phi.T @ data.semantics)
    appearance, _ = _appearance(data, weights, sizes["directions"])
    semantic = _unit(data.phi @ regression)
    z = np.concatenate([np.sqrt(share) * semantic, np.sqrt(1 - share) * appearance], axis=1)
    left = z - weights.centring * z.mean(0)
    _, _, vt = np.linalg.svd(left, full_matrices=False)
    leading = vt[: sizes["rank"]].T
    leading = leading * np.where(z.mean(0) @ leading < 0, -1, 1)
    return left @ leading @ frame


@pytest.mark.parametrize("bits", [3, 4, 10], ids=["fewer bits", "as many", "more"])
@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
def test_codes_are_those_of_a_plain_port(bits, several, float64):
    data, key, weights = several_labels(toy()) if several else toy(), jax.random.key(0), Weights()
    found = fit(key, training(data), weights, _options(), bits=bits)
    frame = np.asarray(random_rotation(key, size=max(4, bits), dtype=float))[:4, :bits]
    expected = _codes_in_numpy(data, weights, frame, SIZES)
    codes = unpack_codes(encode(_function(data, found), jnp.asarray(data.raw)), bits=bits)
    assert (np.abs(expected) > 1e-4).mean() > 0.99
    np.testing.assert_array_equal(codes[np.abs(expected) > 1e-4], np.sign(expected)[np.abs(expected) > 1e-4])


def test_samples_of_a_class_vary_alike_in_all_directions_of_the_appearance(float64):
    data = toy()
    whitening, centre = within_class_whitening(
        jnp.asarray(data.x), jnp.asarray(data.classes), 1e-9, directions=6
    )
    a = data.x @ np.asarray(whitening) - np.asarray(centre)
    within = a - data.classes @ np.linalg.lstsq(data.classes, a, rcond=None)[0]
    np.testing.assert_allclose(within.T @ within / len(a), np.eye(6), atol=1e-4)
    np.testing.assert_allclose(a.mean(0), 0, atol=1e-9)


def test_turning_the_frame_never_leaves_it_farther_from_the_signs(float64):
    data, key = toy(), jax.random.key(1)
    weights, bits = Weights(), 9
    distances = []
    for turns in (0, 1, 20):
        found = fit(key, training(data), weights, _options(turns), bits=bits).head
        frame = np.asarray(found.frame)
        share = weights.odds / (1 + weights.odds)
        e = data.semantics.shape[1]
        scales = np.sqrt(np.r_[np.full(e, share), np.full(len(frame) - e, 1 - share)])
        whole = frame / scales[:, None]
        np.testing.assert_allclose(whole @ whole.T @ whole, whole, atol=1e-9)  # V R: orthonormal rows of R
        appearance = _unit(data.x @ np.asarray(found.whitening) - np.asarray(found.centre))
        regression = np.asarray(found.semantic)
        z = np.concatenate([_unit(data.phi @ regression), appearance], axis=1)
        projected = z @ frame - np.asarray(found.offset)
        # Rows of T have unit length, and so have T R, whatever R is: only the signs move.
        projected = _unit(projected)
        best = np.sum(np.sign(projected) * projected) / np.sum(projected**2)
        distances.append(np.sum((np.sign(projected) - best * projected) ** 2))
    assert (np.diff(distances) <= 1e-9).all()
    assert distances[-1] < 0.98 * distances[0]


def test_weights_move_the_weight_from_appearance_to_semantics(float64):
    data = toy()

    def rows(odds):
        head = fit(jax.random.key(0), training(data), Weights(odds=odds), _options(), bits=8).head
        frame = np.asarray(head.frame)
        e = data.semantics.shape[1]
        return np.linalg.norm(frame[:e]), np.linalg.norm(frame[e:])

    of_appearance, of_semantics = rows(1e-9), rows(1e9)
    assert of_appearance[0] < 1e-3 * of_appearance[1]
    assert of_semantics[1] < 1e-3 * of_semantics[0]


@pytest.mark.parametrize("turns", [0, 5])
def test_a_class_has_the_code_of_its_vector_with_a_typical_appearance(turns, float64):
    data = toy()
    fitted = fit(jax.random.key(0), training(data), Weights(), _options(turns), bits=8)
    head = fitted.head
    appearance = _unit(data.x @ np.asarray(head.whitening) - np.asarray(head.centre))
    expected, _ = _appearance(data, Weights(), 6)
    # The sign of each direction of the appearance is a library's choice.
    np.testing.assert_allclose(np.abs(appearance), np.abs(expected), atol=1e-6)
    typical = np.broadcast_to(appearance.mean(0), (5, 6))
    projected = np.concatenate([data.vectors, typical], axis=1) @ np.asarray(head.frame) - np.asarray(
        head.offset
    )
    function, vectors = _function(data, fitted), jnp.asarray(data.vectors)
    np.testing.assert_allclose(fitted.class_head(vectors), projected, atol=1e-9)
    codes = np.asarray(unpack_codes(encode_classes(function, vectors), bits=8))
    np.testing.assert_array_equal(codes, np.sign(projected))
    images = np.asarray(unpack_codes(encode(function, jnp.asarray(data.raw)), bits=8))
    nearest = (images @ codes[:4].T).argmax(1)
    assert (nearest == data.labels).mean() > 0.6  # a quarter by chance


@pytest.mark.parametrize("turns", [0, 5])
def test_new_images_of_the_classes_are_retrieved_better_than_by_chance(turns):
    data, new = toy(), toy(1)
    fitted = fit(jax.random.key(0), training(data, jnp.float32), Weights(), _options(turns), bits=16)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(fitted))
    codes = [encode(_function(data, fitted), jnp.asarray(raw, jnp.float32)) for raw in (new.raw, data.raw)]
    labels = [jnp.asarray(one.labels) for one in (new, data)]
    metrics = evaluate(codes[0], labels[0], codes[1], labels[1], bits=16)
    assert float(metrics.mean_average_precision) > 0.8


def test_vmap_over_weights_equals_the_loop_and_shares_what_comes_before(float64):
    data, key = training(toy()), jax.random.key(0)
    odds = jnp.array([0.5, 4.0])

    def fitted(odds):
        return fit(key, data, Weights(odds=odds), Options(), bits=20)

    functions = _function(toy(), jax.vmap(fitted)(odds))
    assert isinstance(functions.head, Joint)
    codes = encode_each(functions, jnp.asarray(toy().raw))
    for i, one in enumerate(odds):
        np.testing.assert_array_equal(codes[i], encode(_function(toy(), fitted(one)), jnp.asarray(toy().raw)))


def test_a_frame_of_few_bits_is_turned_and_a_wider_one_random(float64):
    data, key = training(toy()), jax.random.key(0)
    turned, random = Options(turned="all"), Options(turns=0)
    for bits, same, other in ((16, turned, random), (17, random, turned)):
        frames = [
            fit(key, data, Weights(), options, bits=bits).head.frame for options in (Options(), same, other)
        ]
        np.testing.assert_array_equal(frames[0], frames[1])
        assert not np.allclose(frames[0], frames[2])
