"""Codes as other programs save them: packed bytes, signs, zeros and ones, or booleans."""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Shaped, UInt8

PACKED, SIGNS, BINARY, BOOLEAN = "packed bytes", "signs -1 and +1", "zeros and ones", "booleans"
ROWS = 65_536  # checked and packed at a time: a memory-mapped file stays on disk


class Codes(NamedTuple):
    """Packed codes and what they were read from.

    Attributes:
        packed: one row a code; bits after the last are zero.
        bits: code length l.
        form: `PACKED`, `SIGNS`, `BINARY` or `BOOLEAN`.
    """

    packed: UInt8[Array | np.ndarray, "n bytes"]
    bits: int
    form: str


def read_codes(
    codes: Shaped[Array | np.ndarray, "n columns"], *, bits: int | None = None, name: str = "codes"
) -> Codes:
    """Tell the format of codes and pack them.

    An array has one value a bit, or eight bits a byte. With `bits`, the number of columns decides: ceil(bits / 8)
    columns of uint8 are packed bytes, `bits` columns are values. Without `bits`, an array of uint8 that has other
    values than 0 and 1 is packed, eight bits a column; everything else has one value a bit. Values are -1 and +1, 0
    and 1, or booleans; the larger one is a set bit.

    Args:
        codes: (n, columns), one row a code; may be memory-mapped.
        bits: code length l, if known.
        name: of the codes, for error messages.

    Returns:
        Packed codes, on the host unless they were packed already.

    Raises:
        ValueError: the array has no row, its shape and `bits` do not match, the format is ambiguous, or values are not
            of one of these kinds.
    """
    if codes.ndim != 2 or 0 in codes.shape:
        raise ValueError(
            f"{name}: codes must be (n, columns) with n >= 1; got {codes.dtype} {codes.shape}; fix: give one row a code"
        )
    columns = codes.shape[1]
    if bits is not None and bits < 1:
        raise ValueError(f"{name}: bits must be at least 1; got {bits}")
    if codes.dtype == np.uint8 and bits is not None and columns == -(-bits // 8):
        return Codes(codes, bits, PACKED)
    try:
        host = np.asarray(codes)
    except jax.errors.TracerArrayConversionError:
        raise ValueError(
            f"{name}: inside a transformation, codes must be packed bytes of `bits` bits; fix: use pack_codes"
        ) from None
    if bits is None and codes.dtype == np.uint8 and any((part > 1).any() for part in _parts(host)):
        if len(np.unique(host[:ROWS])) < 3 and len(host) > 1:
            raise ValueError(
                f"{name}: uint8 with the values {_listed(np.unique(host[:ROWS]))} may be packed bytes or not; "
                "fix: give bits"
            )
        return Codes(codes, 8 * columns, PACKED)
    if bits is not None and columns != bits:
        raise ValueError(
            f"{name}: {codes.dtype} of {columns} columns does not hold {bits} bits; fix: give {bits} columns of "
            f"values, or {-(-bits // 8)} of uint8"
        )
    form = _form(host, name)
    packed = np.concatenate([np.packbits(part > 0, axis=1) for part in _parts(host)])
    return Codes(packed, columns, form)


def aligned(
    one: UInt8[np.ndarray, "n bytes"], other: UInt8[np.ndarray, "k bytes"], bits: int
) -> tuple[UInt8[np.ndarray, "n bytes"], UInt8[np.ndarray, "k bytes"]]:
    """Packed codes whose padding comes after the last bit, whichever bit of a byte was packed first.

    Programs that pack the lowest bit first leave the highest bits of the last byte empty. A shift of that byte in both
    arrays keeps every distance.

    Args:
        one: packed codes.
        other: packed codes of the same program.
        bits: code length l.

    Returns:
        Both, with zeros after bit l.

    Raises:
        ValueError: more than `bits` bits are in use.
    """
    padding = -bits % 8
    used = int(np.bitwise_or.reduce(one[:, -1]) | np.bitwise_or.reduce(other[:, -1]))
    if not used % 2**padding:
        return one, other
    if used >> (8 - padding):
        raise ValueError(
            f"packed codes have bits set beyond {bits}; fix: give the number of bits that they were packed from"
        )
    return _shifted(one, padding), _shifted(other, padding)


def _shifted(packed: UInt8[np.ndarray, "n bytes"], padding: int) -> UInt8[np.ndarray, "n bytes"]:
    return np.concatenate([packed[:, :-1], packed[:, -1:] << np.uint8(padding)], axis=1)


def _form(values: np.ndarray, name: str) -> str:
    """The format of an array with one value a bit."""
    if values.dtype == bool:
        return BOOLEAN
    if values.dtype.kind not in "iuf":
        raise ValueError(f"{name}: codes must be numbers or booleans; got {values.dtype}")
    zero = minus = False
    for number, part in enumerate(_parts(values)):
        is_zero, is_minus = part == 0, part == -1
        wrong = np.argwhere(~(is_zero | is_minus | (part == 1)))
        if wrong.size:
            row, column = wrong[0] + (number * ROWS, 0)
            packed = "; fix: give the signs"
            if values.dtype.kind in "iu":
                packed = "; packed bytes must be uint8" if values.dtype != np.uint8 else "; fix: give bits"
            raise ValueError(
                f"{name}: {values[row, column]} in row {row}, column {column}; codes have two values, -1 and +1, or "
                f"0 and 1{packed}"
            )
        zero, minus = zero or bool(is_zero.any()), minus or bool(is_minus.any())
    if zero and minus:
        raise ValueError(
            f"{name}: codes have the three values -1, 0 and 1; fix: choose a sign for zeros, as in where(x > 0, 1, -1)"
        )
    return SIGNS if minus else BINARY


def _parts(values: np.ndarray) -> list[np.ndarray]:
    return [values[start : start + ROWS] for start in range(0, len(values), ROWS)]


def _listed(values: np.ndarray) -> str:
    return " and ".join(str(value) for value in values)
