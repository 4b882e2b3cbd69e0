"""The joint form (semantics and appearance in one space, rotated onto the bits), and what each part contributes.

python launch.py --config experiments/best.py

    Three seeds, 41 seconds on two busy cores. mAP at 64 bits: joint 0.633, semantics-alone 0.657, appearance-alone
    0.574, frame-turned 0.574; the published form has 0.447. By name 0.877. For CIFAR-10 see docs/results.md.

python launch.py --config experiments/best.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """The joint form at all code lengths, with the other kind of frame, and each of its two parts alone at 64 bits."""
    config = for_dataset(dataset)
    config.name = "best"
    config.evaluation.seen_queries = config.sweep.queries[0]  # the generalised setting too
    config.sweep.bits = (16, 32, 64, 128)
    config.reference = "joint"
    config.variants = ConfigDict(
        {
            "joint": {"method": ("joint",)},
            "frame-random": {"method": ("joint",), "joint": {"turns": (0,)}, "bits": (16,)},
            "frame-turned": {"method": ("joint",), "joint": {"turned": ("all",)}, "bits": (32, 64, 128)},
            "semantics-alone": {"method": ("joint",), "joint": {"odds": (1.5e6,)}, "bits": (64,)},
            "appearance-alone": {"method": ("joint",), "joint": {"odds": (1.5e-6,)}, "bits": (64,)},
        }
    )
    return config.lock()
