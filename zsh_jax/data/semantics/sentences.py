"""Class vectors from a sentence encoder. Needs `pip install 'zsh_jax[sentences]'`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from zsh_jax.data.library_errors import reason
from zsh_jax.data.semantics.phrases import NO_SYNONYMS, phrases_of
from zsh_jax.data.semantics.targets import attribute_vectors
from zsh_jax.errors import InputError

PROMPT = "a photo of a {}"


def sentence_vectors(
    class_names: Sequence[str],
    *,
    model: str | Path,
    prompt: str = PROMPT,
    synonyms: Mapping[str, str] = NO_SYNONYMS,
    download: bool = False,
) -> Float32[np.ndarray, "c e"]:
    """Class vectors from a sentence-transformers model (Reimers and Gurevych, EMNLP 2019).

    Args:
        class_names: the c names; underscores become spaces.
        model: folder of a saved model, or a name on the Hugging Face hub.
        prompt: text to embed; `{}` stands for the class name.
        synonyms: words to embed in place of a class name.
        download: whether to download a hub model that is not on disk. Without a network the hub client retries for a
            minute.

    Returns:
        One unit row a class.

    Raises:
        InputError: the library is missing, the model cannot be loaded, the prompt has no `{}`, or a synonym names an
            unknown class.
    """
    phrases = phrases_of(class_names, prompt, synonyms)
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as problem:
        raise InputError(
            f"sentence embeddings need sentence-transformers ({reason(problem)}); fix: pip install "
            "'zsh_jax[sentences]', or use the bundled minilm"
        ) from problem
    try:
        # Never run code that comes with a model.
        encoder = SentenceTransformer(str(model), trust_remote_code=False, local_files_only=not download)
    except Exception as problem:  # from the hub client, safetensors or PyTorch
        raise InputError(
            f"semantics.model: {model} cannot be loaded ({reason(problem)}); fix: give the folder of a saved model, or "
            "one of the hub with --config.semantics.download=True"
        ) from problem
    return attribute_vectors(np.asarray(encoder.encode(phrases, show_progress_bar=False), np.float32))
