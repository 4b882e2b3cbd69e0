"""Build an index of packed codes for usearch (Vardanian, USearch by Unum Cloud, 2023)."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from zsh_jax.export.checks import check_codes, check_installed
from zsh_jax.export.new_file import check_new_file, write_new_file

CONSTRUCTION_BREADTH, SEARCH_BREADTH = 200, 128  # as for FAISS: many samples share a code


def build_usearch(codes: UInt8[np.ndarray, "n bytes"], *, links: int = 32) -> Any:
    """Index codes for search by Hamming distance.

    Args:
        codes: packed, of `codes_of`.
        links: of a code in the graph of neighbours (Malkov and Yashunin 2020); more links find more neighbours and need
            more memory.

    Returns:
        A `usearch.index.Index`. Its `search` takes packed codes and returns row numbers of `codes` as keys, and
        distances in bits; with `exact=True` it compares with every code, else it may miss some.

    Raises:
        InputError: usearch is not installed, or these are not packed codes.
    """
    check_codes(codes)
    check_installed("usearch", "usearch")
    from usearch.index import Index, MetricKind, ScalarKind

    index = Index(
        ndim=8 * codes.shape[1],
        metric=MetricKind.Hamming,
        dtype=ScalarKind.B1,
        connectivity=links,
        expansion_add=CONSTRUCTION_BREADTH,
        expansion_search=SEARCH_BREADTH,
    )
    index.add(np.arange(len(codes), dtype=np.uint64), np.ascontiguousarray(codes))
    return index


def save_usearch(path: str | Path, codes: UInt8[np.ndarray, "n bytes"], *, links: int = 32) -> None:
    """Write an index of codes; `usearch.index.Index.restore` reads it.

    Args:
        path: new `.usearch` file.
        codes: packed, of `codes_of`.
        links: as for `build_usearch`.

    Raises:
        InputError: as for `build_usearch`; or the file exists or cannot be written.
        OSError: if the disk is full or gone; no file is left.
    """
    path = check_new_file(path, ".usearch")
    write_new_file(path, bytes(build_usearch(codes, links=links).save()))
