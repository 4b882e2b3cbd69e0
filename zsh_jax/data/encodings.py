"""Tell the encoding of text that is not UTF-8 and has no byte order mark, where its bytes leave no choice."""

import re
import unicodedata
from typing import NamedTuple

SURE = 0.9  # share of the letters beyond ASCII that must be common ones
LATIN = ("latin-1", "cp1252")
COMMON_IN_LATIN = frozenset(
    "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœšžÀÁÂÃÄÅÆÇÈÉÊËÍÎÏÑÓÔÕÖØÚÛÜŒŠŽ\u2019\u2018\u201c\u201d\u2013\u2014\u2026®©°·ºª«»¿¡£§"
)


class _Charset(NamedTuple):
    """An encoding of two bytes a letter, and the first bytes of its common letters."""

    name: str
    standard: str
    common: tuple[tuple[int, int], ...]


# The first plane of each: 3,755 characters of GB 2312, 5,401 of Big5, kana and 2,965 of JIS X 0208, 2,350 syllables.
CHARSETS = (
    _Charset("gb18030", "gb2312", ((0xB0, 0xD7),)),
    _Charset("big5", "big5", ((0xA4, 0xC6),)),
    _Charset("shift_jis", "shift_jis", ((0x81, 0x83), (0x88, 0x97))),
    _Charset("euc_kr", "euc_kr", ((0xB0, 0xC8),)),
)


def plausible_encodings(content: bytes) -> tuple[str, ...]:
    """The encodings that some bytes may have.

    Args:
        content: not UTF-8, without a byte order mark.

    Returns:
        Names that Python knows. One: the encoding is told. Several: the bytes leave a choice. None: no encoding of this
        list fits.
    """
    if b"\0" in content:
        # UTF-16 of names in Latin script has a zero in every second byte.
        even, odd = 0 in content[::2], 0 in content[1::2]
        name = "utf-16-be" if even else "utf-16-le"
        return (name,) if even != odd and _decoded(content, name) is not None else ()
    told = [charset.name for charset in CHARSETS if _share(content, charset) >= SURE]
    if told:
        return tuple(told)
    return next(((name,) for name in LATIN if _is_latin(content, name)), ())


def _decoded(content: bytes, name: str) -> str | None:
    """Text without control characters and characters that do not exist; None for anything else."""
    try:
        text = content.decode(name)
    except UnicodeDecodeError:
        return None
    odd = any(
        unicodedata.category(letter) in ("Cc", "Cn", "Co", "Cs") for letter in set(text) - set("\t\r\n")
    )
    return None if odd else text


def _share(content: bytes, charset: _Charset) -> float:
    """The share of common letters among those beyond ASCII."""
    text = _decoded(content, charset.name)
    beyond = [letter for letter in text or "" if not letter.isascii()]
    codes = [letter.encode(charset.standard, "replace") for letter in beyond]
    usual = sum(
        len(code) == 2 and any(low <= code[0] <= high for low, high in charset.common) for code in codes
    )
    return usual / len(beyond) if beyond else 0.0


def _is_latin(content: bytes, name: str) -> bool:
    """Accented letters stand alone in words of Western languages."""
    text = _decoded(content, name)
    beyond = re.findall(r"[^\x00-\x7f]+", text or "")
    letters = "".join(beyond)
    return (
        bool(beyond)
        and sum(letter in COMMON_IN_LATIN for letter in letters) >= SURE * len(letters)
        and sum(len(run) == 1 for run in beyond) >= SURE * len(beyond)
    )
