"""An export, read back."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped, UInt8

from zsh_jax.core.hashing import HashFunction, code_length
from zsh_jax.data.numpy_files import read_npy
from zsh_jax.data.reading import reading
from zsh_jax.errors import InputError
from zsh_jax.export.faiss_index import KINDS, read_index
from zsh_jax.model_file import load


class Export(NamedTuple):
    """What `export_index` wrote.

    Attributes:
        hash_function: for `codes_of`.
        codes: packed, in the order of the features.
        bits: code length l.
        ids: of the samples; None where none were given.
        faiss_index: whose `search` gives distances and row numbers; None where there is none or none was asked for.
    """

    hash_function: HashFunction
    codes: UInt8[np.ndarray, "n bytes"]
    bits: int
    ids: Shaped[np.ndarray, " n"] | None
    faiss_index: Any | None


def load_export(folder: str | Path, *, with_index: bool = True) -> Export:
    """Read an export.

    Args:
        folder: as `export_index` wrote it.
        with_index: whether to read the index too, if there is one; it wants FAISS.

    Returns:
        Its parts.

    Raises:
        InputError: if it is no export, its parts do not fit each other, or there is an index and no FAISS.
    """
    folder = Path(folder)
    if not (folder / "index.json").is_file():
        raise InputError(f"{folder} is no export, for it has no index.json; make one with export_index")
    with reading(folder, "is no whole export", "export it again"):
        about = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        bits, number, kind = about["bits"], about["number"], about["index"]
        if [type(bits), type(number)] != [int, int] or bits < 1 or kind not in (None, *KINDS):
            raise ValueError(f"index.json says bits {bits}, number {number}, index {kind}")
        length = -(-bits // 8)
        codes = read_npy(folder / "codes.npy")
        ids = read_npy(folder / "ids.npy") if (folder / "ids.npy").exists() else None
    hash_function = load(folder / "hash_function.safetensors")
    index = read_index(folder / "index.faiss") if with_index and kind is not None else None
    fits = {
        "hash_function.safetensors": code_length(hash_function) == bits,
        "codes.npy": codes.dtype == np.uint8 and codes.shape == (number, length),
        "ids.npy": ids is None or (ids.shape == (number,) and ids.dtype.kind in "SUiu"),
        "index.faiss": index is None or (index.ntotal, index.d) == (number, 8 * length),
    }
    for name, holds in fits.items():
        if not holds:
            raise InputError(
                f"{folder / name} is not of {number} codes of {bits} bits, as index.json says; export it again"
            )
    return Export(hash_function, codes, bits, ids, index)
