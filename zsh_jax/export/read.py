"""An export, read back."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped, UInt8

from zsh_jax.baselines.families import AnyHashFunction, bits_of
from zsh_jax.data.reason import reason
from zsh_jax.errors import InputError
from zsh_jax.export.faiss_index import read_index
from zsh_jax.tracking.models import load_model


class Export(NamedTuple):
    """What `export_index` wrote.

    Attributes:
        hash_function: for `codes_of`.
        codes: packed, in the order of the features.
        bits: code length l.
        ids: of the samples; None where none were given.
        faiss_index: whose `search` gives distances and row numbers; None where there is none or none was asked for.
    """

    hash_function: AnyHashFunction
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
    try:
        about = json.loads((folder / "index.json").read_text())
        bits, number, kind = about["bits"], about["number"], about["index"]
        length = -(-bits // 8)
        codes = np.load(folder / "codes.npy", allow_pickle=False)
        ids = np.load(folder / "ids.npy", allow_pickle=False) if (folder / "ids.npy").exists() else None
    except (OSError, ValueError, EOFError, KeyError, TypeError) as problem:
        raise InputError(f"{folder} is no whole export ({reason(problem)}); export it again") from None
    hash_function, _ = load_model(folder / "hash_function.safetensors")
    index = read_index(folder / "index.faiss") if with_index and kind is not None else None
    fits = {
        "hash_function.safetensors": bits_of(hash_function) == bits,
        "codes.npy": codes.dtype == np.uint8 and codes.shape == (number, length),
        "ids.npy": ids is None or ids.shape == (number,),
        "index.faiss": index is None or (index.ntotal, index.d) == (number, 8 * length),
    }
    for name, holds in fits.items():
        if not holds:
            raise InputError(
                f"{folder / name} is not of {number} codes of {bits} bits, as index.json says; export it again"
            )
    return Export(hash_function, codes, bits, ids, index)
