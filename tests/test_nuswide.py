"""NUS-WIDE from a few rows in the layout of its archives."""

import shutil

import numpy as np
import pytest

from zsh_jax.data.nuswide import load_nuswide
from zsh_jax.errors import InputError

CONCEPTS = ("airport", "animal", "plants")
COUNTS = {"Train": 6, "Test": 4}
RNG = np.random.default_rng(0)
LABELS = {split: RNG.random((count, 3)) < 0.4 for split, count in COUNTS.items()}
FEATURES = {
    split: {kind: RNG.random((count, d)).round(4) for kind, d in (("CH", 4), ("EDH", 2))}
    for split, count in COUNTS.items()
}


@pytest.fixture
def folder(tmp_path):
    for place in ("Groundtruth/TrainTestLabels", "ImageList", "Low_Level_Features"):
        (tmp_path / place).mkdir(parents=True)
    for split, count in COUNTS.items():
        for column, concept in enumerate(CONCEPTS):
            lines = "".join(f"{value:d}\r\n" for value in LABELS[split][:, column])
            (tmp_path / "Groundtruth" / "TrainTestLabels" / f"Labels_{concept}_{split}.txt").write_text(lines)
        names = "".join(f"actor\\{row:04d}_{split}.jpg\r\n" for row in range(count))
        (tmp_path / "ImageList" / f"{split}Imagelist.txt").write_text(names)
        for kind, table in FEATURES[split].items():
            rows = "".join(
                " ".join(f"{value:.4f}" for value in row) + " \n" for row in table
            )  # a blank ends each
            (tmp_path / "Low_Level_Features" / f"{split}_Normalized_{kind}.dat").write_text(rows)
    return tmp_path


def test_both_splits_with_all_concepts_and_features_side_by_side(folder):
    dataset = load_nuswide(folder)
    assert dataset.class_names == CONCEPTS
    assert dataset.source_splits.tolist() == ["Train"] * 6 + ["Test"] * 4
    assert dataset.ids[[0, 6]].tolist() == ["actor/0000_Train.jpg", "actor/0000_Test.jpg"]
    np.testing.assert_array_equal(dataset.labels, np.concatenate([LABELS["Train"], LABELS["Test"]]))
    expected = np.concatenate([np.hstack([of["CH"], of["EDH"]]) for of in FEATURES.values()])
    np.testing.assert_allclose(dataset.features, expected, atol=1e-6)


def test_labels_alone_and_rows_without_a_list(folder):
    shutil.rmtree(folder / "Low_Level_Features")
    shutil.rmtree(folder / "ImageList")
    dataset = load_nuswide(folder, features=False)
    assert dataset.features is None
    assert dataset.ids[0] == "Train_000000"
    with pytest.raises(InputError, match=r"holds no Train_Normalized_\*\.dat"):
        load_nuswide(folder)


LABEL_FILE = "Groundtruth/TrainTestLabels/Labels_animal_Test.txt"
FEATURE_FILE = "Low_Level_Features/Test_Normalized_EDH.dat"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        (LABEL_FILE, None, r"Labels_animal_Test\.txt is missing"),
        (LABEL_FILE, "1\n0\n", r"has 2 lines, but the file of airport has 4"),
        (LABEL_FILE, "1\n0\n7\n0\n", r"Labels_animal_Test\.txt, line 3: a label must be one 0 or 1"),
        (LABEL_FILE, "1\nx\n", r"Labels_animal_Test\.txt is truncated or damaged"),
        (FEATURE_FILE, "1 2\n3 4\n", r"Test_Normalized_EDH\.dat has 2 rows, but there are labels of 4"),
        (FEATURE_FILE, "1 2\n3\n", r"Test_Normalized_EDH\.dat is truncated or damaged"),
        (FEATURE_FILE, "1 2\n3 nan\n1 1\n1 1\n", r"Test_Normalized_EDH\.dat: row 1 is not finite"),
        ("ImageList/TestImagelist.txt", "a.jpg\nb.jpg\n", r"has 2 lines, 2 of them different"),
    ],
)
def test_what_is_wrong_is_named(folder, file, content, said):
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_text(content)
    with pytest.raises(InputError, match=said) as caught:
        load_nuswide(folder)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_says_what_is_wanted(tmp_path):
    with pytest.raises(
        InputError, match=r"holds no Labels_\*_Train\.txt; fix: give the folder that holds Groundtruth"
    ):
        load_nuswide(tmp_path)
