"""Ablation: remove or replace each ingredient that the paper credits, one at a time.

python launch.py --config experiments/ablate_all.py

    Three seeds, 103 seconds on two cores with other work. mAP at 64 bits: full 0.447, rotation-coupled 0.505,
    semantics-one-hot and -random 0.489, codes-8-starts 0.462, all others within 0.013 of full. For CIFAR-10 see
    docs/method.md.

python launch.py --config experiments/ablate_all.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """The full model, and the model without each ingredient."""
    config = for_dataset(dataset)
    config.name = "ablate_all"
    config.sweep.bits = (32, 64)
    config.reference = "full"
    config.variants = ConfigDict(
        {
            "full": {},
            "rotation-none": {"zsh": {"rotation": ("none",)}},
            "rotation-random": {"zsh": {"rotation": ("random",)}},
            "rotation-coupled": {"method": ("zsh_coupled",)},
            "locality-none": {"zsh": {"locality": ("none",)}},
            "locality-semantics": {"zsh": {"locality": ("semantics",)}},
            "codes-relaxed": {"method": ("zsh_relaxed",)},
            "codes-8-starts": {"zsh": {"restarts": (8,)}},
            "semantics-one-hot": {"semantics": ("one-hot",)},
            "semantics-random": {"semantics": ("random",)},
            "semantics-shuffled": {"semantics": ("shuffled",)},
            "coupled-shuffled": {"method": ("zsh_coupled",), "semantics": ("shuffled",)},
        }
    )
    return config.lock()
