"""Locality: on the projection (as published), on the semantics (as released), none, and other graphs.

python launch.py --config experiments/ablate_locality.py

    Three seeds, two minutes on two busy cores. mAP at 32 and 64 bits: published 0.387 and 0.447; no locality, and
    locality on the semantics, 0.385 and 0.448; other graphs within 0.006 of published; gamma 1e-3 0.180 and 0.330.

python launch.py --config experiments/ablate_locality.py:cifar10 --config.dataset.data_dir=TFDS_DATA_DIR \
    --config.features.path=FEATURES --config.semantics.path=WORD_VECTORS
"""

from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset


def get_config(dataset: str = "shapes") -> ConfigDict:
    """Every kind of locality on the same splits and starts."""
    config = for_dataset(dataset)
    config.name = "ablate_locality"
    config.sweep.bits = (32, 64)
    config.reference = "published"
    config.variants = ConfigDict(
        {
            "published": {},
            "no-locality": {"zsh": {"locality": ("none",)}},
            "on-semantics": {"zsh": {"locality": ("semantics",)}},
            "gamma-x1000": {"zsh": {"gamma": (1e-3,)}},
            "5-neighbours": {"neighbours": (5,)},
            "30-neighbours": {"neighbours": (30,)},
            "binary-edges": {"edge_weights": ("binary",)},
            "normalised": {"laplacian": ("normalised",)},
            "anchor-graph": {"graph": ("anchors",), "neighbours": (3,)},
        }
    )
    return config.lock()
