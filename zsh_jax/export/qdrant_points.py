"""Send codes to a collection of Qdrant, which has no Hamming distance of packed bits.

A code becomes a vector of l zeros and ones, compared by Manhattan distance: the sum of |a_k - b_k| is the number of
bits that differ. So scores are Hamming distances, exactly, and ties stay ties. The price is a byte for each bit
(`uint8`), where packed codes have eight bits in a byte.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped, UInt8

from zsh_jax.errors import InputError
from zsh_jax.export.checks import check_codes, check_installed, plain_ids

BATCH = 1024  # points in a request


def bit_vectors(codes: UInt8[np.ndarray, "n bytes"], *, bits: int) -> Float32[np.ndarray, "n l"]:
    """Codes as vectors of zeros and ones, for `query_points`.

    Args:
        codes: packed, of `codes_of`.
        bits: code length l.

    Returns:
        (n, l).

    Raises:
        InputError: these are not codes of that length.
    """
    check_codes(codes, bits)
    return np.unpackbits(codes, axis=1, count=bits).astype(np.float32)


def fill_qdrant(
    client: Any,
    name: str,
    codes: UInt8[np.ndarray, "n bytes"],
    *,
    bits: int,
    ids: Shaped[np.ndarray, " n"] | None = None,
) -> None:
    """Make a collection and fill it with codes.

    Points are numbered by the rows of `codes`; with ids, each has its own in the payload `id`. To compare with every
    code instead of searching the graph of neighbours, which may miss some, query with
    `search_params=models.SearchParams(exact=True)`.

    Args:
        client: a `qdrant_client.QdrantClient`, of a server or local.
        name: of the collection, which must not exist.
        codes: packed, of `codes_of`.
        bits: code length l.
        ids: of the samples, strings or integers.

    Raises:
        InputError: the client is not installed, codes or ids are invalid, or the collection exists.
        Exception: of the client, if the server fails; the collection is deleted.
    """
    check_installed("qdrant_client", "qdrant")
    check_codes(codes, bits)
    samples = plain_ids(ids, len(codes))
    if client.collection_exists(name):
        raise InputError(f"Qdrant has a collection {name!r} already; fix: choose another name, or delete it")
    from qdrant_client import models

    client.create_collection(
        name,
        vectors_config=models.VectorParams(
            size=bits, distance=models.Distance.MANHATTAN, datatype=models.Datatype.UINT8
        ),
    )
    try:
        for rows, vectors in _batches(codes, bits):
            payloads = None if samples is None else [{"id": one} for one in samples[rows]]
            numbers = list(range(rows.start, rows.stop))
            client.upsert(name, models.Batch(ids=numbers, vectors=vectors.tolist(), payloads=payloads))
    except BaseException:
        client.delete_collection(name)
        raise


def _batches(
    codes: UInt8[np.ndarray, "n bytes"], bits: int
) -> Iterator[tuple[slice, Float32[np.ndarray, "k l"]]]:
    for start in range(0, len(codes), BATCH):
        rows = slice(start, min(start + BATCH, len(codes)))
        yield rows, bit_vectors(codes[rows], bits=bits)
