"""Checks of what exports take, made before anything is computed or written."""

from importlib.util import find_spec

import numpy as np
from jaxtyping import Shaped, UInt8

from zsh_jax.errors import InputError


def check_installed(module: str, extra: str) -> None:
    """Check that the library of an export is installed.

    Args:
        module: its import name.
        extra: of this package, which brings it.

    Raises:
        InputError: it is not installed.
    """
    if find_spec(module) is None:
        raise InputError(f"{module} is not installed; fix: pip install -e '.[{extra}]'")


def check_codes(codes: UInt8[np.ndarray, "n bytes"], bits: int | None = None) -> None:
    """Check packed codes: bits after the last would count as differences.

    Args:
        codes: from `codes_of`.
        bits: code length l; None for any.

    Raises:
        InputError: the array does not hold codes of that many bits.
    """
    size = "bytes" if bits is None else -(-bits // 8)
    wrong = codes.dtype != np.uint8 or codes.ndim != 2 or 0 in codes.shape
    if wrong or size not in ("bytes", codes.shape[1]):
        raise InputError(
            f"codes must be uint8 (n, {size}), not {codes.dtype} {codes.shape}; fix: use the codes of codes_of"
        )
    rows = np.flatnonzero(codes[:, -1] & ((1 << -(bits or 0) % 8) - 1))
    if rows.size:
        raise InputError(
            f"codes of {bits} bits have a set bit after the last (first: row {rows[0]}); fix: give their length as bits"
        )


def check_ids(ids: Shaped[np.ndarray, " n"] | None, number: int) -> None:
    """Check the ids of samples.

    Raises:
        InputError: they are not one string or integer a row.
    """
    if ids is not None and (ids.shape != (number,) or ids.dtype.kind not in "SUiu"):
        raise InputError(
            f"ids must be ({number},) strings or integers, not {ids.dtype} {ids.shape}; fix: give one id a row"
        )


def plain_ids(ids: Shaped[np.ndarray, " n"] | None, number: int) -> list[str] | list[int] | None:
    """Ids as text or integers of Python, checked by `check_ids`; None for none."""
    check_ids(ids, number)
    if ids is None:
        return None
    plain: list[str] | list[int] = (np.char.decode(ids, "utf-8") if ids.dtype.kind == "S" else ids).tolist()
    return plain
