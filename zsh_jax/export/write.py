"""Write an export: hash function, codes, ids and index, in a folder that is created atomically."""

import io
import json
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Num, Shaped

from zsh_jax.atomic import cannot_write, write_whole
from zsh_jax.core.hashing import HashFunction, code_length
from zsh_jax.errors import InputError
from zsh_jax.export.checks import check_ids
from zsh_jax.export.codes import check_features, codes_of
from zsh_jax.export.faiss_index import KINDS, build_index, check_faiss, index_bytes
from zsh_jax.model_file import save


def export_index(
    folder: str | Path,
    hash_function: HashFunction,
    features: Num[np.ndarray, "n d"],
    *,
    ids: Shaped[np.ndarray, " n"] | None = None,
    index: str | None = "flat",
    links: int = 32,
    metadata: Mapping[str, Any] | None = None,
) -> Path:
    """Encode a database and write the files that another program needs to search it.

    The folder gets `hash_function.safetensors`, which `load` reads; `codes.npy`, (n, bytes) uint8, in the order
    of the features; `ids.npy`, if there are ids; `index.faiss`, which `faiss.read_index_binary` reads; and
    `index.json`: `bits`, `number` of codes and `index`.

    Args:
        folder: new, or empty.
        hash_function: of any method.
        features: raw features of the database.
        ids: of the samples, strings or integers.
        index: "flat", which is exact; "hnsw", which is faster; or None for no index, which needs no FAISS.
        links: of a code in the graph of "hnsw".
        metadata: flat, JSON values, saved with the hash function.

    Returns:
        The folder.

    Raises:
        InputError: before anything is computed, if FAISS is not installed, features or ids are invalid, or the folder
            is not empty; and if it cannot be written.
        OSError: if the disk is full or gone; no files are left.
    """
    folder = Path(folder)
    if index is not None and index not in KINDS:
        raise InputError(f"index: takes {', '.join(KINDS)} or None, not {index!r}; fix: set index")
    if index is not None:
        check_faiss()
    if links < 2:
        raise InputError(f"links: takes 2 or more, not {links}; fix: set links")
    check_features(hash_function, features)
    check_ids(ids, len(features))
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(f"{folder} exists already; fix: choose another folder, or delete it")

    beside = folder.absolute().with_name(f".{folder.absolute().name}.{secrets.token_hex(4)}")
    try:
        beside.mkdir(parents=True)  # first: if the folder is not writable, nothing is computed
        save(beside / "hash_function.safetensors", hash_function, metadata or {})
        codes = codes_of(hash_function, features)
        write_whole(beside / "codes.npy", _npy(codes))
        if ids is not None:
            write_whole(beside / "ids.npy", _npy(ids))
        if index is not None:
            write_whole(beside / "index.faiss", index_bytes(build_index(codes, kind=index, links=links)))
        about = {
            "bits": code_length(hash_function),
            "number": len(codes),
            "index": index,
        }
        write_whole(beside / "index.json", f"{json.dumps(about)}\n".encode())
        beside.replace(folder.absolute())
    except OSError as error:
        raise cannot_write(folder, error, "choose another folder") from None
    except InputError as error:  # replace the name of the temporary folder
        said = str(error).replace(str(beside), str(folder)).replace("--config.workdir", "folder")
        raise InputError(said) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _npy(array: Shaped[np.ndarray, "..."]) -> bytes:
    """The bytes of an `.npy` file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
