"""Learned heads: losses and gradients against NumPy, centres, and training on classes whose codes are known."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from jaxprs import largest_array
from method_data import toy

from zsh_jax import METHODS
from zsh_jax.core.heads import MLP, Linear
from zsh_jax.core.minibatches import Moment, Rates, minimise
from zsh_jax.methods import csq, dpsh, dtsh, greedyhash, hashnet, learned, orthohash
from zsh_jax.methods.centres import class_centres, hadamard_centres, sample_centres
from zsh_jax.methods.protocol import TrainingData

pytestmark = pytest.mark.usefixtures("strict_promotion")

LEARNED = ("dpsh", "hashnet", "dtsh", "greedyhash", "csq", "orthohash")
WITH_CENTRES = ("csq", "orthohash")
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


def _adamw(start, gradient, steps, learning_rate, weight_decay):
    """Kingma & Ba, algorithm 1, with decoupled weight decay and half a cosine; in plain NumPy."""
    w, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for t in range(steps):
        g = gradient(w, t / steps)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        direction = m / (1 - 0.9 ** (t + 1)) / (np.sqrt(v / (1 - 0.999 ** (t + 1))) + 1e-8)
        rate = learning_rate * (1 + np.cos(np.pi * t / steps)) / 2
        w = w - rate * (direction + weight_decay * w)
    return w


def test_training_is_adamw_with_a_cosine_schedule(float64):
    rng = np.random.default_rng(0)
    x, y, start = rng.normal(size=(20, 3)), rng.normal(size=(20, 2)), rng.normal(size=(3, 2))

    def loss(w, batch, scale, moment):
        x, y = batch
        return scale * jnp.mean((x @ w - y) ** 2) + moment.progress * jnp.sum(w)

    given = (jax.random.key(0), jnp.asarray(start), (jnp.asarray(x), jnp.asarray(y)), jnp.asarray(3.0))
    found = minimise(*given, Rates(0.05, 0.2), loss=loss, epochs=30, batch_size=100)
    expected = _adamw(start, lambda w, t: 3 * 2 * x.T @ (x @ w - y) / y.size + t, 30, 0.05, 0.2)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_every_epoch_has_every_sample():
    """Ten samples in batches of four: what is not finite in one of them is always met."""

    def loss(w, batch, shared, moment):
        return jnp.sum(w * batch)

    @jax.jit
    @jax.vmap
    def after(key, row):
        rows = jnp.where(jnp.arange(10) == row, jnp.nan, 1.0)
        return minimise(key, jnp.ones(1), rows, (), Rates(0.1, 0.0), loss=loss, epochs=1, batch_size=4)

    keys, rows = jax.random.split(jax.random.key(0), 100), jnp.arange(100) % 10
    assert jnp.isnan(after(keys, rows)).all()
    assert jnp.isfinite(after(keys, rows + 10)).all()


# Orthogonal class means, little noise: the right codes are known up to what a loss leaves free.
BITS, EPOCHS = 8, 40


def _separable(seed=0, n=200, d=16, several=False):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n)
    vectors = np.random.default_rng(5).normal(size=(5, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    classes = np.eye(5)[labels]
    if several:
        classes[:, :4] = np.maximum(classes[:, :4], rng.random((n, 4)) < 0.2)
    x = 3 * classes @ np.eye(5, d) + 0.1 * rng.normal(size=(n, d))
    data = TrainingData(
        x=jnp.asarray(x), classes=jnp.asarray(classes), vectors=jnp.asarray(vectors).at[4].set(0)
    )
    return data, labels, jnp.asarray(vectors)


def _options(name, **changes):
    return METHODS[name].options(epochs=EPOCHS, batch_size=50, **changes)


def _weights(name, **changes):
    """The defaults, with a faster rate. Less scale asks more of the cosines of OrthoHash."""
    less = {"scale": 2.0} if name == "orthohash" else {}
    given = {"learning_rate": 0.02, **less, **changes}
    return jax.tree.map(jnp.asarray, METHODS[name].weights(**given))


def _codes(head, x):
    return np.where(np.asarray(head(x)) > 0, 1, -1)


def _told(centres):
    """The bits in which centres differ; batch normalisation leaves the others to noise."""
    told = np.ptp(np.asarray(centres), axis=0) > 0
    assert told.sum() >= 6
    return told


@pytest.mark.parametrize("name", LEARNED)
def test_separable_classes_have_one_code_each(name, float64):
    """Every ranking of new samples is then perfect: mAP is 1 for any order of ties."""
    data, labels, _ = _separable()
    new, new_labels, _ = _separable(1, n=50)
    fit = partial(METHODS[name].fit, bits=BITS)
    fitted = fit(jax.random.key(0), data, _weights(name), _options(name))
    codes, of_new = _codes(fitted.head, data.x), _codes(fitted.head, new.x)
    centres = class_centres(jax.random.split(jax.random.key(0), 3)[0], data, kind="hadamard", bits=BITS).codes
    if name == "orthohash":
        told = _told(centres[:4])
        codes, of_new, centres = (one[:, told] for one in (codes, of_new, centres))
    of_class = np.stack([codes[labels == c][0] for c in range(4)])
    assert len(np.unique(of_class, axis=0)) == 4
    np.testing.assert_array_equal(codes, of_class[labels])
    np.testing.assert_array_equal(of_new, of_class[new_labels])
    if name in WITH_CENTRES:
        np.testing.assert_array_equal(of_class, centres[:4])
    if name == "hashnet":  # it holds apart what CSQ is told to: no two classes agree in most bits
        assert (of_class @ of_class.T - BITS * np.eye(4)).max() <= 0


@pytest.mark.parametrize("name", WITH_CENTRES)
def test_names_of_unseen_classes_have_codes_by_semantic_centres(name, float64):
    data, labels, vectors = _separable()
    fit = partial(METHODS[name].fit, bits=BITS)
    fitted = fit(jax.random.key(0), data, _weights(name), _options(name, centres="semantic"))
    frame = np.asarray(fitted.class_head.projection)  # more bits than dimensions: orthonormal rows
    np.testing.assert_allclose(frame @ frame.T, np.eye(6), atol=1e-12)
    named = np.where(np.asarray(vectors) @ frame > 0, 1, -1)
    np.testing.assert_array_equal(_codes(fitted.class_head, vectors), named)
    told = _told(named[:4]) if name == "orthohash" else slice(None)
    np.testing.assert_array_equal(_codes(fitted.head, data.x)[:, told], named[labels][:, told])
    # The vector of the unseen class is not learned from.
    told = fit(
        jax.random.key(0),
        data._replace(vectors=vectors),
        _weights(name),
        _options(name, centres="semantic"),
    )
    jax.tree.map(np.testing.assert_array_equal, told, fitted)


@pytest.mark.parametrize("name", ["dtsh", "greedyhash", "csq", "orthohash"])  # the others train as CSQ does
def test_a_cell_in_a_batch_is_the_cell_alone_to_the_bit(name, float64):
    data = _separable()[0]
    fit = lambda key, weights: METHODS[name].fit(key, data, weights, _options(name), bits=BITS)  # noqa: E731
    keys = jax.random.split(jax.random.key(0), 2)
    cells = [_weights(name), _weights(name, learning_rate=0.001, weight_decay=0.5)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *cells)
    batch = jax.vmap(jax.vmap(fit, (None, 0)), (0, None))(keys, stacked)
    for (i, key), (j, weights) in itertools.product(enumerate(keys), enumerate(cells)):
        alone = fit(key, weights)
        jax.tree.map(lambda a, b: np.testing.assert_array_equal(a[i, j], b), batch, alone)  # noqa: B023


@pytest.mark.parametrize("name", ["dtsh", "orthohash"])
def test_cells_in_lockstep_as_on_accelerators_are_the_cells_alone(name, float64, monkeypatch):
    data, options = _separable(n=60)[0], METHODS[name].options(epochs=2, batch_size=25, hidden=5)
    fit = lambda key, weights: METHODS[name].fit(key, data, weights, options, bits=BITS)  # noqa: E731
    keys = jax.random.split(jax.random.key(0), 2)
    alone = [fit(key, _weights(name)) for key in keys]
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    together = jax.vmap(fit, (0, None))(keys, _weights(name))
    for i, one in enumerate(alone):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a[i], b, rtol=1e-9, atol=1e-12), together, one)  # noqa: B023


def test_a_hidden_layer_learns_what_no_line_separates(float64):
    """Opposite corners of a square are of one class."""
    rng = np.random.default_rng(0)
    x = rng.choice([-1.0, 1.0], (200, 2)) + 0.1 * rng.normal(size=(200, 2))
    labels = (x[:, 0] * x[:, 1] > 0).astype(int)
    data = TrainingData(x=jnp.asarray(x), classes=jnp.asarray(np.eye(2)[labels]))
    wrong = {}
    for hidden in (0, 16):
        options = csq.Options(epochs=60, batch_size=50, hidden=hidden)
        head = csq.fit(jax.random.key(0), data, _weights("csq"), options, bits=BITS).head
        centres = class_centres(jax.random.split(jax.random.key(0), 3)[0], data, kind="hadamard", bits=BITS)
        wrong[hidden] = np.mean(_codes(head, data.x) != np.asarray(centres.codes)[labels])
    assert wrong[16] == 0
    assert wrong[0] > 0.1


@pytest.mark.parametrize("name", ["dpsh", "dtsh"])
def test_no_array_grows_with_the_square_of_the_samples_or_the_cube_of_the_batch(name):
    n, b = 2000, 64
    data = TrainingData(x=jnp.zeros((n, 12)), classes=jnp.zeros((n, 5)))
    options = METHODS[name].options(batch_size=b)
    fit = lambda key: METHODS[name].fit(key, data, METHODS[name].weights(), options, bits=8)  # noqa: E731
    assert largest_array(fit, jax.random.key(0)) <= max(n * 12, 4 * b * b)


@pytest.mark.parametrize("name", LEARNED)
def test_several_labels_draw_together_what_shares_one(name, float64):
    data, _, _ = _separable(several=True)
    fit = partial(METHODS[name].fit, bits=BITS)
    codes = _codes(fit(jax.random.key(0), data, _weights(name), _options(name)).head, data.x)
    classes = np.asarray(data.classes)
    inner, shared = codes @ codes.T, classes @ classes.T
    assert inner[shared > 0].mean() > inner[shared == 0].mean() + 2
