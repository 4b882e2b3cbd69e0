"""Networks of Keras as feature extractors, with random weights: what is prepared, what comes out, what is refused."""

import importlib.util
import inspect
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

# Looked for and not imported: who imports it first chooses what it runs on.
if importlib.util.find_spec("keras") is None:
    pytest.skip("networks need the extra: pip install 'zsh_jax[backbone]'", allow_module_level=True)

from zsh_jax.errors import InputError
from zsh_jax.features import backbone as module
from zsh_jax.features.applications import APPLICATIONS
from zsh_jax.features.backbone import load_backbone
from zsh_jax.features.spec import Network


@pytest.fixture(scope="module")
def keras():
    return module._keras()


@pytest.fixture
def tiny(keras, monkeypatch):
    """A network of three layers in the place of MobileNetV2, so that building it takes no time."""

    def build(*, weights=None, input_shape=(224, 224, 3), include_top=True, pooling=None):
        if weights == "imagenet":
            raise Exception("URL fetch failure on https://example.org/w.h5: None -- no such host\nmore")
        inputs = keras.Input(input_shape)
        x = keras.layers.Conv2D(5, 3, strides=4, name="conv", activation="relu")(inputs)
        x = keras.layers.BatchNormalization(name="norm")(x)
        x = keras.layers.GlobalAveragePooling2D()(x)
        if include_top:
            x = keras.layers.Dense(7, name="predictions")(x)
        return keras.Model(inputs, x)

    monkeypatch.setattr(keras.applications, "MobileNetV2", build)
    return build


def _noise(count, side, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), np.uint8)


def test_every_application_of_keras_is_listed_with_its_module(keras):
    built = {name for name, value in vars(keras.applications).items() if inspect.isfunction(value)}
    assert set(APPLICATIONS) == built
    for name, application in APPLICATIONS.items():
        functions = vars(getattr(keras.applications, application.module))
        assert functions["preprocess_input"]
        assert (
            name in functions or application.module == "mobilenet_v3"
        )  # has them in one module for each size


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "InceptionV3"])
def test_the_size_is_the_one_that_keras_takes_by_default(keras, name):
    assert getattr(keras.applications, name)(weights=None).input_shape[1:3] == (APPLICATIONS[name].side,) * 2


def test_features_are_what_keras_itself_predicts(keras, tiny):
    """Keras's own path, in NumPy: resized images, `preprocess_input`, `predict`."""
    images = _noise(5, 32)
    got = load_backbone(Network("MobileNetV2", None, 3), batch_size=2)(images)
    model = tiny(include_top=False)
    module._randomise(model, 3)
    resized = jax.image.resize(images.astype(np.float32), (5, 224, 224, 3), "bilinear")
    expected = model.predict(keras.applications.mobilenet_v2.preprocess_input(np.array(resized)), verbose=0)
    assert got.dtype == np.float32
    assert got.shape == (5, 5)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("layer", "width"), [(None, 5), ("conv", 5), ("predictions", 7)])
def test_a_layer_with_places_is_averaged_over_them(tiny, layer, width):
    images = _noise(3, 224)
    got = load_backbone(Network("MobileNetV2", layer, 0))(images)
    assert got.shape == (3, width)
    if layer == "conv":
        (kernel,) = (weight for weight in _randomised(tiny) if weight.ndim == 4)
        windows = np.lib.stride_tricks.sliding_window_view(images / 127.5 - 1, (3, 3), (1, 2))[:, ::4, ::4]
        expected = np.maximum(np.einsum("nijckl,klco->nijo", windows, kernel), 0).mean((1, 2))
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4)


def _randomised(build):
    model = build(include_top=False)
    module._randomise(model, 0)
    return [np.asarray(weight) for weight in model.weights]


def test_random_weights_follow_their_seed_alone(keras, tiny):
    images = _noise(2, 32)
    keras.utils.set_random_seed(1)
    first = load_backbone(Network("MobileNetV2", None, 0))(images)
    keras.utils.set_random_seed(2)
    np.testing.assert_array_equal(load_backbone(Network("MobileNetV2", None, 0))(images), first)
    assert not np.allclose(load_backbone(Network("MobileNetV2", None, 1))(images), first)


def test_a_picture_counts_the_same_in_any_batch(tiny):
    images = _noise(5, 32)
    together = load_backbone(Network("MobileNetV2", None, 0), batch_size=5)(images)
    np.testing.assert_allclose(
        load_backbone(Network("MobileNetV2", None, 0), batch_size=3)(images), together, rtol=1e-4, atol=1e-5
    )
    assert load_backbone(Network("MobileNetV2", None, 0))(images[:0]).shape == (0, 5)


@pytest.mark.parametrize(
    ("saved_top", "layer"),
    [(False, None), (False, "conv"), (True, None), (True, "conv"), (True, "predictions")],
)
def test_weights_come_from_a_file(tiny, tmp_path, saved_top, layer):
    images = _noise(3, 32)
    model = tiny(include_top=saved_top)
    module._randomise(model, 5)
    model.save_weights(tmp_path / "saved.weights.h5")
    got = load_backbone(Network("MobileNetV2", layer), weights=tmp_path / "saved.weights.h5")(images)
    expected = load_backbone(Network("MobileNetV2", layer, 5))(images)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_the_weights_of_something_else_are_refused(keras, tiny, tmp_path):
    whole = tiny()
    whole.save_weights(tmp_path / "whole.weights.h5")
    whole.save(tmp_path / "old.h5")  # the format in which Keras gives its ImageNet weights away
    with pytest.raises(InputError, match=r"old\.h5 .*saved without its classifier"):
        load_backbone(Network("MobileNetV2"), weights=tmp_path / "old.h5")
    load_backbone(Network("MobileNetV2", "conv"), weights=tmp_path / "old.h5")
    other = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
    other.save_weights(tmp_path / "other.weights.h5")
    cut = tmp_path / "cut.weights.h5"
    cut.write_bytes((tmp_path / "whole.weights.h5").read_bytes()[:3000])
    for name in ("other", "cut"):
        for layer in (None, "conv", "predictions"):
            with pytest.raises(InputError, match=rf"{name}\.weights\.h5 does not hold the weights") as caught:
                load_backbone(Network("MobileNetV2", layer), weights=tmp_path / f"{name}.weights.h5")
            assert "\n" not in str(caught.value)


def test_a_network_that_keras_builds_otherwise_for_a_file_is_refused(keras, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.applications, "EfficientNetB0", tiny)
    with pytest.raises(InputError, match=r"put the file into ~/\.keras/models"):
        load_backbone(Network("EfficientNetB0"), weights=tmp_path / "any.h5")


def test_without_a_network_the_missing_weights_are_one_line(tiny):
    with pytest.raises(InputError, match=r"could not be downloaded .*keras:MobileNetV2@random$") as caught:
        load_backbone(Network("MobileNetV2"))
    assert "\n" not in str(caught.value)


def test_a_layer_that_is_not_there_is_named(tiny):
    with pytest.raises(InputError, match="no layer 'prediction'; nearest: predictions"):
        load_backbone(Network("MobileNetV2", "prediction", 0))


LOAD = "from zsh_jax.features.backbone import _keras; _keras()"


def _run(code, **environment):
    kept = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    return subprocess.run(
        [sys.executable, "-c", code], env=kept | environment, capture_output=True, text=True, check=False
    )


def test_keras_runs_on_jax_and_no_other_framework_is_loaded():
    done = _run(f"{LOAD}; import sys, keras; print(keras.config.backend(), *sys.modules)")
    backend, *modules = done.stdout.split()
    assert backend == "jax", done.stderr
    assert not {"tensorflow", "torch"} & set(modules)


def test_another_backend_is_refused():
    done = _run(LOAD, KERAS_BACKEND="tensorflow")
    assert done.returncode
    assert "KERAS_BACKEND is 'tensorflow', but networks need JAX; fix: set KERAS_BACKEND=jax" in done.stderr
    # Keras that is there already, on NumPy: the only other backend that comes with it.
    done = _run(f"import keras; {LOAD}", KERAS_BACKEND="numpy")
    assert done.returncode
    assert "Keras was imported with the backend numpy before" in done.stderr


def test_an_environment_without_keras_is_told_the_extra():
    done = _run(f"import sys; sys.modules['keras'] = None; {LOAD}")
    assert done.returncode
    assert "pip install 'zsh_jax[backbone]'" in done.stderr


@pytest.mark.slow
def test_a_real_network_tells_pictures_apart(keras):
    describe = load_backbone(Network("MobileNetV2", None, 0), batch_size=4)
    flat, noise = np.full((2, 32, 32, 3), 60, np.uint8), _noise(2, 32)
    features = describe(np.concatenate([flat, noise]))
    assert features.shape == (4, 1280)
    np.testing.assert_allclose(features[0], features[1], rtol=1e-3, atol=1e-3 * features[0].max())
    assert np.linalg.norm(features[2] - features[0]) > 0.1 * np.linalg.norm(features[0])
