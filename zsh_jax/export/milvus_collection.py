"""Send packed codes to a collection of Milvus, which compares binary vectors by Hamming distance."""

from typing import Any

import numpy as np
from jaxtyping import Shaped, UInt8

from zsh_jax.errors import InputError
from zsh_jax.export.checks import check_codes, check_installed, plain_ids

BATCH = 4096  # codes in a request
LONGEST_ID = 65_535  # bytes of text in a field of Milvus


def vectors_of(codes: UInt8[np.ndarray, "n bytes"]) -> list[bytes]:
    """Packed codes as binary vectors, for `MilvusClient.search`."""
    return [row.tobytes() for row in np.asarray(codes)]


def fill_milvus(
    client: Any,
    name: str,
    codes: UInt8[np.ndarray, "n bytes"],
    *,
    ids: Shaped[np.ndarray, " n"] | None = None,
) -> None:
    """Make a collection, index it and fill it with codes.

    Fields: `id`, the primary key: the id of the sample, or its row in `codes` without ids; and `code`, the vector,
    whose bits after the last are zero. The index compares with every code (BIN_FLAT), so search is exact.

    Args:
        client: a `pymilvus.MilvusClient`.
        name: of the collection, which must not exist.
        codes: packed, of `codes_of`.
        ids: of the samples, strings or integers, each once.

    Raises:
        InputError: the client is not installed, codes or ids are invalid, or the collection exists.
        Exception: of the client, if the server fails; the collection is deleted.
    """
    check_installed("pymilvus", "milvus")
    check_codes(codes)
    keys = plain_ids(ids, len(codes)) or list(range(len(codes)))
    if len(set(keys)) < len(keys):
        raise InputError("Milvus: ids are not unique, but they are the primary key; fix: give each id once")
    if client.has_collection(name):
        raise InputError(f"Milvus has a collection {name!r} already; fix: choose another name, or delete it")
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False)
    if isinstance(keys[0], int):
        schema.add_field("id", DataType.INT64, is_primary=True)
    else:
        schema.add_field("id", DataType.VARCHAR, max_length=LONGEST_ID, is_primary=True)
    schema.add_field("code", DataType.BINARY_VECTOR, dim=8 * codes.shape[1])
    index = client.prepare_index_params()
    index.add_index("code", index_type="BIN_FLAT", metric_type="HAMMING")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    try:
        for start in range(0, len(codes), BATCH):
            vectors = zip(keys[start : start + BATCH], vectors_of(codes[start : start + BATCH]), strict=True)
            client.insert(name, [{"id": key, "code": vector} for key, vector in vectors])
    except BaseException:
        client.drop_collection(name)
        raise
