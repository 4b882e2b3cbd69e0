"""Splits without an unseen class, as in deep hashing: queries and training samples of each class, kept apart."""

from pathlib import Path

import numpy as np
import pytest
from draws import few_draws
from hypothesis import given
from hypothesis import strategies as st

from zsh_jax.data.catalogue import CIFAR10_CLASSES, PROTOCOLS
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.seen_queries import draw_seen_queries
from zsh_jax.data.split import SplitRule, split_dataset
from zsh_jax.data.unseen import parse_unseen
from zsh_jax.errors import InputError
from zsh_jax.inputs.fingerprint import id_order, split_checksum

KIT = Path(__file__).parents[2] / "shared" / "data" / "features" / "cifar10" / "mobilenet_v1"
NAMES = ("ant", "bee", "cow", "dog")
EVEN = SplitRule(of_each_class=True)


def _dataset(several, *, per_class=12, seed=0, names=NAMES):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(names)), per_class)).astype(np.int32)
    if several:
        labels = np.eye(len(names), dtype=bool)[labels] | (rng.random((len(labels), len(names))) < 0.2)
        labels[:3] = False  # images without a label
    ids = np.array([f"{row:04d}" for row in range(len(labels))])
    return Dataset("made-up", ids, np.full(len(ids), "all"), labels, names)


def _split(dataset, **changes):
    sizes = {"training_samples": 20, "queries": 8, "seed": 0}
    return split_dataset(dataset, "none", **sizes | changes)


@few_draws(40)
@given(
    several=st.booleans(),
    rule=st.sampled_from(
        [SplitRule(even, database) for even in (False, True) for database in ("rest", "untrained")]
    ),
    seed=st.integers(0, 2**40),
    queries=st.sampled_from((4, 8)),
    training=st.sampled_from((4, 12, 20)),
)
def test_a_query_is_neither_trained_on_nor_searched(several, rule, seed, queries, training):
    dataset = _dataset(several, seed=seed % 7)
    split = _split(dataset, queries=queries, training_samples=training, seed=seed, rule=rule)
    asked, taught, searched = map(
        set, (split.queries.tolist(), split.training.tolist(), split.database.tolist())
    )
    assert (len(asked), len(taught)) == (queries, training)
    assert not asked & taught
    assert not asked & searched
    everyone = set(range(len(dataset.ids)))
    assert searched == everyone - asked - (taught if rule.database == "untrained" else set())
    if several:
        assert dataset.labels[[*asked, *taught]].any(axis=1).all()
    assert split.query_classes.tolist() == list(range(len(NAMES)))


def test_each_class_gives_as_many_queries_and_training_samples():
    dataset = _dataset(False)
    split = _split(dataset, rule=EVEN)
    assert np.bincount(dataset.labels[split.queries]).tolist() == [2] * 4
    assert np.bincount(dataset.labels[split.training]).tolist() == [5] * 4
    assert not np.array_equal(split.queries, _split(dataset, rule=EVEN, seed=1).queries)
    fewer = _split(dataset, rule=EVEN, queries=4)
    assert set(fewer.queries) < set(split.queries)  # a larger draw contains a smaller one


def test_a_sample_of_several_classes_is_drawn_for_the_first_that_draws_it():
    dataset = _dataset(True, per_class=20)
    split = _split(dataset, rule=EVEN, queries=20, training_samples=20)
    for rows in (split.queries, split.training):
        assert len(set(rows.tolist())) == 20
        assert (dataset.labels[rows].sum(axis=0) >= 5).all()


@pytest.mark.parametrize("rule", [SplitRule(), EVEN])
def test_zero_shot_splits_may_be_even_too(rule):
    dataset = _dataset(False)
    split = split_dataset(dataset, "bee+cow", training_samples=8, queries=6, seed=0, rule=rule)
    assert set(dataset.labels[split.queries]) <= {1, 2}
    assert set(dataset.labels[split.training]) <= {0, 3}
    if rule.of_each_class:
        assert np.bincount(dataset.labels[split.queries], minlength=4).tolist() == [0, 3, 3, 0]
        assert np.bincount(dataset.labels[split.training], minlength=4).tolist() == [4, 0, 0, 4]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"queries": 6, "rule": EVEN}, "sweep.queries: 6 do not divide evenly among 4 classes"),
        ({"training_samples": 3, "rule": EVEN}, "sweep.training_samples: 3 do not divide evenly"),
        (
            {"training_samples": 44, "rule": EVEN},
            "11 of each class cannot be drawn: 10 images of class 'ant' are left",
        ),
        ({"training_samples": 41}, "41 training samples cannot be drawn from 40 images"),
        ({"queries": 48, "rule": EVEN}, "20 training samples cannot be drawn: no image is left"),
        ({"validation": 1}, "sweep.validation: 1 contradicts sweep.unseen=none"),
        ({"seen_classes": 2}, "sweep.seen_classes: 2 contradicts sweep.unseen=none"),
    ],
)
def test_what_cannot_be_drawn_is_named(changes, said):
    with pytest.raises(InputError, match=said) as caught:
        _split(_dataset(False), **changes)
    assert "\n" not in str(caught.value)


def test_none_is_no_class_and_asks_no_seen_queries():
    assert parse_unseen("none", NAMES) == ()
    with pytest.raises(InputError, match="'none' stands for no class, but there is a class of this name"):
        parse_unseen("none", (*NAMES, "none"))
    dataset = _dataset(False)
    split = _split(dataset)
    assert draw_seen_queries(dataset, split, "none", count=0, seed=0).size == 0
    with pytest.raises(InputError, match=r"evaluation\.seen_queries: 3 contradict sweep\.unseen=none"):
        draw_seen_queries(dataset, split, "none", count=3, seed=0)


CHECKSUMS = {
    "cifar10_54000": "35a7267c1c05d6c0",
    "cifar10_59000": "f0f7deba6cb364f0",
    "cifar10_50000": "81b06c6abf1b273c",
}
"""Of seed 0 on 600 samples, 60 a class."""


@pytest.mark.parametrize("name", CHECKSUMS)
def test_the_cifar10_protocols_in_miniature(name):
    protocol = PROTOCOLS[name]
    dataset = _dataset(False, per_class=60, names=CIFAR10_CLASSES)
    rule = SplitRule(protocol.of_each_class, protocol.database)
    training, queries = protocol.training_samples // 100, protocol.queries // 100
    split = _split(dataset, training_samples=training, queries=queries, rule=rule)
    size = int(name.removeprefix("cifar10_")) // 100
    assert (len(split.queries), len(split.training), len(split.database)) == (queries, training, size)
    assert split_checksum(id_order(dataset), split) == CHECKSUMS[name]


@pytest.mark.skipif(not KIT.is_dir(), reason=f"no features of CIFAR-10: {KIT} is missing")
@pytest.mark.parametrize("name", CHECKSUMS)
def test_the_cifar10_protocols_on_its_labels(name):
    labels = [np.load(KIT / f"{split}.npz")["label"] for split in ("train", "test")]
    splits = np.repeat(("train", "test"), [len(part) for part in labels])
    dataset = Dataset(
        "cifar10", np.arange(60_000), splits, np.concatenate(labels).astype(np.int32), CIFAR10_CLASSES
    )
    protocol = PROTOCOLS[name]
    rule = SplitRule(protocol.of_each_class, protocol.database)
    split = _split(dataset, training_samples=protocol.training_samples, queries=protocol.queries, rule=rule)
    assert len(split.database) == int(name.removeprefix("cifar10_"))
    for rows, count in ((split.queries, protocol.queries), (split.training, protocol.training_samples)):
        assert np.bincount(dataset.labels[rows]).tolist() == [count // 10] * 10
