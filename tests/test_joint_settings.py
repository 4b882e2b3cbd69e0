"""The choice of the joint form's settings, against a plain NumPy port and by what it must find."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from method_data import several_labels, toy

from zsh_jax.methods import joint_settings as chosen
from zsh_jax.methods.joint_settings import Samples, choose_settings, frames_of

BITS, CENTRING = 12, 0.6
pytestmark = pytest.mark.usefixtures("strict_promotion")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Short ranges, so that a port has little to try; frames of 5 and of 12 directions."""
    monkeypatch.setattr(chosen, "RIDGES", (1e-5, 1e-1))
    monkeypatch.setattr(chosen, "SHARES", (0.0, 0.4, 1.0))
    monkeypatch.setattr(chosen, "RANKS", (5, 12))
    monkeypatch.setattr(chosen, "QUERIES", 15)


def _samples(data, **other):
    phi = np.c_[data.phi, np.ones(len(data.phi))]
    one_label = (data.classes.sum(1) == 1).all()
    arrays = {"phi": phi, "projected": data.x - data.x.mean(0), "classes": data.classes} | other
    arrays = {"semantics": _unit(data.classes @ data.vectors)} | arrays
    labels = data.labels if one_label else data.classes > 0
    return Samples(**{name: jnp.asarray(array) for name, array in arrays.items()}, labels=jnp.asarray(labels))


def _unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _score(scores, classes, queries):
    """Mean average precision by descending score, each query without itself."""
    each = []
    for query, row in zip(queries, scores, strict=True):
        rest = np.arange(len(classes)) != query
        relevant = (classes[rest] @ classes[query]) > 0
        if relevant.any():
            each.append(oracle.tie_aware_average_precision(-np.round(row[rest], 9), relevant))
    return np.mean(each)


class _Port:
    """One fold: what is learned without its classes, and how well it serves them."""

    def __init__(self, samples, fold):
        self.phi, self.x, self.classes, self.targets = (
            np.asarray(getattr(samples, name)) for name in ("phi", "projected", "classes", "semantics")
        )
        self.learned = np.asarray(fold.rows) > 0
        self.queries = np.asarray(fold.queries)[np.asarray(fold.counted)]

    def semantics(self, ridge):
        phi, targets = self.phi[self.learned, :-1], self.targets[self.learned]
        left = phi - phi.mean(0)
        gram = left.T @ left + ridge * len(phi) * np.eye(left.shape[1])
        regression = np.linalg.solve(gram, left.T @ (targets - targets.mean(0)))
        return _unit((self.phi[:, :-1] - phi.mean(0)) @ regression + targets.mean(0))

    def appearance(self, shrinkage):
        x, classes = self.x[self.learned], self.classes[self.learned]
        within = x - classes @ np.linalg.lstsq(classes, x, rcond=None)[0]
        variances, turn = np.linalg.eigh(within.T @ within / len(x))
        return _unit((self.x - x.mean(0)) @ turn / np.sqrt(variances + shrinkage * variances.mean()))

    def of_vectors(self, vectors):
        return _score(vectors[self.queries] @ vectors.T, self.classes, self.queries)

    def directed(self, parts, share):
        z = np.hstack([np.sqrt(share) * parts[0], np.sqrt(1 - share) * parts[1]])
        mean = z[self.learned].mean(0)
        left = z - CENTRING * mean
        _, _, vt = np.linalg.svd(left[self.learned], full_matrices=False)
        leading = vt[: chosen.RANKS[-1]].T
        return left @ (leading * np.where(mean @ leading < 0, -1, 1))

    def of_codes(self, z, frame):
        codes = np.where(z @ frame > 0, 1.0, -1.0)
        return _score(codes[self.queries] @ codes.T, self.classes, self.queries)

    def turned(self, z, frame):
        directed = _unit(z)[self.learned]
        for _ in range(chosen.TURNS):
            left, _, right = np.linalg.svd(
                directed.T @ np.where(directed @ frame > 0, 1, -1), full_matrices=False
            )
            frame = left @ right
        return frame


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
def test_the_choice_is_that_of_a_plain_port(several, float64):
    data = several_labels(toy()) if several else toy()
    samples, key = _samples(data), jax.random.key(3)
    frames = np.asarray(frames_of(jax.random.key(4), 19, BITS, samples.phi.dtype))
    found = choose_settings(key, samples, CENTRING, jnp.asarray(frames))

    folds = chosen._folds(jax.random.split(key)[1], samples.classes)
    ports = [_Port(samples, jax.tree.map(lambda leaf, i=i: leaf[i], folds)) for i in range(chosen.FOLDS)]
    ridge = max(chosen.RIDGES, key=lambda r: np.mean([p.of_vectors(p.semantics(r)) for p in ports]))
    shrinkage = max(chosen.SHRINKAGES, key=lambda s: np.mean([p.of_vectors(p.appearance(s)) for p in ports]))
    assert (float(found.ridge), float(found.shrinkage)) == (ridge, shrinkage)
    parts = [(port.semantics(ridge), port.appearance(shrinkage)) for port in ports]
    scores = {}
    for share in chosen.SHARES:
        z = [port.directed(part, share) for port, part in zip(ports, parts, strict=True)]
        for place, rank in enumerate(chosen.RANKS):
            cut = [one[:, :rank] for one in z]
            frame = frames[place, :rank]
            scores[share, rank, False] = np.mean(
                [port.of_codes(one, frame) for port, one in zip(ports, cut, strict=True)]
            )
        last = chosen.RANKS[-1]  # the one that has as many directions as bits
        scores[share, last, True] = np.mean(
            [port.of_codes(one, port.turned(one, frames[-1])) for port, one in zip(ports, z, strict=True)]
        )
    best = max(scores, key=scores.get)
    assert (float(found.share), int(found.rank), bool(found.turned)) == best
    np.testing.assert_allclose(float(found.validated), scores[best], rtol=1e-6)


def test_folds_deal_out_the_classes_and_nothing_is_learned_of_what_is_held_out():
    samples = _samples(several_labels(toy()))
    folds = chosen._folds(jax.random.key(0), samples.classes)
    classes = np.asarray(samples.classes) > 0
    held = [~(np.asarray(rows) > 0) for rows in folds.rows]
    for one, queries, counted in zip(held, folds.queries, folds.counted, strict=True):
        out = [
            name for name in range(classes.shape[1]) if classes[:, name].any() and one[classes[:, name]].all()
        ]
        assert out
        np.testing.assert_array_equal(one, classes[:, out].any(1))
        assert one[np.asarray(queries)[np.asarray(counted)]].all()
        assert len(set(np.asarray(queries).tolist())) == len(queries)


@pytest.mark.parametrize("useful", ["semantics", "appearance"])
def test_a_part_that_says_nothing_of_held_out_classes_gets_less_weight(useful):
    data = toy(n=300)
    rng = np.random.default_rng(0)
    noise = {
        "semantics": {"projected": rng.normal(size=data.x.shape)},
        # Class vectors of pairs that have nothing in common in the images.
        "appearance": {"semantics": _unit(rng.normal(size=(len(data.x), 7)))},
    }
    samples = _samples(data, **noise[useful])
    if useful == "semantics":  # that a regression can predict for classes held out: the features themselves
        samples = samples._replace(semantics=jnp.asarray(_unit(data.x)))
    samples = jax.tree.map(lambda leaf: leaf.astype(jnp.float32) if leaf.dtype.kind == "f" else leaf, samples)
    frames = frames_of(jax.random.key(1), 24 if useful == "semantics" else 19, BITS, jnp.float32)
    found = choose_settings(jax.random.key(0), samples, CENTRING, frames)
    assert (float(found.share) == 1) if useful == "semantics" else (float(found.share) < 0.5)


@pytest.mark.parametrize("classes", [1, 0])
def test_without_classes_to_hold_out_the_middle_is_taken(classes):
    data = toy()
    only = np.zeros_like(data.classes)
    only[:, :classes] = 1
    samples = _samples(data, classes=only, semantics=_unit(np.ones((len(only), 7))))
    samples = samples._replace(labels=jnp.asarray(only > 0))
    frames = frames_of(jax.random.key(1), 19, BITS, samples.phi.dtype)
    found = choose_settings(jax.random.key(0), samples, CENTRING, frames)
    assert np.isnan(found.validated)
    assert float(found.shrinkage) == 1.0
    assert np.isfinite([float(found.ridge), float(found.share)]).all()
    assert int(found.rank) in chosen.RANKS
