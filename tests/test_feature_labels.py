"""Which name a number of a class stands for, and which numbers are refused because they stand for none."""

import numpy as np
import pytest
from scipy.io import savemat

from zsh_jax.data.feature_files import load_features
from zsh_jax.errors import InputError
from zsh_jax.features.precomputed import load_precomputed

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog")
FEATURES = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)


def _file(folder, kind, labels, *, named=True, **others):
    if named:
        (folder / "classes.txt").write_text("\n".join(NAMES))
    arrays = {"features": FEATURES[: len(labels)], "labels": np.asarray(labels), **others}
    path = folder / f"part.{kind}"
    if kind == "mat":
        savemat(path, arrays)
    else:
        np.savez(path, **arrays)
    return path


def _names(path, **settings):
    dataset = load_features(path, **settings)
    return [dataset.class_names[label] for label in dataset.labels]


@pytest.mark.parametrize(
    ("kind", "labels", "first"),
    [
        ("mat", [1, 2, 3, 4, 5], 1),  # what was read as automobile to dog
        ("mat", [1, 3], 1),
        ("mat", [2, 6], 1),  # there are six names
        ("mat", [0, 1, 5], 0),
        ("npz", [0, 1, 5], 0),
        ("npz", [1, 2, 6], 1),
    ],
)
def test_numbers_get_the_names_they_were_given_by(tmp_path, kind, labels, first):
    assert _names(_file(tmp_path, kind, labels)) == [NAMES[label - first] for label in labels]


@pytest.mark.parametrize(("kind", "labels"), [("mat", [2, 5]), ("npz", [1, 5]), ("npz", [2, 3])])
def test_numbers_that_may_count_from_0_or_from_1_are_refused_until_it_is_said(tmp_path, kind, labels):
    path = _file(tmp_path, kind, labels)
    with pytest.raises(
        InputError, match=r"may count from 0 or from 1; fix: set --config\.dataset\.first_label=0"
    ):
        load_features(path)
    for first in (0, 1):
        assert _names(path, first_label=first) == [NAMES[label - first] for label in labels]
    with pytest.raises(InputError, match="must be 0 or 1; got 2"):
        load_features(path, first_label=2)


def test_numbers_without_names_are_called_by_themselves(tmp_path):
    assert _names(_file(tmp_path, "mat", [2, 5], named=False)) == ["class 2", "class 5"]


BAD = {
    "1e30": ([0, 1e30], r"row 1, label 1000000000000000019884624838656\)"),
    "beyond int32": ([1, 2**31], r"row 1, label 2147483648\)"),
    "beyond int64": (np.array([1, 2**63], np.uint64), r"row 1, label 9223372036854775808\)"),
    "negative": ([0, 3, -1], r"row 2, label -1\)"),
    "fraction": ([0.0, 0.5], r"not whole numbers \(first: row 1, 0\.5\)"),
    "NaN": ([0.0, np.nan], r"not whole numbers \(first: row 1, nan\)"),
    "infinite": ([0.0, np.inf], r"not whole numbers \(first: row 1, inf\)"),
    "bool": ([True, False], r"labels are true or false; fix: save class numbers"),
    "complex": ([1j, 0], r"got complex128"),
    "date": (np.array(["2020", "2021"], "datetime64[Y]"), r"got datetime64"),
    "duration": (np.array([1, 2], "timedelta64[s]"), r"got timedelta64"),
    "bytes that are not UTF-8": (
        np.array([b"cat", b"\xc1\xe7"]),
        r"label of row 1, line 1: byte 0xc1 is not UTF-8",
    ),
}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(("labels", "said"), BAD.values(), ids=BAD)
def test_labels_that_are_no_classes_are_refused_by_their_row(tmp_path, labels, said, named):
    with pytest.raises(InputError, match=said) as caught:
        load_features(_file(tmp_path, "npz", labels, named=named))
    assert "part.npz" in str(caught.value)


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([0.5, 0.7], r"id of row 0 is 0\.5"),
        ([1.0, np.nan], r"id of row 1 is nan"),
        ([1.0, 2.0**53], r"id of row 1 is 9007199254740992"),
        (np.array([1, 2**24], np.float32), r"id of row 1 is 16777216"),
        (np.array([b"a", b"\xff"]), r"id of row 1, line 1: byte 0xff is not UTF-8"),
        ([7, 7], r"1 ids occur more than once \(first: 7\)"),
        ([1j, 2j], r"ids must be \(n,\) strings or whole numbers; got complex128"),
    ],
)
def test_ids_are_kept_exactly_or_refused(tmp_path, ids, said):
    with pytest.raises(InputError, match=said):
        load_features(_file(tmp_path, "npz", [0, 1], ids=np.asarray(ids)))


@pytest.mark.parametrize(
    "ids", [[3.0, 2.0**53 - 1], [3, 2**63 - 1], np.array([3, 2**64 - 1], np.uint64), ["3", "x"]]
)
def test_ids_that_are_whole_stay_apart(tmp_path, ids):
    wanted = [str(int(value)) if not isinstance(value, str) else value for value in np.asarray(ids).tolist()]
    assert load_features(_file(tmp_path, "npz", [0, 1], ids=np.asarray(ids))).ids.tolist() == wanted


def test_precomputed_features_are_joined_by_exact_ids(tmp_path):
    path = _file(tmp_path, "npz", [0, 1], ids=np.array([b"a", b"b"]))
    dataset = load_features(path)
    np.savez(path, id=np.array([b"a", b"b\xff"]), features=FEATURES[:2])
    with pytest.raises(InputError, match=r"part\.npz: id of row 1, line 1: byte 0xff is not UTF-8"):
        load_precomputed(tmp_path, dataset)
