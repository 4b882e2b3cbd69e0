"""Semantics: do the class vectors' meanings matter, or only that classes have vectors?

python launch.py --config experiments/ablate_semantics.py
python launch.py --config experiments/ablate_semantics.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """The data set's own semantics against semantics without meaning."""
    config = for_dataset(dataset)
    config.name = "ablate_semantics"
    config.sweep.bits = (32, 64)
    config.sweep.seed = (0, 1, 2, 3, 4)  # each seed shuffles and draws anew
    config.reference = "own"
    config.variants = ConfigDict(
        {
            "own": {},
            "one-hot": {"semantics": ("one-hot",)},
            "random": {"semantics": ("random",)},
            "shuffled": {"semantics": ("shuffled",)},
            "own-coupled": {"rotation": ("coupled",)},
            "random-coupled": {"rotation": ("coupled",), "semantics": ("random",)},
            "shuffled-coupled": {"rotation": ("coupled",), "semantics": ("shuffled",)},
        }
    )
    return config.lock()
