"""Decode images of any size and mode to squares of one size, on demand."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Int, UInt8

from zsh_jax.data.reading import reading

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff")
# By content, not by file name. For other formats Pillow may run external programs.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
TAIL = 4096  # bytes at the end of a file that usually contain its end marker


@dataclass(frozen=True)
class LazyImages:
    """Square RGB images on disk, as if they were an array of (n, size, size, 3) bytes.

    An index, a slice or an array of row numbers decodes only those images, so a loop over blocks holds one block in
    memory; `numpy.asarray` decodes all of them.

    Attributes:
        read: returns the image with a given number, (size, size, 3).
        numbers: argument of `read` for each row.
        size: height and width.
    """

    read: Callable[[int], UInt8[np.ndarray, "h w 3"]]
    numbers: Int[np.ndarray, " n"]
    size: int

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the array."""
        return len(self.numbers), self.size, self.size, 3

    @property
    def ndim(self) -> int:
        """Number of dimensions of the array."""
        return 4

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the array."""
        return np.dtype(np.uint8)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.numbers)

    def __getitem__(self, rows: Any) -> UInt8[np.ndarray, "*k h w 3"]:
        """Decode the images of some rows."""
        numbers = self.numbers[rows]
        if np.ndim(numbers) == 0:
            return self.read(int(numbers))
        out = np.empty((len(numbers), *self.shape[1:]), np.uint8)
        for row, number in enumerate(numbers):
            out[row] = self.read(int(number))
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """Decode all images."""
        del copy  # decoding always makes a new array
        return self[:].astype(dtype or np.uint8, copy=False)

    def at(self, rows: Int[np.ndarray, " k"]) -> "LazyImages":
        """Select images without decoding them."""
        return LazyImages(self.read, self.numbers[rows], self.size)


def square(
    source: str | Path | BinaryIO, size: int, *, name: str | None = None
) -> UInt8[np.ndarray, "s s 3"]:
    """Decode an image to a square: resize the short side to `size`, then crop the centre.

    The EXIF orientation is applied first; of an animation, the first image is taken. Grey becomes three equal channels
    (16 bits keep the upper eight), CMYK becomes RGB, and transparent areas become white.

    Args:
        source: a path or an open file.
        size: side of the square, in pixels.
        name: name of the image in error messages; defaults to the path.

    Returns:
        The RGB image.

    Raises:
        InputError: the file is not an image, or damaged.
    """
    from PIL import Image, ImageOps

    with _looking(name or source), Image.open(source, formats=FORMATS) as image:
        turned = ImageOps.exif_transpose(image)
        return np.asarray(ImageOps.fit(_rgb(turned), (size, size), Image.Resampling.BICUBIC))


def check_whole(path: Path) -> None:
    """Detect an image that cannot be decoded, much faster than decoding it.

    Args:
        path: an image file; other than JPEG and PNG are decoded.

    Raises:
        InputError: the file is not an image, truncated, or larger than Pillow's safety limit. Damage in the middle is
            only found by decoding.
    """
    from PIL import Image

    with _looking(path), Image.open(path, formats=FORMATS) as image, path.open("rb") as file:
        mark = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND"}.get(image.format or "")
        file.seek(max(0, path.stat().st_size - TAIL))
        if mark is None or mark not in file.read():
            image.load()  # cameras append data to a JPEG: decode it to decide


def _rgb(image: Any) -> Any:
    from PIL import Image

    if image.mode.startswith("I"):  # 16-bit grey; Pillow would clip it
        return Image.fromarray((np.clip(np.asarray(image), 0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


@contextmanager
def _looking(source: Any) -> Iterator[None]:
    """Turn a decoding error, or the refusal of a huge image, into one line."""
    from PIL import Image, UnidentifiedImageError

    fix = "repair it or remove it from the data set"
    with reading(f"{source}:", "not an image, or damaged", fix), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")  # warnings about unused tags
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except UnidentifiedImageError as problem:  # its text is only the path
            raise ValueError(_beginning(source)) from problem


def _beginning(source: Any) -> str:
    """The first bytes of a file, to show what it is."""
    if not isinstance(source, str | Path):
        return "unknown content"
    with Path(source).open("rb") as file:
        start = file.read(12)
    return f"a file that begins with {start!r}" if start else "an empty file"
