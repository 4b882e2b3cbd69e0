"""Queries of seen classes: who may ask, and what the draw depends on."""

import numpy as np
import pytest

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.seen_queries import draw_seen_queries
from zsh_jax.data.split import split_dataset
from zsh_jax.errors import InputError

NAMES = ("ant", "bee", "cow", "dog", "elk")


def _dataset(several=False, auxiliary=None):
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(5), 40)).astype(np.int32)
    if several:
        labels = np.eye(5, dtype=bool)[labels] | (rng.random((200, 5)) < 0.1)
        labels[:4] = False
    ids = np.array([f"{i:03d}" for i in range(200)])
    return Dataset("beasts", ids, np.full(200, "train"), labels, NAMES)._replace(auxiliary=auxiliary)


def _drawn(dataset, count, *, unseen="bee+elk", training=30, queries=10, seed=0, **options):
    split = split_dataset(dataset, unseen, training_samples=training, queries=queries, seed=seed, **options)
    return draw_seen_queries(dataset, split, unseen, count=count, seed=seed), split


def _classes(dataset, rows):
    labels = dataset.labels[rows]
    return labels if labels.ndim == 2 else labels[:, None] == np.arange(5)


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
def test_who_may_ask(several):
    dataset = _dataset(several)
    for seed in range(5):
        drawn, split = _drawn(dataset, 40, seed=seed)
        assert drawn.dtype == np.int32
        assert (np.diff(drawn) > 0).all()
        assert len(drawn) == 40
        assert set(drawn) <= set(split.database) - set(split.training) - set(split.queries)
        assert not _classes(dataset, drawn)[:, [1, 4]].any()
        assert _classes(dataset, drawn).any(axis=1).all()
        shared = _classes(dataset, drawn).astype(int) @ _classes(dataset, split.database).T.astype(int) > 0
        assert (shared.sum(axis=1) > 1).all()  # itself, and something to find


def test_classes_that_nothing_was_learnt_of_are_not_seen():
    dataset = _dataset()
    drawn, split = _drawn(dataset, 10, seen_classes=1)
    assert set(dataset.labels[drawn]) == set(dataset.labels[split.training])


def test_only_what_is_searched_asks():
    auxiliary = np.arange(200) % 2 == 0
    drawn, _ = _drawn(_dataset(auxiliary=auxiliary), 30)
    assert not auxiliary[drawn].any()


def test_an_image_alone_of_its_class_does_not_ask():
    dataset = _dataset()
    labels = dataset.labels.copy()
    labels[(labels == 0) & (np.cumsum(labels == 0) > 2)] = 2
    auxiliary = np.zeros(200, bool)
    auxiliary[np.flatnonzero(labels == 0)[0]] = True
    auxiliary[::2] |= labels[::2] == 2
    auxiliary[np.flatnonzero(labels == 0)[1]] = False
    dataset = dataset._replace(labels=labels, auxiliary=auxiliary)
    count = int(np.sum(auxiliary))
    pool = np.flatnonzero(~auxiliary & (labels == 2))  # one ant is searched: it would find none
    drawn, _ = _drawn(dataset, len(pool), training=count)
    np.testing.assert_array_equal(drawn, pool)
    with pytest.raises(InputError, match=rf"^{len(pool) + 1} seen queries cannot be drawn from {len(pool)} "):
        _drawn(dataset, len(pool) + 1, training=count)


def test_a_larger_draw_holds_the_smaller_and_seeds_differ():
    dataset = _dataset()
    few, many = (_drawn(dataset, count)[0] for count in (15, 40))
    assert set(few) < set(many)
    assert set(few) != set(_drawn(dataset, 15, seed=1)[0])
    np.testing.assert_array_equal(few, _drawn(dataset, 15)[0])
    assert len(_drawn(dataset, 0)[0]) == 0


def test_too_many_name_the_setting():
    with pytest.raises(
        InputError, match=r"200 seen queries .* 90 images .*--config\.evaluation\.seen_queries$"
    ):
        _drawn(_dataset(), 200)
