"""A sound file for each reader, and what must hold of the result: `CASES`, for tests that damage them."""

import gzip
import io
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from damaged_files import finite
from PIL import Image
from scipy.io import savemat
from scipy.sparse import csc_matrix

from zsh_jax.data.checked import checked
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files import load_features
from zsh_jax.data.images import check_whole, square
from zsh_jax.data.inventory import kept_features
from zsh_jax.data.mirflickr.read import read_archive
from zsh_jax.data.nuswide import load_nuswide
from zsh_jax.data.semantics import word_vectors
from zsh_jax.data.semantics.attribute_files import attribute_file_vectors
from zsh_jax.data.text import read_names
from zsh_jax.features.cache import read_block, write_block
from zsh_jax.features.precomputed import load_precomputed

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(7, 4)).astype(np.float32)
LABELS = np.array([0, 1, 2, 1, 0, 2, 2])
IDS = np.array([f"im{row}" for row in range(7)])
NAMES = ("cat", "dog", "sea lion")
WORDS = {
    "cat": [3.0, 4.5, 0.25],
    "dog": [0.5, -2.0, 0.125],
    "sea": [0.25, 0.5, 5.0],
    "lion": [1.0, -0.5, 2.0],
}
DATASET = Dataset("set", IDS, np.full(7, "train"), LABELS.astype(np.int32), NAMES)


class Case(NamedTuple):
    """A reader and a file for it.

    Attributes:
        content: of the sound file.
        file: its path in a folder of its own.
        read: gives what is read from that path.
        check: asserts what holds of it.
        beside: writes what else must be in the folder.
    """

    content: bytes
    file: str
    read: Any
    check: Any
    beside: Any = None


def _saved(save, *args, **kwargs):
    file = io.BytesIO()
    save(file, *args, **kwargs)
    return file.getvalue()


def _is_dataset(dataset):
    dataset = checked(dataset)
    finite(dataset.features)
    assert dataset.features.dtype == np.float32
    assert (
        len(dataset.features)
        == len(dataset.labels)
        == len(set(zip(dataset.source_splits.tolist(), dataset.ids.tolist(), strict=True)))
    )
    if dataset.labels.ndim == 1:
        assert dataset.labels.dtype == np.int32


def _hdf5():
    h5py = pytest.importorskip("h5py")
    file = io.BytesIO()
    with h5py.File(file, "w", userblock_size=512) as written:
        written.create_dataset("X", data=FEATURES.T, compression="gzip")
        written["Y"] = (LABELS + 1.0)[None]
    content = file.getvalue()
    return b"MATLAB 7.3 MAT-file".ljust(512) + content[512:]


def _cells(names):
    cells = np.empty((len(names), 1), object)
    cells[:, 0] = names
    return cells


def _glove():
    return "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in WORDS.items()).encode()


def _binary():
    rows = [word.encode() + b" " + np.array(row, "<f4").tobytes() + b"\n" for word, row in WORDS.items()]
    return b"4 3\n" + b"".join(rows)


def _unit(rows):
    finite(rows)
    assert rows.shape[0] == 3
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def _words(path):
    return word_vectors(path, NAMES)


def _attributes(path):
    return attribute_file_vectors(path, NAMES)


def _picture(format_):
    smooth = Image.fromarray(RNG.integers(0, 256, (3, 4, 3), np.uint8)).resize(
        (40, 30), Image.Resampling.BICUBIC
    )
    return _saved(
        smooth.save, format_, exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    )


def _look(path):
    check_whole(path)
    return square(path, 8)


def _is_square(image):
    assert image.shape == (8, 8, 3)
    assert image.dtype == np.uint8


def _block():
    folder = Path(__import__("tempfile").mkdtemp())
    write_block(folder / "block", FEATURES, "pixels")
    content = (folder / "block").read_bytes()
    shutil.rmtree(folder)
    return content


def _is_block(features):
    assert features is None or np.array_equal(features, FEATURES)  # its checksum is in the file


def _parquet():
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    table = pa.table({"features": list(FEATURES), "labels": LABELS, "id": IDS})
    pq.write_table(table, file, row_group_size=4, write_page_checksum=True)
    return file.getvalue()


def _nuswide(path):
    for split in ("Train", "Test"):
        for name in ("cat", "dog"):
            (path / "Groundtruth/TrainTestLabels").mkdir(parents=True, exist_ok=True)
            (path / f"Groundtruth/TrainTestLabels/Labels_{name}_{split}.txt").write_bytes(b"1\r\n0\r\n0\r\n")
        (path / "ImageList").mkdir(exist_ok=True)
        (path / f"ImageList/{split}Imagelist.txt").write_bytes(b"a\\1.jpg\r\nb\\2.jpg\r\nc\\3.jpg\r\n")
        (path / "Low_Level_Features").mkdir(exist_ok=True)
        (path / f"Low_Level_Features/{split}_Normalized_CH.dat").write_bytes(
            b"0.5 0.25 \n1 0.125 \n0.75 1e-3 \n"
        )


def _mirflickr(path):
    for number in range(1, 4):
        (path / "mirflickr").mkdir(exist_ok=True)
        (path / f"mirflickr/im{number}.jpg").write_bytes(b"")
    (path / "annotations").mkdir(exist_ok=True)
    (path / "annotations/sky.txt").write_bytes(b"1\n3\n")


def _root(levels, read):
    return lambda path: read(path.parents[levels])


CASES = {
    "npz": Case(
        _saved(np.savez_compressed, features=FEATURES, labels=LABELS, id=IDS),
        "f.npz",
        load_features,
        _is_dataset,
    ),
    "npz stored": Case(
        _saved(np.savez, features=FEATURES, labels=LABELS, id=IDS), "f.npz", load_features, _is_dataset
    ),
    "npy": Case(
        _saved(np.save, FEATURES),
        "f.npy",
        load_features,
        _is_dataset,
        lambda folder: np.save(folder / "f.labels.npy", LABELS),
    ),
    "npy labels": Case(
        _saved(np.save, LABELS),
        "f.labels.npy",
        lambda path: load_features(path.with_name("f.npy")),
        _is_dataset,
        lambda folder: np.save(folder / "f.npy", FEATURES),
    ),
    "mat": Case(_saved(savemat, {"X": FEATURES, "Y": LABELS + 1.0}), "f.mat", load_features, _is_dataset),
    "mat packed": Case(
        _saved(savemat, {"X": FEATURES, "Y": LABELS + 1.0}, do_compression=True),
        "f.mat",
        load_features,
        _is_dataset,
    ),
    "mat 4": Case(
        _saved(savemat, {"X": FEATURES, "Y": LABELS + 1.0}, format="4"), "f.mat", load_features, _is_dataset
    ),
    "mat sparse": Case(
        _saved(savemat, {"X": FEATURES, "Y": csc_matrix(np.eye(3)[LABELS])}),
        "f.mat",
        load_features,
        _is_dataset,
    ),
    "mat 7.3": Case(_hdf5(), "f.mat", load_features, _is_dataset),
    "parquet": Case(_parquet(), "f.parquet", load_features, _is_dataset),
    "class names": Case(
        "狐狸\npâté\nsea lion\n".encode(), "classes.txt", read_names, lambda names: len(set(names))
    ),
    "precomputed": Case(
        _saved(np.savez, features=FEATURES, label=LABELS, id=IDS.astype("S")),
        "train.npz",
        lambda path: load_precomputed(path.parent, DATASET),
        finite,
    ),
    "GloVe": Case(_glove(), "words.txt", _words, _unit),
    "word2vec text": Case(b"4 3\n" + _glove(), "words.txt", _words, _unit),
    "word2vec binary": Case(_binary(), "words.bin", _words, _unit),
    "word2vec packed": Case(gzip.compress(_binary()), "words.bin.gz", _words, _unit),
    "attributes csv": Case(
        b"name,a,b\ncat,1,2.5\ndog,0.5,1\nsea lion,1e-1,-2\n", "t.csv", _attributes, _unit
    ),
    "attributes txt": Case(b"cat 1 2.5\ndog 0.5 1\nsea_lion 1e-1 -2\n", "t.txt", _attributes, _unit),
    "attributes mat": Case(
        _saved(savemat, {"att": FEATURES[:3].T, "allclasses_names": _cells(NAMES)}),
        "t.mat",
        _attributes,
        _unit,
    ),
    "attributes npy": Case(_saved(np.save, FEATURES[:3]), "t.npy", _attributes, _unit),
    "jpg": Case(_picture("JPEG"), "p.jpg", _look, _is_square),
    "png": Case(_picture("PNG"), "p.png", _look, _is_square),
    "features block": Case(_block(), "000000.safetensors", lambda path: read_block(path, 7, None), _is_block),
    "features key": Case(
        json.dumps({"dataset": "set", "split": "train", "name": "gist"}).encode(),
        "a/b/c/key.json",
        lambda path: list(kept_features(path.parents[3])),
        lambda lines: all(isinstance(line, str) for line in lines),
    ),
    "NUS-WIDE labels": Case(
        b"1\r\n0\r\n1\r\n",
        "Groundtruth/TrainTestLabels/Labels_cat_Train.txt",
        _root(2, load_nuswide),
        _is_dataset,
        _nuswide,
    ),
    "NUS-WIDE list": Case(
        b"a\\1.jpg\r\nb\\2.jpg\r\nc\\3.jpg\r\n",
        "ImageList/TrainImagelist.txt",
        _root(1, load_nuswide),
        _is_dataset,
        _nuswide,
    ),
    "NUS-WIDE features": Case(
        b"0.5 0.25 \n1 0.125 \n0.75 1e-3 \n",
        "Low_Level_Features/Train_Normalized_CH.dat",
        _root(1, load_nuswide),
        _is_dataset,
        _nuswide,
    ),
    "MIRFlickr": Case(
        b"1\r\n3\r\n",
        "annotations/sky.txt",
        _root(1, lambda folder: read_archive(folder, ("sky",))),
        lambda archive: finite(archive.labels, kind="b"),
        _mirflickr,
    ),
}
