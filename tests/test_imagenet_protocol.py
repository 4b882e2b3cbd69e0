"""ImageNet from small data sets with the features of those of TFDS: words, drawn classes, images on demand."""

import io

import numpy as np
import pytest
import tensorflow_datasets as tfds
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from zsh_jax.data.imagenet import class_names
from zsh_jax.data.imagenet.names import WORDS
from zsh_jax.data.registry import load_dataset
from zsh_jax.data.select import HELD_OUT, draw_classes, name_held_out, select_classes
from zsh_jax.data.spec import Source
from zsh_jax.errors import InputError
from zsh_jax.inputs.load import load_inputs
from zsh_jax.inputs.settings import input_settings
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.engine import run
from zsh_jax.sweep.layout import lay_out

SYNSETS = [line.split("\t")[0] for line in WORDS.read_text().splitlines()]
SOME = SYNSETS[:12]  # fishes and birds
WITHOUT_VECTOR = {"hammerhead", "tench"}
ROWS = {"train": 36, "validation": 12}


class _Small(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Three images a class in training and one in validation, each of another size."""

    VERSION = tfds.core.Version("5.1.0")
    classes = SOME
    shape = (None, None, 3)
    extra = {"file_name": tfds.features.Text()}  # noqa: RUF012

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=self.shape, encoding_format="jpeg"),
            "label": tfds.features.ClassLabel(names=self.classes),
        }
        features = tfds.features.FeaturesDict(features | self.extra)
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        del dl_manager
        return {split: self._generate_examples(split) for split in ROWS}

    def _generate_examples(self, split):
        for row in range(ROWS[split]):
            label = row % 12
            name = f"{split}_{self.classes[label]}_{row}.JPEG"
            size = self.shape[:2] if self.shape[0] else (20 + row, 30)
            encoded = io.BytesIO()
            Image.new("RGB", size, (20 * label, 255 - 20 * label, 7)).save(encoded, "JPEG", quality=95)
            encoded.seek(0)
            example = {"image": encoded, "label": label}
            yield name, example | ({"file_name": name} if self.extra else {})


class Imagenet(_Small, skip_registration=True):
    name = "imagenet2012"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    Imagenet(data_dir=folder).download_and_prepare(file_format="array_record")
    return folder


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """GloVe text with a vector for all but two classes."""
    rng = np.random.default_rng(0)
    names = {name.replace(" ", "_") for name in class_names(SOME)} - WITHOUT_VECTOR
    path = tmp_path_factory.mktemp("words") / "some.txt"
    path.write_text(
        "".join(f"{name} {' '.join(f'{v:.3f}' for v in rng.normal(size=5))}\n" for name in sorted(names))
    )
    return path


def test_synsets_are_those_of_tfds_in_their_order():
    path = tfds.core.tfds_path("datasets/imagenet2012/labels.txt")
    assert path.read_text().split() == SYNSETS
    resized = tfds.core.tfds_path("image_classification/imagenet_resized_labels.txt")  # in another order
    assert set(resized.read_text().split()) == set(SYNSETS)


def test_every_synset_has_a_name_of_its_own_among_its_words():
    names = dict(zip(SYNSETS, class_names(SYNSETS), strict=True))
    assert len({name.casefold() for name in names.values()}) == 1000
    assert names["n01440764"] == "tench"
    assert names["n02963159"] == "cardigan"
    assert names["n02113186"] == "Cardigan Welsh corgi"
    assert names["n03710721"] == "tank suit"
    assert names["n02012849"] == "crane"
    assert names["n03126707"] == "crane n03126707"
    words = dict(line.split("\t") for line in WORDS.read_text().splitlines())
    assert sum(name not in words[synset].split(", ") for synset, name in names.items()) == 1
    assert class_names(SYNSETS[:500:-1]) == tuple(names[synset] for synset in SYNSETS[:500:-1])


def test_what_is_no_synset_is_named():
    with pytest.raises(InputError, match=r"1 of 2 classes are not synsets of ILSVRC2012 \(first: cat\)"):
        class_names(["n01440764", "cat"])


@given(st.permutations(range(40)), st.integers(2, 40), st.integers(0, 5))
def test_the_draw_depends_on_the_set_of_names_and_the_seed_alone(order, classes, seed):
    names = [f"class {number}" for number in range(40)]
    drawn, held_out = draw_classes(names, classes=classes, held_out=1, seed=seed)
    assert draw_classes([names[place] for place in order], classes=classes, held_out=1, seed=seed) == (
        drawn,
        held_out,
    )
    assert len(set(drawn)) == classes
    assert set(held_out) <= set(drawn) <= set(names)
    more, more_out = draw_classes(
        names, classes=min(40, classes + 3), held_out=2 if classes > 2 else 1, seed=seed
    )
    assert set(drawn) <= set(more)
    assert set(held_out) <= set(more_out)


def test_another_seed_draws_others_and_every_class_can_be_drawn():
    names = [f"class {number}" for number in range(20)]
    draws = [draw_classes(names, classes=5, held_out=1, seed=seed) for seed in range(60)]
    assert {name for drawn, _ in draws for name in drawn} == set(names)
    assert len({held_out for _, held_out in draws}) > 10
    assert len(draw_classes(names, classes=None, held_out=None, seed=0)[1]) == 2


@pytest.mark.parametrize(
    ("classes", "held_out", "seed", "said"),
    [
        (21, 1, 0, "21 classes cannot be drawn from 20"),
        (1, 1, 0, "1 classes cannot be drawn"),
        (5, 5, 0, "5 of 5 classes cannot be held out"),
        (5, 0, 0, "0 of 5 classes cannot be held out"),
        (5, 1, -1, "dataset.seed must be 0 or more"),
    ],
)
def test_a_draw_that_cannot_be_is_named(classes, held_out, seed, said):
    with pytest.raises(InputError, match=said):
        draw_classes([str(number) for number in range(20)], classes=classes, held_out=held_out, seed=seed)


def test_words_file_names_and_pictures_of_any_size(folder):
    dataset = load_dataset(Source("imagenet2012", str(folder), image_size=16))
    assert dataset.class_names == class_names(SOME)
    assert dataset.images.shape == (48, 16, 16, 3)
    for row in (0, 20, 47):
        split, synset, _ = dataset.ids[row].rsplit("_", 2)
        assert split == dataset.source_splits[row]
        label = SOME.index(synset)
        assert label == dataset.labels[row]
        assert np.abs(dataset.images[row].astype(int) - (20 * label, 255 - 20 * label, 7)).max() < 8


def test_classes_are_chosen_with_their_samples(folder):
    dataset = load_dataset(Source("imagenet2012", str(folder), image_size=16))
    names = ("hen", "goldfish", "cock")
    chosen = select_classes(dataset, names)
    assert chosen.class_names == ("goldfish", "cock", "hen")
    assert len(chosen.ids) == 12
    for row, name in enumerate(chosen.ids):
        origin = int(np.flatnonzero(dataset.ids == name)[0])
        assert chosen.class_names[chosen.labels[row]] == dataset.class_names[dataset.labels[origin]]
        np.testing.assert_array_equal(chosen.images[row], dataset.images[origin])


def _config(folder, words, tmp_path, **changes):
    config = for_dataset("imagenet100")
    config.dataset.data_dir = str(folder)
    config.dataset.classes, config.dataset.held_out, config.dataset.image_size = 6, 2, 16
    config.features.name = "colour"
    config.features.cache = str(tmp_path / "features")
    config.semantics.path = str(words)
    config.dataset.update(changes)
    return config


def test_a_sweep_draws_its_classes_among_those_with_a_vector(folder, words, tmp_path):
    drawn = set()
    for seed in range(12):
        inputs = load_inputs(input_settings(_config(folder, words, tmp_path, seed=seed)), ("word_vectors",))
        dataset = inputs.dataset
        assert len(dataset.class_names) == 6
        assert set(dataset.held_out) < set(dataset.class_names)
        assert len(dataset.held_out) == 2
        assert inputs.features.shape[0] == len(dataset.ids) == 24
        assert inputs.semantics["word_vectors"].vectors.shape == (6, 5)
        assert dataset.name == f"imagenet2012/6-classes-seed{seed}"
        drawn |= set(dataset.class_names)
    assert drawn == set(class_names(SOME)) - WITHOUT_VECTOR


def test_features_are_made_of_the_chosen_classes_alone(folder, words, tmp_path, monkeypatch):
    from zsh_jax.data import tfds_images

    decoded = []
    square = tfds_images.square
    monkeypatch.setattr(
        tfds_images,
        "square",
        lambda *args, **kwargs: decoded.append(kwargs["name"]) or square(*args, **kwargs),
    )
    load_inputs(input_settings(_config(folder, words, tmp_path)), ("word_vectors",))
    assert len(decoded) == len(set(decoded)) == 24


def test_held_out_classes_are_named_in_the_axes(folder, words, tmp_path):
    dataset = load_inputs(input_settings(_config(folder, words, tmp_path)), ("word_vectors",)).dataset
    axes = {"unseen": (HELD_OUT, "hen"), "bits": (16,)}
    assert name_held_out(axes, dataset) == {"unseen": ("+".join(dataset.held_out), "hen"), "bits": (16,)}
    assert name_held_out({"bits": (16,)}, dataset) == {"bits": (16,)}
    with pytest.raises(InputError, match="holds out no class"):
        name_held_out(axes, dataset._replace(held_out=()))


@pytest.mark.slow
def test_a_sweep_runs_on_the_drawn_classes(folder, words, tmp_path):
    config = _config(folder, words, tmp_path)
    config.sweep.update(
        bits=(8,), seed=(0,), training_samples=(16,), anchors=(8,), queries=(3,), neighbours=(3,)
    )
    plan, inputs = lay_out(config)
    (result,) = [result for batch in run(plan, inputs) for result in batch]
    assert result.cell["unseen"] == "+".join(inputs.dataset.held_out)
    assert result.cell["dataset"] == "imagenet2012/6-classes-seed0"
    assert result.metrics["mean_average_precision"] > 0


def test_more_classes_than_have_vectors_are_refused(folder, words, tmp_path):
    with pytest.raises(InputError, match="11 classes cannot be drawn from 10"):
        load_inputs(input_settings(_config(folder, words, tmp_path, classes=11)), ("word_vectors",))


def test_imagenet_resized_and_cifar100_by_their_names(tmp_path):
    class Resized(_Small, skip_registration=True):
        name = "imagenet_resized"
        BUILDER_CONFIGS = [tfds.core.BuilderConfig(name="32x32")]  # noqa: RUF012
        classes = SOME[::-1]
        shape = (32, 32, 3)
        extra = {}  # noqa: RUF012

    class Cifar(_Small, skip_registration=True):
        name = "cifar100"
        classes = [f"class_{number}" for number in range(12)]  # noqa: RUF012
        shape = (32, 32, 3)
        extra = {"coarse_label": tfds.features.ClassLabel(num_classes=2), "id": tfds.features.Text()}  # noqa: RUF012

        def _generate_examples(self, split):
            for name, example in super()._generate_examples(split):
                image = {key: example[key] for key in ("image", "label")}
                yield name, image | {"coarse_label": example["label"] % 2, "id": name}

    for builder in (Resized, Cifar):
        builder(data_dir=tmp_path).download_and_prepare(file_format="array_record")
    config = for_dataset("imagenet_resized")
    resized = load_dataset(Source(config.dataset.name, str(tmp_path)))
    assert resized.class_names == class_names(SOME[::-1])
    assert resized.images.shape == (48, 32, 32, 3)
    config = for_dataset("cifar100")
    cifar = load_dataset(Source(config.dataset.name, str(tmp_path)))
    assert cifar.class_names[3] == "class_3"
    assert isinstance(cifar.images, np.ndarray)
    assert cifar.images.shape == (48, 32, 32, 3)
