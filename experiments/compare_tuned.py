"""The comparison with one knob of each method tuned, five values each, on classes held out of the seen ones.

python launch.py --config experiments/compare_tuned.py

    Three seeds, two minutes on two busy cores. MAP at 64 bits: semantic-ridge 0.677, joint 0.628, zsh-coupled 0.601,
    ksh 0.575, cosdish 0.540, zsh 0.535, sdh 0.524, cca-itq 0.517, fsdh 0.478, sgh 0.215. Predictions, not hashed:
    0.765. For CIFAR-10 see docs/results.md.

python launch.py --config experiments/compare_tuned.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset

DECADES = (0.01, 0.1, 1.0, 10.0, 100.0)  # multiples of the published value


def get_config(dataset: str = "shapes") -> ConfigDict:
    """What can be tuned of each method: its ridge, or the weight of its projection."""
    config = for_dataset(dataset)
    config.name = "compare_tuned"
    config.sweep.bits = (32, 64)
    config.reference = "zsh"
    few = {"anchors": (300,)}
    config.variants = ConfigDict(
        {
            "zsh": {},
            "zsh-coupled": {"rotation": ("coupled",)},
            "cca-itq": {"method": ("cca_itq",)},
            "sgh": {"method": ("sgh",)} | few,
            "ksh": {"method": ("ksh",)} | few,
            "sdh": {"method": ("sdh",)},
            "fsdh": {"method": ("fsdh",)},
            "cosdish": {"method": ("cosdish",)},
            "semantic-ridge": {"method": ("semantic_ridge",)},
            "joint": {"method": ("joint",)},
            "bound-predictions": {"method": ("cosine_predictions",), "bits": (0,)},
        }
    )
    ridge = {"beta": tuple(1e-4 * multiple for multiple in DECADES)}
    knobs = {name: {"multiple": DECADES} for name in config.variants}
    knobs |= {"zsh": ridge, "zsh-coupled": ridge, "joint": {"multiple": (0.25, 0.5, 1.0, 2.0, 4.0)}}
    config.tuning.axes = ConfigDict(knobs)
    return config.lock()
