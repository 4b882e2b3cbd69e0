"""Folders of TFDS as they are found: not prepared, damaged or indexed; what is wrong is said in plain words."""

import json
import os
import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds
from tiny_images import ROWS, prepare

from zsh_jax.data.row_index import cached_path, index_path, read_index
from zsh_jax.data.rows import index_rows
from zsh_jax.data.tfds_source import load_tfds, open_tfds
from zsh_jax.errors import InputError

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("tfds"))


@pytest.fixture
def copied(prepared, tmp_path):
    """A copy to damage, and its version folder."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return str(tmp_path), tmp_path / "tiny_images" / "1.2.0"


def _refused(*args, **kwargs):
    with pytest.raises(InputError) as caught:
        load_tfds(*args, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_not_prepared_comes_with_the_command_that_prepares_it(prepared, tmp_path):
    said = _refused("cifar10", data_dir=prepared)
    assert f"cifar10 is not prepared in {prepared}" in said
    call = (
        f"tfds.builder('cifar10', data_dir='{prepared}', file_format='array_record').download_and_prepare()"
    )
    assert call in said
    missing = tmp_path / "none"
    said = _refused("cifar10", data_dir=str(missing))
    assert f"no folder {missing}" in said
    assert f"data_dir='{missing}'" in said


def test_the_command_is_python_that_asks_tfds_toprepare(prepared, monkeypatch):
    """Run it with TFDS's builder replaced."""
    said = _refused("cifar10", data_dir=prepared)
    script = said.split('python -c "')[1].removesuffix('"')
    asked = []

    class Fake:
        def __init__(self, *args, **kwargs):
            asked.append((args, kwargs))

        def download_and_prepare(self):
            asked.append("prepared")

    monkeypatch.setattr(tfds, "builder", Fake)
    exec(script, {})
    assert asked == [(("cifar10",), {"data_dir": prepared, "file_format": "array_record"}), "prepared"]


def test_the_default_folder_is_that_of_tfds(monkeypatch, tmp_path):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    said = _refused("cifar10")
    assert f"cifar10 is not prepared in {tmp_path}" in said
    assert "data_dir='" not in said
    prepare(tmp_path)
    assert len(load_tfds("tiny_images").ids) == 8


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cifar01", "TFDS has no 'cifar01'; nearest: cifar10"),
        ("tiny_images:7.0.0", "holds 1.2.0, not tiny_images:7.0.0"),
        ("tiny_images/large", "holds 1.2.0, not tiny_images/large"),
        ("../tiny", "fix: write NAME/CONFIG:VERSION"),
        ("", "fix: write NAME/CONFIG:VERSION"),
    ],
)
def test_a_wrong_name_is_answered(prepared, name, said):
    assert said in _refused(name, data_dir=prepared)


def test_what_a_broken_preparation_leaves_is_not_a_data_set(tmp_path):
    (tmp_path / "cifar10" / "3.0.2.incompleteAB12CD").mkdir(parents=True)
    assert "cifar10 is not prepared" in _refused("cifar10", data_dir=str(tmp_path))


@pytest.mark.parametrize("other", ["tfrecord", "parquet"])
def test_another_file_format_is_to_be_prepared_again_elsewhere(copied, other):
    folder, version = copied
    description = json.loads((version / "dataset_info.json").read_text())
    (version / "dataset_info.json").write_text(json.dumps(description | {"fileFormat": other}))
    said = _refused("tiny_images", data_dir=folder)
    assert f"prepared as {other}" in said
    assert f"data_dir='{folder}/array_record'" in said


def _empty(version):
    """Overwrite the records with zeros, with size and time as they were."""
    for shard in version.glob("*array_record*"):
        stat = shard.stat()
        shard.write_bytes(bytes(stat.st_size))
        os.utime(shard, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _assert_same_rows(one, other):
    for field in ("ids", "source_splits", "labels"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


def test_an_index_gives_the_same_rows_without_the_records(copied, monkeypatch, tmp_path):
    folder, version = copied
    before = load_tfds("tiny_images", data_dir=folder, images=False)
    builder = open_tfds("tiny_images", folder)
    for split in ROWS:
        index_rows(builder, split)
    _empty(version)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "nothing"))
    _assert_same_rows(load_tfds("tiny_images", data_dir=folder, images=False), before)


def test_what_was_read_once_is_read_from_the_cache(copied, monkeypatch, tmp_path):
    folder, version = copied
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = load_tfds("tiny_images", data_dir=folder, images=False)
    builder = open_tfds("tiny_images", folder)
    _empty(version)
    _assert_same_rows(load_tfds("tiny_images", data_dir=folder, images=False), before)
    for shard in version.glob("*array_record*"):
        shard.touch()
    assert all(read_index(builder, split) is None for split in ROWS)


def test_a_cache_that_cannot_be_written_is_no_matter(copied, monkeypatch, tmp_path):
    folder, _ = copied
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(load_tfds("tiny_images", data_dir=folder, images=False).ids) == sum(ROWS.values())


@pytest.mark.parametrize("change", ["files", "index"])
def test_an_index_of_other_files_or_a_damaged_one_is_not_believed(copied, change):
    folder, version = copied
    builder = open_tfds("tiny_images", folder)
    index_rows(builder, "train")
    if change == "files":
        next(version.glob("*train.array_record*")).touch()
    else:
        for path in (index_path(builder, "train"), cached_path(builder, "train")):
            os.truncate(path, 100)
    assert read_index(builder, "train") is None
    assert len(load_tfds("tiny_images", data_dir=folder).ids) == 8


# Cut at a multiple of 65,536 bytes, a file opens as if it held nothing.
@pytest.mark.parametrize("kept", [0, 100, 65_536, 65_537, 100_000])
def test_a_file_cut_off_is_named(copied, kept):
    folder, version = copied
    shard = next(version.glob("*test.array_record*"))
    assert shard.stat().st_size > kept
    os.truncate(shard, kept)
    said = _refused("tiny_images", data_dir=folder, images=False)
    assert f"{shard} is truncated or damaged" in said


def test_a_missing_file_is_named(copied):
    folder, version = copied
    shard = next(version.glob("*train.array_record*"))
    shard.unlink()
    assert f"{shard} is missing" in _refused("tiny_images", data_dir=folder, images=False)


def test_a_file_with_too_few_rows_is_named(copied):
    """The test file in the place of the training file: whole, but not what the description says."""
    folder, version = copied
    train, test = (next(version.glob(f"*{split}.array_record*")) for split in ROWS)
    shutil.copyfile(test, train)
    assert f"{train} is truncated or damaged" in _refused("tiny_images", data_dir=folder)


@pytest.mark.parametrize("content", ["", "{", '{"name": 3}'])
def test_a_garbled_description_is_named(copied, content):
    folder, version = copied
    (version / "dataset_info.json").write_text(content)
    assert "cannot be opened" in _refused("tiny_images", data_dir=folder)
