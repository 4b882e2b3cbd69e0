"""Small sound files of every kind that is read, what may happen to their bytes, and what must hold of a reader."""

import tracemalloc
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from zsh_jax.errors import InputError

ROOM = 64 << 20  # bytes that a reader may take for a file of a few kilobytes
LIES = (0, 1, -1, 2**15, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1)  # in the place of a length

WORDS = (
    b" nan ",
    b" inf ",
    b" 1e999 ",
    b"\0",
    b"\xff\xfe",
    b"\n\n",
    b"\t",
    b"\x1b[31m",
    b" -1 ",
    b"\xc1\xe7",
)


class Change(NamedTuple):
    """One thing that happens to the bytes of a file, at a place between 0 and 1."""

    kind: str
    place: float
    much: int

    def __call__(self, content: bytes) -> bytes:
        """The changed bytes."""
        at = int(self.place * len(content))
        much = 1 + self.much % 64
        if self.kind == "cut":
            return content[:at]
        if self.kind == "lose":
            return content[:at] + content[at + much :]
        if self.kind == "flip":
            changed = bytearray(content)
            if changed:
                changed[min(at, len(content) - 1)] ^= 1 << self.much % 8
            return bytes(changed)
        if self.kind == "insert":
            return content[:at] + bytes((self.much * (i + 7)) % 256 for i in range(much)) + content[at:]
        if self.kind == "double":
            return content[:at] + content[at : at + much] + content[at:]
        if self.kind == "lie":
            lie = LIES[self.much % len(LIES)]
            width = 8 if abs(lie) > 2**32 else 4
            raw = (lie % 2 ** (8 * width)).to_bytes(width, "little" if self.much % 2 else "big")
            return content[:at] + raw + content[at + width :]
        if self.kind == "digit":  # in a text, or a header that is one
            places = [place for place, byte in enumerate(content[:4096]) if 48 <= byte <= 57]
            if not places:
                return content
            at = places[int(self.place * (len(places) - 1))]
            return content[:at] + str(self.much * 10 ** (self.much % 12)).encode() + content[at + 1 :]
        if self.kind == "recode":
            to = ("utf-16", "utf-32", "utf-8-sig", "utf-16-be")[self.much % 4]
            return content.decode("latin1").encode(to)
        assert self.kind == "word"
        words = (
            b" nan ",
            b" inf ",
            b" 1e999 ",
            b"\0",
            b"\xff\xfe",
            b"\n\n",
            b"\t",
            b"\x1b[31m",
            b" -1 ",
            b"0x1",
            b"\xc1\xe7",
        )
        return content[:at] + words[self.much % len(words)] + content[at:]


KINDS = ("cut", "lose", "flip", "insert", "double", "lie", "digit", "recode", "word")
CHANGES = st.lists(
    st.builds(Change, st.sampled_from(KINDS), st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=3
)


def apply(content, changes):
    """All changes, one after the other."""
    for change in changes:
        content = change(content)
    return content


@contextmanager
def little_memory():
    """What is inside takes no more than `ROOM`."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < ROOM, f"{peak:,} bytes"


def survives(read, check, named):
    """A reader ends in one line that names a file, or in a result that keeps what is promised of it.

    Args:
        read: reads the damaged file.
        check: asserts what holds of every result.
        named: which the line names.

    Returns:
        The line; None where the file was read.
    """
    try:
        with little_memory():
            result = read()
    except InputError as error:
        said = str(error)
        assert "\n" not in said
        assert said.isprintable(), repr(said)
        assert len(said) < 1000, said
        assert named in said, said
        return said
    check(result)
    return None


def finite(array, *, dims=2, kind="f"):
    """An array of numbers of a kind, each finite."""
    assert isinstance(array, np.ndarray)
    assert array.ndim == dims
    assert array.dtype.kind == kind
    assert kind != "f" or np.isfinite(array).all()
