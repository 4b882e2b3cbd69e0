"""Load the configured features: read them if they exist, else extract them."""

import jax
import numpy as np
from jaxtyping import Float32

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.reading import written
from zsh_jax.features.spec import TOWERS
from zsh_jax.inputs.settings import FeatureSettings


def features_name(features: FeatureSettings) -> str:
    """Name of the features in results; that of a model or of files is in it, but not their place."""
    if features.name != "precomputed":
        model = f"{TOWERS}:{written(features.weights or '').name}"
        names = (name.strip() for name in features.name.split("+"))
        return "+".join(model if name == TOWERS else name for name in names)
    assert features.path is not None  # checked when the data set was loaded
    return written(features.path).name


def read_features(dataset: Dataset, features: FeatureSettings) -> Float32[np.ndarray, "n d"] | None:
    """Read features that already exist.

    Args:
        dataset: their data set; with its own features, if those are requested.
        features: which.

    Returns:
        The features; None if they must be extracted.

    Raises:
        InputError: they are damaged, or belong to other samples.
    """
    if features.name == "source":
        assert dataset.features is not None  # checked when it was loaded
        return dataset.features
    if features.name == "precomputed":
        from zsh_jax.features.precomputed import load_precomputed

        assert features.path is not None  # checked when the data set was loaded
        return load_precomputed(written(features.path), dataset)
    from zsh_jax.features.cache import default_cache
    from zsh_jax.features.extract import is_extracted

    cache = features.cache or default_cache()
    is_cached = is_extracted(
        dataset,
        features.name,
        cache=cache,
        weights=features.weights,
        download=features.download,
        version=dataset.version,
    )
    return extract_features(dataset, features) if is_cached else None


def extract_features(dataset: Dataset, features: FeatureSettings) -> Float32[np.ndarray, "n d"]:
    """Extract features from images, which can take hours; cached blocks are loaded.

    Args:
        dataset: with its images.
        features: which.

    Returns:
        The features.

    Raises:
        InputError: extraction fails.
    """
    from zsh_jax.features.cache import default_cache
    from zsh_jax.features.extract import extract

    # Features are float32, and networks choose their products: sweeps of all precisions share the cache.
    with jax.enable_x64(False), jax.default_matmul_precision(None):
        return extract(
            dataset,
            features.name,
            cache=features.cache or default_cache(),
            weights=features.weights,
            batch_size=features.batch_size,
            download=features.download,
            version=dataset.version,
        )


def features_of_shape(dataset: Dataset, features: FeatureSettings) -> Float32[np.ndarray, "n d"]:
    """Zeros with the shape of the features before extraction; they take no memory.

    Args:
        dataset: with its images.
        features: which.

    Returns:
        An array of the right shape.

    Raises:
        InputError: the features are unknown.
    """
    from zsh_jax.features.count import count_values

    assert dataset.images is not None  # checked when it was loaded
    height, width = dataset.images.shape[1:3]
    values = count_values(features.name, height, width, weights=features.weights, download=features.download)
    return np.broadcast_to(np.float32(0), (len(dataset.ids), values))
