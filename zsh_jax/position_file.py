"""Positions of long solves as safetensors files: a solve that was ended continues where it stood."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Shaped

from zsh_jax.atomic import cannot_write, write_whole
from zsh_jax.digest import digest

Position = TypeVar("Position")
OF, CHECKSUM = "of", "checksum"


def save_position(path: Path, position: Any, of: str) -> None:
    """Write a position atomically, with a checksum.

    Args:
        path: the file; its folder is created if needed.
        position: a pytree of arrays.
        of: what it is a position of; `load_position` compares it.

    Raises:
        InputError: if the file cannot be written.
        OSError: if the disk is full or gone.
    """
    from safetensors.numpy import save as serialised

    arrays = _named(position)
    texts = {OF: of, CHECKSUM: _checksum(arrays, of)}
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, serialised(arrays, texts))
    except OSError as error:
        raise cannot_write(path, error) from None


def load_position(
    path: Path, like: Position, of: str, tell: Callable[[str], object] = lambda line: None
) -> Position | None:
    """Read a position that `save_position` wrote.

    Args:
        path: the file.
        like: a position with its shapes and types.
        of: what it must be a position of.
        tell: takes a line if there is a file that cannot be used.

    Returns:
        The position; None if there is no file, or it is damaged, or of something else.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a mapping
            texts = dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        tell(f"{path} is damaged ({str(error).splitlines()[0][:80]}); its solve starts again")
        return None
    if texts.get(CHECKSUM) != _checksum(arrays, texts.get(OF, "")):
        tell(f"{path} is damaged: its checksum is wrong; its solve starts again")
        return None
    wanted = {name: (array.shape, array.dtype) for name, array in _named(like).items()}
    if texts[OF] != of or wanted != {name: (array.shape, array.dtype) for name, array in arrays.items()}:
        tell(f"{path} is of other settings, data or another version; its solve starts again")
        return None
    return jax.tree.unflatten(jax.tree.structure(like), [jnp.asarray(arrays[name]) for name in wanted])


def _named(tree: Any) -> dict[str, Shaped[np.ndarray, "..."]]:
    """The arrays of a tree by their paths, in its order."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path): np.array(leaf, order="C") for path, leaf in leaves}


def _checksum(arrays: dict[str, Shaped[np.ndarray, "..."]], of: str) -> str:
    names = sorted(arrays)
    return digest(json.dumps(names), *(arrays[name] for name in names), of)
