"""Code length: 16 to 128 bits, published weights, several seeds.

python launch.py --config experiments/sweep_bits.py

    Five seeds, four of thirty drawn classes unseen, GIST and attributes. 46 s on two CPU cores.
    Tie-aware mAP: 16 bits 0.334, 32 bits 0.413, 64 bits 0.465, 128 bits 0.514.

python launch.py --config experiments/sweep_bits.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS

    Three seeds, each class unseen in turn. With MobileNetV1 features and Google News vectors, two CPU cores: 186 s.
    Tie-aware mAP: 16 bits 0.185, 32 bits 0.203, 64 bits 0.218, 128 bits 0.236.

cifar100 and imagenet100 take the same settings; mirflickr too, and --config.dataset.path=ARCHIVES the first time.
scene, features and folder take --config.dataset.path=PATH and --config.semantics.path=WORD_VECTORS, or
--config.sweep.semantics="('one-hot',)".
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """The sweep on any data set of `zsh_jax.data.catalogue.PROTOCOLS`."""
    config = for_dataset(dataset)
    config.name = "sweep_bits"
    config.sweep.bits = (16, 32, 64, 128)
    config.sweep.seed = (0, 1, 2, 3, 4) if dataset == "shapes" else (0, 1, 2)
    return config.lock()
