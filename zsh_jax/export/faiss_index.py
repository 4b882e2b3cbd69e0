"""Build and read binary indices of FAISS (Douze et al., The Faiss library, 2024)."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from zsh_jax.data.reading import reading
from zsh_jax.errors import InputError

KINDS = ("flat", "hnsw")
CONSTRUCTION_BREADTH, SEARCH_BREADTH = (
    200,
    128,
)  # the defaults of FAISS, 40 and 16, miss neighbours if many samples share a code


def check_faiss() -> None:
    """Check that FAISS is installed.

    Raises:
        InputError: if it is not installed.
    """
    if find_spec("faiss") is None:
        raise InputError("FAISS is not installed; fix: pip install -e '.[faiss]', or set index=None")


def build_index(codes: UInt8[np.ndarray, "n bytes"], *, kind: str, links: int = 32) -> Any:
    """Index codes for search by Hamming distance.

    Args:
        codes: packed.
        kind: "flat" compares with every code; "hnsw" searches a graph of neighbours (Malkov and Yashunin 2020), which
            is much faster for many codes but may miss some.
        links: of a code in the graph; more links find more neighbours and need more memory.

    Returns:
        An `IndexBinaryFlat` or `IndexBinaryHNSW`. Search results are row numbers of `codes`, from 0.
    """
    import faiss

    index: Any
    length = 8 * codes.shape[1]
    if kind == "flat":
        index = faiss.IndexBinaryFlat(length)
    else:
        index = faiss.IndexBinaryHNSW(length, links)
        index.hnsw.efConstruction, index.hnsw.efSearch = CONSTRUCTION_BREADTH, SEARCH_BREADTH
    index.add(np.ascontiguousarray(codes))
    return index


def index_bytes(index: Any) -> bytes:
    """The bytes that `faiss.write_index_binary` writes."""
    import faiss

    content: bytes = faiss.serialize_index_binary(index).tobytes()
    return content


def read_index(path: Path) -> Any:
    """Read an index of binary codes from a file of `faiss.write_index_binary`.

    Raises:
        InputError: if FAISS is not installed, or the file is not a binary index.
    """
    check_faiss()
    import faiss

    with reading(path, "is not a binary index of FAISS", "export it again"):
        try:
            return faiss.deserialize_index_binary(np.frombuffer(path.read_bytes(), np.uint8))
        except RuntimeError as problem:  # its message starts with a line of C++
            raise ValueError(str(problem).rpartition("Error: ")[2]) from problem
