"""Names of features, and the cheap ones among them against plain loops."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from zsh_jax.errors import InputError
from zsh_jax.features.colour import colour
from zsh_jax.features.extractors import feature_extractors
from zsh_jax.features.gist import gist
from zsh_jax.features.pixels import pixels
from zsh_jax.features.spec import FEATURES, Network, Part, parse_spec


def _noise(count, side, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), np.uint8)


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("gist", [Part("gist")]),
        (" gist + colour", [Part("gist"), Part("colour")]),
        ("keras:VGG16:fc2", [Part("keras:VGG16:fc2", Network("VGG16", "fc2"))]),
        ("keras:ConvNeXtTiny", [Part("keras:ConvNeXtTiny", Network("ConvNeXtTiny"))]),
        ("keras:MobileNetV2@random", [Part("keras:MobileNetV2@random", Network("MobileNetV2", None, 0))]),
        ("keras:MobileNetV2@random0", [Part("keras:MobileNetV2@random", Network("MobileNetV2", None, 0))]),
        ("efficientnet_lite0", [Part("efficientnet_lite0", side=224)]),
        (
            "gist+efficientnet_lite0@160",
            [Part("gist"), Part("efficientnet_lite0@160", side=160)],
        ),
        (
            "pixels+keras:ResNet50@random7:conv4_block6_out",
            [
                Part("pixels"),
                Part("keras:ResNet50@random7:conv4_block6_out", Network("ResNet50", "conv4_block6_out", 7)),
            ],
        ),
    ],
)
def test_names_are_read(spec, parts):
    assert parse_spec(spec) == tuple(parts)
    # What results state names the same features.
    assert parse_spec("+".join(part.name for part in parts)) == tuple(parts)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("gits", "there is no 'gits' in 'gits'; fix: use any of gist, colour, pixels, efficientnet_lite0"),
        ("", "there is no ''"),
        ("gist+", "there is no ''"),
        ("gist+colour+gist", "gist occurs twice"),
        ("keras:MobileNetV2@random+keras:MobileNetV2@random0", "occurs twice"),
        ("efficientnet_lite0@224+efficientnet_lite0", "occurs twice"),
        ("efficientnet_lite0@", "give a side of 32 to 1024 pixels"),
        ("efficientnet_lite0@8", "give a side of"),
        ("efficientnet_lite0@1e2", "give a side of"),
        ("keras", "not have the form"),
        ("keras:", "not have the form"),
        ("keras:VGG16:", "not have the form"),
        ("keras:VGG16@randomly", "not have the form"),
        ("keras:VGG16:fc2:fc1", "not have the form"),
        ("keras:vgg16", "no network 'vgg16'; nearest: VGG16"),
        ("keras:AlexNet", "no network 'AlexNet'"),
    ],
)
def test_a_name_that_means_nothing_is_said(spec, said):
    with pytest.raises(InputError, match=said) as caught:
        parse_spec(spec)
    assert "\n" not in str(caught.value)


def test_every_listed_name_has_an_extractor():
    images = _noise(3, 32)
    for name in FEATURES:
        if not name.startswith(("keras", "efficientnet", "towers")):
            (extractor,) = feature_extractors(name)
            features = extractor.load()(images)
            assert (extractor.name, features.dtype, len(features)) == (name, np.float32, 3)
    both = feature_extractors("colour+gist")
    np.testing.assert_array_equal(both[0].load()(images), colour(images))
    np.testing.assert_array_equal(both[1].load()(images), gist(images))


def test_identities_tell_apart_whatever_changes_the_features(tmp_path):
    first, second = tmp_path / "a.weights.h5", tmp_path / "b.weights.h5"
    first.write_bytes(b"one")
    second.write_bytes(b"two")
    specs = ["gist", "colour", "pixels", "keras:VGG16", "keras:VGG16:fc2", "keras:VGG19"]
    specs += ["keras:VGG16@random", "keras:VGG16@random1", "efficientnet_lite0", "efficientnet_lite0@160"]
    identities = [extractor.identity for spec in specs for extractor in feature_extractors(spec)]
    identities += [feature_extractors("keras:VGG16", weights=path)[0].identity for path in (first, second)]
    assert len(set(identities)) == len(identities)
    copy = tmp_path / "elsewhere.h5"
    copy.write_bytes(b"one")
    assert feature_extractors("keras:VGG16", weights=copy)[0].identity == identities[-2]
    assert feature_extractors("keras:VGG16", batch_size=1)[0].identity == identities[3]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("gist", "names 0"),
        ("keras:VGG16@random", "names 0"),
        ("keras:VGG16+keras:VGG19", "names 2"),
        ("keras:VGG16", "there is no file .*none.h5"),
    ],
)
def test_weights_are_for_one_network(tmp_path, spec, said):
    with pytest.raises(InputError, match=said):
        feature_extractors(spec, weights=tmp_path / "none.h5")


def test_naming_features_loads_no_keras():
    # Networks are an extra, and importing Keras takes seconds.
    report = (
        "import sys; from zsh_jax.features.extractors import feature_extractors;"
        "feature_extractors('gist+keras:VGG16:fc2'); print(*sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    assert not {"keras", "tensorflow", "h5py"} & set(output.stdout.split())


def test_small_pictures_are_their_pixels():
    images = _noise(5, 16)
    np.testing.assert_allclose(pixels(images) * 255, images.reshape(5, -1), rtol=1e-6)
    assert pixels(images).dtype == np.float32


def test_large_pictures_are_shrunk_as_pillow_shrinks_them():
    images = _noise(2, 96)
    images[1] = np.linspace(0, 255, 96).astype(np.uint8)[:, None, None]
    expected = [
        np.asarray(Image.fromarray(image).resize((32, 32), Image.Resampling.BILINEAR)) for image in images
    ]
    # Pillow rounds to whole levels, once along each side.
    np.testing.assert_allclose(pixels(images).reshape(2, 32, 32, 3) * 255, expected, atol=1.2)
    assert pixels(_noise(2, 40)[:, :24]).shape == (2, 24 * 32 * 3)


def test_a_colour_histogram_counts_pixels(monkeypatch):
    images = _noise(7, 12)
    expected = np.zeros((7, 8, 8, 8))
    for row, image in enumerate(images):
        for red, green, blue in image.reshape(-1, 3):
            expected[row, red // 32, green // 32, blue // 32] += 1 / 144
    got = colour(images)
    np.testing.assert_allclose(got, np.sqrt(expected).reshape(7, -1), rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, rtol=1e-6)
    assert colour(images[:0]).shape == (0, 512)


def test_colours_do_not_tell_where_they_are():
    images = _noise(3, 16)
    np.testing.assert_array_equal(colour(images), colour(images[:, ::-1, ::-1]))
    assert not np.allclose(colour(images), colour(255 - images))


def test_pictures_beyond_a_block_are_counted_the_same(monkeypatch):
    large = _noise(3, 2400)  # 17 million pixels
    np.testing.assert_array_equal(colour(large)[2:], colour(large[2:]))
