"""Features on disk: an interrupted extraction goes on, and nothing half-written, damaged or foreign is read."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from zsh_jax.data.dataset import Dataset
from zsh_jax.errors import InputError
from zsh_jax.features import cache as module
from zsh_jax.features.colour import colour
from zsh_jax.features.extract import extract, is_extracted
from zsh_jax.features.gist import gist

TFDS = Path(__file__).parents[2] / "shared" / "data" / "tfds"


def _dataset(n=40, side=16, seed=0, name="drawn/set:1.0"):
    rng = np.random.default_rng(seed)
    return Dataset(
        name=name,
        ids=np.array([f"id_{i}" for i in range(n)]),
        source_splits=np.where(rng.permutation(n) < n // 4, "test", "train"),
        labels=np.zeros(n, np.int32),
        class_names=("only",),
        images=rng.integers(0, 256, (n, side, side, 3), np.uint8),
    )


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 8)


@pytest.fixture
def counted(monkeypatch):
    """How many images colour was asked for."""
    from zsh_jax.features import colour as colours

    seen = []

    def counting(images):
        seen.append(len(images))
        return colour(images)

    monkeypatch.setattr(colours, "colour", counting)
    return seen


def _blocks(folder):
    return sorted(folder.rglob("*.safetensors"))


def test_rows_are_those_of_the_data_set_with_and_without_a_cache(tmp_path):
    dataset = _dataset()
    expected = np.concatenate([gist(dataset.images), colour(dataset.images)], axis=1)
    for cache in (None, tmp_path, tmp_path):
        got = extract(dataset, "gist+colour", cache=cache)
        assert got.dtype == np.float32
        np.testing.assert_allclose(
            got, expected, atol=2e-5 * expected.max()
        )  # other batches of the transform


def test_what_is_there_is_not_made_again(tmp_path, counted):
    dataset = _dataset()
    told = []
    first = extract(dataset, "colour", cache=tmp_path, progress=lambda *said: told.append(said))
    assert sum(counted) == 40
    assert [done for _, done, _ in told] == np.cumsum(counted).tolist()
    assert told[-1] == ("colour of drawn/set:1.0", 40, 40)
    np.testing.assert_array_equal(extract(dataset, "colour", cache=tmp_path), first)
    assert sum(counted) == 40
    # In company, and without images.
    assert is_extracted(dataset, "colour", cache=tmp_path)
    assert not is_extracted(dataset, "colour+gist", cache=tmp_path)
    without = dataset._replace(images=None)
    np.testing.assert_array_equal(extract(without, "colour", cache=tmp_path), first)
    extract(dataset, "gist+colour", cache=tmp_path)
    assert sum(counted) == 40


def test_only_the_missing_block_is_made(tmp_path, counted):
    dataset = _dataset()
    first = extract(dataset, "colour", cache=tmp_path)
    _blocks(tmp_path)[1].unlink()
    counted.clear()
    assert not is_extracted(dataset, "colour", cache=tmp_path)
    np.testing.assert_array_equal(extract(dataset, "colour", cache=tmp_path), first)
    assert len(counted) == 1
    _blocks(tmp_path)[1].unlink()
    with pytest.raises(InputError, match=r"not all in .*load the data set with its images"):
        extract(dataset._replace(images=None), "colour", cache=tmp_path)


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "text"])
def test_a_damaged_block_is_told_and_made_anew(tmp_path, counted, capsys, damage):
    dataset = _dataset()
    first = extract(dataset, "colour", cache=tmp_path)
    path = _blocks(tmp_path)[2]
    content = path.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 64]) + content[middle + 1 :]
    path.write_bytes({"cut": content[:-9], "empty": b"", "flipped": flipped, "text": b"not features"}[damage])
    counted.clear()
    np.testing.assert_array_equal(extract(dataset, "colour", cache=tmp_path), first)
    assert len(counted) == 1
    said = capsys.readouterr().err
    assert f"{path} is damaged" in said
    assert said.count("\n") == 1
    np.testing.assert_array_equal(extract(dataset, "colour", cache=tmp_path), first)
    assert len(counted) == 1


def test_other_pictures_of_the_same_name_are_not_taken_for_these(tmp_path, counted, capsys):
    dataset = _dataset()
    extract(dataset, "colour", cache=tmp_path)
    changed = dataset.images.copy()
    changed[0] = 255 - changed[0]
    counted.clear()
    got = extract(dataset._replace(images=changed), "colour", cache=tmp_path)
    np.testing.assert_array_equal(got, colour(changed))
    assert len(counted) == 1
    assert "was made from other images" in capsys.readouterr().err


@pytest.mark.parametrize(
    "other", [{"name": "another"}, {"ids": np.array([f"x_{i}" for i in range(40)])}, {"version": "2"}]
)
def test_name_version_and_samples_are_part_of_the_key(tmp_path, counted, other):
    dataset = _dataset()
    extract(dataset, "colour", cache=tmp_path)
    counted.clear()
    version = other.get("version", "")
    fields = {key: value for key, value in other.items() if key != "version"}
    extract(dataset._replace(**fields), "colour", cache=tmp_path, version=version)
    assert sum(counted) == 40


def test_a_part_of_a_data_set_is_kept_for_itself(tmp_path):
    dataset = _dataset()
    whole = extract(dataset, "colour", cache=tmp_path)
    rows = np.arange(3, 30)
    part = Dataset(
        dataset.name,
        *(field[rows] for field in dataset[1:4]),
        dataset.class_names,
        images=dataset.images[rows],
    )
    np.testing.assert_array_equal(extract(part, "colour", cache=tmp_path), whole[rows])
    np.testing.assert_array_equal(extract(dataset, "colour", cache=tmp_path), whole)


def test_pictures_are_decoded_for_missing_blocks_alone(tmp_path):
    dataset = _dataset()

    class Decoded:
        rows = 0

        def __getitem__(self, rows):
            self.rows += len(rows)
            return dataset.images[rows]

    images = Decoded()
    lazy = dataset._replace(images=images)
    first = extract(lazy, "colour", cache=tmp_path)
    assert images.rows == 40
    _blocks(tmp_path)[0].unlink()
    np.testing.assert_array_equal(extract(lazy, "colour", cache=tmp_path), first)
    assert 40 < images.rows <= 48


def test_features_that_are_not_finite_are_named_and_not_kept(tmp_path, monkeypatch):
    from zsh_jax.features import colour as colours

    dataset = _dataset()
    bad = int(np.flatnonzero(dataset.source_splits == "train")[3])

    def damaged(images):
        rows = colour(images)
        rows[(images == dataset.images[bad]).all(axis=(1, 2, 3)), 5] = np.nan
        return rows

    monkeypatch.setattr(colours, "colour", damaged)
    with pytest.raises(InputError, match=rf"colour: 1 of 8 rows are not finite \(first: id 'id_{bad}'\)"):
        extract(dataset, "colour", cache=tmp_path)
    assert not is_extracted(dataset, "colour", cache=tmp_path)


def test_a_cache_that_cannot_be_written_is_told_before_pictures_are_looked_at(tmp_path, counted):
    occupied = tmp_path / "file"
    occupied.write_text("")
    with pytest.raises(InputError, match=r"cannot be written .*choose another --config\.features\.cache"):
        extract(_dataset(), "colour", cache=occupied)
    assert not counted


SLOW_COLOURS = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_feature_cache import _dataset
from zsh_jax.features import cache, colour
from zsh_jax.features.extract import extract
plain = colour.colour
cache.BLOCK = 8
colour.colour = lambda images: (time.sleep(0.2), plain(images))[1]
extract(_dataset(n=400), "colour", cache=sys.argv[2])
"""


def _kill_when_there_are(blocks, arguments, folder, patience):
    """Start a process, and end it with no chance to tidy up as soon as it has written some blocks."""
    process = subprocess.Popen([sys.executable, "-c", *arguments], stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + patience
    while len(_blocks(folder)) < blocks and time.monotonic() < until and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said
    return len(_blocks(folder))


def test_a_killed_extraction_goes_on_where_it_stopped(tmp_path, counted):
    arguments = (SLOW_COLOURS, str(Path(__file__).parent), str(tmp_path))
    there = _kill_when_there_are(3, arguments, tmp_path, patience=60)
    assert 3 <= there < 50
    dataset = _dataset(n=400)
    np.testing.assert_array_equal(extract(dataset, "colour", cache=tmp_path), colour(dataset.images))
    assert len(counted) == len(_blocks(tmp_path)) - there


CIFAR = """
import sys
import numpy as np
from zsh_jax.features import cache
from zsh_jax.features.extract import extract
sys.path.insert(0, sys.argv[1])
from test_feature_cache import _cifar10
cache.BLOCK = 8
extract(_cifar10(), "keras:MobileNetV2@random", cache=sys.argv[2], batch_size=8)
"""


def _cifar10():
    from zsh_jax.data.tfds_source import load_tfds

    whole = load_tfds("cifar10", data_dir=str(TFDS))
    rows = np.arange(0, len(whole.ids), 1000)  # 60 images of both splits
    fields = {key: getattr(whole, key)[rows] for key in ("ids", "source_splits", "labels", "images")}
    return whole._replace(**fields)


@pytest.mark.slow
def test_a_killed_extraction_of_real_pictures_by_a_network_equals_an_uninterrupted_one(tmp_path):
    if importlib.util.find_spec("keras") is None:
        pytest.skip("networks need the extra: pip install 'zsh_jax[backbone]'")
    if not TFDS.exists():
        pytest.skip(f"no real images: {TFDS} is missing")
    interrupted, whole = tmp_path / "interrupted", tmp_path / "whole"
    interrupted.mkdir()
    arguments = (CIFAR, str(Path(__file__).parent), str(interrupted))
    there = _kill_when_there_are(2, arguments, interrupted, patience=240)
    dataset = _cifar10()
    made = []
    resumed = extract(
        dataset,
        "keras:MobileNetV2@random",
        cache=interrupted,
        batch_size=8,
        progress=lambda *said: made.append(said),
    )
    assert 2 <= there < len(made)
    expected = extract(dataset, "keras:MobileNetV2@random", cache=whole, batch_size=8)
    np.testing.assert_allclose(resumed, expected, rtol=1e-4, atol=1e-5)
    assert resumed.shape == (60, 1280)
    assert np.ptp(resumed, axis=0).max() > 0
