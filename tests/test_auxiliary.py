"""The auxiliary protocol: learn from one data set, query and search another, classes matched by name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsh_jax.data.auxiliary import join_datasets, shared_classes
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.split import auxiliary_split, split_dataset, zero_shot_split
from zsh_jax.errors import InputError
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.engine import run
from zsh_jax.sweep.layout import describe, lay_out

SIZES = {"training_samples": 5, "queries": 4, "seed": 0}


def _dataset(name, labels, class_names, **changes):
    labels = np.array(labels)
    rows = len(labels)
    labels = labels.astype(np.int32 if labels.ndim == 1 else bool)
    ids = np.array([str(row) for row in range(rows)])
    dataset = Dataset(name, ids, np.array(["train", "test"])[np.arange(rows) % 2], labels, class_names)
    return dataset._replace(features=np.arange(rows * 2, dtype=np.float32).reshape(rows, 2))._replace(
        **changes
    )


WORDS = ("tench", "Sea_lion", "cat")
CONCEPTS = ("sea lion", "sky", "CAT")
ONE = _dataset("images", [0, 1, 2, 2, 1, 0, 0, 1, 2], WORDS)
SEVERAL = _dataset("photos", np.tile([[1, 0, 1], [0, 1, 0], [0, 1, 1], [0, 0, 0]], (4, 1)), CONCEPTS)


def _names(dataset):
    """Class names of each row, as sets."""
    labels = (
        dataset.labels
        if dataset.labels.ndim == 2
        else np.eye(len(dataset.class_names), dtype=bool)[dataset.labels]
    )
    return [{dataset.class_names[number] for number in np.flatnonzero(row)} for row in labels]


@pytest.mark.parametrize(
    ("first", "second"), [(ONE, SEVERAL), (SEVERAL, ONE), (ONE, ONE), (SEVERAL, SEVERAL)]
)
def test_every_sample_keeps_its_classes_by_name(first, second):
    joined = join_datasets(first, second)
    forms = [{name.lower().replace("_", " ") for name in row} for row in _names(first) + _names(second)]
    assert [{name.lower().replace("_", " ") for name in row} for row in _names(joined)] == forms
    assert joined.class_names[: len(second.class_names)] == second.class_names
    assert joined.auxiliary.tolist() == [True] * len(first.ids) + [False] * len(second.ids)
    assert joined.labels.dtype == (np.int32 if first.labels.ndim == second.labels.ndim == 1 else np.bool_)
    np.testing.assert_array_equal(joined.features, np.concatenate([first.features, second.features]))


def test_shared_classes_are_reported_and_the_others_held_out():
    joined = join_datasets(ONE, SEVERAL)
    assert joined.name == "images to photos"
    assert joined.class_names == (*CONCEPTS, "tench")
    assert shared_classes(joined) == ("sea lion", "CAT")
    assert joined.held_out == ("sky",)
    assert set(joined.source_splits) == {"images/train", "images/test", "photos/train", "photos/test"}
    assert shared_classes(ONE) == ()


def test_learn_from_the_one_and_search_the_other():
    joined = join_datasets(ONE, SEVERAL)
    split = split_dataset(joined, "sky", training_samples=9, queries=5, seed=3)
    assert split.training.tolist() == list(range(9))  # all of them
    assert (split.queries >= 9).all()
    assert joined.labels[split.queries, 1].all()
    assert sorted([*split.queries, *split.database]) == list(range(9, 25))


def test_a_shared_class_that_is_held_out_is_not_learnt_from():
    joined = join_datasets(ONE, SEVERAL)
    split = split_dataset(joined, "CAT", training_samples=6, queries=2, seed=0)
    assert not joined.labels[split.training, 2].any()
    with pytest.raises(InputError, match="7 training samples cannot be drawn from 6"):
        split_dataset(joined, "CAT", training_samples=7, queries=2, seed=0)


@given(st.integers(0, 1000), st.integers(1, 20), st.integers(1, 10))
def test_the_parts_are_kept_apart_whatever_the_seed(seed, training, queries):
    rng = np.random.default_rng(seed)
    labels, auxiliary = rng.integers(0, 4, 200), rng.random(200) < 0.5
    split = auxiliary_split(labels, (3,), auxiliary, training_samples=training, queries=queries, seed=seed)
    assert len(split.training) == training
    assert len(split.queries) == queries
    assert auxiliary[split.training].all()
    assert (labels[split.training] != 3).all()
    assert (labels[split.queries] == 3).all()
    np.testing.assert_array_equal(
        np.sort(np.concatenate([split.queries, split.database])), np.flatnonzero(~auxiliary)
    )


def test_without_auxiliary_images_it_is_the_zero_shot_split():
    labels = np.random.default_rng(0).integers(0, 4, 200).astype(np.int32)
    dataset = _dataset("x", labels, tuple("abcd"))
    for one, other in zip(
        split_dataset(dataset, "b", **SIZES), zero_shot_split(labels, (1,), **SIZES), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_what_neither_part_can_give_is_an_error():
    joined = join_datasets(ONE, SEVERAL)
    with pytest.raises(InputError, match="cannot be drawn from 0 images of unseen classes"):
        split_dataset(joined, "tench", training_samples=2, queries=1, seed=0)
    with pytest.raises(InputError, match=r"no relevant image in the database: all images of class 'tench'"):
        split_dataset(
            join_datasets(ONE, ONE._replace(name="y")), "tench", training_samples=2, queries=3, seed=0
        )


def test_attributes_are_joined_where_both_have_the_same():
    first = ONE._replace(attributes=np.eye(3, dtype=np.float32))
    second = SEVERAL._replace(attributes=2 * np.eye(3, dtype=np.float32))
    joined = join_datasets(first, second)
    np.testing.assert_array_equal(joined.attributes, np.vstack([2 * np.eye(3), [1, 0, 0]]))
    assert join_datasets(ONE, second).attributes is None


def test_what_does_not_fit_is_named():
    with pytest.raises(InputError, match="features of images have 3 values, features of photos have 2"):
        join_datasets(ONE._replace(features=np.zeros((9, 3), np.float32)), SEVERAL)
    with pytest.raises(InputError, match="images: classes 'sea lion' and 'Sea_Lion' differ only in case"):
        join_datasets(ONE._replace(class_names=("sea lion", "Sea_Lion", "cat")), SEVERAL)


def _blobs(path, class_names, per_class, seed):
    """A feature file with a cloud a class, its labels as words."""
    rng = np.random.default_rng(seed)
    means = {name: np.random.default_rng(len(name)).normal(size=8) for name in class_names}
    labels = np.repeat(class_names, per_class)
    rows = np.stack([means[name] for name in labels]) + 0.1 * rng.normal(size=(len(labels), 8))
    np.savez(path, features=rows.astype(np.float32), labels=labels)
    return str(path)


def _config(tmp_path):
    config = for_dataset("features")
    names = ("cat", "tiger", "elephant", "wolverine", "ox")
    config.auxiliary.dataset.name = "features"
    config.auxiliary.dataset.path = _blobs(tmp_path / "first.npz", names, 30, 0)
    config.dataset.path = _blobs(tmp_path / "second.npz", ("Cat", "hippopotamus", "ox"), 20, 1)
    config.sweep.update(semantics=("one-hot",), bits=(8,), seed=(0, 1), anchors=(20,), queries=(5,))
    config.sweep.update(training_samples=(100,), neighbours=(5,))
    config.sweep.zsh.max_iterations = (2,)
    config.evaluation.cutoffs = (5,)
    return config


def test_a_sweep_learns_from_the_one_and_searches_the_other(tmp_path):
    config = _config(tmp_path)
    plan, inputs = lay_out(config)
    assert inputs.dataset.name == "first to second"
    assert inputs.features.shape == (150 + 60, 8)
    assert {split.unseen for group in plan.groups for split in group.splits} == {"hippopotamus"}
    results = [result for batch in run(plan, inputs, cutoffs=(5,)) for result in batch]
    assert len(results) == 2
    for result in results:
        assert result.cell["dataset"] == "first to second"
        assert result.metrics["mean_average_precision"] > 0.9  # a cloud far from all others
    said = describe(plan, inputs, lambda cell: False, name="sweep", workdir="runs")
    assert "training data: the first 150 samples" in said
    assert "2 classes are in both and so seen, unless held out (Cat, ox)" in said


def test_a_sweep_between_equal_classes_must_name_the_unseen(tmp_path):
    config = _config(tmp_path)
    config.dataset.path = config.auxiliary.dataset.path
    with pytest.raises(InputError, match="holds out no class, as each of its classes is in the training set"):
        lay_out(config)
    config.sweep.unseen = ("cat+ox",)
    config.sweep.training_samples = (90,)
    _, inputs = lay_out(config)
    split = split_dataset(inputs.dataset, "cat+ox", training_samples=90, queries=5, seed=0)
    assert set(inputs.dataset.labels[split.training].tolist()) == {
        inputs.dataset.class_names.index(name) for name in ("tiger", "elephant", "wolverine")
    }


def test_features_of_two_networks_are_not_joined(tmp_path):
    config = _config(tmp_path)
    np.savez(
        tmp_path / "second.npz",
        features=np.random.default_rng(0).normal(size=(4, 5)),
        labels=np.arange(4) % 2,
    )
    with pytest.raises(InputError, match="features of first have 8 values, features of second have 5"):
        lay_out(config)
