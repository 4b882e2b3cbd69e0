"""What a gallery shows of a sweep: which cells, which queries, whose images."""

from pathlib import Path

import numpy as np
import pytest

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.semantics import one_hot
from zsh_jax.data.shapes import load_shapes
from zsh_jax.inputs.images import load_images
from zsh_jax.inputs.load import Inputs, Semantics, load_inputs
from zsh_jax.inputs.settings import input_settings
from zsh_jax.report.retrieve import captions, nearest
from zsh_jax.report.shown import shown_cells, shown_queries
from zsh_jax.sweep.config import defaults, for_dataset
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.plan import Plan

NAMES = ("ant", "bee", "cow", "dog", "elk")


def _plan(variants=None, **changes):
    axes = defaults().sweep.to_dict() | {"semantics": ("one-hot",), "training_samples": 20, "queries": 20}
    axes |= {"anchors": 10, "unseen": ("ant+bee",), "bits": (16,), "seed": (4, 2)} | changes
    return Plan(tuple(groups(axes, variants or {})), (), 0)


def _inputs(several=False):
    labels = np.tile(np.arange(5, dtype=np.int32), 40)
    if several:
        labels = (labels[:, None] == np.arange(5)) | (np.roll(labels, 1)[:, None] == np.arange(5))
    ids = np.arange(200).astype(str)
    dataset = Dataset("beasts", ids, np.full(200, "train"), labels, NAMES)
    return Inputs(
        dataset, "none", np.zeros((200, 2), np.float32), {"one-hot": Semantics("one-hot", one_hot(5))}
    )


@pytest.mark.parametrize(
    ("bits", "longest"), [((16, 64, 32), 64), ((128, 48), 48), ((128, 96, 256), 256), ((8,), 8)]
)
def test_the_longest_codes_up_to_64_bits_of_the_first_seed(bits, longest):
    plan = _plan(
        bits=bits,
        unseen=("cow", "ant", "bee", "dog"),
        zsh={"alpha": (1e-3, 1e-5), "rotation": ("none", "random")},
    )
    shown = shown_cells(plan, 6)
    assert [cell.split.unseen for cell in shown] == ["cow", "ant", "bee"]
    for cell in shown:
        assert (cell.program.bits, cell.split.seed) == (longest, 4)
        assert (cell.weights.alpha, cell.program.options.rotation) == (1e-3, "none")


def test_each_variant_and_method_that_has_codes():
    variants = {"a": {"method": ("zsh", "lsh")}, "b": {"method": ("cosine_features",), "bits": (0,)}, "c": {}}
    shown = shown_cells(_plan(variants), 6)
    assert [(cell.variant, cell.program.method) for cell in shown] == [
        ("a", "zsh"),
        ("a", "lsh"),
        ("c", "zsh"),
    ]
    assert not shown_cells(_plan(variants), 0)
    assert not shown_cells(_plan({"b": variants["b"]}), 6)


@pytest.mark.parametrize("several", [False, True])
def test_queries_are_of_each_class_in_turn(several):
    inputs = _inputs(several)
    shares = {6: [2, 2, 2], 5: [2, 2, 1], 1: [1], 7: [3, 2, 2]}
    for queries, share in shares.items():
        plan = _plan(unseen=("ant+bee", "bee+cow+dog", "elk"))
        questions = shown_queries(inputs, shown_cells(plan, queries), queries)
        assert [len(one.queries) for one in questions] == share
        assert len({number for one in questions for number in one.classes}) == sum(
            len(one.classes) for one in questions
        )
    (question,) = shown_queries(inputs, shown_cells(_plan(), 6), 6)
    assert question.classes == (0, 1)
    labels = inputs.dataset.labels[question.queries]
    if not several:
        assert labels.tolist() == [0, 1, 0, 1, 0, 1]
        assert all(question.queries[i] < question.queries[i + 2] for i in range(4))
    else:
        assert labels[:, :2].any(axis=1).all()
        assert " and ".join(captions(inputs.dataset)[:1]).count(",") == 1


def test_a_small_database_has_no_more_neighbours_than_images():
    codes = np.array([[0], [3], [1], [1]], np.uint8)
    found = nearest(codes[:1], codes, np.array([1, 2, 3]), 5)
    assert found.tolist() == [[2, 3, 1, -1, -1]]


@pytest.mark.parametrize("auxiliary", [False, True])
def test_pictures_are_found_again_by_identifier(tmp_path, shapes_folder, auxiliary):
    config = for_dataset("shapes")
    config.dataset.data_dir = str(shapes_folder)
    config.dataset.classes = 7
    config.features.cache = str(tmp_path)
    if auxiliary:
        config.auxiliary.dataset.name = "shapes"
        config.auxiliary.dataset.data_dir = str(shapes_folder)
        config.auxiliary.dataset.classes = 3
        config.auxiliary.dataset.seed = 5
    config.features.name = "pixels"
    inputs = load_inputs(input_settings(config), ("attributes",))
    every = load_shapes(str(shapes_folder))
    count = len(inputs.dataset.ids)
    assert count == (7 * 300 + 3 * 300 * auxiliary)
    rows = np.array([count - 1, count - 700, count - 2000])
    images = load_images(input_settings(config).parts[-1].source, inputs.dataset)
    stored = [every.ids.tolist().index(name) for name in inputs.dataset.ids[rows]]
    np.testing.assert_array_equal(images[rows], every.images[stored])
    named = [every.class_names[label] for label in every.labels[stored]]
    assert named == [captions(inputs.dataset)[row] for row in rows]


def test_a_folder_of_pictures(tmp_path):
    from PIL import Image

    for number, name in enumerate(("ant", "bee")):
        (tmp_path / name).mkdir()
        for i in range(5):
            colour = np.full((40, 40, 3), 50 * number + 10 * i, np.uint8)
            Image.fromarray(colour).save(tmp_path / name / f"{i}.png")
    config = defaults()
    config.dataset.name, config.dataset.path, config.dataset.image_size = "folder", str(tmp_path), 16
    config.features.name = "pixels"
    config.features.cache = str(Path(tmp_path) / ".cache")
    inputs = load_inputs(input_settings(config), ("one-hot",))
    images = load_images(input_settings(config).parts[-1].source, inputs.dataset)
    assert images[np.array([9, 0])].mean(axis=(1, 2, 3)).tolist() == [90, 0]
