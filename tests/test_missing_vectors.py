"""Classes without a vector: refused with what helps, or left out with the images that show nothing else."""

import numpy as np
import pytest

from zsh_jax.data.text import read_names
from zsh_jax.errors import InputError
from zsh_jax.inputs.load import load_inputs
from zsh_jax.inputs.settings import input_settings
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.layout import describe, lay_out

NAMES = ("cat", "dog", "gnu", "fox", "yak", "emu")
KNOWN = ("cat", "dog", "fox")
HOT = np.array(
    [
        [1, 0, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],  # loses a label
        [0, 0, 1, 0, 1, 0],  # shows nothing else
        [0, 0, 0, 0, 0, 0],  # never had a label
        [0, 0, 0, 1, 0, 1],  # loses a label
        [0, 0, 0, 0, 0, 1],  # shows nothing else
    ]
)
LABELS = np.arange(60) % 6


def _config(folder, labels, **semantics):
    features = np.random.default_rng(0).normal(size=(len(labels), 5)).astype(np.float32)
    np.savez(
        folder / "set.npz", features=features, labels=labels, ids=[f"i{row}" for row in range(len(labels))]
    )
    (folder / "classes.txt").write_text("\n".join(NAMES))
    rows = np.random.default_rng(1).normal(size=(len(KNOWN), 4))
    lines = [f"{name} {' '.join(map(str, row))}\n" for name, row in zip(KNOWN, rows, strict=True)]
    (folder / "glove.txt").write_text("".join(lines))
    config = for_dataset("features")
    config.dataset.path, config.semantics.path = str(folder / "set.npz"), str(folder / "glove.txt")
    config.update({"semantics": semantics})
    return config, features


def test_a_refusal_says_what_would_go_and_where_all_names_are(tmp_path):
    config, _ = _config(tmp_path, LABELS)
    with pytest.raises(InputError) as caught:
        load_inputs(input_settings(config), ("one-hot", "word_vectors"))
    said = str(caught.value)
    assert "no vector for 3 of 6 classes (gnu, yak, emu)" in said
    assert "fix: set --config.semantics.missing=drop to leave out 3 classes and 30 of 60 images" in said
    assert "--config.semantics.missing_to=FILE lists them all" in said
    config.semantics.missing_to = str(tmp_path / "missing.txt")
    with pytest.raises(InputError, match=r"missing\.txt lists them all"):
        load_inputs(input_settings(config), ("word_vectors",))
    assert read_names(tmp_path / "missing.txt") == ("gnu", "yak", "emu")
    config.semantics.missing_to = str(tmp_path / "none" / "missing.txt")
    with pytest.raises(InputError, match=r"none/missing\.txt cannot be written"):
        load_inputs(input_settings(config), ("word_vectors",))


def test_dropped_classes_go_with_their_images(tmp_path):
    config, features = _config(tmp_path, LABELS, missing="drop", missing_to=str(tmp_path / "missing.txt"))
    inputs = load_inputs(input_settings(config), ("one-hot", "word_vectors"))
    kept = np.flatnonzero(np.isin(np.array(NAMES)[LABELS], KNOWN))
    assert inputs.dataset.class_names == KNOWN
    assert inputs.dataset.ids.tolist() == [f"i{row}" for row in kept]
    assert [KNOWN[label] for label in inputs.dataset.labels] == [NAMES[label] for label in LABELS[kept]]
    np.testing.assert_array_equal(inputs.features, features[kept])
    assert {kind: found.vectors.shape for kind, found in inputs.semantics.items()} == {
        "one-hot": (3, 3),
        "word_vectors": (3, 4),
    }
    assert set(inputs.dataset.held_out) <= set(KNOWN)
    assert inputs.left_out[0].startswith(
        "left out: 3 of 6 classes of set, which have no vector, and 30 of 60 images"
    )
    assert read_names(tmp_path / "missing.txt") == ("gnu", "yak", "emu")


def test_of_several_labels_those_go_and_an_image_without_any_left(tmp_path):
    config, features = _config(tmp_path, HOT, missing="drop")
    inputs = load_inputs(input_settings(config), ("word_vectors",))
    kept = [0, 1, 3, 4]
    np.testing.assert_array_equal(inputs.dataset.labels, HOT[kept][:, [0, 1, 3]].astype(bool))
    np.testing.assert_array_equal(inputs.features, features[kept])
    assert "and 2 of 6 images; 2 others lose a label" in inputs.left_out[0]


def test_precomputed_features_of_the_whole_set_describe_what_is_left(tmp_path):
    config, features = _config(tmp_path, LABELS, missing="drop")
    (tmp_path / "more").mkdir()
    order = np.random.default_rng(2).permutation(60)
    ids = np.array([f"i{row}" for row in range(60)])
    np.savez(tmp_path / "more" / "set.npz", id=ids[order], features=2 * features[order])
    config.features.name, config.features.path = "precomputed", str(tmp_path / "more")
    inputs = load_inputs(input_settings(config), ("word_vectors",))
    np.testing.assert_array_equal(inputs.features, 2 * features[np.isin(np.array(NAMES)[LABELS], KNOWN)])


def test_the_plan_says_what_was_left_out(tmp_path):
    config, _ = _config(tmp_path, LABELS, missing="drop")
    config.workdir = str(tmp_path / "runs")
    config.sweep.semantics, config.sweep.unseen = ("word_vectors",), ("fox",)
    config.sweep.training_samples, config.sweep.queries, config.sweep.anchors = (8,), (3,), (4,)
    config.sweep.neighbours = (2,)
    plan, inputs = lay_out(config)
    assert "left out: 3 of 6 classes of set" in describe(
        plan, inputs, lambda cell: False, name="sweep", workdir="runs"
    )
    assert not (tmp_path / "runs").exists()


def test_synonyms_count_before_anything_is_left_out(tmp_path):
    config, _ = _config(tmp_path, LABELS, missing="drop", synonyms=(("gnu", "cat dog"), ("yak", "hairy cow")))
    assert load_inputs(input_settings(config), ("word_vectors",)).dataset.class_names == (
        "cat",
        "dog",
        "gnu",
        "fox",
    )
    config.semantics.synonyms = (("gnuu", "cat"),)
    with pytest.raises(InputError, match="no class 'gnuu'; nearest: gnu"):
        load_inputs(input_settings(config), ("word_vectors",))


def test_too_few_classes_are_refused(tmp_path):
    config, _ = _config(tmp_path, LABELS, missing="drop")
    (tmp_path / "glove.txt").write_text("cat 1 2 3\n")
    with pytest.raises(
        InputError, match=r"no vector for 5 of 6 classes .*, and 1 are left; fix: set other words"
    ):
        load_inputs(input_settings(config), ("word_vectors",))
    config.semantics.missing = "refuse"
    with pytest.raises(InputError, match=r"no vector for 5 of 6 classes .*; fix: set other words"):
        load_inputs(input_settings(config), ("word_vectors",))
