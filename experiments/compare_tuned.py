"""Compare methods with one weight of each tuned on validation classes, five values each.

python launch.py --config experiments/compare_tuned.py

    Three seeds, two minutes on two busy cores. mAP at 64 bits: semantic-ridge 0.680, joint 0.628, zsh-coupled 0.601,
    cosdish 0.569, ksh 0.550, zsh 0.535, sdh 0.524, cca-itq 0.516, fsdh 0.482, sgh 0.218. Predictions, not hashed:
    0.767. For CIFAR-10 see docs/results.md.

python launch.py --config experiments/compare_tuned.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def _decades(published: float) -> tuple[float, ...]:
    """The published value, and two decades around it."""
    return tuple(published * multiple for multiple in (0.01, 0.1, 1.0, 10.0, 100.0))


def get_config(dataset: str = "shapes") -> ConfigDict:
    """Tune the ridge of each method, or the weight of its projection."""
    config = for_dataset(dataset)
    config.name = "compare_tuned"
    config.sweep.bits = (32, 64)
    config.reference = "zsh"
    few = {"anchors": (300,)}
    config.variants = ConfigDict(
        {
            "zsh": {},
            "zsh-coupled": {"method": ("zsh_coupled",)},
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
    config.tuning.axes = ConfigDict(
        {
            "zsh": {"zsh": {"beta": _decades(1e-4)}},
            "zsh-coupled": {"zsh_coupled": {"beta": _decades(1e-4)}},
            "cca-itq": {"cca_itq": {"ridge": _decades(1e-4)}},
            "sgh": {"sgh": {"ridge": _decades(1e-6)}},
            "ksh": {"ksh": {"tolerance": _decades(1e-2)}},
            "sdh": {"sdh": {"nu": _decades(1e-5)}},
            "fsdh": {"fsdh": {"nu": _decades(1e-5)}},
            "cosdish": {"cosdish": {"ridge": _decades(1.0)}},
            "semantic-ridge": {"semantic_ridge": {"ridge": _decades(1.0)}},
            "joint": {"joint": {"odds": (0.375, 0.75, 1.5, 3.0, 6.0)}},
            "bound-predictions": {"cosine_predictions": {"ridge": _decades(1.0)}},
        }
    )
    return config.lock()
