"""The table of methods. To add one, add a file in this folder and a row here."""

from types import MappingProxyType

from zsh_jax.methods import (
    cca_itq,
    class_codes,
    cosdish,
    cosine_features,
    cosine_predictions,
    csq,
    dpsh,
    dtsh,
    fsdh,
    greedyhash,
    hashnet,
    itq,
    joint,
    joint_fixed,
    ksh,
    lsh,
    orthohash,
    pcah,
    random_rotation,
    sdh,
    semantic_ridge,
    sgh,
    zsh,
    zsh_coupled,
    zsh_relaxed,
)

_ROWS = (
    zsh,
    zsh_relaxed,
    zsh_coupled,
    joint,
    joint_fixed,
    lsh,
    random_rotation,
    pcah,
    itq,
    cca_itq,
    sgh,
    ksh,
    sdh,
    fsdh,
    cosdish,
    dpsh,
    hashnet,
    dtsh,
    greedyhash,
    csq,
    orthohash,
    class_codes,
    semantic_ridge,
    cosine_features,
    cosine_predictions,
)
PUBLISHED = zsh.METHOD.name
"""The method of the paper; the default."""

METHODS = MappingProxyType({row.METHOD.name: row.METHOD for row in _ROWS})
"""Every method by its name."""
