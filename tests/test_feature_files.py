"""Files of features: the same data set from each layout, nothing unpickled, and what is wrong named with its row."""

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix

from zsh_jax.data.feature_files import Keys, load_features
from zsh_jax.errors import InputError

FEATURES = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
LABELS = np.array([0, 1, 2, 1, 0, 2, 2])
HOT = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
NAMES = ("cat", "dog", "sea lion")
IDS = np.array([f"im{row}" for row in (5, 3, 9, 1, 7, 2, 8)])


def _named(folder, stem="set"):
    (folder / f"{stem}.classes.txt").write_text("\n".join(NAMES) + "\n")


def _npz(folder, **changes):
    arrays = {"features": FEATURES, "labels": LABELS, "id": IDS} | changes
    np.savez(folder / "set.npz", **{key: array for key, array in arrays.items() if array is not None})
    return folder / "set.npz"


def _hdf5(path, **arrays):
    """As MATLAB 7.3 writes: a header of 512 bytes, columns first, vectors as matrices."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            file[name] = np.atleast_2d(array).T if array.ndim == 2 else array[None]
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(512))
    return path


def _check(dataset, labels=LABELS):
    np.testing.assert_array_equal(dataset.features, FEATURES)
    assert dataset.features.dtype == np.float32
    np.testing.assert_array_equal(dataset.labels, labels)
    assert dataset.labels.dtype == (np.int32 if labels.ndim == 1 else np.bool_)


def test_npz(tmp_path):
    _named(tmp_path)
    dataset = load_features(_npz(tmp_path))
    _check(dataset)
    assert dataset.name == "set"
    assert dataset.class_names == NAMES
    assert dataset.ids.tolist() == IDS.tolist()
    assert set(dataset.source_splits) == {"set"}
    _check(load_features(_npz(tmp_path, labels=HOT)), HOT.astype(bool))


def test_npy_is_mapped_with_labels_and_ids_beside_it(tmp_path):
    _named(tmp_path, "vgg")
    np.save(tmp_path / "vgg.npy", FEATURES)
    np.save(tmp_path / "vgg.labels.npy", LABELS)
    np.save(tmp_path / "labels.npy", LABELS[::-1])  # of the folder: its own go first
    np.save(tmp_path / "ids.npy", np.arange(7))
    dataset = load_features(tmp_path / "vgg.npy")
    _check(dataset)
    assert isinstance(dataset.features, np.memmap)
    assert dataset.ids.tolist() == [str(row) for row in range(7)]


def test_a_folder_of_npz_files_one_a_split(tmp_path):
    np.savez(tmp_path / "train.npz", features=FEATURES[:4], labels=HOT[:4])
    np.savez(tmp_path / "test.npz", features=FEATURES[4:].astype(np.float64), labels=HOT[4:])
    (tmp_path / "labels.txt").write_text("\n".join(NAMES))
    dataset = load_features(tmp_path, name="mine")
    assert dataset.name == "mine"
    assert dataset.source_splits.tolist() == ["test"] * 3 + ["train"] * 4
    assert dataset.ids[:2].tolist() == ["test_00000", "test_00001"]
    np.testing.assert_array_equal(dataset.features, np.concatenate([FEATURES[4:], FEATURES[:4]]))
    np.testing.assert_array_equal(dataset.labels, np.concatenate([HOT[4:], HOT[:4]]).astype(bool))


@pytest.mark.parametrize("version", ["5", "7.3"])
@pytest.mark.parametrize("several", [False, True])
def test_matlab_counts_from_one_and_holds_vectors_as_matrices(tmp_path, version, several):
    _named(tmp_path)
    labels = HOT.astype(np.float64) if several else (LABELS + 1.0)[:, None]
    arrays = {"X": FEATURES, "Y": labels}
    if version == "5":
        savemat(tmp_path / "set.mat", arrays)
    else:
        _hdf5(tmp_path / "set.mat", **arrays)
    dataset = load_features(tmp_path / "set.mat")
    _check(dataset, HOT.astype(bool) if several else LABELS)
    assert dataset.class_names == NAMES


def test_matlab_with_training_and_test_rows_apart_and_samples_in_columns(tmp_path):
    savemat(
        tmp_path / "mir.mat",
        {"I_tr": FEATURES[:5].T, "L_tr": HOT[:5].T, "I_te": FEATURES[5:], "L_te": HOT[5:], "T_tr": HOT[:5]},
    )
    dataset = load_features(tmp_path / "mir.mat")
    _check(dataset, HOT.astype(bool))
    assert dataset.source_splits.tolist() == ["I_tr"] * 5 + ["I_te"] * 2
    assert dataset.class_names == ("class 0", "class 1", "class 2")


def test_matlab_with_sparse_labels(tmp_path):
    savemat(tmp_path / "nus.mat", {"XAll": FEATURES, "LAll": csc_matrix(HOT.astype(float))})
    _check(load_features(tmp_path / "nus.mat"), HOT.astype(bool))


def test_a_database_of_unclear_rows_is_asked_about(tmp_path):
    arrays = {"I_tr": FEATURES[:5], "L_tr": LABELS[:5], "I_te": FEATURES[5:], "L_te": LABELS[5:]}
    savemat(tmp_path / "mir.mat", arrays | {"I_db": FEATURES[:5], "L_db": LABELS[:5]})
    with pytest.raises(InputError, match="has I_db beside I_tr, I_te"):
        load_features(tmp_path / "mir.mat")
    dataset = load_features(tmp_path / "mir.mat", keys=Keys(("I_db", "I_te"), ("L_db", "L_te")))
    _check(dataset)


def test_arrays_of_any_name(tmp_path):
    np.savez(tmp_path / "set.npz", pool5=FEATURES, concept=LABELS, photo=IDS)
    dataset = load_features(tmp_path / "set.npz", keys=Keys(("pool5",), ("concept",), ("photo",)))
    _check(dataset)
    assert dataset.ids.tolist() == IDS.tolist()


def test_strings_name_their_classes_and_numbers_too(tmp_path):
    words = np.array(["dog", "cat"])[LABELS % 2]
    dataset = load_features(_npz(tmp_path, labels=words))
    assert [dataset.class_names[label] for label in dataset.labels] == words.tolist()
    dataset = load_features(_npz(tmp_path, labels=np.array([5, 9, 5, 9, 9, 7, 5])))
    assert dataset.class_names == ("class 5", "class 7", "class 9")
    assert dataset.labels.tolist() == [0, 2, 0, 2, 2, 1, 0]


def test_one_class_a_row_is_no_matter_of_several(tmp_path):
    dataset = load_features(_npz(tmp_path, labels=np.eye(3)[LABELS]))
    _check(dataset)


def _with(row, value, array=FEATURES):
    changed = array.astype(np.result_type(array, type(value))) if not isinstance(value, int) else array.copy()
    changed[row] = value
    return changed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"features": None},
            r"lacks an array with a usual name for features; it has labels, id; fix: name them with",
        ),
        ({"labels": None}, r"usual name for labels; it has features, id"),
        ({"features": FEATURES[:5]}, r"features of shape \(5, 4\) and labels of shape \(7,\)"),
        ({"features": FEATURES[:, 0]}, r"must be \(n, d\) real numbers; got float32 \(7,\)"),
        ({"features": FEATURES.astype(complex)}, r"got complex64|got complex128"),
        ({"features": FEATURES.astype("U4")}, r"got <U4"),
        ({"features": FEATURES.astype(object)}, r"holds Python objects, which are never unpickled"),
        ({"labels": LABELS.astype(object)}, r"holds Python objects"),
        ({"features": _with((3, 1), np.nan)}, r"not finite \(first: row 3\)"),
        ({"features": _with((3, 1), 1e300, FEATURES.astype(np.float64))}, r"not finite \(first: row 3\)"),
        ({"features": np.ones((7, 4))}, r"all 7 rows of features are equal"),
        (
            {"labels": _with(2, 3, LABELS)},
            r"1 of 7 labels are out of range \(first: row 2, label 3\).*0 to 2",
        ),
        ({"labels": _with(2, -1, LABELS)}, r"out of range \(first: row 2, label -1\)"),
        ({"labels": LABELS + 0.5}, r"7 of 7 labels are not whole numbers \(first: row 0, 0\.5\)"),
        (
            {"labels": _with((4, 1), 2, HOT)},
            r"labels of 1 of 7 rows are not all 0 or 1 \(first: row 4\)",
        ),
        ({"labels": HOT[:, :2]}, r"2 columns and there are 3 class names"),
        ({"labels": np.array(["cat"] * 6 + ["cow"])}, r"label 'cow' is not one of the 3 class names"),
        ({"id": IDS[:5]}, r"5 ids and 7 rows"),
        ({"id": np.array(["a"] * 7)}, r"1 ids occur more than once \(first: a\)"),
    ],
)
def test_every_mismatch_is_named(tmp_path, changes, said):
    _named(tmp_path)
    with pytest.raises(InputError, match=said) as caught:
        load_features(_npz(tmp_path, **changes))
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_that_are_not_there_come_with_those_that_are(tmp_path):
    with pytest.raises(InputError, match=r"has no array 'fc7'; it has features, labels, id"):
        load_features(_npz(tmp_path), keys=Keys(("fc7",), ("labels",)))
    with pytest.raises(InputError, match="1 arrays of features, 2 of labels"):
        load_features(_npz(tmp_path), keys=Keys(("features",), ("labels", "id")))


def test_features_of_several_lengths_are_named(tmp_path):
    np.savez(tmp_path / "a.npz", features=FEATURES, labels=LABELS)
    np.savez(tmp_path / "b.npz", features=FEATURES[:, :3], labels=LABELS)
    with pytest.raises(InputError, match=r"4 in .*a\.npz, 3 in .*b\.npz"):
        load_features(tmp_path)


@pytest.mark.parametrize("kind", ["npz", "npy", "mat", "hdf5"])
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9])
def test_a_file_cut_off_is_named(tmp_path, kind, kept):
    many = {"features": np.random.default_rng(0).normal(size=(500, 40)), "labels": np.arange(500) % 3}
    path = tmp_path / f"set.{'mat' if kind == 'hdf5' else kind}"
    if kind == "npz":
        np.savez(path, **many)
    elif kind == "npy":
        np.save(path, many["features"])
        np.save(tmp_path / "labels.npy", many["labels"])
    elif kind == "mat":
        savemat(path, many)
    else:
        _hdf5(path, **many)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match=rf"{path.name} (is truncated|lacks an array)") as caught:
        load_features(path)
    assert "\n" not in str(caught.value)


def test_missing_empty_and_other_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*none\.npz"):
        load_features(tmp_path / "none.npz")
    with pytest.raises(InputError, match=r"holds no \.npz, \.parquet, \.npy, \.mat or \.arrow file"):
        load_features(tmp_path)
    (tmp_path / "set.csv").write_text("1,2")
    with pytest.raises(
        InputError, match=r"set\.csv: features are read from \.npz, \.npy, \.parquet, \.mat, \.arrow files"
    ):
        load_features(tmp_path / "set.csv")


def test_a_mat_file_of_version_7_3_without_h5py_says_what_reads_it(tmp_path, monkeypatch):
    path = _hdf5(tmp_path / "set.mat", X=FEATURES, Y=LABELS)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(InputError, match=r"needs h5py; fix: pip install -e '\.\[mat\]'"):
        load_features(path)
