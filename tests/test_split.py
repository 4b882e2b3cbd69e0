"""The zero-shot split: who trains, who asks, who is searched, and what the draws depend on."""

import numpy as np
import pytest
from draws import few_draws
from hypothesis import assume, example, given, reject
from hypothesis import strategies as st

from zsh_jax.data.split import zero_shot_split
from zsh_jax.data.unseen import parse_unseen
from zsh_jax.errors import InputError

CLASSES = 5


def _labels(seed, per_class, several):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(CLASSES), per_class)).astype(np.int32)
    if several:
        labels = np.eye(CLASSES, dtype=bool)[labels] | (rng.random((len(labels), CLASSES)) < 0.1)
        labels[rng.integers(len(labels))] = False  # an image without a label
    return labels


@st.composite
def problems(draw):
    """Labels of one or of several a sample, with sizes that they allow."""
    per_class = draw(st.integers(6, 15))
    labels = _labels(draw(st.integers(0, 2**32 - 1)), per_class, draw(st.booleans()))
    unseen = tuple(draw(st.sets(st.integers(0, CLASSES - 1), min_size=1, max_size=CLASSES - 1)))
    trainable = sum(bool(of) and not of & set(unseen) for of in map(_set_of, labels))
    assume(trainable > 0)
    return {
        "labels": labels,
        "unseen": unseen,
        "training_samples": draw(st.integers(1, trainable)),
        "queries": draw(st.integers(1, per_class - 2)),  # no class can be asked for entirely
        "seed": draw(st.integers(0, 2**40)),
    }


def _set_of(label):
    return {int(label)} if np.ndim(label) == 0 else set(np.flatnonzero(label).tolist())


# One query can be drawn, and two are all the images of the validation class.
ONE_QUERY = {
    "labels": _labels(15, 6, True),
    "unseen": (1, 2, 4),
    "training_samples": 1,
    "queries": 1,
    "seed": 147,
}


def _drawn(problem, **changes):
    """A split; a case that has none is left out, which cannot happen to images of one label."""
    try:
        return zero_shot_split(**problem | changes)
    except InputError:
        assert problem["labels"].ndim == 2
        return None


@given(problems(), st.integers(1, CLASSES - 1))
@example(ONE_QUERY, 1)
def test_validation_classes_are_seen_ones_and_the_unseen_are_nowhere(problem, count):
    labels, unseen = problem["labels"], set(problem["unseen"])
    problem |= {"training_samples": 1, "queries": 1}
    candidates = set().union(*(of for of in map(_set_of, labels) if not of & unseen))
    assume(count < len(candidates))
    split = _drawn(problem, validation=count)
    if split is None:
        reject()
    asked = set(split.query_classes.tolist())
    assert len(asked) == count
    assert asked <= candidates
    for part in (split.training, split.queries, split.database):
        assert all(not _set_of(labels[row]) & unseen for row in part)
    assert all(not _set_of(labels[row]) & asked for row in split.training)
    assert all(_set_of(labels[row]) & asked for row in split.queries)
    left = {row for row, of in enumerate(map(_set_of, labels)) if not of & unseen}
    assert set(split.queries.tolist()) | set(split.database.tolist()) == left
    again = _drawn(problem, queries=2, validation=count)
    if again is not None:
        np.testing.assert_array_equal(again.query_classes, split.query_classes)


@given(problems())
def test_each_image_is_where_it_may_be(problem):
    split = zero_shot_split(**problem)
    labels, unseen = problem["labels"], set(problem["unseen"])
    training, queries, database, asked = (set(part.tolist()) for part in split)
    assert asked == unseen
    assert (len(training), len(queries)) == (problem["training_samples"], problem["queries"])
    assert [len(part) for part in split[:3]] == [len(training), len(queries), len(database)]
    assert not queries & database
    assert queries | database == set(range(len(labels)))
    assert training <= database
    for row in training:
        assert _set_of(labels[row])
        assert not _set_of(labels[row]) & unseen
    for row in queries:
        assert _set_of(labels[row]) & unseen
    for part in split:
        assert part.dtype == np.int32
        assert (np.diff(part) > 0).all()


@given(problems())
def test_every_query_has_something_to_find(problem):
    split = zero_shot_split(**problem)
    of = [_set_of(label) for label in problem["labels"]]
    for query in split.queries:
        assert any(of[query] & of[row] for row in split.database)


@given(problems())
def test_the_same_arguments_give_the_same_split_and_are_left_alone(problem):
    before = problem["labels"].copy()
    np.random.seed(1)  # noqa: NPY002 (global state must not matter)
    first = zero_shot_split(**problem)
    np.random.seed(2)  # noqa: NPY002
    second = zero_shot_split(**problem)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(problem["labels"], before)


@given(problems())
def test_each_draw_minds_its_own_size_alone_and_grows_by_adding(problem):
    split = zero_shot_split(**problem)
    fewer_queries = zero_shot_split(**problem | {"queries": 1})
    np.testing.assert_array_equal(fewer_queries.training, split.training)
    assert set(fewer_queries.queries) <= set(split.queries)
    one_sample = zero_shot_split(**problem | {"training_samples": 1})
    np.testing.assert_array_equal(one_sample.queries, split.queries)
    assert set(one_sample.training) <= set(split.training)


@given(problems(), st.permutations(range(CLASSES)))
def test_the_numbering_of_classes_does_not_matter(problem, order):
    order = np.array(order)
    labels = problem["labels"]
    renamed = labels[:, np.argsort(order)] if labels.ndim == 2 else order[labels].astype(np.int32)
    unseen = tuple(int(order[index]) for index in problem["unseen"])[::-1]
    ours = zero_shot_split(**problem)
    theirs = zero_shot_split(**problem | {"labels": renamed, "unseen": unseen})
    for one, other in zip(ours[:3], theirs[:3], strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(np.sort(order[ours.query_classes]), theirs.query_classes)


@given(problems())
@few_draws(30)
def test_one_label_as_an_index_or_as_a_multi_hot_row_is_the_same(problem):
    if problem["labels"].ndim == 2:
        return
    hot = np.eye(CLASSES, dtype=bool)[problem["labels"]]
    for one, other in zip(
        zero_shot_split(**problem), zero_shot_split(**problem | {"labels": hot}), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def _balanced(per_class, classes=10):
    return np.repeat(np.arange(classes, dtype=np.int32), per_class)


def test_cifar10_has_59_000_images_in_its_database():
    split = zero_shot_split(_balanced(6000), (3,), training_samples=10_000, queries=1000, seed=0)
    assert [len(part) for part in split[:3]] == [10_000, 1000, 59_000]


def test_seeds_give_independent_draws():
    """Two draws of a fifth share a fifth of each; the deviation of the shared part is below 0.01 here."""
    labels = _balanced(2000)
    splits = [
        zero_shot_split(labels, (0,), training_samples=3600, queries=400, seed=seed) for seed in (0, 1, 2**32)
    ]
    for i, one in enumerate(splits):
        for other in splits[i + 1 :]:
            assert abs(np.isin(one.training, other.training).mean() - 0.2) < 0.03
            assert abs(np.isin(one.queries, other.queries).mean() - 0.2) < 0.1


def test_every_seen_image_is_drawn_equally_often():
    labels = _balanced(20)
    drawn = np.zeros(len(labels))
    for seed in range(500):
        drawn[zero_shot_split(labels, (9,), training_samples=45, queries=5, seed=seed).training] += 1
    assert drawn[labels == 9].sum() == 0
    # 500 draws with probability 1/4: mean 125, deviation 9.7; 180 images.
    assert np.abs(drawn[labels != 9] - 125).max() < 45


HOT = np.eye(3, dtype=bool)[[0, 0, 1, 1, 2, 2]]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training_samples": 17}, "17 training samples cannot be drawn from 16 images of seen classes"),
        ({"queries": 5}, "5 queries cannot be drawn from 4 images of unseen classes"),
        ({"queries": 4}, "4 of 4 queries have no relevant image .* of class 1 are queries"),
        ({"unseen": ()}, "no class is unseen"),
        ({"unseen": (0, 1, 2, 3, 4)}, "all 5 classes are unseen"),
        ({"unseen": (5,)}, "unseen class 5 is out of range"),
        ({"unseen": (-1,)}, "unseen class -1 is out of range"),
        ({"labels": _balanced(4, 5) - 1}, "4 of 20 labels are negative"),
        ({"labels": _balanced(4, 5) * 2}, "unseen class 1 has no image"),
        ({"labels": _balanced(4, 5) / 2}, "labels must be"),
        ({"labels": HOT.astype(int)}, "boolean multi-hot"),
        ({"labels": HOT, "queries": 2, "training_samples": 2}, "2 of 2 queries have no relevant image"),
        ({"labels": HOT, "unseen": (3,)}, "out of range"),
        ({"labels": HOT, "unseen": (0, 1, 2)}, "all 3 classes are unseen"),
        ({"labels": HOT, "unseen": (0, 1), "training_samples": 3}, "cannot be drawn from 2 images of seen"),
        ({"queries": 0}, "sweep.queries must be 1 or more"),
        ({"training_samples": 0}, "sweep.training_samples must be 1 or more"),
        ({"seed": -1}, "sweep.seed must be 0 or more"),
    ],
)
def test_what_cannot_be_split_is_named(changes, said):
    fits = {"labels": _balanced(4, 5), "unseen": (1,), "training_samples": 4, "queries": 2, "seed": 0}
    zero_shot_split(**fits)
    with pytest.raises(InputError, match=said) as caught:
        zero_shot_split(**fits | changes)
    assert "\n" not in str(caught.value)


def test_a_query_saved_by_another_label_is_no_error():
    """Both images of class 0 ask, but the second also shows class 1, which the database has."""
    labels = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]], bool)
    with pytest.raises(InputError, match=r"1 of 2 queries .* of class 0 are"):
        zero_shot_split(labels, (0,), training_samples=1, queries=2, seed=0)
    labels[0, 2] = True
    split = zero_shot_split(labels, (0,), training_samples=1, queries=2, seed=0)
    np.testing.assert_array_equal(split.queries, [0, 1])


NAMES = ("airplane", "bird", "striped circle", "cat")


def test_names_become_indices_in_their_order():
    assert parse_unseen("cat", NAMES) == (3,)
    assert parse_unseen("striped circle+airplane", NAMES) == (2, 0)
    assert parse_unseen("cat + bird", NAMES) == (3, 1)


@pytest.mark.parametrize(
    ("unseen", "said"),
    [
        ("cat+brid", "no class 'brid' in 'cat.brid'; nearest: bird"),
        ("Cat", "no class 'Cat'.*nearest: cat"),
        ("zebra", "no class 'zebra'.*there are airplane, bird"),
        ("cat+bird+cat", "'cat' occurs twice"),
        ("cat+", "no class ''"),
        ("", "names no class"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(unseen, said):
    with pytest.raises(InputError, match=said):
        parse_unseen(unseen, NAMES)


@pytest.mark.parametrize("several", [False, True])
def test_few_seen_classes_teach_and_the_rest_is_as_it_was(several):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 8, 800).astype(np.int32)
    if several:
        labels = np.eye(8, dtype=bool)[labels] | (rng.random((800, 8)) < 0.05)
    sizes = {"training_samples": 30, "queries": 20, "seed": 4}
    taught = []
    for count in (1, 3, 7):
        split = zero_shot_split(labels, [2], **sizes, seen_classes=count)
        rows = labels[split.training]
        classes = set(np.flatnonzero(rows.any(axis=0)) if several else np.unique(rows))
        assert len(classes) == count
        assert 2 not in classes
        whole = zero_shot_split(labels, [2], **sizes)
        np.testing.assert_array_equal(split.queries, whole.queries)
        np.testing.assert_array_equal(split.database, whole.database)
        taught.append(classes)
    assert taught[0] < taught[1] < taught[2]
    with pytest.raises(InputError, match="8 seen classes cannot be drawn from 7"):
        zero_shot_split(labels, [2], **sizes, seen_classes=8)
