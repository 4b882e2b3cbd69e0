"""The joint form against a plain NumPy port, and what it promises."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from baseline_methods import several_labels, toy, training

from zsh_jax import evaluate, unpack_codes
from zsh_jax.baselines import joint
from zsh_jax.baselines.families import encode_any, encode_each, with_preprocessing
from zsh_jax.core.joint import (
    Joint,
    JointHashFunction,
    JointOptions,
    encode_class_joint,
    fit_joint,
    within_class_whitening,
)
from zsh_jax.core.preprocessing import Preprocessing
from zsh_jax.core.steps.rotation import random_rotation

pytestmark = pytest.mark.usefixtures("strict_ranks")

SIZES = {"directions": 6, "rank": 4}


def _unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _function(data, found):
    own = [jnp.asarray(a, found.frame.dtype) for a in (data.mean, data.scale, data.anchors, data.bandwidth)]
    return with_preprocessing(found, Preprocessing(own[0], own[1], None, None), own[2], own[3])


def _appearance(data, options, q):
    """Of the training samples, and the map that gives it: principal directions, then whitening within classes."""
    x, c = data.x, data.classes
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    leading = vectors[:, np.argsort(-values)[:q]]
    projected = (x - x.mean(0)) @ leading
    within = projected - c @ np.linalg.lstsq(c, projected, rcond=None)[0]
    variances, turn = np.linalg.eigh(within.T @ within / len(x))
    whitening = leading @ turn @ np.diag(1 / np.sqrt(variances + options.shrinkage * variances.mean()))
    return _unit((x - x.mean(0)) @ whitening), whitening


def _codes_in_numpy(data, options, frame, sizes):
    share = options.odds / (1 + options.odds)
    gram = data.phi.T @ data.phi
    regression = np.linalg.solve(gram + options.ridge * np.eye(len(gram)), data.phi.T @ data.semantics)
    appearance, _ = _appearance(data, options, sizes["directions"])
    semantic = _unit(data.phi @ regression)
    z = np.concatenate([np.sqrt(share) * semantic, np.sqrt(1 - share) * appearance], axis=1)
    left = z - options.centring * z.mean(0)
    _, _, vt = np.linalg.svd(left, full_matrices=False)
    leading = vt[: sizes["rank"]].T
    leading = leading * np.where(z.mean(0) @ leading < 0, -1, 1)
    return left @ leading @ frame


@pytest.mark.parametrize("bits", [3, 4, 10], ids=["fewer bits", "as many", "more"])
@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
def test_codes_are_those_of_a_plain_port(bits, several, float64):
    data, key, options = several_labels(toy()) if several else toy(), jax.random.key(0), JointOptions()
    found = fit_joint(key, *training(data), options, bits=bits, **SIZES)
    frame = np.asarray(random_rotation(key, size=max(4, bits), dtype=float))[:4, :bits]
    expected = _codes_in_numpy(data, options, frame, SIZES)
    codes = unpack_codes(encode_any(_function(data, found), jnp.asarray(data.raw)), bits=bits)
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
    options, bits = JointOptions(), 9
    distances = []
    for turns in (0, 1, 20):
        found = fit_joint(key, *training(data), options, bits=bits, turns=turns, **SIZES)
        frame = np.asarray(found.frame)
        share = options.odds / (1 + options.odds)
        e = data.semantics.shape[1]
        weights = np.sqrt(np.r_[np.full(e, share), np.full(len(frame) - e, 1 - share)])
        whole = frame / weights[:, None]
        np.testing.assert_allclose(whole @ whole.T @ whole, whole, atol=1e-9)  # V R: orthonormal rows of R
        appearance, _ = _appearance(data, options, 6)
        regression = np.asarray(found.semantic)
        z = np.concatenate([_unit(data.phi @ regression), appearance], axis=1)
        projected = z @ frame - np.asarray(found.offset)
        # Rows of T have unit length, and so have T R, whatever R is: only the signs move.
        projected = _unit(projected)
        best = np.sum(np.sign(projected) * projected) / np.sum(projected**2)
        distances.append(np.sum((np.sign(projected) - best * projected) ** 2))
    assert (np.diff(distances) <= 1e-9).all()
    assert distances[-1] < 0.98 * distances[0]


def test_options_move_the_weight_from_appearance_to_semantics(float64):
    data = toy()

    def rows(odds):
        options = JointOptions(odds=odds)
        frame = np.asarray(fit_joint(jax.random.key(0), *training(data), options, bits=8, **SIZES).frame)
        e = data.semantics.shape[1]
        return np.linalg.norm(frame[:e]), np.linalg.norm(frame[e:])

    of_appearance, of_semantics = rows(1e-9), rows(1e9)
    assert of_appearance[0] < 1e-3 * of_appearance[1]
    assert of_semantics[1] < 1e-3 * of_semantics[0]


def test_a_class_has_the_code_of_its_vector_with_a_typical_appearance(float64):
    data = toy()
    found = fit_joint(jax.random.key(0), *training(data), JointOptions(), bits=8, **SIZES)
    vectors = np.stack([data.semantics[data.classes[:, c] > 0][0] for c in range(4)])
    appearance, _ = _appearance(data, JointOptions(), 6)
    # The sign of each direction of the appearance is a library's choice: take the frame's own.
    np.testing.assert_allclose(np.abs(appearance.mean(0)), np.abs(np.asarray(found.typical)), atol=1e-6)
    typical = np.broadcast_to(np.asarray(found.typical), (4, 6))
    projected = np.concatenate([vectors, typical], axis=1) @ np.asarray(found.frame) - np.asarray(
        found.offset
    )
    np.testing.assert_array_equal(encode_class_joint(found, jnp.asarray(vectors)), np.sign(projected))
    images = unpack_codes(encode_any(_function(data, found), jnp.asarray(data.raw)), bits=8)
    agreement = np.asarray(images) @ np.asarray(encode_class_joint(found, jnp.asarray(vectors))).T
    labels = data.classes.argmax(1)
    assert (agreement.argmax(1) == labels).mean() > 0.6  # a quarter by chance


@pytest.mark.parametrize("turns", [0, 5])
def test_new_images_of_the_classes_are_retrieved_better_than_by_chance(turns):
    data, new = toy(), toy(1)
    found = fit_joint(
        jax.random.key(0), *training(data, jnp.float32), JointOptions(), bits=16, turns=turns, **SIZES
    )
    assert all(leaf.dtype == jnp.float32 for leaf in found)
    codes = [encode_any(_function(data, found), jnp.asarray(raw, jnp.float32)) for raw in (new.raw, data.raw)]
    labels = [jnp.asarray(one.labels) for one in (new, data)]
    metrics = evaluate(codes[0], labels[0], codes[1], labels[1], bits=16)
    assert float(metrics.mean_average_precision) > 0.8


def test_vmap_over_options_equals_the_loop_and_shares_what_comes_before(float64):
    data, key = training(toy()), jax.random.key(0)
    odds = jnp.array([0.5, 4.0])
    fit = lambda odds: joint.fit(key, data, JointOptions(odds=odds), bits=20)  # noqa: E731
    batched = jax.vmap(fit)(odds)
    functions = _function(toy(), batched)
    assert isinstance(functions, JointHashFunction)
    codes = encode_each(functions, jnp.asarray(toy().raw))
    for i, one in enumerate(odds):
        single = fit(one)
        assert isinstance(single, Joint)
        np.testing.assert_array_equal(codes[i], encode_any(_function(toy(), single), jnp.asarray(toy().raw)))


def test_a_frame_of_few_bits_is_turned_and_a_wider_one_random(float64):
    data, key = training(toy()), jax.random.key(0)
    for bits, same, other in (
        (8, joint.fit_turned, joint.fit_random),
        (20, joint.fit_random, joint.fit_turned),
    ):
        frame = joint.fit(key, data, JointOptions(), bits=bits).frame
        np.testing.assert_array_equal(frame, same(key, data, JointOptions(), bits=bits).frame)
        assert not np.allclose(frame, other(key, data, JointOptions(), bits=bits).frame)
