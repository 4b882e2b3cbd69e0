"""The auxiliary protocol: train on one data set, take queries and database from another.

python launch.py --config experiments/sweep_auxiliary.py
python launch.py --config experiments/sweep_auxiliary.py:cifar10 --config.auxiliary.dataset.data_dir=TFDS_DATA_DIR \
    --config.auxiliary.features.path=FEATURES --config.dataset.path=FEATURE_FILE --config.semantics.path=WORD_VECTORS
python launch.py --config experiments/sweep_auxiliary.py:imagenet100 --config.auxiliary.features.path=FEATURES \
    --config.features.path=OTHER_FEATURES --config.semantics.path=WORD_VECTORS

shapes: from one drawing of the shapes to another, four classes unseen. cifar10: to any feature file of the same
network. imagenet100: to MIRFlickr, as published. Classes of both data sets are seen, and listed; queries have classes
that the first data set lacks, unless --config.sweep.unseen names others.
"""

from ml_collections import ConfigDict

from zsh_jax.data.select import HELD_OUT
from zsh_jax.errors import InputError
from zsh_jax.sweep.config import for_dataset

SEARCHED = {"shapes": "shapes", "cifar10": "features", "imagenet100": "mirflickr"}


def get_config(dataset: str = "shapes") -> ConfigDict:
    """The sweep that trains on `shapes`, `cifar10` or `imagenet100`."""
    if dataset not in SEARCHED:
        raise InputError(
            f"there is no auxiliary sweep from {dataset!r}; fix: use one of {', '.join(SEARCHED)}"
        )
    learnt, config = for_dataset(dataset), for_dataset(SEARCHED[dataset])
    config.name = "sweep_auxiliary"
    config.auxiliary.dataset = learnt.dataset
    config.auxiliary.features.name = learnt.features.name
    for axis in ("training_samples", "anchors"):
        config.sweep[axis] = learnt.sweep[axis]
    if dataset == "shapes":
        config.dataset.name = "shapes/seed1"
    else:
        config.sweep.unseen = (HELD_OUT,)
    config.sweep.bits = (16, 32, 64, 128)
    return config.lock()
