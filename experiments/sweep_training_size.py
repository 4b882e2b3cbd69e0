"""How mAP and training time grow with the number of training samples.

python launch.py --config experiments/sweep_training_size.py

    Three seeds, 64 bits, a minute on two busy cores. mAP with 1,000, 2,000, 4,000, 7,500 samples: 0.420, 0.424,
    0.473, 0.488; one cell then trains in 0.2 to 0.4 s.

python launch.py --config experiments/sweep_training_size.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """From few training samples to nearly all."""
    config = for_dataset(dataset)
    config.name = "sweep_training_size"
    sizes = (1000, 2000, 4000, 7500) if dataset == "shapes" else (1000, 3000, 10_000, 30_000)
    config.sweep.training_samples = sizes
    return config.lock()
