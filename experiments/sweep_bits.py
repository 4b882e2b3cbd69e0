"""Code length: 16 to 128 bits, published weights, several seeds.

python launch.py --config experiments/sweep_bits.py
python launch.py --config experiments/sweep_bits.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """The sweep on `shapes` or `cifar10`."""
    config = for_dataset(dataset)
    config.name = "sweep_bits"
    config.sweep.bits = (16, 32, 64, 128)
    config.sweep.seed = (0, 1, 2, 3, 4) if dataset == "shapes" else (0, 1, 2)
    return config.lock()
