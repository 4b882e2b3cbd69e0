"""How MAP and training time grow with the number of anchors.

python launch.py --config experiments/sweep_anchors.py
python launch.py --config experiments/sweep_anchors.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """From few anchors to many."""
    config = for_dataset(dataset)
    config.name = "sweep_anchors"
    config.sweep.anchors = (50, 100, 200, 500, 1000) if dataset == "shapes" else (100, 300, 1000, 2000)
    return config.lock()
