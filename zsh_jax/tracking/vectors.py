"""The class vectors of a sweep, saved with its results."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from zsh_jax.atomic import cannot_write, write_whole
from zsh_jax.errors import InputError
from zsh_jax.inputs.fingerprint import vectors_fingerprint
from zsh_jax.inputs.load import Inputs

FOLDER = "semantics"


class ClassVectors(NamedTuple):
    """Vectors of the classes of a data set.

    Attributes:
        name: of the semantics, as in the results.
        vectors: a row for each class.
        class_names: in the order of the rows.
    """

    name: str
    vectors: Float[np.ndarray, "c e"]
    class_names: tuple[str, ...]


def save_vectors(workdir: str | Path, inputs: Inputs) -> None:
    """Write `<workdir>/semantics/FINGERPRINT.safetensors` for each kind of semantics.

    A row of the results names its file by `fingerprint_semantics`, so that different vectors of one name have different
    files. Shuffled and random vectors are not saved: the seed of a cell makes them from the saved ones.

    Args:
        workdir: of the sweep.
        inputs: of the sweep.

    Raises:
        InputError: if a file cannot be written.
        OSError: if the disk is full or gone.
    """
    from safetensors.numpy import save

    folder = Path(workdir) / FOLDER
    names = json.dumps(list(inputs.dataset.class_names))
    for kind, found in inputs.semantics.items():
        path = folder / f"{vectors_fingerprint(kind, found, inputs.dataset)}.safetensors"
        about = {"name": found.name, "dataset": inputs.dataset.name, "class_names": names}
        try:
            folder.mkdir(exist_ok=True)
            write_whole(path, save({"vectors": np.ascontiguousarray(found.vectors)}, about))
        except OSError as error:
            raise cannot_write(path, error) from None


def load_vectors(workdir: str | Path) -> Mapping[str, ClassVectors]:
    """Read what `save_vectors` wrote, by the fingerprint in the rows of the results.

    Raises:
        InputError: if there are no vectors, or a file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    folder = Path(workdir) / FOLDER
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="numpy") as file:
                about = file.metadata()
                names = tuple(json.loads(about["class_names"]))
                found[path.stem] = ClassVectors(about["name"], file.get_tensor("vectors"), names)
        except (SafetensorError, OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputError(
                f"{path} does not hold class vectors of a sweep ({error}); fix: rerun the sweep"
            ) from None
    if not found:
        raise InputError(f"{folder} does not hold class vectors of a sweep; fix: rerun the sweep")
    return found
