"""Features from the image tower of a CLIP or SigLIP model. Needs `pip install 'zsh_jax[towers]'`."""

import numpy as np
from jaxtyping import Float32, UInt8

from zsh_jax.data.reading import reading
from zsh_jax.data.towers.library import load_image_processor, load_model, pooled
from zsh_jax.data.towers.saved import SavedTowers
from zsh_jax.features.batches import in_batches
from zsh_jax.features.spec import Describe


def load_image_tower(saved: SavedTowers, *, batch_size: int = 64) -> Describe:
    """Load a model, and return the function from images to its image embeddings.

    Radford et al., "Learning transferable visual models from natural language supervision", ICML 2021; Zhai et al.,
    "Sigmoid loss for language image pre-training", ICCV 2023. Images are preprocessed as the model's own settings say
    (resized, cropped, normalised). PyTorch computes on the CPU.

    Args:
        saved: the model.
        batch_size: images per batch.

    Returns:
        The function; embeddings have the length that the tower gives them, which need not be 1.

    Raises:
        InputError: the libraries are missing, or the model cannot be loaded.
    """
    model, processor = load_model(saved.folder), load_image_processor(saved.folder)

    def run(images: UInt8[np.ndarray, "b h w 3"]) -> Float32[np.ndarray, "b d"]:
        import torch

        with reading(saved.folder, "does not fit its own preprocessing"), torch.inference_mode():
            prepared = processor(images=list(images), input_data_format="channels_last", return_tensors="pt")
            return pooled(model.get_image_features(**prepared))

    def describe(images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n d"]:
        return in_batches(run, images, batch_size=batch_size, length=saved.values)

    return describe
