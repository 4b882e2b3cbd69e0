"""The Scene set, several labels an image, end to end."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from zsh_jax.core.hashing import encode
from zsh_jax.data.registry import load_dataset
from zsh_jax.data.spec import Source
from zsh_jax.data.split import parse_unseen
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.engine import run
from zsh_jax.sweep.layout import lay_out
from zsh_jax.sweep.splits import split_of

SHARED = Path(__file__).parents[2] / "shared" / "data"
WORDS = SHARED / "word_vectors" / "glove_twitter_25d.txt"

pytestmark = pytest.mark.skipif(
    not (SHARED / "scene").is_dir() or not WORDS.is_file(), reason=f"no Scene set: {SHARED} is missing"
)


def _config(**axes):
    config = for_dataset("scene")
    config.dataset.path = str(SHARED / "scene")
    config.semantics.path = str(WORDS)
    config.sweep.seed = (0,)
    config.sweep.update(axes)
    return config


def test_all_samples_with_all_their_labels():
    dataset = load_dataset(Source("scene", path=str(SHARED / "scene")))
    assert dataset.class_names == ("Beach", "Sunset", "FallFoliage", "Field", "Mountain", "Urban")
    assert dataset.features.shape == (2407, 294)
    assert dataset.labels.dtype == np.bool_
    for split, count in (("train", 1211), ("test", 1196)):
        rows = dataset.source_splits == split
        with np.load(SHARED / "scene" / f"{split}.npz", allow_pickle=False) as file:
            assert rows.sum() == count
            np.testing.assert_array_equal(dataset.labels[rows], file["labels"] == 1)
            np.testing.assert_array_equal(dataset.features[rows], file["features"])
            assert dataset.ids[rows].tolist() == file["id"].tolist()


def test_no_image_with_an_unseen_label_is_learnt_from_and_every_label_is_unseen_once():
    plan, inputs = lay_out(_config())
    unseen = [split.unseen for group in plan.groups for split in group.splits]
    assert sorted("+".join(unseen).split("+")) == sorted(inputs.dataset.class_names)
    for split in (split for group in plan.groups for split in group.splits):
        columns = list(parse_unseen(split.unseen, inputs.dataset.class_names))
        indices = split_of(inputs, split)
        assert not inputs.dataset.labels[np.ix_(indices.training, columns)].any()
        assert inputs.dataset.labels[np.ix_(indices.queries, columns)].any(axis=1).all()


@pytest.mark.slow
def test_a_sweep_finds_unseen_labels_better_than_chance_and_says_what_a_plain_ranking_says():
    plan, inputs = lay_out(_config(bits=(32,), unseen=("Beach+Urban",)))
    (result,) = [result for results in run(plan, inputs, keeps_model=lambda cell: True) for result in results]
    split = split_of(inputs, plan.groups[0].splits[0])
    labels = inputs.dataset.labels
    relevant = (labels[split.queries].astype(int) @ labels[split.database].T.astype(int)) > 0
    packed = np.asarray(encode(result.model, jnp.asarray(inputs.features)))
    codes = 2.0 * np.unpackbits(packed, axis=1) - 1
    distance = (32 - codes[split.queries] @ codes[split.database].T) / 2
    expected = np.mean([_average_precision(d, r) for d, r in zip(distance, relevant, strict=True)])
    found = result.metrics["mean_average_precision"]
    assert found == pytest.approx(expected, abs=2e-3)
    assert found > 1.15 * relevant.mean()


def _average_precision(distance, relevant, shuffles=40):
    """Mean over random orders of equal distances."""
    rng = np.random.default_rng(0)
    values = []
    for _ in range(shuffles):
        order = np.lexsort((rng.random(len(distance)), distance))
        hits = relevant[order]
        values.append((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())
    return np.mean(values)
