"""A model of the Hugging Face hub: downloaded if asked for, else found where it was downloaded before."""

from pathlib import Path

from zsh_jax.data.library_errors import reason
from zsh_jax.data.towers.library import check_installed
from zsh_jax.errors import InputError

FILES = (
    "config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "model.safetensors",
    "model-*-of-*.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "tokenizer.model",
)
"""What is downloaded: no code, and no weights that would have to be unpickled."""


def hub_folder(name: str, *, setting: str, download: bool, fix: str) -> Path:
    """The folder of a model of the hub on this machine.

    Args:
        name: such as `openai/clip-vit-base-patch32`.
        setting: that names it.
        download: whether to download it.
        fix: what to do without a download, for an error message.

    Returns:
        Its folder in the cache of the hub's client.

    Raises:
        InputError: it is not there, or the download fails.
    """
    check_installed()
    from huggingface_hub import snapshot_download

    try:
        found = snapshot_download(name, allow_patterns=list(FILES), local_files_only=not download)
    except Exception as problem:  # of the hub, the network or the disk
        if not download:
            raise InputError(
                f"{setting}: {name} is no folder, and was not downloaded before; fix: {fix}"
            ) from problem
        raise InputError(
            f"{setting}: {name} cannot be downloaded ({reason(problem)}); fix: check the name and the network"
        ) from problem
    return Path(found)
