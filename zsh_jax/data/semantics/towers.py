"""Class vectors from the text tower of a CLIP or SigLIP model. Needs `pip install 'zsh_jax[towers]'`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from zsh_jax.data.reading import reading
from zsh_jax.data.semantics.phrases import NO_SYNONYMS, phrases_of
from zsh_jax.data.semantics.targets import attribute_vectors
from zsh_jax.data.towers.library import load_model, load_tokenizer, pooled
from zsh_jax.data.towers.saved import find_towers
from zsh_jax.errors import InputError

SETTING = "semantics.model"
# The default of the paper on CLIP (section 3.1.4): the captions it learns from are rarely single words.
PROMPT = "a photo of a {}."
BATCH = 64  # texts at a time


def tower_vectors(
    class_names: Sequence[str],
    *,
    model: str | Path,
    prompt: str = PROMPT,
    synonyms: Mapping[str, str] = NO_SYNONYMS,
    download: bool = False,
) -> Float32[np.ndarray, "c e"]:
    """Class vectors from a text tower, in the space of the image tower's embeddings.

    A text is cut at the length that the model takes, and padded to it, as in training.

    Args:
        class_names: the c names; underscores become spaces.
        model: folder of a saved model, or a name on the Hugging Face hub.
        prompt: text to embed; `{}` stands for the class name.
        synonyms: words to embed in place of a class name.
        download: whether to download a hub model that is not on disk.

    Returns:
        One unit row a class.

    Raises:
        InputError: the libraries are missing, the model cannot be loaded, the prompt has no `{}`, or a synonym names an
            unknown class.
    """
    phrases = phrases_of(class_names, prompt, synonyms)
    folder = find_towers(model, setting=SETTING, download=download).folder
    encoder, tokenizer = load_model(folder), load_tokenizer(folder)
    tokenizer.padding_side = "right"
    rows: list[Float32[np.ndarray, "b e"]] = []
    import torch

    for start in range(0, len(phrases), BATCH):
        with reading(folder, "cannot embed class names"), torch.inference_mode():
            texts = tokenizer(
                phrases[start : start + BATCH],
                padding="max_length",
                truncation=True,
                max_length=encoder.config.text_config.max_position_embeddings,
                return_tensors="pt",
            )
            # Both models were trained without a mask of the padding.
            rows.append(pooled(encoder.get_text_features(input_ids=texts["input_ids"])))
    found = np.concatenate(rows)
    if not np.isfinite(found).all():
        raise InputError(f"{SETTING}: embeddings of {model} are not finite; fix: use other weights")
    return attribute_vectors(found)
