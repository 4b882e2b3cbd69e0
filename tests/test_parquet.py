"""Features in Parquet: columns of lists as matrices, by row groups; what does not fit is named with its row."""

import numpy as np
import pytest

from zsh_jax.data.feature_files import Keys, load_features
from zsh_jax.data.parquet import parquet_blocks, read_parquet
from zsh_jax.errors import InputError

pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

FEATURES = np.random.default_rng(0).normal(size=(23, 4)).astype(np.float32)
LABELS = np.arange(23) % 3
WORDS = np.array(["cat", "dog", "owl"])[LABELS]
HOT = np.random.default_rng(1).random((23, 3)) < 0.5


def _lists(kind, values=FEATURES):
    return pa.array(list(values), kind)


def _write(folder, features, labels=LABELS, **columns):
    path = folder / "set.parquet"
    table = pa.table({"features": features, "labels": labels, **columns})
    pq.write_table(table, path, row_group_size=5)
    return path


FORMS = {
    "lists": (_lists(pa.list_(pa.float32())), np.float32),
    "large lists": (_lists(pa.large_list(pa.float64())), np.float64),
    "fixed lists": (_lists(pa.list_(pa.float32(), 4)), np.float32),
    "half": (_lists(pa.list_(pa.float16()), FEATURES.astype(np.float16)), np.float16),
    "whole numbers": (_lists(pa.list_(pa.int8()), (20 * FEATURES).astype(np.int8)), np.int8),
    "tensors": (
        pa.FixedShapeTensorArray.from_numpy_ndarray(FEATURES),
        np.float32,
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_column_of_lists_is_a_matrix(tmp_path, form):
    column, dtype = FORMS[form]
    dataset = load_features(_write(tmp_path, column))
    expected = (20 * FEATURES).astype(np.int8) if dtype == np.int8 else FEATURES.astype(dtype)
    np.testing.assert_array_equal(dataset.features, expected.astype(np.float32))
    np.testing.assert_array_equal(dataset.labels, LABELS)
    assert dataset.features.dtype == np.float32


@pytest.mark.parametrize("rows", [1, 4, 7, 1000])
def test_blocks_of_any_size_are_the_matrix(tmp_path, monkeypatch, rows):
    monkeypatch.setattr("zsh_jax.data.blocks.BYTES", 4 * 4 * rows)
    blocks = parquet_blocks(_write(tmp_path, FORMS["lists"][0]), "features")
    out = np.zeros(blocks.shape, blocks.dtype)
    sizes = [len(values) for place, values in blocks.pieces() if out.__setitem__(place, values) is None]
    np.testing.assert_array_equal(out, FEATURES)
    assert max(sizes) <= rows


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (pa.array(WORDS), LABELS),
        (pa.array(WORDS).dictionary_encode(), LABELS),
        (pa.array(LABELS, pa.uint8()), LABELS),
        (pa.array(LABELS.astype(float)), LABELS),
        (pa.array(list(HOT)), HOT),
        (pa.array(list(HOT.astype(np.int64)), pa.list_(pa.int64())), HOT),
    ],
    ids=["strings", "categories", "uint8", "whole floats", "booleans", "zeros and ones"],
)
def test_labels_are_numbers_strings_or_zeros_and_ones(tmp_path, labels, expected):
    dataset = load_features(_write(tmp_path, FORMS["lists"][0], labels))
    np.testing.assert_array_equal(dataset.labels, expected)


def test_columns_of_any_name_with_ids(tmp_path):
    ids = [f"photo {row}" for row in range(23)]
    path = _write(
        tmp_path, FORMS["lists"][0], id=ids, vector=_lists(pa.list_(pa.float32()), -FEATURES), kind=WORDS
    )
    dataset = load_features(path, keys=Keys(("vector",), ("kind",), ("id",)))
    np.testing.assert_array_equal(dataset.features, -FEATURES)
    assert dataset.class_names == ("cat", "dog", "owl")
    assert dataset.ids.tolist() == ids
    assert read_parquet(path, "labels").tolist() == LABELS.tolist()


def _spoilt(row, value):
    rows = FEATURES.tolist()
    rows[row] = value
    return rows


WRONG = {
    "ragged": ({"features": _spoilt(13, [1.0] * 5)}, r"column features: row 13 has 5 values, .* have 4"),
    "an empty list": ({"features": _spoilt(6, [])}, r"row 6 has 0 values, rows before it have 4"),
    "no list": ({"features": _spoilt(17, None)}, "column features: row 17 has no value"),
    "no value": ({"features": _spoilt(17, [1.0, None, 2.0, 3.0])}, "column features: row 17 has no value"),
    "NaN": ({"features": _spoilt(9, [1.0, np.nan, 2.0, 3.0])}, r"not finite \(first: row 9\)"),
    "infinite": ({"features": _spoilt(9, [1.0, 1e300, 2.0, 3.0])}, r"not finite \(first: row 9\)"),
    "numbers alone": ({"features": LABELS}, r"must be \(n, d\) real numbers; got int64 \(23,\)"),
    "strings": (
        {"features": [["a", "b"]] * 23},
        "holds lists of string; fix: save numbers, strings, or lists",
    ),
    "lists of lists": ({"features": [[[1.0]]] * 23}, "holds lists of list<"),
    "dates": ({"labels": pa.array([0] * 23, pa.date32())}, r"column labels holds date32\[day\]; fix: save"),
    "no label": ({"labels": pa.array([None, *LABELS[1:].tolist()])}, "column labels: row 0 has no value"),
    "ragged labels": ({"labels": [[1]] * 22 + [[0, 2]]}, "column labels: row 22 has 2 values"),
    "no rows": ({"features": pa.array([], pa.list_(pa.float32())), "labels": []}, r"must be \(n, d\)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_named_with_its_row(tmp_path, case):
    changes, said = WRONG[case]
    path = _write(tmp_path, **({"features": FORMS["lists"][0]} | changes))
    with pytest.raises(InputError, match=said) as caught:
        load_features(path)
    assert "set.parquet" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_columns_come_with_those_there_are(tmp_path):
    path = _write(tmp_path, FORMS["lists"][0])
    with pytest.raises(InputError, match=r"set\.parquet has no array 'pool5'; it has features, labels"):
        load_features(path, keys=Keys(("pool5",), ("labels",)))


def test_parts_of_other_types_are_joined_and_of_another_length_refused(tmp_path):
    half = _lists(pa.list_(pa.float64()), FEATURES[10:])
    pq.write_table(
        pa.table({"features": list(FEATURES[:10]), "labels": LABELS[:10]}), tmp_path / "f-9.parquet"
    )
    pq.write_table(pa.table({"features": half, "labels": LABELS[10:]}), tmp_path / "f-10.parquet")
    dataset = load_features(tmp_path)
    np.testing.assert_array_equal(dataset.features, FEATURES)
    pq.write_table(pa.table({"features": list(FEATURES[:, :2]), "labels": LABELS}), tmp_path / "f-11.parquet")
    with pytest.raises(InputError, match=r"4 in .*f-10\.parquet, 2 in .*f-11\.parquet"):
        load_features(tmp_path)


def test_without_pyarrow_it_says_what_reads_the_file(tmp_path, monkeypatch):
    path = _write(tmp_path, FORMS["lists"][0])
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r"needs pyarrow; fix: pip install -e '\.\[parquet\]'"):
        load_features(path)
