"""Methods for comparison at their published settings, on the same splits, features and evaluation.

python launch.py --config experiments/compare_methods.py
python launch.py --config experiments/compare_methods.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """This method in two forms, ten others, and two bounds that are not hashing."""
    config = for_dataset(dataset)
    config.name = "compare_methods"
    config.sweep.bits = (16, 32, 64, 128)
    config.reference = "zsh"
    # What SGH and KSH state; they factorise matrices of that size for each bit.
    published = {"anchors": (300,)}
    config.variants = ConfigDict(
        {
            "zsh": {},
            "zsh-coupled": {"rotation": ("coupled",)},
            "lsh": {"method": ("lsh",)},
            "pcah": {"method": ("pcah",)},
            "itq": {"method": ("itq",)},
            "cca-itq": {"method": ("cca_itq",)},
            "sgh": {"method": ("sgh",)} | published,
            "ksh": {"method": ("ksh",)} | published,
            "sdh": {"method": ("sdh",)},
            "fsdh": {"method": ("fsdh",)},
            "cosdish": {"method": ("cosdish",)},
            "semantic-ridge": {"method": ("semantic_ridge",)},
            "bound-features": {"method": ("cosine_features",), "bits": (0,)},
            "bound-predictions": {"method": ("cosine_predictions",), "bits": (0,)},
        }
    )
    return config.lock()
