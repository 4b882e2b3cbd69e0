"""The class vectors that a sweep used, kept with its results."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from zsh_jax.atomic import write_whole
from zsh_jax.errors import InputError
from zsh_jax.sweep.inputs import Inputs


def save_vectors(workdir: str | Path, inputs: Inputs) -> None:
    """Write `<workdir>/semantics.safetensors`: a matrix for each semantics, and the class names in its metadata.

    Shuffled and random vectors are not in it as they were given to the classes: a seed makes those anew from what is.

    Args:
        workdir: of the sweep.
        inputs: of the sweep.

    Raises:
        InputError: if the file cannot be written.
    """
    from safetensors.numpy import save

    path = Path(workdir) / "semantics.safetensors"
    names = json.dumps(list(inputs.dataset.class_names))
    arrays = {found.name: np.ascontiguousarray(found.vectors) for found in inputs.semantics.values()}
    try:
        write_whole(path, save(arrays, {"dataset": inputs.dataset.name, "class_names": names}))
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}); choose another --config.workdir"
        ) from None


def load_vectors(workdir: str | Path) -> tuple[Mapping[str, np.ndarray], tuple[str, ...]]:
    """Read what `save_vectors` wrote.

    Args:
        workdir: of the sweep.

    Returns:
        A matrix (c, e) for each semantics, by the name that results have, and the c class names.

    Raises:
        InputError: if there is no such file, or it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(workdir) / "semantics.safetensors"
    try:
        with safe_open(path, framework="numpy") as file:
            names = json.loads(file.metadata()["class_names"])
            return {name: file.get_tensor(name) for name in file.keys()}, tuple(names)  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} does not hold class vectors of a sweep ({error}); run it again") from None
