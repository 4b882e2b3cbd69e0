"""MIRFlickr-25K from a small archive in the layout of the public ones."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zsh_jax.data.images import square
from zsh_jax.data.mirflickr import CONCEPTS, RELEVANT, load_mirflickr
from zsh_jax.data.split import zero_shot_split
from zsh_jax.data.unseen import parse_unseen
from zsh_jax.errors import InputError
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.engine import run
from zsh_jax.sweep.layout import lay_out

SHARED = Path(__file__).parents[2] / "shared" / "data"
COUNT = 12  # beyond 9, the order of names is not that of numbers


def _labels():
    """Potential and relevant labels, the latter part of the former; the last image has none."""
    rng = np.random.default_rng(0)
    potential = rng.random((COUNT, len(CONCEPTS))) < 0.4
    potential[-1] = False
    columns = [CONCEPTS.index(name.removesuffix("_r1")) for name in RELEVANT]
    return np.hstack([potential, potential[:, columns] & (rng.random((COUNT, len(RELEVANT))) < 0.5)])


LABELS = _labels()


def _draw(folder):
    """Both archives, unpacked: images of several sizes, a readme, and what else comes with them."""
    (folder / "mirflickr" / "meta" / "tags").mkdir(parents=True)
    (folder / "mirflickr" / "doc").mkdir()
    (folder / "mirflickr" / "doc" / "common_tags.txt").write_text("nikon 1\n")
    annotations = folder / "mirflickr25k_annotations_v080"
    annotations.mkdir()
    (annotations / "README.txt").write_text("POTENTIAL LABELS\n")
    for number in range(1, COUNT + 1):
        rng = np.random.default_rng(number)
        size = (240 + 10 * (number % 3), 300)
        smooth = Image.fromarray(rng.integers(0, 256, (4, 5, 3), np.uint8)).resize(
            size[::-1], Image.Resampling.BICUBIC
        )
        smooth.save(folder / "mirflickr" / f"im{number}.jpg", quality=95)
        (folder / "mirflickr" / "meta" / "tags" / f"tags{number}.txt").write_text("sky\n")
    for column, name in enumerate(CONCEPTS + RELEVANT):
        numbers = np.flatnonzero(LABELS[:, column]) + 1
        (annotations / f"{name}.txt").write_text("".join(f"{number}\r\n" for number in numbers))
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return _draw(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tmp_path_factory.mktemp("tfds"))


def test_names_are_those_of_the_annotation_files():
    path = SHARED / "class_names" / "mirflickr25k.txt"
    if not path.is_file():
        pytest.skip(f"no list of names: {path} is missing")
    assert path.read_text().split() == [*CONCEPTS, *RELEVANT]


@pytest.mark.parametrize("relevant", [False, True])
def test_images_in_the_order_of_their_numbers_with_all_their_concepts(archive, folder, relevant):
    dataset = load_mirflickr(folder, path=str(archive), relevant=relevant)
    classes = 38 if relevant else 24
    assert dataset.class_names == (CONCEPTS + RELEVANT)[:classes]
    assert dataset.ids.tolist() == [f"im{number}" for number in range(1, COUNT + 1)]
    assert dataset.labels.dtype == np.bool_
    np.testing.assert_array_equal(dataset.labels, LABELS[:, :classes])
    assert dataset.images.shape == (COUNT, 224, 224, 3)
    for row in (0, 9, COUNT - 1):
        expected = square(archive / "mirflickr" / f"im{row + 1}.jpg", 224).astype(int)
        assert np.abs(dataset.images[row].astype(int) - expected).mean() < 3  # one more JPEG
    assert not dataset.labels[-1].any()  # without a concept, and there all the same


def test_the_second_time_nothing_but_the_prepared_files_is_wanted(archive, tmp_path):
    first = load_mirflickr(str(tmp_path / "tfds"), path=str(archive))
    again = load_mirflickr(str(tmp_path / "tfds"), images=False)
    assert again.images is None
    np.testing.assert_array_equal(again.labels, first.labels)


def test_images_without_a_concept_are_never_learnt_from_nor_asked_with(archive, folder):
    dataset = load_mirflickr(folder, path=str(archive), images=False)
    unseen = parse_unseen("bird+sea", dataset.class_names)
    trainable = ~LABELS[:, list(unseen)].any(1) & LABELS[:, :24].any(1)
    split = zero_shot_split(dataset.labels, unseen, training_samples=int(trainable.sum()), queries=2, seed=0)
    assert split.training.tolist() == np.flatnonzero(trainable).tolist()
    assert COUNT - 1 in split.database
    assert COUNT - 1 not in split.training


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mirflickr", "mirflickr_relevant"])
def test_a_sweep_runs_from_the_archive_to_the_metrics(archive, tmp_path, name):
    config = for_dataset(name)
    config.dataset.data_dir, config.dataset.path = str(tmp_path / "tfds"), str(archive)
    config.features.name, config.features.cache = "colour", str(tmp_path / "features")
    trainable = ~LABELS[:, CONCEPTS.index("dog")] & LABELS.any(axis=1)
    unseen = "dog" if name == "mirflickr" else "dog+dog_r1"
    config.sweep.update(
        unseen=(unseen,), semantics=("one-hot",), bits=(8,), seed=(0,), queries=(2,), neighbours=(2,)
    )
    config.sweep.update(training_samples=(int(trainable.sum()),), anchors=(3,))
    plan, inputs = lay_out(config)
    assert inputs.dataset.name == ("mirflickr25k" if name == "mirflickr" else "mirflickr25k/relevant")
    if name == "mirflickr_relevant":
        return  # what follows sees labels of another width, no more
    (result,) = [result for batch in run(plan, inputs) for result in batch]
    assert 0 < result.metrics["mean_average_precision"] <= 1


def test_a_relevant_concept_is_looked_up_by_the_words_of_the_potential_one():
    assert dict(for_dataset("mirflickr_relevant").semantics.synonyms) == {
        name: name[:-3] for name in RELEVANT
    }


def test_without_files_it_says_which_and_where_to(tmp_path):
    data_dir = str(tmp_path / "tfds")
    for path in (None, str(tmp_path / "none"), str(tmp_path)):
        with pytest.raises(InputError, match=r"mirflickr25k_annotations_v080\.zip from https://") as caught:
            load_mirflickr(data_dir, path=path)
        assert "\n" not in str(caught.value)
    assert not list(Path(data_dir).rglob("*.*"))


def _damage(folder, kind):
    annotations = folder / "mirflickr25k_annotations_v080"
    if kind == "no annotations":
        shutil.rmtree(annotations)
    elif kind == "one annotation lacks":
        (annotations / "sea.txt").unlink()
    elif kind == "word":
        (annotations / "sea.txt").write_text("1\nshore\n")
    elif kind == "number":
        (annotations / "sea.txt").write_text(f"1\n{COUNT + 1}\n")
    elif kind == "cut image":
        path = folder / "mirflickr" / "im7.jpg"
        path.write_bytes(path.read_bytes()[:2000])


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("no annotations", "no folder of annotation files"),
        ("one annotation lacks", r"lacks 1 of 24 annotation files \(first: sea\.txt\)"),
        ("word", r"sea\.txt, line 2: 'shore' is not an image number"),
        ("number", rf"sea\.txt, line 2: '{COUNT + 1}' is not the number of an image in"),
        ("cut image", r"im7\.jpg: not an image, or damaged"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_left_half_written(tmp_path, kind, said):
    _damage(_draw(tmp_path / "archive"), kind)
    data_dir = tmp_path / "tfds"
    with pytest.raises(InputError, match=said) as caught:
        load_mirflickr(str(data_dir), path=str(tmp_path / "archive"))
    assert "\n" not in str(caught.value)
    assert not list(data_dir.rglob("*array_record*"))
    assert not list(data_dir.rglob("*incomplete*"))
