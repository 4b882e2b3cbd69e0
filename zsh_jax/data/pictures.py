"""Pictures of any size and mode, brought to one square size; decoded when they are asked for."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Int, UInt8

from zsh_jax.data.reason import reason
from zsh_jax.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".png")
TAIL = 4096  # bytes at the end of a file among which its end mark stands, as a rule


@dataclass(frozen=True)
class Pictures:
    """Square RGB pictures that stand elsewhere, as if they were one array of (n, size, size, 3) bytes.

    An index, a slice or an array of row numbers decodes those pictures and no others, so who goes through them in
    blocks never holds more than a block; `numpy.asarray` decodes them all.

    Attributes:
        read: gives the picture of a number, (size, size, 3).
        numbers: what `read` takes, for each row.
        size: height and width.
    """

    read: Callable[[int], UInt8[np.ndarray, "h w 3"]]
    numbers: Int[np.ndarray, " n"]
    size: int

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of the array that this stands for."""
        return len(self.numbers), self.size, self.size, 3

    @property
    def ndim(self) -> int:
        """Of the array that this stands for."""
        return 4

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the array that this stands for."""
        return np.dtype(np.uint8)

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.numbers)

    def __getitem__(self, rows: Any) -> UInt8[np.ndarray, "*k h w 3"]:
        """Decode the pictures of some rows."""
        numbers = self.numbers[rows]
        if np.ndim(numbers) == 0:
            return self.read(int(numbers))
        out = np.empty((len(numbers), *self.shape[1:]), np.uint8)
        for row, number in enumerate(numbers):
            out[row] = self.read(int(number))
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """Decode all pictures."""
        del copy  # there is nothing yet that could be shared
        return self[:].astype(dtype or np.uint8, copy=False)

    def at(self, rows: Int[np.ndarray, " k"]) -> "Pictures":
        """Some of the pictures, still not decoded."""
        return Pictures(self.read, self.numbers[rows], self.size)


def square(
    source: str | Path | BinaryIO, size: int, *, name: str | None = None
) -> UInt8[np.ndarray, "s s 3"]:
    """Decode a picture and bring it to a square: the short side resized to `size`, the middle cut out.

    It is first turned as its EXIF tag says. Grey becomes three equal channels (16 bits are cut to their upper eight),
    CMYK becomes RGB, and what is transparent is laid on white.

    Args:
        source: a file, or one that is open.
        size: of the square, in pixels.
        name: what errors call it; else the path.

    Returns:
        The RGB picture.

    Raises:
        InputError: it is no picture, or damaged.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(source) as image:
            turned = ImageOps.exif_transpose(image)
            return np.asarray(ImageOps.fit(_rgb(turned), (size, size), Image.Resampling.BICUBIC))
    except _damage() as problem:
        raise _damaged(name or source, problem) from problem


def check_whole(path: Path) -> None:
    """Find a picture that cannot be decoded, in a small part of the time that decoding takes.

    Args:
        path: a JPEG or PNG file.

    Raises:
        InputError: it is no picture, or cut off. Damage in the middle is found on decoding alone.
    """
    from PIL import Image

    try:
        with Image.open(path) as image, path.open("rb") as file:
            mark = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND"}.get(image.format or "")
            file.seek(max(0, path.stat().st_size - TAIL))
            if mark is None or mark not in file.read():
                image.load()  # cameras append what they like to a JPEG: decoding decides
    except _damage() as problem:
        raise _damaged(path, problem) from problem


def _rgb(image: Any) -> Any:
    from PIL import Image

    if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip
        return Image.fromarray((np.clip(np.asarray(image), 0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _damage() -> tuple[type[BaseException], ...]:
    """What Pillow raises on files that are no pictures, or damaged ones."""
    from PIL import Image

    return (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)


def _damaged(source: Any, problem: BaseException) -> InputError:
    return InputError(
        f"{source}: no picture, or a damaged one ({reason(problem)}); mend it or take it out of the data set"
    )
