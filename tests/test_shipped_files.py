"""Files as they are shipped or saved elsewhere: read, or answered by a line whose advice helps."""

import numpy as np
import pytest
from scipy.io import savemat

from zsh_jax.data.__main__ import main
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


def test_an_array_a_file_is_to_be_saved_into_one(tmp_path, capsys):
    savemat(tmp_path / "mine-xall.mat", {"XAll": FEATURES})
    said = _refused(capsys, "features", "--path", str(tmp_path / "mine-xall.mat"))
    assert (
        "lacks an array with a usual name for labels; it has XAll; fix: save features and labels into one file"
        in said
    )


def test_a_list_of_pictures_is_not_taken_for_a_folder(tmp_path, capsys):
    (tmp_path / "database.txt").write_text("images/0.jpg 0 1\n")
    assert "but a folder is needed" in _refused(capsys, "folder", "--path", str(tmp_path / "database.txt"))


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


def test_numbers_for_names_find_no_attributes_and_it_says_how_to_name_them(tmp_path):
    """As xlsa17 ships its data sets: features and labels in one file, names beside the attributes in another."""
    labels = 1.0 + np.arange(12)[:, None] % 3
    savemat(tmp_path / "res101.mat", {"features": FEATURES.T, "labels": labels})
    cells = np.empty((3, 1), object)
    cells[:, 0] = ["killer+whale", "sea+lion", "emu"]
    savemat(tmp_path / "att_splits.mat", {"att": np.eye(3), "allclasses_names": cells})
    config = for_dataset("features")
    config.dataset.path = str(tmp_path / "res101.mat")
    config.semantics.attributes = str(tmp_path / "att_splits.mat")
    with pytest.raises(
        InputError, match=r"no attributes for 3 of 3 classes .*; fix: put a classes\.txt beside"
    ):
        load_inputs(input_settings(config), ("attributes",))
    (tmp_path / "classes.txt").write_text("killer+whale\nsea+lion\nemu\n")
    inputs = load_inputs(input_settings(config), ("attributes",))
    assert inputs.dataset.class_names == ("killer whale", "sea lion", "emu")
    np.testing.assert_array_equal(inputs.semantics["attributes"].vectors, np.eye(3))
