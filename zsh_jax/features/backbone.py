"""Features from the pretrained networks of Keras 3, run by JAX. Needs `pip install 'zsh_jax[backbone]'`."""

import importlib
import os
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, UInt8

from zsh_jax.data.library_errors import reason
from zsh_jax.data.nearest import nearest_names
from zsh_jax.errors import InputError
from zsh_jax.features.applications import APPLICATIONS, Application
from zsh_jax.features.batches import in_batches
from zsh_jax.features.resize import resize
from zsh_jax.features.spec import Describe, Network


def load_backbone(network: Network, *, weights: Path | None = None, batch_size: int = 64) -> Describe:
    """Build a network, and the function from images to the output of one of its layers.

    Images are resized to the network's training size, each side independently (`resize`), and preprocessed by the
    network's own `preprocess_input`. Batches have one size (the last is padded), so one program is compiled for each
    image size. A layer output with spatial positions is averaged over them.

    Args:
        network: the network, its layer, and whether its weights are random.
        weights: file that Keras saved; None for the ImageNet weights, which Keras downloads to `~/.keras/models` once.
        batch_size: images per batch.

    Returns:
        The function.

    Raises:
        InputError: Keras is missing or does not run on JAX, the layer does not exist, or the weights cannot be
            downloaded or do not match the network.
    """
    keras = _keras()
    application = APPLICATIONS[network.application]
    model = _model(keras, network, application, weights)
    preprocess = importlib.import_module(f"keras.applications.{application.module}").preprocess_input
    side = application.side

    @jax.jit
    def run(variables: Any, images: UInt8[Array, "b h w 3"]) -> Float32[Array, "b d"]:
        prepared = preprocess(resize(images, side, side), data_format="channels_last")
        outputs, _ = model.stateless_call(*variables, prepared, training=False)
        return outputs.mean(axis=tuple(range(1, outputs.ndim - 1))).astype(jnp.float32)

    # Pass the variables as an argument: XLA would try to fold a constant.
    variables = tuple(
        [variable.value for variable in some]
        for some in (model.trainable_variables, model.non_trainable_variables)
    )

    def describe(images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n d"]:
        length = model.output.shape[-1]
        return in_batches(partial(run, variables), images, batch_size=batch_size, length=length)

    return describe


def _keras() -> Any:
    """Import Keras on JAX; its default configuration file says TensorFlow, so the environment variable decides."""
    if "keras" not in sys.modules:
        backend = os.environ.setdefault("KERAS_BACKEND", "jax")
        if backend != "jax":
            raise InputError(
                f"KERAS_BACKEND is {backend!r}, but networks need JAX; fix: set KERAS_BACKEND=jax"
            )
    try:
        import keras
        import keras.applications
    except ImportError as problem:
        raise InputError(
            f"network features need Keras 3 ({reason(problem)}); fix: pip install 'zsh_jax[backbone]'"
        ) from problem
    if int(keras.__version__.split(".")[0]) < 3:
        raise InputError(f"network features need Keras 3, not {keras.__version__}; fix: pip install -U keras")
    if keras.config.backend() != "jax":
        raise InputError(
            f"Keras was imported with the backend {keras.config.backend()} before zsh_jax was; fix: set "
            "KERAS_BACKEND=jax in the environment"
        )
    if keras.config.image_data_format() != "channels_last":
        raise InputError(
            f"Keras is set to {keras.config.image_data_format()}; fix: set image_data_format to channels_last in "
            "keras.json"
        )
    return keras


def _model(keras: Any, network: Network, application: Application, weights: Path | None) -> Any:
    """The network with its weights, truncated at the layer."""
    # The trunk is the same with and without a classifier, so a layer is found by its index: some Keras names contain a
    # counter that differs in the next network. VGG's classifier alone takes 0.4 GB, so it is built only if needed.
    trunk = _build(keras, network, application, top=False)
    place, top = _place(trunk, network.layer), False
    if place is None:
        whole = _build(keras, network, application, top=True)
        place, top = _place(whole, network.layer), True
        if place is None:
            known = [layer.name for layer in whole.layers]
            raise InputError(
                f"features.name: {network.application} has no layer {network.layer!r}; "
                f"{nearest_names(str(network.layer), known)}"
            )
    if network.seed is not None:
        model = whole if top else trunk
    elif weights is None:
        model = _download(keras, network, application, top=top)
    else:
        # The file may include the classifier, but only a model without it shows where the trunk ends.
        tops = (True,) if top else (False,) if network.layer is None else (False, True)
        model = _load(keras, network, application, weights, tops)
    cut = keras.Model(model.inputs, model.layers[place].output)
    if network.seed is not None:
        _randomise(cut, network.seed)
    return cut


def _place(model: Any, layer: str | None) -> int | None:
    names = [layer.name for layer in model.layers]
    if layer is None:
        return len(names) - 1
    return names.index(layer) if layer in names else None


def _build(
    keras: Any, network: Network, application: Application, *, top: bool, weights: str | None = None
) -> Any:
    build, side = getattr(keras.applications, network.application), application.side
    if top:
        return build(weights=weights, input_shape=(side, side, 3))
    return build(weights=weights, input_shape=(side, side, 3), include_top=False, pooling="avg")


def _download(keras: Any, network: Network, application: Application, *, top: bool) -> Any:
    try:
        return _build(keras, network, application, top=top, weights="imagenet")
    except Exception as problem:  # Keras raises a bare Exception without a network
        raise InputError(
            f"the ImageNet weights of {network.application} are not in ~/.keras/models and could not be downloaded "
            f"({reason(problem)}); fix: connect to the network once, set --config.features.weights=PATH, or use "
            f"random weights with keras:{network.application}@random"
        ) from problem


def _load(
    keras: Any, network: Network, application: Application, weights: Path, tops: tuple[bool, ...]
) -> Any:
    if network.application.startswith("EfficientNetB"):
        # For these, Keras divides inputs by an extra standard deviation only if it downloads the weights itself.
        raise InputError(
            f"features.weights: Keras scales inputs of {network.application} differently with a file; "
            "fix: put the file into ~/.keras/models under the name that Keras uses, and do not set features.weights"
        )
    failures = []
    for top in tops:
        model = _build(keras, network, application, top=top)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # Keras warns like this when it skips a layer
                model.load_weights(str(weights))
        except Exception as problem:  # h5py and Keras raise many types
            failures.append(reason(problem))
        else:
            return model
    which = "" if True in tops else ", saved without its classifier (or name a layer)"
    raise InputError(
        f"features.weights: {weights} does not hold the weights of {network.application} ({failures[0]}); fix: give a "
        f"file that Keras saved from that network{which}"
    )


def _randomise(model: Any, seed: int) -> None:
    """Draw weights as He et al. (ICCV 2015), with one stream for each array; biases and scales stay as built."""
    for number, variable in enumerate(model.weights):
        if len(variable.shape) < 2:
            continue
        fan_in = np.prod(variable.shape[:2] if "depthwise" in variable.path else variable.shape[:-1])
        drawn = np.random.default_rng([seed, number]).standard_normal(variable.shape, np.float32)
        variable.assign(drawn * np.float32(np.sqrt(2 / fan_in)))
