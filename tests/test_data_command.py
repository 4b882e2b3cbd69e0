"""`python -m zsh_jax.data`: what is there, what is missing, and both made ahead."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from zsh_jax.commands import data as command
from zsh_jax.data.__main__ import main
from zsh_jax.data.catalogue import DATASETS


@pytest.fixture(autouse=True)
def nothing_at_home(monkeypatch, tmp_path):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "home" / "tfds"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "cache"))


@pytest.fixture
def run(capsys):
    """Run the command; exit status, what it printed and what it complained of."""

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        output = capsys.readouterr()
        return status, output.out, output.err

    return run


@pytest.fixture
def images(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(3):
            image = Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8))
            image.save(tmp_path / "images" / name / f"{number}.png")
    return tmp_path / "images"


def _prepare_tiny(folder):
    class Cifar(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        name = "cifar10"
        VERSION = tfds.core.Version("3.0.2")

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=(8, 8, 3)),
                "label": tfds.features.ClassLabel(num_classes=2),
            }
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager):
            del dl_manager
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for row in range(6):
                yield row, {"image": Image.new("RGB", (8, 8), (40 * row, 0, 0)), "label": row % 2}

    Cifar(data_dir=folder).download_and_prepare(file_format="array_record")


def _state(listing):
    return {line.split()[0]: line.split()[1] for line in listing.splitlines()[: len(DATASETS)]}


def test_every_data_set_is_listed_with_its_state(run, tmp_path):
    status, listing, _ = run("list")
    assert status == 0
    states = _state(listing)
    assert list(states) == list(DATASETS)
    assert states["cifar10"] == "missing"
    assert states["folder"] == "path"
    assert "`prepare cifar10`" in listing
    assert "features in" in listing
    assert listing.rstrip().endswith("none")
    _prepare_tiny(tmp_path / "tfds")
    listing = run("list", "--data-dir", tmp_path / "tfds")[1]
    assert _state(listing)["cifar10"] == "there"
    assert f"3.0.2 in {tmp_path / 'tfds' / 'cifar10'}" in listing


def test_what_a_broken_preparation_leaves_is_not_there(run, tmp_path):
    broken = tmp_path / "tfds" / "cifar10" / "3.0.2.incompleteAB12CD"
    broken.mkdir(parents=True)
    (broken / "dataset_info.json").write_text("{}")
    assert _state(run("list", "--data-dir", tmp_path / "tfds")[1])["cifar10"] == "missing"


def test_what_is_prepared_is_described(run, tmp_path):
    _prepare_tiny(tmp_path / "tfds")
    status, said, _ = run("prepare", "cifar10", "--data-dir", tmp_path / "tfds")
    assert status == 0
    assert "cifar10: 6 samples of 2 classes" in said
    assert "samples a class: 3 to 3" in said


def test_preparing_asks_tfds_for_files_that_are_read_without_tensorflow(run, tmp_path, monkeypatch):
    asked = []

    class Fake:
        def __init__(self, *args, **kwargs):
            asked.append((args, kwargs))

        def download_and_prepare(self):
            _prepare_tiny(tmp_path / "tfds")

    monkeypatch.setattr(tfds, "builder", Fake)
    monkeypatch.setattr(command, "find_spec", lambda name: name)
    status, said, _ = run("prepare", "cifar10", "--data-dir", tmp_path / "tfds")
    assert status == 0
    assert asked == [(("cifar10",), {"data_dir": str(tmp_path / "tfds"), "file_format": "array_record"})]
    assert "6 samples" in said
    monkeypatch.setattr(Fake, "download_and_prepare", lambda self: 1 / 0)
    status, _, complaint = run("prepare", "cifar100", "--data-dir", tmp_path / "tfds")
    assert status == 2
    assert complaint == "zsh_jax.data: cifar100 cannot be prepared: division by zero\n"


def test_without_tensorflow_it_says_so(run, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    status, _, complaint = run("prepare", "cifar10")
    assert status == 2
    assert "it is not installed; fix: pip install tensorflow" in complaint


def test_a_folder_is_checked_and_described(run, images):
    status, said, _ = run("prepare", "folder", "--path", images)
    assert status == 0
    assert "images: 6 samples of 2 classes" in said
    (images / "dog" / "1.png").write_bytes(b"not an image")
    status, _, complaint = run("prepare", "folder", "--path", images)
    assert status == 2
    assert "dog/1.png: not an image" in complaint


def test_several_labels_a_sample_are_counted(run, tmp_path):
    hot = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]])
    np.savez(tmp_path / "some.npz", features=np.arange(8.0).reshape(4, 2), labels=hot)
    status, said, _ = run("prepare", "features", "--path", tmp_path / "some.npz")
    assert status == 0
    assert "labels a sample: 1.50 on average, 1 have none" in said
    assert "features: 2 values" in said


def test_features_are_made_once_and_listed(run, images, tmp_path):
    cache = tmp_path / "cache"
    for state in ("extracted", "already cached"):
        status, said, _ = run(
            "features", "folder", "colour", "--path", images, "--image-size", 16, "--cache", cache
        )
        assert status == 0
        assert f"features colour of images, 6 x 512, {state}" in said
    assert "images, all: colour, 1 block in" in run("list", "--cache", cache)[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("prepare", "cifra10"), "there is no data set 'cifra10'; nearest: cifar10"),
        (("prepare", "folder"), "dataset.path is not set; fix: give a folder with one sub-folder"),
        (("features", "folder", "sift"), "there is no 'sift'"),
        (("prepare", "mirflickr"), r"mirflickr25k_annotations_v080.zip"),
        (("features", "features", "gist", "--path", "none.npz"), "there is no file none.npz"),
    ],
)
def test_bad_input_is_one_line_and_status_2(run, arguments, said):
    status, _, complaint = run(*arguments)
    assert status == 2
    assert said in complaint
    assert complaint.startswith("zsh_jax.data: ")
    assert complaint.count("\n") == 1
    assert "--config.dataset" not in complaint


def test_a_reader_that_has_enough_ends_it_quietly():
    """As in `python -m zsh_jax.data list | head -1`, where the reader is gone before the end."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "zsh_jax.data", "list"], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert done.returncode == 128 + signal.SIGPIPE
    assert done.stderr == b""


def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "zsh_jax.data", "--help"], capture_output=True, text=True, check=True
    )
    assert "python -m zsh_jax.data features cifar10 keras:VGG16:fc2" in done.stdout
