"""Discrete codes: coordinate descent on signs against continuous codes, a growing alpha, and more starts.

python launch.py --config experiments/ablate_discrete.py

    Three seeds, a minute and a half on two busy cores. mAP at 32 and 64 bits: published 0.387 and 0.447, relaxed 0.394
    and 0.449, 8-starts 0.400 and 0.462, alpha-grows 0.461 and 0.510: the small beta / alpha of the last iterations
    helps, see sweep_hyperparameters.py.

python launch.py --config experiments/ablate_discrete.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """Discrete and relaxed codes on the same splits and starts."""
    config = for_dataset(dataset)
    config.name = "ablate_discrete"
    config.sweep.bits = (32, 64)
    config.reference = "published"
    config.variants = ConfigDict(
        {
            "published": {},
            "relaxed": {"method": ("zsh_relaxed",)},
            "alpha-grows": {
                "zsh": {"alpha_growth": (3.0,)}
            },  # to 20,000 times alpha in the last of ten iterations
            "8-starts": {"zsh": {"restarts": (8,)}},
        }
    )
    return config.lock()
