"""NUS-WIDE: 81 concepts as distributed, with the low-level features if present.

Chua et al., "NUS-WIDE: a real-world web image database from National University of Singapore", ACM CIVR 2009.
"""

import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.reading import reading, written
from zsh_jax.data.text import read_text
from zsh_jax.errors import InputError

SPLITS = ("Train", "Test")
LAYOUT = "the folder that holds Groundtruth/TrainTestLabels/Labels_airport_Train.txt and so on"
FEATURE_FOLDERS = ("Low_Level_Features", "NUS_WID_Low_Level_Features/Low_Level_Features")
LIST_FOLDERS = ("ImageList", ".")


def load_nuswide(path: str | Path, *, features: bool = True) -> Dataset:
    """Load the labels, and optionally the low-level features, of NUS-WIDE.

    Args:
        path: the folder of the unpacked archives: `Groundtruth/TrainTestLabels` with one file for each concept and
            split, 0 or 1 a line; optionally `ImageList/TrainImagelist.txt` with identifiers; and for features,
            `Low_Level_Features/Train_Normalized_CH.dat` and others, concatenated in the order of their names.
        features: whether to load features.

    Returns:
        The data set, `Train` then `Test`. Images without any concept are kept; they are in the database only.

    Raises:
        InputError: a file is missing or damaged, or its length differs from the others.
    """
    folder = written(path)
    labels_folder = folder / "Groundtruth" / "TrainTestLabels"
    concepts = sorted(
        file.name.removeprefix("Labels_").removesuffix("_Train.txt")
        for file in labels_folder.glob("Labels_*_Train.txt")
    )
    if not concepts:
        raise InputError(f"dataset.path: {labels_folder} holds no Labels_*_Train.txt; fix: give {LAYOUT}")
    labels = [_labels(labels_folder, concepts, split) for split in SPLITS]
    counts = [len(rows) for rows in labels]
    return Dataset(
        name="nuswide",
        ids=np.concatenate([_ids(folder, split, count) for split, count in zip(SPLITS, counts, strict=True)]),
        source_splits=np.repeat(SPLITS, counts),
        labels=np.concatenate(labels),
        class_names=tuple(concepts),
        features=np.concatenate([_features(folder, *part) for part in zip(SPLITS, counts, strict=True)])
        if features
        else None,
    )


def most_frequent(dataset: Dataset, count: int) -> Dataset:
    """The concepts with the most images, and the images that have at least one of them.

    Args:
        dataset: NUS-WIDE.
        count: number of concepts; 21 in deep hashing (Xia et al., AAAI 2014; Li et al., IJCAI 2016).

    Returns:
        The data set; of two concepts with as many images, the first in the alphabet is kept.

    Raises:
        InputError: there are fewer concepts.
    """
    held = dataset.labels.sum(axis=0)
    if count > len(held):
        raise InputError(
            f"{dataset.name} has {len(held)} concepts, but {count} are needed; fix: unpack all of {LAYOUT}"
        )
    kept = np.sort(np.argsort(-held, kind="stable")[:count])
    rows = np.flatnonzero(dataset.labels[:, kept].any(axis=1))
    return dataset._replace(
        name=f"{dataset.name}/{count}",
        ids=dataset.ids[rows],
        source_splits=dataset.source_splits[rows],
        labels=dataset.labels[np.ix_(rows, kept)],
        class_names=tuple(dataset.class_names[column] for column in kept),
        features=None if dataset.features is None else dataset.features[rows],
    )


def _table(file: Path) -> Float32[np.ndarray, "n d"]:
    if not file.is_file():
        raise InputError(f"{file} is missing; fix: unpack the archives of NUS-WIDE again")
    with reading(file, "is truncated or damaged", "unpack it again"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # empty files and overflow are found below
        table = np.loadtxt(file, np.float32, ndmin=2)
    damaged = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if damaged.size or not table.size:
        what = f"row {damaged[0]} is not finite" if damaged.size else "it is empty"
        raise InputError(f"{file}: {what}; fix: unpack it again")
    return table


def _labels(folder: Path, concepts: list[str], split: str) -> Bool[np.ndarray, "n c"]:
    columns: list[Bool[np.ndarray, " n"]] = []
    for concept in concepts:
        file = folder / f"Labels_{concept}_{split}.txt"
        column = _table(file)
        wrong = (
            np.flatnonzero(((column != 0) & (column != 1)).any(axis=1))
            if column.shape[1] == 1
            else np.array([0])
        )
        if wrong.size:
            raise InputError(f"{file}, line {wrong[0] + 1}: a label must be one 0 or 1; fix: unpack it again")
        if columns and len(column) != len(columns[0]):
            raise InputError(
                f"{file} has {len(column)} lines, but the file of {concepts[0]} has {len(columns[0])}; fix: unpack both"
            )
        columns.append(column[:, 0] > 0)
    return np.stack(columns, axis=1)


def _ids(folder: Path, split: str, count: int) -> np.ndarray:
    lists = [folder / place / f"{split}Imagelist.txt" for place in LIST_FOLDERS]
    file = next((file for file in lists if file.is_file()), None)
    if file is None:
        return np.array([f"{split}_{row:06d}" for row in range(count)])
    lines = [line.strip().replace("\\", "/") for line in read_text(file).split("\n") if line.strip()]
    if len(lines) != count or len(set(lines)) != count:
        raise InputError(
            f"{file} has {len(lines)} lines, {len(set(lines))} of them different, but there are labels of {count} "
            f"images; fix: unpack both again"
        )
    return np.array(lines)


def _features(folder: Path, split: str, count: int) -> Float32[np.ndarray, "n d"]:
    for place in FEATURE_FOLDERS:
        files = sorted((folder / place).glob(f"{split}_Normalized_*.dat"))
        if files:
            break
    else:
        raise InputError(
            f"{folder / FEATURE_FOLDERS[0]} holds no {split}_Normalized_*.dat; fix: unpack the low-level features, or "
            "set --config.features.name=precomputed"
        )
    tables = []
    for file in files:
        tables.append(_table(file))
        if len(tables[-1]) != count:
            raise InputError(
                f"{file} has {len(tables[-1])} rows, but there are labels of {count} images; fix: unpack it again"
            )
    return np.concatenate(tables, axis=1)
