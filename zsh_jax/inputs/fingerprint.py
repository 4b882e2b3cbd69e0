"""Fingerprints of the inputs of a sweep: they identify cells, file names do not."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, Int

from zsh_jax.core.precision import chosen_products
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.split import Split
from zsh_jax.digest import digest
from zsh_jax.inputs.class_vectors import Semantics

PREFIX = "fingerprint_"  # prefix of their keys in a cell's identity
DRAWN = ("random", "shuffled")  # kinds of semantics that each seed draws
KINDS = {"labels": "labels", "features": "features", "semantics": "class vectors", "split": "split"}
"""The inputs that have a fingerprint, and their names in messages."""


class Fingerprints(NamedTuple):
    """Fingerprints of the inputs of a sweep.

    Attributes:
        labels: of labels, class names, sample ids, source splits and auxiliary marks.
        features: of the raw features of all samples.
        semantics: of the class vectors, by kind of semantics.
        splits: of each data split: the indices of training samples, queries and database, and the query classes.
        precision: "float32" or "float64", the precision of the sweep, and that of its products if it is another.
    """

    labels: str
    features: str
    semantics: Mapping[str, str]
    splits: Mapping[Any, str]
    precision: str

    def of(self, split: Any, semantics: str) -> dict[str, str]:
        """The input part of a cell's identity.

        Args:
            split: the axes of the cell that determine its data split.
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
    """Fingerprint the inputs of a sweep. 60,000 x 1,024 features take less than a second.

    Args:
        dataset: labels and related arrays.
        features: raw features of all samples.
        semantics: class vectors by kind.
        splits: `split_fingerprint` of each data split of the sweep.

    Returns:
        The fingerprints.
    """
    labels = digest(
        dataset.labels, dataset.class_names, dataset.ids, dataset.source_splits, dataset.auxiliary
    )
    vectors = {kind: vectors_fingerprint(kind, found, dataset) for kind, found in semantics.items()}
    return Fingerprints(labels, digest(features), vectors, splits, _precision())


def _precision() -> str:
    products = chosen_products()
    name = jnp.result_type(float).name
    return name if products in (None, "highest") else f"{name}, products in {products}"


class IdOrder(NamedTuple):
    """The samples of a data set in the order of their names, whatever their order in its files.

    Attributes:
        rows: of the samples, sorted by source split and identifier.
        names: digest of the sorted names.
    """

    rows: Int[np.ndarray, " n"]
    names: str


def id_order(dataset: Dataset) -> IdOrder:
    """Sort the samples of a data set by name, once for all of its splits."""
    ids = np.array([str(name) for name in dataset.ids.tolist()])
    splits = np.array([str(name) for name in dataset.source_splits.tolist()])
    rows = np.lexsort((ids, splits))
    return IdOrder(rows, digest(splits[rows], ids[rows]))


def split_checksum(order: IdOrder, split: Split) -> str:
    """Checksum of a split: of the sorted names of all samples and the roles of each.

    Unlike the fingerprint, it does not depend on the order of the samples, so it can be compared between copies of a
    data set.

    Args:
        order: of the data set.
        split: of the data set.

    Returns:
        16 hexadecimal digits.
    """
    roles = np.zeros(len(order.rows), np.uint8)
    for bit, rows in ((1, split.training), (2, split.queries), (4, split.database)):
        roles[rows] |= bit
    return digest(order.names, roles[order.rows])


def split_fingerprint(split: Split) -> str:
    """Fingerprint of a data split, 16 hexadecimal digits."""
    return digest(*split)


def vectors_fingerprint(kind: str, found: Semantics, dataset: Dataset) -> str:
    """Fingerprint of class vectors.

    Args:
        kind: of semantics; part of the fingerprint if each seed draws the vectors.
        found: the vectors, or the vectors from which they are drawn.
        dataset: whose classes.

    Returns:
        16 hexadecimal digits.
    """
    return digest(kind if kind in DRAWN else None, dataset.class_names, found.vectors)
