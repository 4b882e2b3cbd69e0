"""Data sets in several files: the same as in one file, in any layout, and never more memory than the result."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from bad_input import make_data, tiny_config
from scipy.io import savemat

from zsh_jax.commands.arguments import Setting
from zsh_jax.commands.values import apply
from zsh_jax.data.feature_files import Keys, load_features
from zsh_jax.data.feature_files.files import find_files, split_names
from zsh_jax.digest import digest
from zsh_jax.errors import InputError
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.layout import lay_out
from zsh_jax.tracking.results import cell_id

FEATURES = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
LABELS = np.arange(30) % 3
IDS = np.array([f"im{row}" for row in range(30)])
ENDS = (0, 7, 8, 20, 30)  # of the parts; one has a single row


def _npz(path, rows, **changes):
    arrays = {"features": FEATURES[rows], "labels": LABELS[rows]} | changes
    np.savez(path, **arrays)


def _npy(path, rows):
    np.save(path, FEATURES[rows])
    np.save(path.with_suffix(".labels.npy"), LABELS[rows])


def _columns(path, rows):
    np.savez_compressed(path, features=np.asfortranarray(FEATURES[rows]), labels=LABELS[rows])


def _mat(path, rows):
    savemat(path, {"X": FEATURES[rows].T, "Y": LABELS[rows] + 0.0}, do_compression=True)


def _parquet(path, rows):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table({"features": list(FEATURES[rows]), "labels": LABELS[rows]})
    pq.write_table(table, path, row_group_size=3)


KINDS = {"npz": _npz, "npz by columns": _columns, "npy": _npy, "mat": _mat, "parquet": _parquet}


def _parts(folder, kind, name="features-{}", ends=ENDS):
    """Numbered 8, 9, 10, 11: in the order of the alphabet 10 comes first."""
    made = []
    for number, rows in enumerate(pairwise(ends), 8):
        made.append(folder / f"{name.format(number)}.{kind.split()[0]}")
        KINDS[kind](made[-1], slice(*rows))
    return made


def _identity(dataset):
    """What the fingerprints of a sweep are made of."""
    labels = digest(dataset.labels, dataset.class_names, dataset.ids, dataset.source_splits)
    return dataset.name, labels, digest(dataset.features)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    _npz(folder / "features.npz", slice(None))
    return load_features(folder / "features.npz")


@pytest.mark.parametrize("kind", KINDS)
def test_parts_are_the_whole_in_their_natural_order(tmp_path, kind, whole):
    made = _parts(tmp_path, kind)
    for place in (tmp_path / f"features-*.{kind.split()[0]}", made, tuple(map(str, made))):
        dataset = load_features(place)
        np.testing.assert_array_equal(dataset.features, FEATURES)
        assert dataset.features.ctypes.data % 64 == 0  # read by JAX where it is
        assert _identity(dataset) == _identity(whole)
    assert _identity(load_features(tmp_path, name="features")) == _identity(whole)  # a folder


def test_a_folder_of_numbered_parts_of_two_splits(tmp_path):
    for split, rows in (("train", slice(0, 20)), ("test", slice(20, 30))):
        half = (rows.start + rows.stop) // 2
        _npz(tmp_path / f"{split}-00000-of-00002.npz", slice(rows.start, half))
        _npz(tmp_path / f"{split}-00001-of-00002.npz", slice(half, rows.stop))
    parts = load_features(tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    _npz(tmp_path / "train.npz", slice(0, 20))
    _npz(tmp_path / "test.npz", slice(20, 30))
    assert _identity(parts) == _identity(load_features(tmp_path))
    assert dict(zip(*np.unique(parts.source_splits, return_counts=True), strict=True)) == {
        "test": 10,
        "train": 20,
    }


def test_other_rows_or_another_order_are_other_data(tmp_path, whole):
    made = _parts(tmp_path, "npz")
    turned = load_features(made[::-1])
    assert _identity(turned) != _identity(whole)
    np.testing.assert_array_equal(turned.features[:10], FEATURES[20:])
    changed = FEATURES[8:20].copy()
    changed[5, 2] += 1
    _npz(made[2], slice(8, 20), features=changed)
    assert _identity(load_features(made)) != _identity(whole)


@pytest.mark.parametrize(
    ("stems", "splits"),
    [
        (("a-1", "a-2"), ("a", "a")),
        (("a_part-1", "a_part-10"), ("a", "a")),
        (("part1", "part2"), ("part", "part")),
        (("train-00000-of-00001",), ("train",)),
        (("gist_512", "vgg_4096"), ("gist_512", "vgg_4096")),  # no fellows: numbers of another kind
        (("train2017", "val2017"), ("train2017", "val2017")),
        (("fold1", "fold2"), ("fold1", "fold2")),
        (("0", "1"), ("0", "1")),
    ],
)
def test_what_is_a_part(stems, splits):
    assert tuple(split_names(stems)) == splits


def test_one_file_of_a_name_like_a_part_keeps_it_and_a_mapped_file_stays_in_place(tmp_path):
    _npy(tmp_path / "features-3.npy", slice(None))
    dataset = load_features(tmp_path / "features-3.npy")
    assert isinstance(dataset.features, np.memmap)
    assert set(dataset.source_splits) == {"features-3"}


def test_ids_are_unique_over_the_parts_of_a_split(tmp_path):
    _npz(tmp_path / "a-1.npz", slice(0, 9), id=IDS[:9])
    _npz(tmp_path / "a-2.npz", slice(9, 30), id=IDS[9:])
    assert load_features(tmp_path).ids.tolist() == IDS.tolist()
    _npz(tmp_path / "a-2.npz", slice(9, 30), id=np.roll(IDS, 4)[9:])
    with pytest.raises(
        InputError, match=r"a-1\.npz to .*a-2\.npz: 4 ids occur more than once \(first: im5\)"
    ):
        load_features(tmp_path)
    _npz(tmp_path / "a-2.npz", slice(9, 30))
    with pytest.raises(InputError, match=r"a-1\.npz has ids and .*a-2\.npz has none; fix: make"):
        load_features(tmp_path)


def test_class_names_are_those_of_the_parts(tmp_path):
    _parts(tmp_path, "npz")
    (tmp_path / "features.classes.txt").write_text("cat\ndog\nsea lion\n")
    assert load_features(tmp_path / "features-*.npz").class_names == ("cat", "dog", "sea lion")


def _mixed(folder):
    _npz(folder / "a-1.npz", slice(0, 9))
    _npz(folder / "a-2.npz", slice(9, 30))


def _with_parquet(folder):
    _mixed(folder)
    (folder / "b.parquet").write_bytes(b"")


WRONG = {
    "no match": ("b-*.npz", lambda folder: None, r"no file matches .*b-\*\.npz; fix: correct the pattern"),
    "an empty list": ((), lambda folder: None, "lists no file"),
    "twice": (("a-1.npz", "./a-1.npz"), lambda folder: None, r"a-1\.npz is given twice"),
    "missing": (("a-1.npz", "a-3.npz"), lambda folder: None, r"there is no file .*a-3\.npz"),
    "a folder in a list": (("a-1.npz", "."), lambda folder: None, "in the list is a folder"),
    "two kinds": (".", _with_parquet, r"holds \.npz and \.parquet files; fix: give a pattern"),
    "columns": (
        "a-*.npz",
        lambda folder: _npz(folder / "a-3.npz", slice(3), features=FEATURES[:3, :3]),
        r"features differ in length: 4 in .*a-2\.npz, 3 in .*a-3\.npz",
    ),
    "rows": (
        "a-*.npz",
        lambda folder: _npz(folder / "a-3.npz", slice(3), labels=LABELS[:2]),
        r"a-3\.npz: features of shape \(3, 4\) and labels of shape \(2,\)",
    ),
    "labels": (
        "a-*.npz",
        lambda folder: _npz(folder / "a-3.npz", slice(3), labels=np.array(["x", "y", "z"])),
        r"labels differ in kind .*a-3\.npz",
    ),
    "names": (
        "a-*.npz",
        lambda folder: np.savez(folder / "a-3.npz", pool5=FEATURES, labels=LABELS),
        r"a-3\.npz lacks an array with a usual name for features",
    ),
    "NaN": (
        "a-*.npz",
        lambda folder: _npz(folder / "a-3.npz", slice(2), features=np.full((2, 4), np.nan)),
        r"a-3\.npz: features are not finite \(first: row 0\)",
    ),
    "dead": (
        "a-*.npz",
        lambda folder: _npz(folder / "a-3.npz", slice(2), features=np.ones((2, 4))),
        r"a-3\.npz: all 2 rows of features are equal",
    ),
    "cut": (
        "a-*.npz",
        lambda folder: (folder / "a-3.npz").write_bytes((folder / "a-1.npz").read_bytes()[:-200]),
        r"a-3\.npz is truncated or not an \.npz file",
    ),
    "a part of two": (
        "a-*.npz",
        lambda folder: (folder / "a-1.npz").rename(folder / "a-00001-of-00002.npz"),
        r"a lacks part 2 of 2; fix: fetch all parts",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(tmp_path, monkeypatch, case):
    place, spoil, said = WRONG[case]
    monkeypatch.chdir(tmp_path)
    _mixed(tmp_path)
    spoil(tmp_path)
    with pytest.raises(InputError, match=said) as caught:
        load_features(place)
    assert "\n" not in str(caught.value)


def test_shapes_are_checked_before_any_features_are_read(tmp_path, monkeypatch):
    _parts(tmp_path, "npz")
    _npz(tmp_path / "features-12.npz", slice(3), features=FEATURES[:3, :2])
    monkeypatch.setattr("zsh_jax.data.feature_files.load.fill", lambda *_: pytest.fail("features were read"))
    with pytest.raises(InputError, match="differ in length"):
        load_features(tmp_path)


@pytest.mark.parametrize("kind", ["npz", "npz by columns"])
def test_memory_holds_the_result_and_one_block(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("zsh_jax.data.blocks.BYTES", 1 << 14)
    many = np.random.default_rng(0).normal(size=(20_000, 16)).astype(np.float32)
    for number in range(4):
        rows = slice(5000 * number, 5000 * (number + 1))
        features = many[rows] if kind == "npz" else np.asfortranarray(many[rows])
        np.savez_compressed(tmp_path / f"f-{number}.npz", features=features, labels=np.arange(5000) % 7)
    load_features(tmp_path, keys=Keys(("features",), ("labels",)))  # what is loaded once
    monkeypatch.setattr("zsh_jax.data.feature_files.load._ids", lambda parts: np.zeros(20_000, np.int8))
    tracemalloc.start()
    dataset = load_features(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(dataset.features, many)
    beside = 20_000 * (
        8 + 8 + 4 + 4 + 8 * len("f")
    )  # labels of the files, joined, as indices; splits as text
    assert peak < many.nbytes + beside + (3 << 17)  # and blocks: a part alone has 320,000 bytes


def test_the_split_of_a_pattern_without_fellows_is_the_file(tmp_path):
    _npz(tmp_path / "a-1.npz", slice(None))
    assert [file.split for file in find_files(tmp_path / "a-*.npz")] == ["a-1"]


def test_cells_of_a_sweep_are_the_same_in_one_file_and_in_parts_and_others_if_a_value_changes(tmp_path):
    make_data(tmp_path)
    with np.load(tmp_path / "tiny.npz") as file:
        features, labels = file["features"], file["labels"]
    for number, rows in ((2, slice(0, 70)), (10, slice(70, 120))):
        np.savez(tmp_path / f"tiny-{number}.npz", features=features[rows], labels=labels[rows])

    def cells(path):
        config = tiny_config(tmp_path)
        apply(config, Setting("dataset.path", path, False, "--config.dataset.path"))
        plan, inputs = lay_out(config, extract=True)
        return [cell_id(identity(cell, inputs)) for cell in plan.cells()]

    one = cells(str(tmp_path / "tiny.npz"))
    several = f"('{tmp_path / 'tiny-2.npz'}', '{tmp_path / 'tiny-10.npz'}')"
    assert cells(f"{tmp_path}/tiny-*.npz") == cells(several) == one
    features[100, 3] += 1e-3
    np.savez(tmp_path / "tiny-10.npz", features=features[70:], labels=labels[70:])
    assert cells(several) != one
