"""How mAP grows with the number of seen classes, for a fixed number of training samples.

python launch.py --config experiments/sweep_seen_classes.py

    Three seeds, 64 bits, 24 s on two busy cores. mAP with 4, 8, 16, 26 seen classes: 0.078, 0.250, 0.422, 0.420.

python launch.py --config experiments/sweep_seen_classes.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """From few seen classes to all; a larger set contains the smaller one of the same seed."""
    config = for_dataset(dataset)
    config.name = "sweep_seen_classes"
    if dataset == "shapes":
        config.sweep.training_samples = (1000,)
        config.sweep.seen_classes = (4, 8, 16, 26)
    else:
        config.sweep.training_samples = (9000,)
        config.sweep.seen_classes = (2, 3, 5, 7, 9)
    return config.lock()
