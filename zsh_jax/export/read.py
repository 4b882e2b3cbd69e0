"""Load an export."""

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
    """The contents of an export.

    Attributes:
        hash_function: for `codes_of`.
        codes: packed, in the order of the features.
        bits: code length l.
        ids: of the samples; None if the export has none.
        faiss_index: its `search` returns distances and row numbers; None if not exported or not requested.
    """

    hash_function: HashFunction
    codes: UInt8[np.ndarray, "n bytes"]
    bits: int
    ids: Shaped[np.ndarray, " n"] | None
    faiss_index: Any | None


def load_export(folder: str | Path, *, with_index: bool = True) -> Export:
    """Load an export.

    Args:
        folder: of `export_index`.
        with_index: whether to load the index too, if there is one; this needs FAISS.

    Raises:
        InputError: if it is not an export, its parts are inconsistent, or it has an index and FAISS is not installed.
    """
    folder = Path(folder)
    if not (folder / "index.json").is_file():
        raise InputError(f"{folder} is not an export: it has no index.json; fix: make one with export_index")
    with reading(folder, "is not a complete export", "export it again"):
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
                f"{folder / name} does not hold {number} codes of {bits} bits as index.json states; fix: export it "
                "again"
            )
    return Export(hash_function, codes, bits, ids, index)
