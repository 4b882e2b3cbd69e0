"""Retrieve the examples of the report page with the saved hash functions of a sweep."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt8

from zsh_jax.core.hashing import HashFunction, code_length, encode, encode_classes
from zsh_jax.core.packing import hamming_distances
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.split import Split
from zsh_jax.inputs.load import Inputs
from zsh_jax.model_file import load
from zsh_jax.report.gallery import Retrieved
from zsh_jax.report.shown import ShownQueries
from zsh_jax.sweep.axes import Cell
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.splits import split_of, vectors_of
from zsh_jax.tracking.models import model_path
from zsh_jax.tracking.results import cell_id


def _nothing(*_: object) -> None:
    """Look at nothing."""


def retrieve(
    workdir: str | Path,
    inputs: Inputs,
    cells: Sequence[Cell],
    questions: Sequence[ShownQueries],
    count: int,
    *,
    look: Callable[[str, int, UInt8[np.ndarray, "n bytes"], Split], object] = _nothing,
) -> list[Retrieved]:
    """Retrieve the nearest images with the hash function of each cell.

    Args:
        workdir: of the sweep, with the saved hash functions.
        inputs: of the sweep.
        cells: from `shown_cells`.
        questions: from `shown_queries`: the queries.
        count: number of neighbours.
        look: shown the label of each cell, its code length, the codes of all samples, and its data split.

    Returns:
        One for each variant and method, with the query images and class names of all questions in order; -1 where the
        method has no answer. A method is skipped if its hash function is not on disk or not finite.

    Raises:
        InputError: if a hash function is damaged.
    """
    features = jnp.asarray(inputs.features)
    images = np.concatenate([[0], np.cumsum([len(one.queries) for one in questions])])
    names = np.concatenate([[0], np.cumsum([len(one.classes) for one in questions])])
    found: dict[str, Retrieved] = {}
    labels = _labels(cells)
    for cell in cells:
        path = model_path(workdir, cell_id(identity(cell, inputs)))
        if not path.exists():
            continue  # an earlier sweep made the cell and saved no hash function
        model = load(path)
        if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(model)):
            continue
        (place,) = (i for i, one in enumerate(questions) if one.unseen == cell.split.unseen)
        question, split = questions[place], split_of(inputs, cell.split)
        if not np.isin(question.queries, split.queries).all():
            continue  # the split differs from the first method's: its queries would differ too
        codes, database = encoded(model, features), np.asarray(split.database)
        look(labels[cell], code_length(model), codes, split)
        one = found.setdefault(labels[cell], _blank(labels[cell], int(images[-1]), int(names[-1]), count))
        rows = nearest(codes[question.queries], codes, database, count)
        here = slice(images[place], images[place + 1])
        one.neighbours[here], one.correct[here] = rows, _alike(inputs.dataset, question.queries, rows)
        if model.class_head is not None and question.classes:
            classes = np.array(question.classes)
            vectors = jnp.asarray(vectors_of(inputs, cell.split)[classes])
            rows = nearest(np.asarray(encode_classes(model, vectors)), codes, database, count)
            here = slice(names[place], names[place + 1])
            assert one.named_neighbours is not None
            assert one.named_correct is not None
            one.named_neighbours[here], one.named_correct[here] = rows, _named(inputs.dataset, classes, rows)
    return list(found.values())


def encoded(model: HashFunction, features: Float[Array, "n d"]) -> UInt8[np.ndarray, "n bytes"]:
    """Packed codes of raw features under a hash function from disk, on the host."""
    on_device: HashFunction = jax.tree.map(jnp.asarray, model)
    return np.asarray(encode(on_device, features))


def nearest(
    queries: UInt8[np.ndarray, "q bytes"],
    codes: UInt8[np.ndarray, "n bytes"],
    database: Int[np.ndarray, " d"],
    count: int,
) -> Int[np.ndarray, "q count"]:
    """The nearest database samples by Hamming distance, ties in the order of the database.

    Args:
        queries: packed codes.
        codes: of all samples, packed.
        database: rows of the database samples.
        count: number of neighbours.

    Returns:
        Rows, nearest first; -1 if the database has fewer than `count` samples.
    """
    distances = np.asarray(jax.jit(hamming_distances)(jnp.asarray(queries), jnp.asarray(codes[database])))
    order = np.argsort(distances, axis=1, kind="stable")[:, :count]
    out = np.full((len(queries), count), -1)
    out[:, : order.shape[1]] = database[order]
    return out


def captions(dataset: Dataset) -> list[str]:
    """The name of each sample's class, or the names of its classes."""
    names = dataset.class_names
    if dataset.labels.ndim == 1:
        return [names[label] for label in dataset.labels]
    return [", ".join(names[number] for number in np.flatnonzero(row)) for row in dataset.labels]


def _labels(cells: Sequence[Cell]) -> Mapping[Cell, str]:
    """Label of each cell: variant, method if the variant has several, and code length."""
    methods: dict[str, set[str]] = {}
    for cell in cells:
        methods.setdefault(cell.variant, set()).add(cell.program.method)

    def label(cell: Cell) -> str:
        named = not cell.variant or len(methods[cell.variant]) > 1
        parts = (cell.variant, cell.program.method if named else "", f"{cell.program.bits} bits")
        return ", ".join(part for part in parts if part)

    return {cell: label(cell) for cell in cells}


def _blank(label: str, images: int, names: int, count: int) -> Retrieved:
    """No results yet."""

    def pair(lines: int) -> tuple[Int[np.ndarray, "q k"], Bool[np.ndarray, "q k"]]:
        return np.full((lines, count), -1), np.zeros((lines, count), bool)

    return Retrieved(label, *pair(images), *pair(names))


def _alike(
    dataset: Dataset, queries: Int[np.ndarray, " q"], rows: Int[np.ndarray, "q k"]
) -> Bool[np.ndarray, "q k"]:
    """Whether each image shares a class with its query."""
    own, others = dataset.labels[queries][:, None], dataset.labels[rows]
    same = own == others if dataset.labels.ndim == 1 else (own & others).any(axis=2)
    return same & (rows >= 0)


def _named(
    dataset: Dataset, classes: Int[np.ndarray, " t"], rows: Int[np.ndarray, "t k"]
) -> Bool[np.ndarray, "t k"]:
    labels = dataset.labels[rows]
    same = (
        labels == classes[:, None]
        if labels.ndim == 2
        else np.take_along_axis(labels, classes[:, None, None], 2)[..., 0]
    )
    return same & (rows >= 0)
