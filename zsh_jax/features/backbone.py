"""Features from the pretrained networks of Keras 3, run by JAX. Wants the extra: `pip install 'zsh_jax[backbone]'`."""

import importlib
import os
import sys
import warnings
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
from zsh_jax.features.resize import resize
from zsh_jax.features.spec import Describe, Network


def load_backbone(network: Network, *, weights: Path | None = None, batch_size: int = 64) -> Describe:
    """Build a network, and the function from pictures to the output of one of its layers.

    Pictures are resized to the size that the network was trained on, each side for itself (`resize`), and preprocessed
    as its own `preprocess_input` does. They go through in batches of one size, the last one filled up, so that one
    program is compiled for each size of picture. The output of a layer that has places is averaged over them.

    Args:
        network: which, which layer, and whether its weights are random.
        weights: file that Keras saved; None for ImageNet's, which Keras downloads to `~/.keras/models` once.
        batch_size: pictures handled at once.

    Returns:
        The function.

    Raises:
        InputError: Keras is missing or runs on something else than JAX, there is no such layer, or the weights
            cannot be downloaded or are not the network's.
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

    # An argument of the program, not a constant of it: XLA would try to fold it.
    variables = tuple(
        [variable.value for variable in some]
        for some in (model.trainable_variables, model.non_trainable_variables)
    )

    def describe(images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n d"]:
        parts = []
        for start in range(0, len(images), batch_size):
            part = np.asarray(images[start : start + batch_size])
            filled = np.zeros((batch_size, *part.shape[1:]), np.uint8)
            filled[: len(part)] = part
            parts.append(np.asarray(run(variables, filled))[: len(part)])
        return np.concatenate(parts) if parts else np.empty((0, model.output.shape[-1]), np.float32)

    return describe


def _keras() -> Any:
    """Keras, on JAX: its configuration file says TensorFlow unless somebody changed it, so the environment decides."""
    if "keras" not in sys.modules:
        asked = os.environ.setdefault("KERAS_BACKEND", "jax")
        if asked != "jax":
            raise InputError(
                f"KERAS_BACKEND is {asked!r}, and networks run on JAX here; unset it, or set it to jax"
            )
    try:
        import keras
        import keras.applications
    except ImportError as problem:
        raise InputError(
            f"features of networks want Keras 3 ({reason(problem)}): pip install 'zsh_jax[backbone]'"
        ) from problem
    if int(keras.__version__.split(".")[0]) < 3:
        raise InputError(f"features of networks want Keras 3, not {keras.__version__}: pip install -U keras")
    if keras.config.backend() != "jax":
        raise InputError(
            f"Keras was imported with the backend {keras.config.backend()} before zsh_jax could choose; set "
            "KERAS_BACKEND=jax in the environment"
        )
    if keras.config.image_data_format() != "channels_last":
        raise InputError(
            f"Keras is set to {keras.config.image_data_format()}; set image_data_format to channels_last in keras.json"
        )
    return keras


def _model(keras: Any, network: Network, application: Application, weights: Path | None) -> Any:
    """The network with its weights, up to the layer."""
    # The trunk is the same with a classifier and without, so a layer of it is found by its place: some of Keras's names
    # are counted up, and another one's in the next network that is built. VGG's classifier alone is 0.4 GB.
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
        # A file may have been saved with the classifier; but where the trunk ends, only the one without it says.
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
    except Exception as problem:  # Keras raises a bare Exception where there is no network
        raise InputError(
            f"the ImageNet weights of {network.application} are not in ~/.keras/models and could not be downloaded "
            f"({reason(problem)}); connect to the network once, give a file with --config.features.weights=PATH, or "
            f"take random ones with keras:{network.application}@random"
        ) from problem


def _load(
    keras: Any, network: Network, application: Application, weights: Path, tops: tuple[bool, ...]
) -> Any:
    if network.application.startswith("EfficientNetB"):
        # Keras scales inputs of these by one deviation more, only where it fetches the weights by itself.
        raise InputError(
            f"features.weights: Keras builds {network.application} otherwise for its ImageNet weights than for a file; "
            "put the file into ~/.keras/models under the name that Keras gives it, and leave features.weights out"
        )
    failures = []
    for top in tops:
        model = _build(keras, network, application, top=top)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "error", UserWarning
                )  # what Keras says when it leaves a layer as it was
                model.load_weights(str(weights))
        except Exception as problem:  # h5py's and Keras's, of many kinds
            failures.append(reason(problem))
        else:
            return model
    which = "" if True in tops else ", saved without its classifier (or name a layer)"
    raise InputError(
        f"features.weights: {weights} does not hold the weights of {network.application} ({failures[0]}); give a file "
        f"that Keras saved from that very network{which}"
    )


def _randomise(model: Any, seed: int) -> None:
    """Weights as He et al. (ICCV 2015) draw them, from a stream for each array; offsets and scales stay as built."""
    for number, variable in enumerate(model.weights):
        if len(variable.shape) < 2:
            continue
        fan_in = np.prod(variable.shape[:2] if "depthwise" in variable.path else variable.shape[:-1])
        drawn = np.random.default_rng([seed, number]).standard_normal(variable.shape, np.float32)
        variable.assign(drawn * np.float32(np.sqrt(2 / fan_in)))
