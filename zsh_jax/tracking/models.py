"""Trained hash functions on disk, as safetensors: plain arrays and text, nothing that runs on loading."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped, UInt8

from zsh_jax.atomic import cannot_write, write_whole
from zsh_jax.baselines.families import AnyHashFunction
from zsh_jax.baselines.hash_functions import LinearHashFunction
from zsh_jax.core.hashing import HashFunction
from zsh_jax.core.joint import JointHashFunction
from zsh_jax.errors import InputError
from zsh_jax.sweep.fingerprint import PREFIX, digest
from zsh_jax.tracking.lines import CHECKSUM
from zsh_jax.tracking.results import cell_id

DIMENSIONS = {
    "mean": 1,
    "scale": 1,
    "anchors": 2,
    "bandwidth": 0,
    "projection": 2,
    "offset": 1,
    "basis": 2,
    "unit": 0,
    "semantic": 2,
    "whitening": 2,
    "centre": 1,
    "typical": 1,
    "frame": 2,
}
OPTIONAL = {"basis", "unit"}  # of some preprocessings
CLASS_CODES = "class_codes"  # a tensor beside them, of methods that have such


def model_path(workdir: str | Path, identifier: str) -> Path:
    """Where the hash function of a cell lies.

    Args:
        workdir: of the sweep.
        identifier: the cell's `cell_id`.

    Returns:
        `<workdir>/models/<cell_id>.safetensors`.
    """
    return Path(workdir) / "models" / f"{identifier}.safetensors"


def save_model(
    path: str | Path,
    model: AnyHashFunction,
    metadata: Mapping[str, Any],
    class_codes: UInt8[np.ndarray, "c bytes"] | None = None,
) -> None:
    """Write a hash function, whole or not at all, with a checksum of its arrays and metadata beside the latter.

    Args:
        path: the file; its folder is made if it is not there, but not the one above.
        model: what to write, on any device.
        metadata: flat, JSON values: the identity of the cell that trained it.
        class_codes: packed codes of the classes, where the method has such.

    Raises:
        InputError: if the file cannot be written.
        OSError: if the disk is full or gone.
    """
    from safetensors.numpy import save

    path = Path(path)
    leaves = model._asdict() | {CLASS_CODES: class_codes}
    arrays = {name: np.array(leaf, order="C") for name, leaf in leaves.items() if leaf is not None}
    texts = {key: json.dumps(value) for key, value in metadata.items()}
    texts[CHECKSUM] = json.dumps(_checksum(arrays, texts))
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, save(arrays, texts))
    except OSError as error:
        raise cannot_write(path, error) from None


def load_model(path: str | Path) -> tuple[AnyHashFunction, dict[str, Any]]:
    """Read a hash function that `save_model` wrote.

    Args:
        path: the file.

    Returns:
        The hash function, for `zsh_jax.baselines.families.encode_any`, its leaves NumPy arrays of the dtype
        in which they were saved; and the metadata. Those of older versions have no checksum, and tell no damage.

    Raises:
        InputError: if there is no such file, it is damaged, or it does not hold a hash function whose arrays fit each
            other.
    """
    arrays, metadata = _read(Path(path))
    arrays.pop(CLASS_CODES, None)
    return _kind(arrays)(**arrays), metadata


def load_class_codes(path: str | Path) -> UInt8[np.ndarray, "c bytes"] | None:
    """Read the codes of the classes that stand beside a hash function.

    Args:
        path: the file, as `save_model` wrote it.

    Returns:
        A row for each class of the data set, packed; None where the file has none.

    Raises:
        InputError: as `load_model` does.
    """
    arrays, _ = _read(Path(path))
    return arrays.get(CLASS_CODES)


def is_whole_model(path: str | Path) -> bool:
    """Whether a file holds the hash function of the cell that it is named for, as it was saved.

    Args:
        path: of `model_path`.

    Returns:
        False if the file is missing, cut, damaged, another's or another cell's.
    """
    path = Path(path)
    try:
        _, metadata = _read(path, wants_checksum=True)
        return cell_id(metadata) == path.stem
    except (InputError, ValueError):
        return False


def _read(path: Path, *, wants_checksum: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"there is no model {path}; run the sweep with --config.save_models")
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a mapping
            texts = dict(file.metadata() or {})
            metadata = {key: json.loads(text) for key, text in texts.items()}
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is not a hash function that was saved here: {error}") from None
    texts.pop(CHECKSUM, None)
    # Those of older versions have none, and no fingerprints either.
    expected = metadata.pop(CHECKSUM, None)
    needed = wants_checksum or any(key.startswith(PREFIX) for key in metadata)
    if expected != _checksum(arrays, texts) and (needed or expected is not None):
        raise InputError(f"{path} is damaged: its checksum is wrong; the command of its sweep makes it again")
    _check(path, arrays, set(_kind(arrays)._fields))
    return arrays, metadata


def _checksum(arrays: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    names = sorted(arrays)
    return digest(names, *(arrays[name] for name in names), json.dumps(dict(texts), sort_keys=True))


def _kind(arrays: Mapping[str, Any]) -> type[AnyHashFunction]:
    if "frame" in arrays:
        return JointHashFunction
    return LinearHashFunction if "offset" in arrays else HashFunction


def _check(path: Path, every: Mapping[str, Shaped[np.ndarray, "..."]], fields: set[str]) -> None:
    arrays = {name: array for name, array in every.items() if name != CLASS_CODES}

    def require(holds: bool, what: str) -> None:
        if not holds:
            raise InputError(f"{path} is not a hash function: {what}")

    lacking, unknown = sorted(fields - OPTIONAL - arrays.keys()), sorted(arrays.keys() - fields)
    require(not lacking, f"it lacks {', '.join(lacking)}")
    require(not unknown, f"it also holds {', '.join(unknown)}")
    for name, array in arrays.items():
        kinds = (np.bool_,) if name == "unit" else (np.float32, np.float64)
        wanted = " or ".join(np.dtype(kind).name for kind in kinds)
        require(array.dtype in kinds, f"{name} is of type {array.dtype}, not {wanted}")
        dimensions = DIMENSIONS[name]
        require(array.ndim == dimensions, f"{name} has shape {array.shape}, not {dimensions} dimensions")
    values = arrays["mean"].shape[0]
    require(
        len(arrays["scale"]) == values, f"scale is for {len(arrays['scale'])} features, mean for {values}"
    )
    if "basis" in arrays:
        require(
            len(arrays["basis"]) == values, f"basis is for {len(arrays['basis'])} features, mean for {values}"
        )
        values = arrays["basis"].shape[1]
    last = "frame" if "frame" in fields else "projection"
    rows, bits = arrays[last].shape
    codes = every.get(CLASS_CODES, np.zeros((0, -(-bits // 8)), np.uint8))
    require(
        codes.dtype == np.uint8 and codes.ndim == 2 and codes.shape[1] == -(-bits // 8),
        f"class_codes of type {codes.dtype} and shape {codes.shape} are no packed codes of {bits} bits",
    )
    if "offset" in fields:
        length = len(arrays["offset"])
        require(length == bits, f"offset is for {length} bits, {last} for {bits}")
    if "anchors" not in fields:
        require(rows == values, f"projection has {rows} rows, and {values} features come to it")
        return
    anchors, length = arrays["anchors"].shape
    require(length == values, f"anchors are for {length} features, and {values} come to them")
    if last == "projection":
        require(rows == anchors + 1, f"projection has {rows} rows for {anchors} anchors and a constant")
        return
    columns = arrays["semantic"].shape[1], arrays["whitening"].shape[1]
    lengths = {columns[1], len(arrays["centre"]), len(arrays["typical"])}
    require(
        len(arrays["semantic"]) == anchors + 1
        and len(arrays["whitening"]) == values
        and rows == sum(columns)
        and len(lengths) == 1,
        "semantic, whitening, centre, typical and frame do not fit each other",
    )
