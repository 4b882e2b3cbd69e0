"""Compare methods with one weight of each tuned on validation classes: five values each, and more beyond a best end.

python launch.py --config experiments/compare_tuned.py

    Three seeds, 7 minutes on two slow cores. mAP at 64 bits: greedyhash 0.677, joint 0.652 (not tuned),
    semantic-ridge 0.636, orthohash 0.631, csq 0.629, joint-fixed 0.625, dtsh 0.624, zsh-coupled 0.601, cosdish 0.590,
    hashnet 0.588, ksh 0.557, zsh 0.534, sdh 0.528, cca-itq 0.502, dpsh 0.488, fsdh 0.484, sgh 0.220.
    Predictions, not hashed: 0.766. For CIFAR-10, and the choices, see docs/results.md.

python launch.py --config experiments/compare_tuned.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset

HEADS = ("dpsh", "hashnet", "dtsh", "greedyhash", "csq", "orthohash")
RATES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def _wide(published: float) -> tuple[float, ...]:
    """The published value, and four decades around it."""
    return tuple(published * multiple for multiple in (1e-4, 1e-2, 1.0, 1e2, 1e4))


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
            "joint": {"method": ("joint",)},  # it tunes itself
            "joint-fixed": {"method": ("joint_fixed",)},
            **{name: {"method": (name,)} for name in HEADS},
            "bound-predictions": {"method": ("cosine_predictions",), "bits": (0,)},
        }
    )
    config.tuning.widen = 4
    config.tuning.axes = ConfigDict(
        {
            "zsh": {"zsh": {"beta": _wide(1e-4)}},
            "zsh-coupled": {"zsh_coupled": {"beta": _wide(1e-4)}},
            "cca-itq": {"cca_itq": {"ridge": _wide(1e-4)}},
            "sgh": {"sgh": {"ridge": _wide(1e-6)}},
            "ksh": {"ksh": {"tolerance": _wide(1e-2)}},
            "sdh": {"sdh": {"nu": _wide(1e-5)}},
            "fsdh": {"fsdh": {"nu": _wide(1e-5)}},
            "cosdish": {"cosdish": {"ridge": _wide(1.0)}},
            "semantic-ridge": {"semantic_ridge": {"ridge": _wide(1.0)}},
            "joint-fixed": {"joint_fixed": {"odds": _wide(1.5)}},
            **{name: {name: {"learning_rate": RATES}} for name in HEADS},
            "bound-predictions": {"cosine_predictions": {"ridge": _wide(1.0)}},
        }
    )
    return config.lock()
