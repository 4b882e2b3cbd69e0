"""Code length: 16 to 128 bits, published weights, several seeds.

python launch.py --config experiments/sweep_bits.py
python launch.py --config experiments/sweep_bits.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS

cifar100 and imagenet100 take the same settings; mirflickr too, and --config.dataset.path=ARCHIVES the first time.
scene, features and folder take --config.dataset.path=PATH and --config.semantics.path=WORD_VECTORS, or
--config.sweep.semantics="('one-hot',)".
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """The sweep on any data set of `zsh_jax.sweep.protocols.PROTOCOLS`."""
    config = for_dataset(dataset)
    config.name = "sweep_bits"
    config.sweep.bits = (16, 32, 64, 128)
    config.sweep.seed = (0, 1, 2, 3, 4) if dataset == "shapes" else (0, 1, 2)
    return config.lock()
