"""Files as they are shipped or saved elsewhere: read, or answered by a line whose advice helps."""

import numpy as np
import pytest
from scipy.io import savemat

from zsh_jax.data.__main__ import main
from zsh_jax.data.feature_files import load_features
from zsh_jax.data.registry import load_dataset
from zsh_jax.data.spec import Source
from zsh_jax.errors import InputError
from zsh_jax.inputs.load import load_inputs
from zsh_jax.inputs.settings import input_settings
from zsh_jax.sweep.config import for_dataset

FEATURES = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)


def _refused(capsys, *arguments):
    assert main(["prepare", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


HOT = np.eye(3, dtype=np.uint8)[np.arange(12) % 3]
HOT[5] = 1
NAMED = (
    Source("features", path="{0}/mine-*.mat"),
    Source("features", path=("{0}/mine-xall.mat", "{0}/mine-lall.mat")),
)


@pytest.mark.parametrize("source", NAMED, ids=["a pattern", "a list"])
def test_one_array_a_file_is_joined(tmp_path, source):
    savemat(tmp_path / "mine-xall.mat", {"XAll": FEATURES})
    savemat(tmp_path / "mine-lall.mat", {"LAll": HOT})
    (tmp_path / "mine-xall.classes.txt").write_text("ant\nbee\ncat\n")
    path = source.path
    path = path.format(tmp_path) if isinstance(path, str) else tuple(one.format(tmp_path) for one in path)
    dataset = load_dataset(source._replace(path=path))
    np.testing.assert_array_equal(dataset.features, FEATURES)
    np.testing.assert_array_equal(dataset.labels, HOT == 1)
    assert dataset.class_names == ("ant", "bee", "cat")
    assert set(dataset.source_splits) == {"mine-xall"}


def test_splits_of_one_array_a_file_are_joined_in_their_order(tmp_path):
    """`.npy` and `.mat` files: arrays of one name, told by their shapes; and identifiers in a third."""
    labels, ids = np.arange(12)[::-1] % 3, np.array([f"im{row}" for row in range(12)])
    halves = {"train": slice(0, 8), "test": slice(8, 12)}
    for split, rows in halves.items():
        np.save(tmp_path / f"{split}_x.npy", FEATURES[rows])
        np.save(tmp_path / f"{split}_y.npy", labels[rows])
        np.save(tmp_path / f"{split}_ids.npy", ids[rows])
        savemat(tmp_path / f"{split}_x.mat", {"out": FEATURES[rows]})
        savemat(tmp_path / f"{split}_y.mat", {"out": labels[rows][None] + 1})
    for kind, arrays in (("npy", "xyi"), ("mat", "xy")):
        files = [
            tmp_path / f"{split}_{dict(x='x', y='y', i='ids')[array]}.{kind}"
            for array in arrays
            for split in halves
        ]
        dataset = load_features([str(file) for file in files])
        np.testing.assert_array_equal(dataset.features, FEATURES)
        np.testing.assert_array_equal(dataset.labels, labels)
        assert dataset.source_splits.tolist() == ["train_x"] * 8 + ["test_x"] * 4
        assert (dataset.ids.tolist() == ids.tolist()) == (kind == "npy")
    with pytest.raises(InputError, match="2 files of features, 1 of labels and 0 of ids; fix: give as many"):
        load_features([str(tmp_path / f"{name}.npy") for name in ("train_x", "test_x", "train_y")])


def test_a_file_of_one_array_asks_for_the_other_and_names_are_taken(tmp_path, capsys):
    """`prepare` takes what its messages name."""
    place = tmp_path / "mine-xall.mat"
    savemat(place, {"XAll": FEATURES})
    said = _refused(capsys, "features", "--path", str(place))
    assert f"labels; it has XAll; fix: give the file of labels too, --path {place} FILE" in said
    savemat(place, {"deep": FEATURES, "shallow": FEATURES + 1, "kind": np.arange(1, 13) % 3})
    said = _refused(capsys, "features", "--path", str(place))
    assert "name them with --array-features, --array-labels and --array-ids" in said
    named = ("--array-features", "deep", "shallow", "--array-labels", "kind", "kind")
    assert main(["prepare", "features", "--path", str(place), *named]) == 0
    assert "24 samples of 3 classes" in capsys.readouterr().out


def test_a_list_of_pictures_is_not_taken_for_a_folder(tmp_path, capsys):
    (tmp_path / "database.txt").write_text("images/0.jpg 0 1\n")
    said = _refused(capsys, "folder", "--path", str(tmp_path / "database.txt"))
    assert "but a folder is needed" in said
    assert "a list of images is read by the data set lists" in said


def test_names_in_an_encoding_that_cannot_be_told_are_one_line(tmp_path, capsys):
    np.savez(tmp_path / "set.npz", features=FEATURES, labels=np.arange(12) % 3)
    (tmp_path / "classes.txt").write_bytes("여우\n말\n개\n".encode("euc_kr"))
    said = _refused(capsys, "features", "--path", str(tmp_path / "set.npz"))
    assert "classes.txt, line 1: byte 0xbf is not UTF-8 and may be GB18030 or BIG5 or EUC_KR" in said


def test_labels_of_unclear_names_are_read_as_it_is_said(tmp_path, capsys):
    np.savez(tmp_path / "set.npz", features=FEATURES, labels=1 + np.arange(12) % 2)
    (tmp_path / "classes.txt").write_text("cat\ndog\nemu\n")
    path = str(tmp_path / "set.npz")
    assert "fix: set --first-label=0 or 1" in _refused(capsys, "features", "--path", path)
    assert main(["prepare", "features", "--path", path, "--first-label", "1"]) == 0
    assert "12 samples of 3 classes" in capsys.readouterr().out


def test_names_are_those_of_the_cells_beside_the_features(tmp_path, capsys):
    """As xlsa17 ships its data sets: features and labels in one file, names beside the attributes in another."""
    labels = 1.0 + np.arange(12)[:, None] % 3
    savemat(tmp_path / "res101.mat", {"features": FEATURES.T, "labels": labels})
    cells = np.empty((3, 1), object)
    cells[:, 0] = ["killer+whale", "sea+lion", "emu"]
    savemat(tmp_path / "att_splits.mat", {"att": np.eye(3), "allclasses_names": cells})
    config = for_dataset("features")
    config.dataset.path = str(tmp_path / "res101.mat")
    config.semantics.attributes = str(tmp_path / "att_splits.mat")
    inputs = load_inputs(input_settings(config), ("attributes",))
    assert inputs.dataset.class_names == ("killer whale", "sea lion", "emu")
    np.testing.assert_array_equal(inputs.semantics["attributes"].vectors, np.eye(3))
    assert "classes are named by allclasses_names of " in capsys.readouterr().err
    (tmp_path / "classes.txt").write_text("1 orca\n2 sea+lion\n3 emu\n")  # what the user says goes first
    with pytest.raises(InputError, match=r"no attributes for 1 of 3 classes \(orca"):
        load_inputs(input_settings(config), ("attributes",))


def test_numbers_for_names_find_no_attributes_and_it_says_how_to_name_them(tmp_path):
    np.savez(tmp_path / "set.npz", features=FEATURES, labels=np.arange(12) % 3)
    (tmp_path / "table.csv").write_text("emu,1,0,0\nfox,0,1,0\nhen,0,0,1\n")
    config = for_dataset("features")
    config.dataset.path = str(tmp_path / "set.npz")
    config.semantics.attributes = str(tmp_path / "table.csv")
    with pytest.raises(
        InputError, match=r"no attributes for 3 of 3 classes .*; fix: put a classes\.txt beside"
    ):
        load_inputs(input_settings(config), ("attributes",))
