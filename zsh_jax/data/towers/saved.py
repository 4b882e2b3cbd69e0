"""The folder of a saved CLIP or SigLIP model: found, and its files checked, before PyTorch is imported."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from zsh_jax.data.reading import AGAIN, reading, written
from zsh_jax.data.text import read_text
from zsh_jax.data.towers.hub import hub_folder
from zsh_jax.errors import InputError

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
PREPROCESSING = ("preprocessor_config.json", "processor_config.json")
TOKENIZERS = ("tokenizer.json", "vocab.json", "spiece.model", "tokenizer.model")
HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+", re.ASCII)
WANTED = "give the folder of a saved CLIP or SigLIP model"


class Kind(NamedTuple):
    """A kind of model.

    Attributes:
        image: the tensor whose rows are the values of an image embedding.
        text: the tensor whose rows are the values of a text embedding.
    """

    image: str
    text: str


KINDS = {
    "clip": Kind("visual_projection.weight", "text_projection.weight"),  # Radford et al., ICML 2021
    "siglip": Kind("vision_model.post_layernorm.weight", "text_model.head.weight"),  # Zhai et al., ICCV 2023
}
"""By `model_type` of `config.json`."""


class SavedTowers(NamedTuple):
    """A saved model whose files were checked.

    Attributes:
        folder: of its files.
        kind: a key of `KINDS`.
        weights: its safetensors files.
        values: of an embedding.
    """

    folder: Path
    kind: str
    weights: tuple[Path, ...]
    values: int


def find_towers(model: str | Path, *, setting: str, download: bool = False) -> SavedTowers:
    """Find a model and check its files. Reads headers, not weights.

    Args:
        model: a folder that `save_pretrained` wrote, with weights as safetensors; or a name on the Hugging Face hub.
        setting: that names the model, such as `features.weights`; its section has `download` too.
        download: whether to download a model of the hub; else it must have been downloaded before.

    Returns:
        The model.

    Raises:
        InputError: there is no such folder or model, a file is missing or damaged, or a tower is missing.
    """
    folder = written(model)
    if not folder.is_dir():
        section = setting.partition(".")[0]
        asked = f"--config.{section}.download=True"
        if folder.exists() or not HUB_NAME.fullmatch(str(model)):
            what = "is not a folder" if folder.exists() else "does not exist"
            raise InputError(f"{setting}: {model} {what}; fix: {WANTED}, or a name of the hub with {asked}")
        folder = hub_folder(str(model), setting=setting, download=download, fix=f"{WANTED}, or set {asked}")
    kind = _kind(folder, setting)
    if not any((folder / name).is_file() for name in PREPROCESSING):
        raise InputError(f"{folder} lacks {PREPROCESSING[0]}; fix: save the processor of the model there too")
    if not any((folder / name).is_file() for name in TOKENIZERS):
        # Transformers 5 would make a tokenizer that knows no word.
        raise InputError(
            f"{folder} lacks {' and '.join(TOKENIZERS[:2])}; fix: save the tokenizer of the model there too"
        )
    weights = _weights(folder)
    shapes: dict[str, list[int]] = {}
    for path in weights:
        shapes |= _shapes(path)
    for tower, name in KINDS[kind]._asdict().items():
        if not shapes.get(name):
            raise InputError(
                f"{folder}: the weights lack the {tower} tower ({name}); fix: {WANTED}, with both"
            )
    return SavedTowers(folder, kind, weights, shapes[KINDS[kind].image][0])


def towers_digest(saved: SavedTowers) -> str:
    """Digest of the content of all files that image embeddings depend on; names and places do not count.

    Args:
        saved: from `find_towers`.

    Returns:
        64 hexadecimal digits.

    Raises:
        InputError: a file cannot be read.
    """
    settings = (saved.folder / name for name in ("config.json", *PREPROCESSING))
    whole = hashlib.sha256()
    for path in (*saved.weights, *(path for path in settings if path.is_file())):
        with reading(path, "cannot be read"), path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def _kind(folder: Path, setting: str) -> str:
    if not (folder / "config.json").is_file():
        raise InputError(f"{setting}: {folder} lacks config.json; fix: {WANTED}")
    kind = str(_json(folder / "config.json").get("model_type"))
    if kind not in KINDS:
        one = " (one tower alone)" if kind.partition("_")[0] in KINDS else ""
        raise InputError(
            f"{setting}: {folder} holds a model of type {kind!r}{one}; fix: {WANTED}, with both towers"
        )
    return kind


def _json(path: Path) -> dict[str, Any]:
    text = read_text(path)
    with reading(path, "is not JSON"):
        found = json.loads(text)
    if not isinstance(found, dict):
        raise InputError(f"{path} is not a JSON object; fix: {AGAIN}")
    return found


def _weights(folder: Path) -> tuple[Path, ...]:
    if (folder / WEIGHTS).is_file():
        return (folder / WEIGHTS,)
    if not (folder / INDEX).is_file():
        raise InputError(
            f"{folder} lacks {WEIGHTS}, and other weights are never read; fix: save it as safetensors"
        )
    parts = _json(folder / INDEX).get("weight_map")
    names = set(parts.values()) if isinstance(parts, dict) else set()
    if not names or not all(isinstance(name, str) and Path(name).name == name for name in names):
        raise InputError(f"{folder / INDEX} does not list files of weights; fix: {AGAIN}")
    return tuple(folder / name for name in sorted(names))


def _shapes(path: Path) -> dict[str, list[int]]:
    """Shapes of all tensors of a file, whose header must fit its length."""
    from safetensors import safe_open

    with reading(path, "is damaged"), safe_open(path, framework="numpy") as file:
        return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
