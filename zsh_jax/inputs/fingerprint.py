"""Fingerprints of what a sweep actually read: cells are known by them, not by the names of files."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.split import Split
from zsh_jax.digest import digest
from zsh_jax.inputs.class_vectors import Semantics

PREFIX = "fingerprint_"  # of their keys in a cell's identity
DRAWN = ("random", "shuffled")  # kinds of semantics whose vectors each seed draws anew
KINDS = {"labels": "labels", "features": "features", "semantics": "class vectors", "split": "split"}
"""What there is a fingerprint of, and how a message calls it."""


class Fingerprints(NamedTuple):
    """Of the inputs of a sweep.

    Attributes:
        labels: of labels, class names, sample ids, source splits and auxiliary marks.
        features: of the raw features of all samples.
        semantics: of the class vectors, by kind of semantics.
        splits: of each data split: the indices of training samples, queries and database, and the asked classes.
        precision: "float32" or "float64": in which the sweep computes.
    """

    labels: str
    features: str
    semantics: Mapping[str, str]
    splits: Mapping[Any, str]
    precision: str

    def of(self, split: Any, semantics: str) -> dict[str, str]:
        """What the identity of a cell says of its inputs.

        Args:
            split: the axes of the cell that make its data split.
            semantics: the kind of its class vectors.

        Returns:
            `precision`, and a fingerprint under the prefixed name of each of `KINDS`.
        """
        found = (self.labels, self.features, self.semantics[semantics], self.splits[split])
        return {"precision": self.precision} | {
            PREFIX + kind: value for kind, value in zip(KINDS, found, strict=True)
        }


def take_fingerprints(
    dataset: Dataset,
    features: Float32[np.ndarray, "n d"],
    semantics: Mapping[str, Semantics],
    splits: Mapping[Any, str],
) -> Fingerprints:
    """The fingerprints of a sweep's inputs. Hashing 60,000 x 1,024 features takes less than a second.

    Args:
        dataset: labels and what goes with them.
        features: raw features of all samples.
        semantics: class vectors by kind.
        splits: of `split_fingerprint`, for each data split of the sweep.

    Returns:
        The fingerprints.
    """
    labels = digest(
        dataset.labels, dataset.class_names, dataset.ids, dataset.source_splits, dataset.auxiliary
    )
    vectors = {kind: vectors_fingerprint(kind, found, dataset) for kind, found in semantics.items()}
    return Fingerprints(labels, digest(features), vectors, splits, jnp.result_type(float).name)


def split_fingerprint(split: Split) -> str:
    """The fingerprint of a data split.

    Args:
        split: indices and asked classes.

    Returns:
        16 hexadecimal digits.
    """
    return digest(*split)


def vectors_fingerprint(kind: str, found: Semantics, dataset: Dataset) -> str:
    """The fingerprint of class vectors.

    Args:
        kind: of semantics. Where each seed draws the vectors anew, the kind says how.
        found: the vectors, or what they are drawn from.
        dataset: whose classes they are of.

    Returns:
        16 hexadecimal digits.
    """
    return digest(kind if kind in DRAWN else None, dataset.class_names, found.vectors)
