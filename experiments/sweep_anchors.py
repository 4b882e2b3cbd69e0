"""How mAP and training time grow with the number of anchors.

python launch.py --config experiments/sweep_anchors.py

    Three seeds, 64 bits, a minute on two busy cores. mAP with 50, 100, 200, 500, 1,000 anchors: 0.331, 0.373, 0.409,
    0.447, 0.470; one cell trains in 0.1 to 0.5 s.

python launch.py --config experiments/sweep_anchors.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """From few anchors to many."""
    config = for_dataset(dataset)
    config.name = "sweep_anchors"
    counts = (50, 100, 200, 500, 1000) if dataset == "shapes" else (100, 300, 1000, 2000)
    config.sweep.anchors = tuple(count for count in counts if count <= config.sweep.training_samples[0])
    return config.lock()
