"""The valid values of a setting, as text and as a test."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from zsh_jax.errors import InputError

INDEX = 2**31 - 1  # largest 32-bit integer
SEED = 2**32 - 1  # JAX drops higher bits: two larger seeds could be equal
LEAST, MOST = 1e-15, 1e15  # products and quotients of two such numbers are finite in float32
SHOWN = 60  # characters of a value in a message
LONGEST_PART = 255  # bytes of a name in a file system
NAME_BYTES = 120  # two names with separators make one file name of at most 255 bytes


class Takes(NamedTuple):
    """The valid values of a setting.

    Attributes:
        words: text after "takes ...".
        test: whether a value is valid.
    """

    words: str
    test: Callable[[Any], bool]


def check(takes: Takes, key: str, value: object, fix: str = "") -> None:
    """Refuse an invalid value of a setting.

    Args:
        takes: its valid values.
        key: the setting, such as `sweep.bits`.
        value: the value.
        fix: what the user should do; by default, set the flag.

    Raises:
        InputError: names the setting, its valid values and the value.
    """
    if not takes.test(value):
        raise InputError(
            f"{key}: takes {takes.words}, not {shown(value)}; {fix or f'fix: set --config.{key}'}"
        )


def shown(value: object) -> str:
    """The representation of a value for a message: on one line, cut in the middle if it is long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # an integer of more than 4,300 digits, or an object whose repr fails
        return f"that {type(value).__name__}"
    half = SHOWN // 2
    return text if len(text) <= SHOWN else f"{text[:half]} ... {text[-half:]}"


def whole(least: int, most: int = INDEX) -> Takes:
    """Whole numbers in a range, both ends included."""
    words = f"whole numbers from {least:,} to {most:,}"
    return Takes(words, lambda value: type(value) is int and least <= value <= most)


def number(least: float = LEAST, most: float = MOST, *, zero: bool = False) -> Takes:
    """Numbers in a range, both ends included; and 0 if `zero`."""

    def test(value: object) -> bool:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        return (zero and value == 0) or least <= value <= most

    kind = "0, or numbers" if zero else "numbers"
    return Takes(f"{kind} from {least:g} to {most:g}", test)


def one_of(*known: str) -> Takes:
    """One of a few words."""
    return Takes(", ".join(known), lambda value: isinstance(value, str) and value in known)


def flag() -> Takes:
    """True or False."""
    return Takes("True or False", lambda value: isinstance(value, bool))


def text(most: int = 10_000) -> Takes:
    """Printable text of one line."""
    return Takes(
        f"text of one line, of 1 to {most:,} characters",
        lambda value: isinstance(value, str) and 1 <= len(value) <= most and _printable(value),
    )


def path() -> Takes:
    """The name of a file or folder."""

    def test(value: object) -> bool:
        plain = isinstance(value, str) and text(4096).test(value) and value == value.strip()
        return plain and all(len(part.encode()) <= LONGEST_PART for part in str(value).split("/"))

    return Takes("the name of a file or folder, without blanks around it", test)


def file_name() -> Takes:
    """A valid name of a folder, or a part of one."""
    return Takes(
        f"a name of up to {NAME_BYTES} bytes, without / or \\ and not starting with a dot", _is_file_name
    )


def dataset_name() -> Takes:
    """The name of a data set, with optional parts after / or :."""

    def test(value: object) -> bool:
        short = isinstance(value, str) and text(NAME_BYTES).test(value) and len(value.encode()) <= NAME_BYTES
        return short and all(map(_is_file_name, re.split("[/:]", str(value))))

    return Takes("the name of a data set, such as shapes or imagenet_resized/32x32", test)


def wandb_name() -> Takes:
    """A valid name in Weights & Biases."""
    return Takes(
        "a name of up to 128 characters without any of /\\#?%:",
        lambda value: text(128).test(value) and not re.search(r"[/\\#?%:]", value),
    )


def run_id() -> Takes:
    """A valid identifier of a run in Weights & Biases, which also names a folder."""
    return Takes(
        "letters, digits, - and _, up to 64 of them",
        lambda value: isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value) is not None,
    )


def optional(takes: Takes) -> Takes:
    """The same values, or None."""
    return Takes(f"{takes.words}; or None", lambda value: value is None or takes.test(value))


def several(takes: Takes, *, least: int = 0) -> Takes:
    """A tuple of different values."""

    def test(values: object) -> bool:
        if not isinstance(values, tuple | list) or len(values) < least:
            return False
        return all(takes.test(value) for value in values) and len(set(values)) == len(values)

    few = "one or more " if least else ""
    return Takes(f"a tuple of {few}different {takes.words}", test)


def one_or_several(takes: Takes) -> Takes:
    """One value, or a tuple of one or more, each once."""
    plain = several(takes, least=1)
    return Takes(
        f"{takes.words}; or a tuple of them, each once", lambda value: takes.test(value) or plain.test(value)
    )


def ascending(takes: Takes) -> Takes:
    """A tuple of increasing values."""
    plain = several(takes)
    return Takes(
        f"a tuple of {takes.words}, ascending",
        lambda values: plain.test(values) and list(values) == sorted(values),
    )


def _printable(value: str) -> bool:
    return not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", value)


def _is_file_name(value: object) -> bool:
    if not isinstance(value, str) or not text(NAME_BYTES).test(value):
        return False
    return value == value.strip() and len(value.encode()) <= NAME_BYTES and not re.search(r"^\.|[/\\]", value)
