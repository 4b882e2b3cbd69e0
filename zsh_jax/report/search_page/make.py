"""Make the search page of a finished sweep from its workdir."""

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from zsh_jax.atomic import cannot_write, write_whole
from zsh_jax.core.hashing import HashFunction, encode_classes
from zsh_jax.data.split import Split, split_dataset
from zsh_jax.data.unseen import parse_unseen
from zsh_jax.errors import InputError
from zsh_jax.inputs.fingerprint import PREFIX, split_fingerprint, take_fingerprints
from zsh_jax.inputs.images import load_images
from zsh_jax.inputs.load import Inputs, load_inputs
from zsh_jax.inputs.settings import input_settings
from zsh_jax.model_file import load
from zsh_jax.report.retrieve import encoded
from zsh_jax.report.search_page.page import search_page
from zsh_jax.report.search_page.payload import Codes, Contents, figures_of, roles_of
from zsh_jax.report.search_page.stored import (
    SPLIT,
    Function,
    Row,
    functions_of,
    of_one_split,
    semantics_of,
    stored_config,
    stored_rows,
    with_unseen,
)
from zsh_jax.report.search_page.thumbnails import thumbnails
from zsh_jax.tracking.vectors import ClassVectors, load_vectors

IMAGES = 10_000  # on a page, unless asked for
SEED = 0  # of the draw among more images
NAMELESS = ("one-hot", "random", "shuffled")  # class vectors that say nothing about a class


class Made(NamedTuple):
    """A page on disk.

    Attributes:
        path: of the file.
        images: number of images on the page.
        whole: number of images of the data set.
        functions: number of hash functions.
        size: bytes.
        has_images: whether it has thumbnails.
        has_names: whether any hash function has codes of class names.
    """

    path: Path
    images: int
    whole: int
    functions: int
    size: int
    has_images: bool
    has_names: bool


def make_search_page(
    workdir: str | Path,
    out: str | Path,
    *,
    images: int = IMAGES,
    unseen: str | None = None,
    cells: Container[str] | None = None,
) -> Made:
    """Write the search page of a finished sweep.

    Args:
        workdir: of the sweep, with saved hash functions.
        out: the HTML file; its folder exists.
        images: most images on the page; of more, some are drawn at random.
        unseen: names of the unseen classes, joined by "+", if the sweep has several sets; None for the one with the
            most hash functions.
        cells: `cell_id` of the cells to show; None for all.

    Returns:
        What was written.

    Raises:
        InputError: the workdir lacks something, its data have changed since the sweep, or `out` is not writable.
        OSError: if the disk is full or gone.
    """
    workdir, out = Path(workdir), Path(out)
    config = stored_config(workdir)
    stored = with_unseen(stored_rows(workdir, cells), unseen)
    settings = input_settings(config)
    inputs = load_inputs(settings, semantics_of(config))
    rows = of_one_split(_of_these_data(stored, inputs, workdir))
    split = _split_of(rows[0], inputs)
    whole = _own_rows(inputs)
    shown = _drawn(whole, images)
    codes = _codes(functions_of(workdir, rows, config.reference), inputs, shown, load_vectors(workdir))
    pictures = load_images(settings.parts[-1].source, inputs.dataset)
    dataset = inputs.dataset
    contents = Contents(
        title=f"{config.name}: search {dataset.name} by hash codes",
        facts=_facts(inputs, rows[0], split, len(shown), len(whole)),
        classes=dataset.class_names,
        unseen=parse_unseen(rows[0]["unseen"], dataset.class_names),
        ids=[str(name) for name in dataset.ids[shown]],
        labels=dataset.labels[shown],
        roles=roles_of(split, shown),
        codes=codes,
        thumbnails=None if pictures is None else thumbnails(pictures, shown),
    )
    content = search_page(contents).encode()
    try:
        write_whole(out, content)
    except OSError as error:
        raise cannot_write(out, error, "choose another --out") from None
    named = any(one.names is not None for one in codes)
    return Made(out, len(shown), len(whole), len(codes), len(content), pictures is not None, named)


def _of_these_data(rows: Sequence[Row], inputs: Inputs, workdir: Path) -> list[Row]:
    """The rows whose sweep read the labels and features that are there now."""
    found = take_fingerprints(inputs.dataset, inputs.features, {}, {})
    same = {f"{PREFIX}labels": found.labels, f"{PREFIX}features": found.features}
    left = [row for row in rows if all(row.get(key) == value for key, value in same.items())]
    if not left:
        raise InputError(
            f"{inputs.dataset.name} has other images or features than when {workdir} was run; fix: rerun its sweep"
        )
    return left


def _split_of(row: Row, inputs: Inputs) -> Split:
    """The data split of a row, drawn again."""
    axes = ("training_samples", "queries", "seed", "seen_classes", "validation")
    split = split_dataset(
        inputs.dataset, row["unseen"], **{axis: row[axis] for axis in axes}, rule=inputs.rule
    )
    if split_fingerprint(split) != row[SPLIT]:
        raise InputError("the data split is not the one of the sweep; fix: rerun the sweep with this version")
    return split


def _own_rows(inputs: Inputs) -> Int[np.ndarray, " n"]:
    """Rows of the data set that gives queries and database, without those of an auxiliary one."""
    auxiliary = inputs.dataset.auxiliary
    return np.arange(len(inputs.dataset.ids)) if auxiliary is None else np.flatnonzero(~auxiliary)


def _drawn(rows: Int[np.ndarray, " n"], most: int) -> Int[np.ndarray, " k"]:
    """Rows of the images on the page, ascending."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(SEED).permutation(rows)[:most])


def _codes(
    functions: Sequence[Function],
    inputs: Inputs,
    shown: Int[np.ndarray, " n"],
    vectors: Mapping[str, ClassVectors],
) -> list[Codes]:
    """Codes of the shown images and of the class names, by each hash function that is finite."""
    made = []
    features = inputs.features[shown]
    for one in functions:
        model = load(one.path)
        if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(model)):
            continue
        with jax.enable_x64(str(one.row["precision"]).startswith("float64")):
            images = encoded(model, jnp.asarray(features))
            names = _name_codes(model, _vectors(one.row, model, vectors))
        made.append(Codes(one.method, one.bits, images, names, figures_of(one.row)))
    if not made:
        raise InputError("none of the saved hash functions is finite; fix: rerun the sweep with --config.x64")
    return made


def _vectors(
    row: Row, model: HashFunction, vectors: Mapping[str, ClassVectors]
) -> Float[np.ndarray, "c e"] | None:
    """The class vectors of a row; None if the method has no codes of names, or the vectors say nothing of them."""
    if model.class_head is None or str(row.get("semantics")).split()[0] in NAMELESS:
        return None
    found = vectors.get(row[f"{PREFIX}semantics"])
    return None if found is None else found.vectors


def _name_codes(model: HashFunction, vectors: Any) -> Any:
    if vectors is None:
        return None
    on_device: HashFunction = jax.tree.map(jnp.asarray, model)
    return np.asarray(encode_classes(on_device, jnp.asarray(vectors)))


def _facts(inputs: Inputs, row: Row, split: Split, shown: int, whole: int) -> dict[str, str]:
    names = inputs.dataset.class_names
    some = f"{shown:,} of {whole:,}, drawn at random" if shown < whole else f"{whole:,}"
    semantics = row.get("semantics") or next((found.name for found in inputs.semantics.values()), "")
    facts = {
        "images": f"{some}, of {len(names)} classes",
        "unseen classes": row["unseen"].replace("+", ", "),
        "training": f"{len(split.training):,} images of the other classes, seed {row['seed']}",
        "queries": f"{len(split.queries):,} images, not in the database of {len(split.database):,}",
        "features": inputs.features_name,
        "class vectors": semantics,
    }
    return {name: value for name, value in facts.items() if value} | (
        {"left out": " ".join(inputs.left_out)} if inputs.left_out else {}
    )
