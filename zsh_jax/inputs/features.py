"""The features of a data set as a configuration says: read where they are at hand, extracted where they are not."""

import jax
import numpy as np
from jaxtyping import Float32
from ml_collections import ConfigDict

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.reading import written


def features_name(features: ConfigDict) -> str:
    """The name of the features as results state it."""
    return written(features.path).name if features.name == "precomputed" else features.name


def read_features(dataset: Dataset, features: ConfigDict) -> Float32[np.ndarray, "n d"] | None:
    """Features that are at hand.

    Args:
        dataset: whose samples; with its own features, where these are wanted.
        features: `config.features`.

    Returns:
        The features; None where they are still to be extracted.

    Raises:
        InputError: they are damaged, or not of these samples.
    """
    if features.name == "source":
        assert dataset.features is not None  # checked when it was loaded
        return dataset.features
    if features.name == "precomputed":
        from zsh_jax.features.precomputed import load_precomputed

        return load_precomputed(written(features.path), dataset)
    from zsh_jax.features.cache import default_cache
    from zsh_jax.features.extract import is_extracted

    cache = features.cache or default_cache()
    known = {"cache": cache, "weights": features.weights, "version": dataset.version}
    return extract_features(dataset, features) if is_extracted(dataset, features.name, **known) else None


def extract_features(dataset: Dataset, features: ConfigDict) -> Float32[np.ndarray, "n d"]:
    """Features that are made from images, which may take hours; what the cache has of them is read.

    Args:
        dataset: with its images.
        features: `config.features`.

    Returns:
        The features.

    Raises:
        InputError: they cannot be made.
    """
    from zsh_jax.features.cache import default_cache
    from zsh_jax.features.extract import extract

    with jax.enable_x64(False):  # features are float32: the cache has them for sweeps of both precisions
        return extract(
            dataset,
            features.name,
            cache=features.cache or default_cache(),
            weights=features.weights,
            batch_size=features.batch_size,
            version=dataset.version,
        )


def features_of_shape(dataset: Dataset, features: ConfigDict) -> Float32[np.ndarray, "n d"]:
    """Zeros in the place of features that are to be extracted; they take no memory.

    Args:
        dataset: with its images.
        features: `config.features`.

    Returns:
        An array of their shape.

    Raises:
        InputError: there are no such features.
    """
    from zsh_jax.features.count import count_values

    assert dataset.images is not None  # checked when it was loaded
    height, width = dataset.images.shape[1:3]
    return np.broadcast_to(np.float32(0), (len(dataset.ids), count_values(features.name, height, width)))
