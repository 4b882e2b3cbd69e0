"""Save and load hash functions as safetensors: arrays and text, no code that runs on loading.

A file holds one hash function of any method: each array under its path, such as `head.projection`, and the kind of each
part in the metadata. To add a feature map or head, add a row to `KINDS`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import jax
import numpy as np
from jaxtyping import Shaped

from zsh_jax.atomic import cannot_write, write_whole
from zsh_jax.core.classes import Dictionary
from zsh_jax.core.feature_maps import RBF, FeaturesAndRBF, Identity
from zsh_jax.core.hashing import HashFunction, project
from zsh_jax.core.heads import MLP, ClassCodes, Joint, Linear, Vectors
from zsh_jax.core.preprocessing import Preprocessing
from zsh_jax.digest import digest
from zsh_jax.errors import InputError

FORMAT, CHECKSUM, PARTS = "format", "checksum", "parts"
FIX = "fix: use a file that zsh_jax.save or a sweep wrote"
VERSION = 2  # 1 had a file layout for each kind of method
KINDS: Mapping[str, Mapping[str, Any]] = {
    "preprocessing": {"preprocessing": Preprocessing},
    "feature_map": {"identity": Identity, "rbf": RBF, "features_and_rbf": FeaturesAndRBF},
    "head": {"linear": Linear, "mlp": MLP, "class_codes": ClassCodes, "joint": Joint, "vectors": Vectors},
    "class_head": {"linear": Linear, "dictionary": Dictionary},
}
"""For each part of a hash function, its kinds by their names in files."""


def save(path: str | Path, model: HashFunction, metadata: Mapping[str, Any] | None = None) -> None:
    """Write a hash function atomically, with a checksum.

    Args:
        path: the file; its folder is created if needed, but not the one above.
        model: of any method, on any device.
        metadata: flat, JSON values, saved with it.

    Raises:
        InputError: if the file cannot be written.
        OSError: if the disk is full or gone.

    Examples:
        After the example of `zsh_jax.fit`:

        >>> zsh.save("model.safetensors", model)
    """
    from safetensors.numpy import save as serialised

    path = Path(path)
    arrays: dict[str, Any] = {}
    parts: dict[str, str] = {}
    for name, part in model._asdict().items():
        if part is not None:
            parts[name] = next(word for word, kind in KINDS[name].items() if kind is type(part))
            leaves = {key: leaf for key, leaf in part._asdict().items() if leaf is not None}
            arrays |= {f"{name}.{key}": np.array(leaf, order="C") for key, leaf in leaves.items()}
    own = {FORMAT: VERSION, PARTS: parts}
    texts = {key: json.dumps(value) for key, value in (dict(metadata or {}) | own).items()}
    texts[CHECKSUM] = json.dumps(_checksum(arrays, texts))
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, serialised(arrays, texts))
    except OSError as error:
        raise cannot_write(path, error) from None


def load(path: str | Path) -> HashFunction:
    """Read a hash function that `save` wrote.

    Args:
        path: the file.

    Returns:
        The hash function, with NumPy arrays of the saved dtype.

    Raises:
        InputError: if there is no such file, it is damaged, it is not a hash function, or its shapes are inconsistent.

    Examples:
        After the examples of `save` and `zsh_jax.encode`:

        >>> loaded = zsh.load("model.safetensors")
        >>> bool((zsh.encode(loaded, features) == codes).all())
        True
    """
    return load_with_metadata(path)[0]


def load_with_metadata(path: str | Path) -> tuple[HashFunction, dict[str, Any]]:
    """Read a hash function and its metadata; see `load`."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no model {path}; fix: run the sweep with --config.save_models")
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a mapping
            texts = dict(file.metadata() or {})
            metadata = {key: json.loads(text) for key, text in texts.items()}
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is not a hash function of this package: {error}; {FIX}") from None
    if "mean" in arrays and FORMAT not in metadata:
        raise InputError(f"{path} is of an older version; fix: rerun its sweep in a new workdir")
    texts.pop(CHECKSUM, None)
    if metadata.pop(CHECKSUM, None) != _checksum(arrays, texts):
        raise InputError(f"{path} is damaged: its checksum is wrong; fix: rerun its sweep")
    version, parts = metadata.pop(FORMAT, None), metadata.pop(PARTS, None)
    if version != VERSION:
        raise InputError(f"{path} is not a hash function: its format is {version!r}, not {VERSION}; {FIX}")
    if not isinstance(parts, dict) or not all(isinstance(word, str) for word in parts.values()):
        raise InputError(f"{path} is not a hash function: its metadata lacks the kinds of its parts; {FIX}")
    return _assembled(path, arrays, parts), metadata


def _checksum(arrays: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    names = sorted(arrays)
    return digest(names, *(arrays[name] for name in names), json.dumps(dict(texts), sort_keys=True))


def _assembled(
    path: Path, arrays: dict[str, Shaped[np.ndarray, "..."]], parts: Mapping[str, str]
) -> HashFunction:
    """The hash function, if every array of each part is present, no other is, and shapes are consistent."""
    left, sizes, made = dict(arrays), dict[str, int](), dict[str, Any]()
    for name, kinds in KINDS.items():
        word = parts.get(name)
        if word is None and name == "class_head":
            continue
        if word is None or word not in kinds:
            raise InputError(f"{path} is not a hash function: its {name} is of kind {word!r}; {FIX}")
        kind = kinds[word]
        own = {key: left.pop(f"{name}.{key}", None) for key in kind._fields}
        for key, array in own.items():
            _check_array(path, f"{name}.{key}", array, kind.__annotations__[key], sizes)
        made[name] = kind(**own)
        # Heads share only the axes d, p and k with other parts; bits, classes and samples are their own.
        sizes = {axis: size for axis, size in sizes.items() if axis in "dpk"}
    if left or set(parts) - set(KINDS):
        unknown = ", ".join(sorted([*left, *(set(parts) - set(KINDS))]))
        raise InputError(f"{path} is not a hash function: it also holds {unknown}; {FIX}")
    model = HashFunction(**made)
    try:
        dtype = model.preprocessing.mean.dtype
        projected = jax.eval_shape(project, model, np.zeros((1, sizes["d"]), dtype))
        if model.class_head is not None:
            vectors = np.zeros((1, _vector_length(model.class_head)), dtype)
            named = jax.eval_shape(lambda head, one: head(one), model.class_head, vectors)
            if named.shape[1] != projected.shape[1]:
                raise ValueError("codes of images and of classes differ in length")
    except (TypeError, ValueError) as error:
        said = str(error).splitlines()[0][:120]
        raise InputError(
            f"{path} is not a hash function: its arrays have inconsistent shapes ({said}); {FIX}"
        ) from None
    return model


def _vector_length(head: Linear | Dictionary) -> int:
    return int(head.dictionary.shape[1] if isinstance(head, Dictionary) else head.projection.shape[0])


def _check_array(path: Path, name: str, array: Any, annotation: Any, sizes: dict[str, int]) -> None:
    """Check an array against the type and shape in the annotation of its field."""
    wanted = next((one for one in get_args(annotation) if hasattr(one, "dim_str")), annotation)
    if array is None:
        if type(None) in get_args(annotation):
            return
        raise InputError(f"{path} is not a hash function: it lacks {name}; {FIX}")
    if array.dtype.name not in wanted.dtypes or array.dtype.name not in (
        "float32",
        "float64",
        "bool",
        "uint8",
    ):
        raise InputError(f"{path} is not a hash function: {name} is of type {array.dtype}; {FIX}")
    axes = wanted.dim_str.split()
    if array.ndim != len(axes):
        raise InputError(
            f"{path} is not a hash function: {name} has shape {array.shape}, not {len(axes)} dimensions; {FIX}"
        )
    for axis, size in zip(axes, array.shape, strict=True):
        known = [sizes.get(one) for one in axis.split("+")]
        expected = sum(one for one in known if one is not None) if None not in known else size
        if len(known) == 1:
            expected = sizes.setdefault(axis, size)
        if size != expected:
            raise InputError(
                f"{path} is not a hash function: {name} has shape {array.shape}, where {axis} is {expected}; {FIX}"
            )
