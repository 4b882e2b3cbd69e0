"""Training of learned heads: the optimiser against NumPy, and classes whose codes are known."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxprs import largest_array

from zsh_jax import METHODS
from zsh_jax.core.minibatches import Rates, minimise
from zsh_jax.methods import csq
from zsh_jax.methods.centres import class_centres
from zsh_jax.methods.protocol import TrainingData

pytestmark = pytest.mark.usefixtures("strict_promotion")

LEARNED = ("dpsh", "hashnet", "dtsh", "greedyhash", "csq", "orthohash")
WITH_CENTRES = ("csq", "orthohash")


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


@pytest.mark.parametrize("name", LEARNED)
def test_each_weight_has_an_effect(name, float64):
    data, options = _separable(n=60)[0], METHODS[name].options(epochs=2, batch_size=25)
    fit = jax.jit(
        lambda weights: METHODS[name].fit(jax.random.key(0), data, weights, options, bits=BITS).head
    )
    paper = METHODS[name].weights()
    plain = jax.tree.leaves(fit(paper))
    for weight, value in paper._asdict().items():
        moved = jax.tree.leaves(fit(paper._replace(**{weight: 2 * value})))
        assert any((one != other).any() for one, other in zip(plain, moved, strict=True)), weight


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
