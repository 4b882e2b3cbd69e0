"""Pictures of any size and mode, brought to one square size; decoded when they are asked for."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Int, UInt8

from zsh_jax.data.reading import reading

SUFFIXES = (".jpg", ".jpeg", ".png")
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")  # of a file, whatever its name; Pillow runs programs for some
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

    with _looking(name or source), Image.open(source, formats=FORMATS) as image:
        turned = ImageOps.exif_transpose(image)
        return np.asarray(ImageOps.fit(_rgb(turned), (size, size), Image.Resampling.BICUBIC))


def check_whole(path: Path) -> None:
    """Find a picture that cannot be decoded, in a small part of the time that decoding takes.

    Args:
        path: a JPEG or PNG file.

    Raises:
        InputError: it is no picture, cut off, or of more pixels than Pillow takes for safe. Damage in the middle is
            found on decoding alone.
    """
    from PIL import Image

    with _looking(path), Image.open(path, formats=FORMATS) as image, path.open("rb") as file:
        mark = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND"}.get(image.format or "")
        file.seek(max(0, path.stat().st_size - TAIL))
        if mark is None or mark not in file.read():
            image.load()  # cameras append what they like to a JPEG: decoding decides


def _rgb(image: Any) -> Any:
    from PIL import Image

    if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip
        return Image.fromarray((np.clip(np.asarray(image), 0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


@contextmanager
def _looking(source: Any) -> Iterator[None]:
    """Say in one line why a picture cannot be decoded; one that is too large to be a photograph is not."""
    from PIL import Image, UnidentifiedImageError

    fix = "repair it or take it out of the data set"
    with reading(f"{source}:", "no picture, or a damaged one", fix), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")  # of tags that nobody reads
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except UnidentifiedImageError as problem:  # whose text is the path
            raise ValueError(_beginning(source)) from problem


def _beginning(source: Any) -> str:
    """The first bytes of a file, which tell what it is."""
    if not isinstance(source, str | Path):
        return "something else"
    with Path(source).open("rb") as file:
        start = file.read(12)
    return f"a file that begins with {start!r}" if start else "an empty file"
