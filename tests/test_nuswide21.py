"""NUS-WIDE-21: the most frequent concepts, the images that have one, and the split of deep hashing."""

import numpy as np
import pytest

from zsh_jax.data.catalogue import PROTOCOLS
from zsh_jax.data.registry import load_dataset
from zsh_jax.data.spec import Source
from zsh_jax.errors import InputError
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.layout import lay_out
from zsh_jax.sweep.splits import split_of

CONCEPTS = tuple(f"c{number:02d}" for number in range(24))
COUNTS = {"Train": 240, "Test": 160}
FREQUENT = np.random.default_rng(5).permutation(np.linspace(0.02, 0.2, 24))
CHECKSUM = "d4c3528712ec5d60"


def _labels():
    rng = np.random.default_rng(1)
    return {split: rng.random((count, 24)) < FREQUENT for split, count in COUNTS.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("nuswide")
    labels_folder, features = path / "Groundtruth" / "TrainTestLabels", path / "Low_Level_Features"
    for made in (labels_folder, features):
        made.mkdir(parents=True)
    rng = np.random.default_rng(2)
    for split, labels in _labels().items():
        for concept, column in zip(CONCEPTS, labels.T, strict=True):
            (labels_folder / f"Labels_{concept}_{split}.txt").write_text(
                "".join(f"{one:d}\r\n" for one in column)
            )
        rows = rng.normal(size=(len(labels), 3))
        (features / f"{split}_Normalized_CH.dat").write_text(
            "".join(f"{a:.4f} {b:.4f} {c:.4f} \n" for a, b, c in rows)
        )
    return path


def test_21_concepts_and_the_images_that_have_one(folder):
    every, found = (load_dataset(Source(name, path=str(folder))) for name in ("nuswide", "nuswide/21"))
    labels = np.concatenate(list(_labels().values()))
    held = labels.sum(axis=0)
    chosen = sorted(sorted(range(24), key=lambda one: (-held[one], CONCEPTS[one]))[:21])
    assert found.class_names == tuple(CONCEPTS[one] for one in chosen)
    kept = labels[:, chosen].any(axis=1)
    assert np.count_nonzero(~kept) > 0
    np.testing.assert_array_equal(found.labels, labels[kept][:, chosen])
    np.testing.assert_array_equal(found.ids, every.ids[kept])
    np.testing.assert_array_equal(found.features, every.features[kept])
    assert found.name == "nuswide/21"


def test_the_protocol_in_miniature(folder):
    config = for_dataset("nuswide21")
    assert (config.sweep.training_samples, config.sweep.queries) == ((21 * 500,), (21 * 100,))
    config.dataset.path = str(folder)
    config.sweep.update(
        {
            "training_samples": (63,),
            "queries": (21,),
            "anchors": (10,),
            "seed": (0,),
            "semantics": ("one-hot",),
        }
    )
    plan, inputs = lay_out(config)
    found = split_of(inputs, plan.groups[0].splits[0])
    labels = inputs.dataset.labels
    assert (labels[found.queries].sum(axis=0) >= 1).all()
    assert (labels[found.training].sum(axis=0) >= 3).all()
    assert len(found.database) == len(labels) - 21
    assert not set(found.training) & set(found.queries)
    assert list(inputs.checksums.values()) == [CHECKSUM]
    assert PROTOCOLS["nuswide21"].of_each_class


def test_other_numbers_of_concepts_do_not_exist(folder):
    with pytest.raises(InputError, match="use nuswide or nuswide/21"):
        load_dataset(Source("nuswide/10", path=str(folder)))
    (folder / "Groundtruth" / "TrainTestLabels" / "Labels_c00_Train.txt").rename(folder / "a")
    (folder / "Groundtruth" / "TrainTestLabels" / "Labels_c01_Train.txt").rename(folder / "b")
    (folder / "Groundtruth" / "TrainTestLabels" / "Labels_c02_Train.txt").rename(folder / "c")
    (folder / "Groundtruth" / "TrainTestLabels" / "Labels_c03_Train.txt").rename(folder / "d")
    with pytest.raises(InputError, match="has 20 concepts, but 21 are needed"):
        load_dataset(Source("nuswide/21", path=str(folder)))
