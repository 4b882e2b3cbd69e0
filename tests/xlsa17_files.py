"""Small files in the layout of xlsa17: `res101.mat` and `att_splits.mat` as MATLAB writes them."""

import numpy as np
from scipy.io import savemat

NAMES = {
    "AWA2": ("antelope", "grizzly+bear", "killer+whale", "beaver", "dalmatian"),
    "CUB": (
        "001.Black_footed_Albatross",
        "002.Laysan_Albatross",
        "003.Sooty_Albatross",
        "004.Groove_billed_Ani",
        "005.Auk",
    ),
    "SUN": ("abbey", "access_road", "airplane_cabin", "airport_terminal", "alley"),
    "APY": ("aeroplane", "bicycle", "bird", "boat", "jetski"),
}
PLAIN = {
    "AWA2": ("antelope", "grizzly bear", "killer whale", "beaver", "dalmatian"),
    "CUB": ("Black footed Albatross", "Laysan Albatross", "Sooty Albatross", "Groove billed Ani", "Auk"),
    "SUN": ("abbey", "access road", "airplane cabin", "airport terminal", "alley"),
    "APY": NAMES["APY"],
}
CLASSES, PER_CLASS, WIDTH, ATTRIBUTES = 5, 8, 6, 4
UNSEEN = (1, 4)  # two of five classes
SAMPLES = CLASSES * PER_CLASS


def _column(values):
    cells = np.empty((len(values), 1), object)
    cells[:, 0] = values
    return cells


def image_file(folder, name, row):
    """The path of an image, as the authors' machines had it."""
    if folder == "APY":
        return f"/BS/work/apascal/VOC2012/JPEGImages/2008_{row // 2:06d}.jpg"  # two objects in each image
    return f"/BS/work/data/{folder}//JPEGImages/{name}/{name}_{row:05d}.jpg"


def contents(folder="AWA2", seed=0):
    """The arrays of both files, and the labels: classes in random order, as in the archive."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(CLASSES), PER_CLASS))
    unseen = np.isin(labels, UNSEEN)
    seen = rng.permutation(np.flatnonzero(~unseen))
    tested = np.concatenate([seen[labels[seen] == number][:2] for number in range(CLASSES)])
    trained = np.setdiff1d(seen, tested)
    features = rng.normal(size=(CLASSES, WIDTH))[labels] + rng.normal(size=(SAMPLES, WIDTH))
    names = NAMES[folder]
    res101 = {
        "features": features.T,
        "image_files": _column([image_file(folder, names[label], row) for row, label in enumerate(labels)]),
        "labels": labels[:, None].astype(np.float64) + 1,
    }
    att_splits = {
        "allclasses_names": _column(names),
        "att": rng.uniform(size=(ATTRIBUTES, CLASSES)),
        "original_att": rng.uniform(size=(ATTRIBUTES, CLASSES)),
        "trainval_loc": (trained + 1)[:, None].astype(np.uint16),
        "train_loc": (trained[::2] + 1)[:, None].astype(np.uint16),
        "val_loc": (trained[1::2] + 1)[:, None].astype(np.uint16),
        "test_seen_loc": (rng.permutation(tested) + 1)[:, None].astype(np.uint16),
        "test_unseen_loc": (np.flatnonzero(unseen) + 1)[:, None].astype(np.uint16),
    }
    return res101, att_splits, labels


def write(path, folder="AWA2", *, features=(), splits=(), packed=True):
    """Write both files below `path`, with some arrays replaced, or left out where the new one is None."""
    res101, att_splits, labels = contents(folder)
    path.mkdir(parents=True, exist_ok=True)
    for name, arrays, changes in (("res101", res101, features), ("att_splits", att_splits, splits)):
        changed = {key: value for key, value in (arrays | dict(changes)).items() if value is not None}
        savemat(path / f"{name}.mat", changed, do_compression=packed)
    return labels
