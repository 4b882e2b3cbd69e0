"""GIST: the energy of an image at each scale and orientation, over a coarse spatial grid.

Oliva and Torralba, "Modeling the Shape of the Scene", IJCV 42(3), 2001: a bank of Gabor filters in the Fourier domain,
after local contrast normalisation. The constants are those of the authors' released code. Two things differ: the margin
shrinks for images below 64 pixels, and blocks are listed by rows.
"""

import threading
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, UInt8

from zsh_jax.errors import InputError

SMALLEST_SIDE = 16
PREFILTER_PAD = 5  # pixels
PREFILTER_CYCLES = 4.0  # per image, where the gain of the prefilter's low pass is one half
CONTRAST_FLOOR = 0.2  # keeps flat regions flat
GABOR_PAD = 32  # pixels

# On the CPU, an FFT on a thread of XLA's pool waits for work on the same pool, so two concurrent FFTs can deadlock.
# Within a program FFTs run in sequence; this lock makes programs run in sequence too.
_ONE_AT_A_TIME = threading.Lock()


def gist(
    images: UInt8[Array | np.ndarray, "n h w 3"],
    *,
    scales: int = 4,
    orientations: int = 8,
    grid: int = 4,
    batch_size: int = 256,
) -> Float32[np.ndarray, "n {scales*orientations*grid*grid}"]:
    """GIST of each image (Oliva and Torralba 2001), 512 values with the published settings.

    Batches have one size (the last is padded), so one program is compiled for each image size, and memory grows with
    `batch_size`, not with `n`.

    Args:
        images: square RGB images, at least 16 pixels a side; grey is the mean of the three channels.
        scales: number of frequencies, from 0.3 cycles a pixel downwards by factors of 1.85.
        orientations: filters in each scale, evenly over half a turn.
        grid: blocks along each side, over which magnitudes are averaged.
        batch_size: images per batch.

    Returns:
        The mean filter magnitudes, ordered by scale (fine to coarse), orientation, block row, block column.

    Raises:
        InputError: the images are not square RGB bytes of at least 16 pixels a side, or a setting is below 1.
    """
    _check(images, scales, orientations, grid, batch_size)
    rows = np.asarray(images)
    out = np.empty((len(rows), scales * orientations * grid * grid), np.float32)
    for start in range(0, len(rows), batch_size):
        part = rows[start : start + batch_size]
        filled = np.zeros((batch_size, *rows.shape[1:]), np.uint8)
        filled[: len(part)] = part
        with _ONE_AT_A_TIME:
            described = np.asarray(gist_batch(filled, scales=scales, orientations=orientations, grid=grid))
        out[start : start + len(part)] = described[: len(part)]
    return out


@partial(jax.jit, static_argnames=("scales", "orientations", "grid"))
def gist_batch(
    images: UInt8[Array | np.ndarray, "n s s 3"], *, scales: int = 4, orientations: int = 8, grid: int = 4
) -> Float32[Array, "n {scales*orientations*grid*grid}"]:
    """GIST of one batch in memory; pure, for use inside a larger program.

    Args:
        images: as for `gist`, but not checked.
        scales: as for `gist`.
        orientations: as for `gist`.
        grid: as for `gist`.

    Returns:
        As for `gist`, on the device.
    """
    count, side = images.shape[:2]
    grey = jnp.mean(jnp.asarray(images).astype(jnp.float32), axis=-1)
    # A mirrored margin of half a side gives one full period of the mirrored plane; more would add a seam.
    pad = min(GABOR_PAD, side // 2)
    spectrum = jnp.fft.fft2(_mirror(normalise_contrast(grey), pad))
    blocks = jnp.asarray(_block_means(side, grid))

    def energy(transfer: Float32[Array, "p p"]) -> Float32[Array, "n grid grid"]:
        gain = transfer[None]
        filtered = jnp.fft.ifft2(jax.lax.complex(spectrum.real * gain, spectrum.imag * gain))
        magnitude = jnp.abs(filtered[:, pad : pad + side, pad : pad + side])
        return jnp.einsum("gr,nrc,kc->ngk", blocks, magnitude, blocks, precision="highest")

    # One filter at a time: 32 at once would hold 32 complex copies of the padded batch.
    energies = jax.lax.map(energy, jnp.asarray(gabor_bank(side + 2 * pad, scales, orientations)))
    return jnp.moveaxis(energies, 0, 1).reshape(count, -1)


def normalise_contrast(grey: Float32[Array, "n s s"]) -> Float32[Array, "n s s"]:
    """The published prefilter: stretch to 0..255, take logs, whiten, divide by the local standard deviation.

    Args:
        grey: images of any range; a constant image gives zeros.

    Returns:
        Images of the same size, without slow changes of brightness and contrast.
    """
    side = grey.shape[-1]
    low = jnp.min(grey, axis=(1, 2), keepdims=True)
    span = jnp.max(grey, axis=(1, 2), keepdims=True) - low
    stretched = 255.0 * (grey - low) / jnp.where(span > 0, span, 1.0)
    logs = _mirror(jnp.log1p(stretched), PREFILTER_PAD)

    cycles = np.fft.fftfreq(logs.shape[-1]) * logs.shape[-1]
    squared = np.add.outer(cycles**2, cycles**2)
    low_pass = jnp.asarray(np.exp(-squared * np.log(2) / PREFILTER_CYCLES**2).astype(np.float32))[None]

    def smooth(image: Float32[Array, "n p p"]) -> Float32[Array, "n p p"]:
        spectrum = jnp.fft.fft2(image)
        return jnp.fft.ifft2(jax.lax.complex(spectrum.real * low_pass, spectrum.imag * low_pass)).real

    detail = logs - smooth(logs)
    deviation = jnp.sqrt(jnp.abs(smooth(detail**2)))
    inner = slice(PREFILTER_PAD, PREFILTER_PAD + side)
    return (detail / (CONTRAST_FLOOR + deviation))[:, inner, inner]


def gabor_bank(
    side: int, scales: int, orientations: int
) -> Float32[np.ndarray, "{scales*orientations} {side} {side}"]:
    """Transfer functions of the filters in FFT layout, for an image with its margin.

    Args:
        side: pixels along a side, margin included.
        scales: number of frequencies, 0.3 / 1.85^i cycles a pixel.
        orientations: number of filters in each scale; filter j has the direction -pi j / orientations.

    Returns:
        Real gains with zero phase. A filter covers one half plane, so its output is complex, and its magnitude is the
        local amplitude.
    """
    cycles = np.fft.fftfreq(side)  # per pixel
    radius = np.hypot(cycles[:, None], cycles[None, :])
    angle = np.arctan2(cycles[:, None], cycles[None, :])
    bank = []
    for i in range(scales):
        radial = -3.5 * (radius / (0.3 / 1.85**i) - 1) ** 2
        for j in range(orientations):
            turn = angle + np.pi * j / orientations
            turn = np.where(turn > np.pi, turn - 2 * np.pi, turn)
            bank.append(np.exp(radial - 2 * np.pi * (orientations / 8) ** 2 * turn**2))
    return np.stack(bank).astype(np.float32)


def _mirror(images: Float32[Array, "n s s"], pad: int) -> Float32[Array, "n p p"]:
    return jnp.pad(images, ((0, 0), (pad, pad), (pad, pad)), mode="symmetric")


def _block_means(side: int, grid: int) -> Float32[np.ndarray, "{grid} {side}"]:
    """Row g averages the pixels of block g; block sizes differ by a pixel if the grid does not divide the side."""
    edges = np.linspace(0, side, grid + 1).astype(int)
    means = np.zeros((grid, side), np.float32)
    for row, start, stop in zip(means, edges[:-1], edges[1:], strict=True):
        row[start:stop] = 1 / (stop - start)
    return means


def _check(images: Array | np.ndarray, scales: int, orientations: int, grid: int, batch_size: int) -> None:
    shape = tuple(images.shape)
    if len(shape) != 4 or shape[3] != 3 or images.dtype != np.uint8:
        raise InputError(f"GIST needs uint8 images of shape (n, side, side, 3); got {images.dtype} {shape}")
    if shape[1] != shape[2]:
        raise InputError(f"GIST needs square images; got {shape[1]} x {shape[2]}; fix: crop or resize them")
    if shape[1] < SMALLEST_SIDE:
        raise InputError(
            f"GIST needs at least {SMALLEST_SIDE} pixels a side; got {shape[1]}; fix: enlarge the images"
        )
    if min(scales, orientations, grid, batch_size) < 1 or grid > shape[1]:
        raise InputError(
            "GIST needs scales, orientations, grid and batch_size of at least 1 and no more blocks than "
            f"pixels; got scales={scales}, orientations={orientations}, grid={grid}, batch_size={batch_size}, "
            f"{shape[1]} pixels"
        )
