"""GIST against a float64 oracle without any FFT, and what its values mean."""

from itertools import pairwise

import chex
import jax
import numpy as np
import pytest

from zsh_jax.errors import InputError
from zsh_jax.features import gist as module
from zsh_jax.features.gist import gist


def _noise(count, side, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), np.uint8)


def _grating(side, angle, cycles_per_pixel=0.3):
    y, x = np.mgrid[:side, :side]
    wave = np.cos(2 * np.pi * cycles_per_pixel * (np.cos(angle) * x + np.sin(angle) * y))
    return np.repeat(np.rint(127.5 + 100 * wave).astype(np.uint8)[..., None], 3, axis=-1)


def _filtered(image, centred_gain):
    """Multiply by a gain laid out with frequency zero in the middle, by dense Fourier matrices."""
    n = len(image)
    k = np.arange(n) - n // 2
    fourier = np.exp(-2j * np.pi * np.outer(k, np.arange(n)) / n)
    return fourier.conj().T @ (centred_gain * (fourier @ image @ fourier.T)) @ fourier.conj() / n**2


def _oracle(image, scales=4, orientations=8, grid=4):
    """Oliva and Torralba's definition for one image, filter by filter, block by block."""
    grey = image.astype(np.float64).mean(-1)
    side = len(grey)
    stretched = np.log(255 * (grey - grey.min()) / (grey.max() - grey.min()) + 1)

    padded = np.pad(stretched, 5, mode="symmetric")
    f = np.arange(len(padded)) - len(padded) // 2
    fx, fy = np.meshgrid(f, f)
    low = np.exp(-(fx**2 + fy**2) / (4 / np.sqrt(np.log(2))) ** 2)
    detail = padded - _filtered(padded, low).real
    normal = detail / (0.2 + np.sqrt(np.abs(_filtered(detail**2, low))))
    normal = normal[5 : 5 + side, 5 : 5 + side]

    pad = min(32, side // 2)
    padded = np.pad(normal, pad, mode="symmetric")
    n = len(padded)
    f = np.arange(n) - n // 2
    fx, fy = np.meshgrid(f, f)
    edges = [int(np.floor(side * b / grid)) for b in range(grid + 1)]
    values = []
    for i in range(scales):
        for j in range(orientations):
            turn = np.angle(fx + 1j * fy) + np.pi / orientations * j
            turn[turn > np.pi] -= 2 * np.pi
            sharpness = 16 * orientations**2 / 32**2
            distance = np.sqrt(fx**2 + fy**2) / n / (0.3 / 1.85**i) - 1
            gain = np.exp(-10 * 0.35 * distance**2 - 2 * sharpness * np.pi * turn**2)
            size = np.abs(_filtered(padded, gain))[pad : pad + side, pad : pad + side]
            for top, bottom in pairwise(edges):
                for left, right in pairwise(edges):
                    values.append(size[top:bottom, left:right].mean())
    return np.array(values)


@pytest.mark.parametrize("side", [16, 25, 32, 80])
def test_agrees_with_the_definition_in_float64(side):
    images = _noise(2, side)
    expected = np.stack([_oracle(image) for image in images])
    got = gist(images, batch_size=2)
    assert got.shape == (2, 512)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=2e-4, atol=2e-5 * expected.max())


def test_agrees_with_the_definition_at_other_settings():
    image = _noise(1, 32, seed=3)
    got = gist(image, scales=3, orientations=6, grid=5, batch_size=1)[0]
    expected = _oracle(image[0], scales=3, orientations=6, grid=5)
    np.testing.assert_allclose(got, expected, rtol=2e-4, atol=2e-5 * expected.max())


def test_a_grating_excites_its_own_orientation_and_scale_most():
    for scale in (0, 1):
        angles = -np.pi * np.arange(8) / 8
        images = np.stack([_grating(64, angle, 0.3 / 1.85**scale) for angle in angles])
        energy = gist(images, batch_size=8).reshape(8, 4, 8, 16).mean(-1)
        strongest = energy.reshape(8, -1).argmax(-1)
        np.testing.assert_array_equal(strongest, scale * 8 + np.arange(8))


def test_a_shift_by_one_block_moves_the_responses_by_one_block():
    patch = _grating(32, 0.0)[:16, :16]
    here, there = (np.full((64, 64, 3), 128, np.uint8) for _ in range(2))
    here[16:32, 16:32], there[16:32, 32:48] = patch, patch
    first, second = gist(np.stack([here, there]), batch_size=2).reshape(2, 32, 4, 4)
    own = 0  # the filter of the grating
    assert np.unravel_index(first[own].argmax(), (4, 4)) == (1, 1)
    assert np.unravel_index(second[own].argmax(), (4, 4)) == (1, 2)
    np.testing.assert_allclose(second[own, 1, 2], first[own, 1, 1], rtol=0.02)


def test_contrast_and_brightness_hardly_matter():
    dark = _noise(4, 32) // 8
    stretched, plain = gist(dark * 8, batch_size=4), gist(dark, batch_size=4)
    np.testing.assert_allclose(stretched, plain, rtol=1e-3, atol=1e-4)


def test_a_flat_picture_has_no_energy():
    flat = np.full((1, 32, 32, 3), 77, np.uint8)
    # Features of images reach 0.2; of the logarithm of a flat one, 4.4, the transform rounds a millionth away.
    np.testing.assert_allclose(gist(flat, batch_size=1), 0, atol=2e-5)


def test_a_picture_counts_the_same_in_any_batch():
    images = _noise(7, 32)
    together = gist(images, batch_size=7)
    rounded = 2e-5 * together.max()  # as against the definition
    np.testing.assert_allclose(gist(images, batch_size=3), together, atol=rounded)
    np.testing.assert_allclose(gist(images[::-1], batch_size=4)[::-1], together, atol=rounded)
    assert gist(images[:0]).shape == (0, 512)


def test_one_program_serves_full_and_partial_batches(monkeypatch):
    chex.clear_trace_counter()
    counted = chex.assert_max_traces(module.gist_batch.__wrapped__, n=1)
    settings = ("scales", "orientations", "grid")
    monkeypatch.setattr(module, "gist_batch", jax.jit(counted, static_argnames=settings))
    for count in (8, 11, 3):
        gist(_noise(count, 16), batch_size=4)


@pytest.mark.parametrize(
    ("shape", "settings", "said"),
    [
        ((1, 32, 40, 3), {}, "square"),
        ((1, 12, 12, 3), {}, "at least 16 pixels"),
        ((1, 32, 32, 3), {"grid": 0}, "at least 1"),
        ((1, 32, 32, 3), {"grid": 33}, "no more blocks than pixels"),
        ((1, 32, 32, 3), {"batch_size": 0}, "at least 1"),
    ],
)
def test_bad_input_is_named(shape, settings, said):
    with pytest.raises(InputError, match=said):
        gist(np.zeros(shape, np.uint8), **settings)
