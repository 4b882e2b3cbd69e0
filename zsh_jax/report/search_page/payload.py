"""What a search page holds, as JSON: thumbnails, labels, roles, and the codes of images and class names."""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Int32, UInt8

from zsh_jax.data.split import Split
from zsh_jax.report.search_page.thumbnails import Thumbnails

DATABASE, QUERY, TRAINING = 1, 2, 4  # bits of a role


class Codes(NamedTuple):
    """The codes of one hash function.

    Attributes:
        method: its name on the page.
        bits: code length.
        images: packed codes of the images on the page.
        names: packed codes of all class names; None if the method has none.
        figures: of its cell, such as "mAP", as text.
    """

    method: str
    bits: int
    images: UInt8[np.ndarray, "n bytes"]
    names: UInt8[np.ndarray, "c bytes"] | None
    figures: Mapping[str, str]


class Contents(NamedTuple):
    """All that a page shows.

    Attributes:
        title: of the page.
        facts: about its data, by name.
        classes: names.
        unseen: indices of the classes that training excluded.
        ids: of the images.
        labels: class index of each image; or a multi-hot matrix.
        roles: of each image, from `roles_of`.
        codes: of each hash function.
        thumbnails: of the images; None if the data set has none.
    """

    title: str
    facts: Mapping[str, str]
    classes: Sequence[str]
    unseen: Sequence[int]
    ids: Sequence[str]
    labels: Int32[np.ndarray, " n"] | Bool[np.ndarray, "n c"]
    roles: UInt8[np.ndarray, " n"]
    codes: Sequence[Codes]
    thumbnails: Thumbnails | None


def roles_of(split: Split, rows: Int[np.ndarray, " n"]) -> UInt8[np.ndarray, " n"]:
    """The role of each image in a data split: a sum of `DATABASE`, `QUERY` and `TRAINING`; 0 for none."""
    return sum(
        (
            np.where(np.isin(rows, members), role, 0).astype(np.uint8)
            for members, role in (
                (split.database, DATABASE),
                (split.queries, QUERY),
                (split.training, TRAINING),
            )
        ),
        np.zeros(len(rows), np.uint8),
    )


def word_text(packed: UInt8[np.ndarray, "n bytes"]) -> str:
    """Packed codes as base64, each padded with zeros to whole words of 32 bits."""
    padded = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 4)))
    return base64.b64encode(np.ascontiguousarray(padded).tobytes()).decode()


def payload(contents: Contents) -> str:
    """The contents as JSON that may stand inside a script element: it has no `<`."""
    labels = contents.labels
    many = labels if labels.ndim == 2 else labels[:, None] == np.arange(len(contents.classes))
    held: list[list[int]] = [[] for _ in contents.ids]
    for row, number in zip(*np.nonzero(many), strict=True):
        held[int(row)].append(int(number))
    thumbnails = contents.thumbnails
    made: dict[str, Any] = {
        "classes": list(contents.classes),
        "unseen": [int(number) for number in contents.unseen],
        "ids": list(contents.ids),
        "labels": held,
        "roles": "".join(str(role) for role in contents.roles.tolist()),
        "functions": [_function(one) for one in contents.codes],
        "kind": None if thumbnails is None else thumbnails.kind,
        "thumbnails": []
        if thumbnails is None
        else [base64.b64encode(file).decode() for file in thumbnails.files],
    }
    return json.dumps(made, separators=(",", ":")).replace("<", "\\u003c")


def figures_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The figures of a cell that the page shows beside its method."""
    named = {
        "mAP": "mean_average_precision",
        "chance": "chance",
        "mAP by name": "mean_average_precision_by_name",
    }
    values = {name: row.get(key) for name, key in named.items()}
    return {
        name: f"{value:.3f}"
        for name, value in values.items()
        if isinstance(value, float) and math.isfinite(value)
    }


def _function(one: Codes) -> dict[str, Any]:
    return {
        "method": one.method,
        "bits": one.bits,
        "images": word_text(one.images),
        "names": None if one.names is None else word_text(one.names),
        "figures": dict(one.figures),
    }
