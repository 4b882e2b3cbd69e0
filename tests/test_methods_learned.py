"""The losses of learned heads and their gradients against NumPy, and the centres of classes."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from method_data import toy

from zsh_jax.core.heads import MLP, Linear
from zsh_jax.core.minibatches import Moment
from zsh_jax.methods import csq, dpsh, dtsh, greedyhash, hashnet, learned, orthohash
from zsh_jax.methods.centres import hadamard_centres, sample_centres

pytestmark = pytest.mark.usefixtures("strict_promotion")

MOMENT = Moment(jnp.asarray(0.25), jax.random.key(0))
each_label_count = pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])


def _batch(several, b=9, bits=4, seed=0):
    """Outputs and multi-hot labels of a batch; one class of five has no sample."""
    rng = np.random.default_rng(seed)
    classes = np.eye(5)[rng.integers(0, 4, b)]
    if several:
        classes = np.maximum(classes, rng.random(classes.shape) < 0.2)
        classes[:, 4] = 0
    return rng.normal(size=(b, bits)), classes


def _numeric_gradient(function, at, step=1e-6):
    """Central differences, entry by entry."""
    found = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        moved = [at.copy(), at.copy()]
        moved[0][index] += step
        moved[1][index] -= step
        found[index] = (function(moved[0]) - function(moved[1])) / (2 * step)
    return found


def _assert_loss_and_gradient(found, expected, at):
    """`found` in JAX, `expected` in NumPy; both of one array."""
    value, gradient = jax.value_and_grad(found)(jnp.asarray(at))
    np.testing.assert_allclose(value, expected(at), rtol=1e-12)
    np.testing.assert_allclose(gradient, _numeric_gradient(expected, at), rtol=1e-6, atol=1e-8)
    assert np.abs(gradient).max() > 1e-3


def _quantisation(u):
    return np.mean((np.sign(u) - u) ** 2)


def _dpsh(u, classes, quantisation):
    b, total = len(u), 0.0
    for i, j in itertools.permutations(range(b), 2):
        theta, similar = u[i] @ u[j] / 2, (classes[i] * classes[j]).any()
        total += np.log(1 + np.exp(theta)) - similar * theta
    return total / (b * (b - 1)) + quantisation * _quantisation(u)


@each_label_count
def test_dpsh(several, float64):
    u, classes = _batch(several)
    weights = dpsh.Weights(quantisation=0.3)
    _assert_loss_and_gradient(
        lambda u: dpsh.loss(u, jnp.asarray(classes), weights, MOMENT),
        lambda u: _dpsh(u, classes, 0.3),
        u,
    )


def _hashnet(u, classes, slope, beta):
    b, terms = len(u), {True: [], False: []}
    z = np.tanh(beta * u)
    for i, j in itertools.permutations(range(b), 2):
        theta = slope / u.shape[1] * (z[i] @ z[j])
        common, every = np.minimum(classes[i], classes[j]).sum(), np.maximum(classes[i], classes[j]).sum()
        similar = common > 0
        share = common / every if similar else 1.0
        terms[similar].append(share * (np.log(1 + np.exp(theta)) - similar * theta))
    return np.mean(terms[True]) + np.mean(terms[False])


@each_label_count
def test_hashnet(several, float64):
    u, classes = _batch(several)
    weights = hashnet.Weights(slope=6.0, growth=12.0)  # at a quarter of the steps, beta is 2
    _assert_loss_and_gradient(
        lambda u: hashnet.loss(u, jnp.asarray(classes), weights, MOMENT),
        lambda u: _hashnet(u, classes, 6.0, 2.0),
        u,
    )


def _dtsh(u, classes, quantisation, alpha):
    b, theta, means = len(u), u @ u.T / 2, []
    similar = classes @ classes.T > 0
    for q in range(b):
        terms = [
            np.log(1 + np.exp(-(theta[q, p] - theta[q, n] - alpha)))
            for p, n in itertools.product(range(b), repeat=2)
            if p != q and similar[q, p] and not similar[q, n]
        ]
        means += [np.mean(terms)] if terms else []
    return np.mean(means) + quantisation * _quantisation(u)


@each_label_count
def test_dtsh_with_all_triplets(several, float64):
    u, classes = _batch(several)
    weights = dtsh.Weights(quantisation=0.3, margin=0.25)
    _assert_loss_and_gradient(
        lambda u: dtsh.loss(u, jnp.asarray(classes), weights, MOMENT, positives=len(u)),
        lambda u: _dtsh(u, classes, 0.3, 1.0),
        u,
    )


def test_positives_are_drawn_evenly_from_the_others_that_share_a_label():
    _, classes = _batch(True)
    similar = classes @ classes.T > 0
    others = similar & ~np.eye(len(similar), dtype=bool)
    draw = jax.vmap(lambda key: dtsh.drawn_positives(key, jnp.asarray(similar), count=2))
    chosen, counted = map(np.asarray, draw(jax.random.split(jax.random.key(0), 4000)))
    for q, row in enumerate(others):
        assert (counted[:, q].sum(1) == min(2, row.sum())).all()
        seen = np.bincount(chosen[:, q][counted[:, q]], minlength=len(row)) / 4000
        np.testing.assert_allclose(seen, row * min(2, row.sum()) / max(row.sum(), 1), atol=0.05)
        both = counted[:, q].all(1)
        assert (chosen[both, q, 0] != chosen[both, q, 1]).all()


def _entropy(logits, classes):
    """Only of classes that have samples."""
    logits, classes = logits[:, :4], classes[:, :4]
    log_probability = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return -np.mean((classes / classes.sum(1, keepdims=True) * log_probability).sum(1))


SEEN = jnp.arange(5) < 4


@each_label_count
def test_greedyhash(several, float64):
    """The classifier sees signs, and their gradient reaches u unchanged: by hand, for no difference shows it."""
    u, classes = _batch(several)
    rng, weights = np.random.default_rng(1), greedyhash.Weights(quantisation=0.3)
    v, eye = rng.normal(size=(4, 5)), np.eye(len(u))

    def found(u, v):  # the identity as features: u is the projection
        network = greedyhash.Network(Linear(u), v)
        return greedyhash.loss(network, (jnp.asarray(eye), jnp.asarray(classes)), (weights, SEEN), MOMENT)

    value, (of_u, of_v) = jax.value_and_grad(found, (0, 1))(jnp.asarray(u), jnp.asarray(v))
    b, target = np.sign(u), classes / classes.sum(1, keepdims=True)
    entropy = _entropy(b @ v, classes)
    np.testing.assert_allclose(value, entropy + 0.3 * np.mean(np.abs(np.abs(u) - 1) ** 3), rtol=1e-12)
    probability = np.exp(b @ v)
    probability[:, 4] = 0
    error = (probability / probability.sum(1, keepdims=True) - target) / len(u)
    penalty = 0.3 * 3 * (np.abs(u) - 1) ** 2 * np.sign(np.abs(u) - 1) * np.sign(u) / u.size
    np.testing.assert_allclose(of_u, error @ v.T + penalty, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(of_v, b.T @ error, rtol=1e-9, atol=1e-12)
    numeric = _numeric_gradient(lambda v: _entropy(b @ v, classes), v)
    np.testing.assert_allclose(of_v, numeric, rtol=1e-6, atol=1e-8)


def test_csq(float64):
    u, _ = _batch(False)
    centres = np.random.default_rng(1).choice([-1.0, 1.0], u.shape)

    def expected(u):
        h, c = (1 + np.tanh(u)) / 2, (1 + centres) / 2
        entropy = -np.mean(c * np.log(h) + (1 - c) * np.log(1 - h))
        return entropy + 0.3 * np.mean(np.log(np.cosh(np.abs(2 * h - 1) - 1)))

    weights = csq.Weights(quantisation=0.3)
    _assert_loss_and_gradient(lambda u: csq.loss(u, jnp.asarray(centres), weights, MOMENT), expected, u)


def _normalised(outputs, gain, shift):
    return gain * (outputs - outputs.mean(0)) / np.sqrt(outputs.var(0) + 1e-5) + shift


@each_label_count
@pytest.mark.parametrize("part", range(3), ids=orthohash.Network._fields)
def test_orthohash(part, several, float64):
    _, classes = _batch(several)
    rng, weights = np.random.default_rng(1), orthohash.Weights(scale=5.0, margin=0.3)
    x, centres = rng.normal(size=(9, 6)), rng.choice([-1.0, 1.0], (5, 4))
    parts = [rng.normal(size=(6, 4)), rng.normal(size=4), rng.normal(size=4)]

    def expected(at):
        projection, gain, shift = (at if i == part else one for i, one in enumerate(parts))
        u = _normalised(x @ projection, gain, shift)
        cosines = u @ centres.T / np.linalg.norm(u, axis=1)[:, None] / np.sqrt(4)
        return _entropy(5.0 * (cosines - 0.3 * classes), classes)

    def found(at):
        projection, gain, shift = (at if i == part else jnp.asarray(one) for i, one in enumerate(parts))
        network = orthohash.Network(Linear(projection), gain, shift)
        batch, shared = (jnp.asarray(x), jnp.asarray(classes)), (weights, jnp.asarray(centres), SEEN)
        return orthohash.loss(network, batch, shared, MOMENT)

    _assert_loss_and_gradient(found, expected, parts[part])


def test_samples_that_are_all_alike_leave_orthohash_finite():
    network = orthohash.Network(Linear(jnp.ones((3, 4))), jnp.ones(4), jnp.zeros(4))
    batch, shared = (
        (jnp.ones((6, 3)), jnp.eye(5)[:1].repeat(6, 0)),
        (orthohash.Weights(), jnp.ones((5, 4)), SEEN),
    )
    assert all(
        jnp.isfinite(leaf).all()
        for leaf in jax.tree.leaves(jax.grad(orthohash.loss)(network, batch, shared, MOMENT))
    )


@pytest.mark.parametrize("hidden", [0, 7])
def test_the_normalisation_of_orthohash_folds_into_the_head(hidden, float64):
    x, rng = jnp.asarray(toy().x), np.random.default_rng(0)
    head = learned.start_head(jax.random.key(0), 12, bits=4, hidden=hidden, dtype=float, offset=False)
    gain, shift = rng.normal(size=(2, 4))
    folded = orthohash.folded(orthohash.Network(head, jnp.asarray(gain), jnp.asarray(shift)), x)
    assert type(folded) is (MLP if hidden else Linear)
    np.testing.assert_allclose(
        folded(x), _normalised(np.asarray(head(x)), gain, shift), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("classes", [3, 8, 12, 16])
def test_hadamard_centres_are_rows_of_the_matrix_or_of_its_negative(classes):
    found = np.asarray(hadamard_centres(jax.random.key(0), classes, bits=8))
    matrix = scipy.linalg.hadamard(8)
    rows = np.concatenate([matrix, -matrix])
    places = [np.flatnonzero((rows == one).all(1)).item() for one in found]
    assert len(set(places)) == classes
    if classes <= 8:
        np.testing.assert_array_equal(found @ found.T, 8 * np.eye(classes))
    other = np.asarray(hadamard_centres(jax.random.key(1), classes, bits=8))
    assert (found != other).any()


@pytest.mark.parametrize(("classes", "bits"), [(500, 64), (300, 96)], ids=["too many", "no matrix"])
def test_other_centres_are_fair_coins(classes, bits):
    found = np.asarray(hadamard_centres(jax.random.key(0), classes, bits=bits))
    assert set(np.unique(found)) == {-1, 1}
    # Six standard deviations of a mean of so many coins.
    assert abs(found.mean()) < 6 / np.sqrt(found.size)
    differing = np.mean(found[:-1] != found[1:])
    assert abs(differing - 0.5) < 3 / np.sqrt(found.size)


def test_several_labels_vote(float64):
    rng = np.random.default_rng(0)
    classes, centres = rng.random((40, 6)) < 0.4, rng.choice([-1.0, 1.0], (6, 10))
    found = np.asarray(sample_centres(jax.random.key(0), jnp.asarray(classes * 1.0), jnp.asarray(centres)))
    coins = {}
    for i, k in np.ndindex(found.shape):
        vote = sum(centres[c, k] for c in np.flatnonzero(classes[i]))
        if vote:
            assert found[i, k] == np.sign(vote)
        else:
            assert coins.setdefault(k, found[i, k]) == found[i, k]
    assert set(coins.values()) == {-1, 1}
