"""Compare methods at their published settings, on the same splits, features and evaluation.

python launch.py --config experiments/compare_methods.py

    Three seeds. mAP at 64 bits: greedyhash 0.715, orthohash-semantic 0.715, dtsh 0.689, joint 0.652, orthohash 0.650,
    csq 0.646, csq-semantic 0.638, semantic-ridge 0.636, joint-fixed 0.625, ksh 0.556, cosdish 0.533, sdh 0.526,
    hashnet 0.523, zsh-coupled 0.505, cca-itq 0.500, fsdh 0.476, dpsh 0.466, zsh 0.447; methods without labels 0.21 to
    0.27. Not hashed: 0.345 on features, 0.713 on predictions. On another machine ksh had 0.567 and cca-itq 0.502: their
    sums were in another order. For all lengths see docs/leaderboard.md, for CIFAR-10 docs/results.md.

python launch.py --config experiments/compare_methods.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """Four forms of this method, twenty others, and two unhashed bounds."""
    config = for_dataset(dataset)
    config.name = "compare_methods"
    config.sweep.bits = (16, 32, 64, 128)
    config.evaluation.seen_queries = config.sweep.queries[0]  # the generalised setting too
    config.reference = "zsh"
    # As SGH and KSH state.
    published = {"anchors": (300,)}

    def semantic(method: str) -> dict[str, dict[str, tuple[str]]]:
        """With centres that names of classes have too."""
        return {method: {"centres": ("semantic",)}}

    config.variants = ConfigDict(
        {
            "zsh": {},
            "zsh-coupled": {"method": ("zsh_coupled",)},
            "joint": {"method": ("joint",)},
            "joint-fixed": {"method": ("joint_fixed",)},
            "lsh": {"method": ("lsh",)},
            "random-rotation": {"method": ("random_rotation",)},
            "pcah": {"method": ("pcah",)},
            "itq": {"method": ("itq",)},
            "cca-itq": {"method": ("cca_itq",)},
            "sgh": {"method": ("sgh",)} | published,
            "ksh": {"method": ("ksh",)} | published,
            "sdh": {"method": ("sdh",)},
            "fsdh": {"method": ("fsdh",)},
            "cosdish": {"method": ("cosdish",)},
            "dpsh": {"method": ("dpsh",)},
            "hashnet": {"method": ("hashnet",)},
            "dtsh": {"method": ("dtsh",)},
            "greedyhash": {"method": ("greedyhash",)},
            "csq": {"method": ("csq",)},
            "csq-semantic": {"method": ("csq",)} | semantic("csq"),
            "orthohash": {"method": ("orthohash",)},
            "orthohash-semantic": {"method": ("orthohash",)} | semantic("orthohash"),
            "class-codes": {"method": ("class_codes",)},
            "semantic-ridge": {"method": ("semantic_ridge",)},
            "bound-features": {"method": ("cosine_features",), "bits": (0,)},
            "bound-predictions": {"method": ("cosine_predictions",), "bits": (0,)},
        }
    )
    return config.lock()
