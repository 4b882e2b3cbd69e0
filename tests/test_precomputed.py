"""Feature files joined by identifier: each row to its own sample, and every mismatch named."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsh_jax.data.dataset import Dataset
from zsh_jax.errors import InputError
from zsh_jax.features.precomputed import load_precomputed

SHARED = Path(__file__).parents[2] / "shared" / "data"
IDS = {"train": ["a", "b10", "c", "b2"], "test": ["a", "z"]}  # "a" twice: unique within a split alone
LABELS = [0, 1, 2, 1, 0, 2]


def _dataset(ids=None, labels=LABELS):
    splits = [split for split, of in IDS.items() for _ in of]
    ids = [name for of in IDS.values() for name in of] if ids is None else ids
    return Dataset("toy", np.array(ids), np.array(splits), np.array(labels, np.int32), ("x", "y", "z"))


def _feature(split, name):
    return [float(len(split)), float(sum(map(ord, name))), 0.5]


def _file(split, **changes):
    """What belongs into a file, its rows in another order than the data set's."""
    names = IDS[split][::-1]
    labels = dict(zip(zip(_dataset().source_splits, _dataset().ids, strict=True), LABELS, strict=True))
    return {
        "id": np.array(names),
        "features": np.array([_feature(split, name) for name in names], np.float16),
        "label": np.array([labels[split, name] for name in names]),
    } | changes


def _write(folder, **files):
    for split in IDS:
        arrays = files.get(split, _file(split))
        np.savez(
            folder / f"{split}.npz", **{key: array for key, array in arrays.items() if array is not None}
        )
    return folder


EXPECTED = np.array([_feature(split, name) for split in IDS for name in IDS[split]], np.float32)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.uint8])
def test_each_sample_gets_its_own_row_of_its_own_split(tmp_path, dtype):
    expected = EXPECTED.astype(dtype).astype(np.float32)
    files = {split: _file(split) for split in IDS}
    for split, arrays in files.items():
        arrays["features"] = np.array([_feature(split, name) for name in arrays["id"]]).astype(dtype)
    features = load_precomputed(_write(tmp_path, **files), _dataset())
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features, expected)


def test_labels_may_be_left_out_and_files_besides_are_not_read(tmp_path):
    _write(tmp_path, train=_file("train", label=None), test=_file("test", label=None))
    (tmp_path / "extra.npz").write_bytes(b"not read")
    np.testing.assert_array_equal(load_precomputed(str(tmp_path), _dataset()), EXPECTED)


def test_a_packed_file_is_read(tmp_path):
    _write(tmp_path)
    np.savez_compressed(tmp_path / "train.npz", **_file("train"))
    np.testing.assert_array_equal(load_precomputed(tmp_path, _dataset()), EXPECTED)


def test_identifiers_as_bytes_strings_or_numbers(tmp_path):
    for ours in (np.str_, np.bytes_):
        for theirs in (np.str_, np.bytes_):
            files = {split: _file(split, id=_file(split)["id"].astype(theirs)) for split in IDS}
            dataset = _dataset()._replace(ids=_dataset().ids.astype(ours))
            np.testing.assert_array_equal(load_precomputed(_write(tmp_path, **files), dataset), EXPECTED)
    numbers = _dataset(ids=["7", "10", "2", "33", "7", "8"])
    rows = {"train": [33, 2, 10, 7], "test": [8, 7]}
    files = {split: _file(split, id=np.array(of)) for split, of in rows.items()}
    np.testing.assert_array_equal(load_precomputed(_write(tmp_path, **files), numbers), EXPECTED)


def test_several_labels_a_sample(tmp_path):
    hot = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 1]], bool)
    dataset = _dataset()._replace(labels=hot)
    files = {
        "train": _file("train", label=hot[3::-1].astype(np.uint8)),
        "test": _file("test", label=hot[:3:-1]),
    }
    np.testing.assert_array_equal(load_precomputed(_write(tmp_path, **files), dataset), EXPECTED)
    files["train"]["label"][0] = [1, 0, 1]
    with pytest.raises(InputError, match=r"train\.npz: 1 of 4 labels disagree .*id b2"):
        load_precomputed(_write(tmp_path, **files), dataset)


@given(st.permutations(range(4)), st.permutations(range(6)))
def test_neither_the_order_of_the_file_nor_that_of_the_data_set_matters(tmp_path_factory, rows, samples):
    arrays = {key: array[list(rows)] for key, array in _file("train").items()}
    samples = list(samples)
    dataset = _dataset()
    shuffled = dataset._replace(
        ids=dataset.ids[samples], source_splits=dataset.source_splits[samples], labels=dataset.labels[samples]
    )
    folder = _write(tmp_path_factory.mktemp("features"), train=arrays)
    np.testing.assert_array_equal(load_precomputed(folder, shuffled), EXPECTED[samples])


MANY = np.array([f"n{i}" for i in range(5)])


def _infinite(dtype=np.float16, value=np.inf):
    features = _file("train")["features"].astype(dtype)
    features[1, 2] = value  # the row of "c"
    return features


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ({"features": None}, r"train.npz lacks features; it has id, label"),
        ({"id": None, "features": None}, r"lacks id and features"),
        (
            {"id": np.array(["b2", "c", "b10", "q"])},
            r"1 of 4 ids of toy, split train, .*\(a\) and 1 of 4 .*\(q\)",
        ),
        ({"id": np.array(["b2", "c", "b10", "c"])}, r"train.npz: 1 ids occur more than once \(c\)"),
        (
            {"id": MANY, "features": np.zeros((5, 3)), "label": None},
            r"4 of 4 ids of toy.*\(a, b10, b2, \.\.\.\) and 5 of 5 ids of the file.*\(n0, n1, n2, \.\.\.\)",
        ),
        (
            {"id": np.array(["c", "a"]), "features": np.zeros((2, 3)), "label": None},
            r"2 of 4 .*\(b10, b2\); fix: extract",
        ),
        ({"id": np.array([["b2", "c", "b10", "a"]])}, r"id must be \(n,\)"),
        ({"id": np.array([0.0, 1.0, 2.0, 3.0])}, r"id must be .* got float64"),
        ({"features": np.zeros((3, 3))}, r"4 rows of id but shape \(3, 3\) of features"),
        ({"features": np.zeros(4)}, r"features must be \(n, d\) real numbers; got float64 \(4,\)"),
        ({"features": np.zeros((4, 3), complex)}, r"got complex128"),
        ({"features": np.zeros((4, 0))}, r"got float64 \(4, 0\)"),
        ({"features": np.full((4, 3), "x")}, r"got <U1"),
        ({"features": np.zeros((4, 7))}, r"test.npz has features of length 3, train.npz of length 7"),
        ({"label": np.array([1, 2, 0, 0])}, r"1 of 4 labels disagree with toy \(id b10: 0 in the file, 1 in"),
        ({"label": np.array([1, 2, 0])}, r"4 rows of id but shape \(3,\) of label"),
        ({"label": np.array(3)}, r"4 rows of id but shape \(\) of label"),
        ({"label": np.eye(3)[[1, 2, 1, 0]]}, r"label is float64 \(4, 3\), but toy has int32 \(4,\)"),
        ({"label": np.array(["y", "z", "y", "x"])}, r"label is <U1"),
        ({"features": _infinite()}, r"features of 1 of 4 samples are not finite \(c\)"),
        ({"features": _infinite(value=np.nan)}, r"not finite \(c\)"),
        ({"features": _infinite(np.float64, 1e300)}, r"not finite \(c\)"),
        ({"features": np.zeros((4, 3), object)}, r"holds Python objects, which are never unpickled"),
        ({"id": np.array(["b2", "c", "b10", "a"], object)}, r"holds Python objects"),
    ],
)
def test_every_mismatch_is_named(tmp_path, train, said):
    folder = _write(tmp_path, train=_file("train", **train))
    with pytest.raises(InputError, match=said) as caught:
        load_precomputed(folder, _dataset())
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_identifiers_that_stand_twice_in_the_data_set_are_named(tmp_path):
    with pytest.raises(InputError, match=r"toy, split train: 1 ids occur more than once \(a\)"):
        load_precomputed(_write(tmp_path), _dataset(ids=["a", "a", "c", "b2", "a", "z"]))


def test_a_missing_folder_and_missing_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no folder .*none; fix: give a folder of \{split\}\.npz"):
        load_precomputed(tmp_path / "none", _dataset())
    with pytest.raises(InputError, match=r"lacks train\.npz, test\.npz"):
        load_precomputed(tmp_path, _dataset())


def test_a_file_cut_off_is_named(tmp_path):
    whole = (_write(tmp_path) / "test.npz").read_bytes()
    for kept in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "test.npz").write_bytes(whole[:kept])
        with pytest.raises(InputError, match=r"test\.npz is truncated or not an \.npz file"):
            load_precomputed(tmp_path, _dataset())


def test_a_file_with_changed_bytes_is_named(tmp_path):
    path = _write(tmp_path) / "test.npz"
    content = bytearray(path.read_bytes())
    place = content.index(_file("test")["features"].tobytes())
    content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"test\.npz is truncated or not an \.npz file"):
        load_precomputed(tmp_path, _dataset())


@pytest.mark.parametrize("content", ["npy", "pickle", "text"])
def test_other_files_are_refused(tmp_path, content):
    path = _write(tmp_path) / "test.npz"
    with path.open("wb") as file:
        if content == "npy":
            np.save(file, np.zeros((2, 3)))
        elif content == "pickle":
            np.array({"id": 0}, object).dump(file)
        else:
            file.write(b"id,features\n")
    with pytest.raises(
        InputError, match=r"test\.npz (holds Python objects|is truncated or not an \.npz file)"
    ):
        load_precomputed(tmp_path, _dataset())


def _in_parts(folder, ends=(0, 1, 4), kind="npz"):
    """The split "train" in parts, its rows in the order of the file."""
    arrays = _file("train")
    _write(folder)
    (folder / "train.npz").unlink()
    for number, (start, stop) in enumerate(pairwise(ends)):
        part = {key: array[start:stop] for key, array in arrays.items()}
        path = folder / f"train-{number:05d}-of-{len(ends) - 1:05d}.{kind}"
        if kind == "npz":
            np.savez(path, **part)
        else:
            _parquet(path, part)
    return folder


def _parquet(path, arrays):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {key: array.tolist() if array.ndim == 2 else array for key, array in arrays.items()}
    pq.write_table(pa.table(columns), path, row_group_size=2)


@pytest.mark.parametrize("kind", ["npz", "parquet"])
@pytest.mark.parametrize("ends", [(0, 4), (0, 1, 4), (0, 2, 3, 4)])
def test_a_split_in_parts_is_the_split(tmp_path, ends, kind, monkeypatch):
    monkeypatch.setattr("zsh_jax.data.blocks.BYTES", 1)  # one row at a time
    np.testing.assert_array_equal(load_precomputed(_in_parts(tmp_path, ends, kind), _dataset()), EXPECTED)


def test_a_split_in_one_parquet_file_and_one_stored_by_columns(tmp_path):
    _write(tmp_path, test=_file("test", features=np.asfortranarray(_file("test")["features"])))
    (tmp_path / "train.npz").unlink()
    _parquet(tmp_path / "train.parquet", _file("train"))
    np.testing.assert_array_equal(load_precomputed(tmp_path, _dataset()), EXPECTED)


def _rewritten(number, **changes):
    def write(folder):
        path = folder / f"train-{number:05d}-of-00002.npz"
        with np.load(path) as file:
            np.savez(
                path, **{key: value for key, value in (dict(file) | changes).items() if value is not None}
            )

    return write


WRONG_PARTS = {
    "missing": (
        lambda folder: (folder / "train-00001-of-00002.npz").unlink(),
        r"has 1 of 2 parts of train\.npz \(missing: 1\)",
    ),
    "twice": (
        _rewritten(1, id=np.array(["b2", "b10", "c"])),
        r"train-\*\.npz: 1 ids occur more than once \(b2\)",
    ),
    "length": (_rewritten(1, features=np.zeros((3, 5))), "has features of length"),
    "rows": (
        _rewritten(1, features=np.zeros((2, 3))),
        r"00001-of-00002\.npz: 3 rows of id but shape \(2, 3\)",
    ),
    "label": (
        _rewritten(0, label=None),
        r"00001-of-00002\.npz has label and train-00000-of-00002\.npz has none",
    ),
    "NaN": (_rewritten(1, features=np.full((3, 3), np.nan)), r"features of 3 of 4 samples are not finite"),
    "both": (
        lambda folder: np.savez(folder / "train.npz", **_file("train")),
        r"has train\.npz and train-0000\d-of-00002\.npz; fix: leave one set",
    ),
}


@pytest.mark.parametrize("case", WRONG_PARTS)
def test_parts_that_do_not_fit_are_named(tmp_path, case):
    spoil, said = WRONG_PARTS[case]
    spoil(_in_parts(tmp_path))
    with pytest.raises(InputError, match=said):
        load_precomputed(tmp_path, _dataset())


def test_real_features_of_cifar10_tell_its_classes_apart():
    """Joined rightly, the mean feature of each class in one split classifies the other split."""
    from zsh_jax.data.tfds_source import load_tfds

    folder = SHARED / "features" / "cifar10" / "mobilenet_v1"
    if not folder.is_dir() or not (SHARED / "tfds").is_dir():
        pytest.skip(f"no real features: {folder} or {SHARED / 'tfds'} is missing")
    dataset = load_tfds("cifar10", data_dir=str(SHARED / "tfds"), images=False)
    features = load_precomputed(folder, dataset)
    assert features.shape == (60_000, 1024)
    train = dataset.source_splits == "train"
    means = np.stack([features[train & (dataset.labels == label)].mean(axis=0) for label in range(10)])
    test = features[~train]
    nearest = (2 * test @ means.T - (means**2).sum(axis=1)).argmax(axis=1)
    assert (nearest == dataset.labels[~train]).mean() > 0.5  # by chance 0.1
