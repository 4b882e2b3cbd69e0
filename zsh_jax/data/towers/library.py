"""Load the parts of a saved model with transformers. Needs `pip install 'zsh_jax[towers]'`."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from zsh_jax.data.library_errors import reason
from zsh_jax.data.reading import AGAIN, reading
from zsh_jax.errors import InputError

INSTALL = "pip install 'zsh_jax[towers]'"
# Nothing is fetched once the folder is known, and no code that comes with a model is run.
FROM_FOLDER: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def check_installed() -> None:
    """Refuse an environment without the extra; nothing is imported, so it takes no time.

    Raises:
        InputError: transformers or PyTorch is missing.
    """
    for library in ("transformers", "torch"):
        try:
            found = find_spec(library) is not None
        except ValueError:  # what stands in `sys.modules` is no module of a file
            found = False
        if not found:
            raise InputError(f"towers need transformers and PyTorch ({library} is missing); fix: {INSTALL}")


def load_model(folder: Path) -> Any:
    """The model of a folder with both towers, in float32, on the CPU.

    Args:
        folder: from `find_towers`.

    Returns:
        A `CLIPModel` or `SiglipModel`.

    Raises:
        InputError: the library is missing, or the weights are not those of the model.
    """
    with _transformers() as transformers, reading(folder, "cannot be loaded", AGAIN):
        model, told = transformers.AutoModel.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True, **FROM_FOLDER
        )
    missing = sorted(told["missing_keys"])
    if missing:  # drawn at random by the library
        raise InputError(
            f"{folder}: the weights lack {missing[0]} and {len(missing) - 1} other tensors; fix: {AGAIN}"
        )
    return model.float().eval()


def load_image_processor(folder: Path) -> Any:
    """The preprocessing of images that was saved with a model, by Pillow in every environment.

    Args:
        folder: from `find_towers`.

    Returns:
        The processor.

    Raises:
        InputError: the library is missing, or the settings cannot be read.
    """
    with _transformers() as transformers, reading(folder, "cannot be loaded", AGAIN):
        # Torchvision, if installed, would resize by other rules, and cached features would not say so.
        pillow = {"backend": "pil"} if hasattr(transformers, "CLIPImageProcessorPil") else {"use_fast": False}
        return transformers.AutoImageProcessor.from_pretrained(folder, **pillow, **FROM_FOLDER)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer that was saved with a model.

    Args:
        folder: from `find_towers`.

    Returns:
        The tokenizer.

    Raises:
        InputError: the library is missing, or the files cannot be read.
    """
    with _transformers() as transformers, reading(folder, "cannot be loaded", AGAIN):
        return transformers.AutoTokenizer.from_pretrained(folder, **FROM_FOLDER)


def pooled(output: Any) -> Float32[np.ndarray, "b d"]:
    """Embeddings as an array: transformers 4 returns them, transformers 5 an object that holds them."""
    return getattr(output, "pooler_output", output).numpy()


@contextmanager
def _transformers() -> Iterator[Any]:
    """The library, silent: it reports progress and advice on standard error, which belongs to our lines."""
    check_installed()
    try:
        import transformers
        from transformers.utils import logging
    except ImportError as problem:
        raise InputError(
            f"towers need transformers and PyTorch ({reason(problem)}); fix: {INSTALL}"
        ) from problem
    said, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield transformers
    finally:
        logging.set_verbosity(said)
        if bars:
            logging.enable_progress_bar()
