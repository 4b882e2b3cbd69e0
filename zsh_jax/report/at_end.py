"""Write the retrieval examples and the report at the end of a sweep, when its results are already on disk."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import UInt8

from zsh_jax.atomic import FULL
from zsh_jax.data.registry import has_images
from zsh_jax.data.spec import Source
from zsh_jax.data.split import Split
from zsh_jax.errors import InputError
from zsh_jax.inputs.images import load_images
from zsh_jax.inputs.load import Inputs
from zsh_jax.report.code_pictures import (
    CODES,
    METHODS,
    CodePicture,
    CodePictures,
    code_picture,
    save_code_pictures,
)
from zsh_jax.report.gallery import GALLERY, save_gallery
from zsh_jax.report.retrieve import captions, retrieve
from zsh_jax.report.shown import shown_cells, shown_queries
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.plan import Plan
from zsh_jax.tracking.models import model_path
from zsh_jax.tracking.results import cell_id

Made = TypeVar("Made")


class EndSettings(NamedTuple):
    """What the end of a sweep depends on.

    Attributes:
        workdir: folder of the sweep.
        source: of the data set that gives queries and database.
        reference: name of the variant that is shown first.
        queries: number of query images, and the most class names; 0 for no retrieval examples or pictures of codes.
        neighbours: nearest images shown for each.
        report: whether to write a report.
        tsne: whether the pictures of codes have maps by t-SNE.
    """

    workdir: str
    source: Source
    reference: str | None
    queries: int
    neighbours: int
    report: bool
    tsne: bool = False


def kept_for_gallery(settings: EndSettings, plan: Plan, inputs: Inputs) -> frozenset[str]:
    """The `cell_id` of each cell whose hash function the retrieval examples need; empty if there are none."""
    if not has_images(settings.source.name):
        return frozenset()
    cells = shown_cells(plan, settings.queries)
    return frozenset(cell_id(identity(cell, inputs)) for cell in cells)


def write_gallery(settings: EndSettings, plan: Plan, inputs: Inputs) -> Path | None:
    """Make `<workdir>/gallery.npz` and `<workdir>/codes.npz` from the hash functions on disk.

    Returns:
        Path of the gallery; None if there is nothing to show, or the data set has no images. The pictures of codes need
        no images.

    Raises:
        InputError: if a hash function or an image is damaged, or the data set is missing.
        OSError: if the file cannot be written.
    """
    cells = [
        cell
        for cell in shown_cells(plan, settings.queries)
        if model_path(settings.workdir, cell_id(identity(cell, inputs))).exists()
    ]
    cells.sort(key=lambda cell: cell.variant != settings.reference)  # stable: the reference first
    questions = shown_queries(inputs, cells, settings.queries)
    pictures: list[CodePicture] = []

    def look(label: str, bits: int, codes: UInt8[np.ndarray, "n bytes"], split: Split) -> None:
        drawn = {one.method for one in pictures}
        tsne = settings.tsne and label not in drawn and len(drawn) < METHODS  # figures show no others
        pictures.append(code_picture(label, codes, bits, inputs.dataset, split, tsne=tsne))

    retrieved = retrieve(settings.workdir, inputs, cells, questions, settings.neighbours, look=look)
    if pictures:
        found = CodePictures(inputs.dataset.name, tuple(inputs.dataset.class_names), tuple(pictures))
        save_code_pictures(Path(settings.workdir) / CODES, found)
    with_images = retrieved and has_images(settings.source.name)
    images = load_images(settings.source, inputs.dataset) if with_images else None
    if images is None:
        return None
    path = Path(settings.workdir) / GALLERY
    save_gallery(
        path,
        images=images,
        captions=captions(inputs.dataset),
        queries=np.concatenate([one.queries for one in questions]),
        retrieved=retrieved,
        names=[inputs.dataset.class_names[number] for one in questions for number in one.classes],
    )
    return path


def write_end(
    settings: EndSettings, plan: Plan, inputs: Inputs, say: Callable[[str], Any], check: Callable[[], None]
) -> Mapping[str, bytes]:
    """Make the retrieval examples, then the report, which shows them. Failures are printed and do not end the sweep.

    Args:
        settings: of the sweep.
        plan: of the sweep.
        inputs: of the sweep.
        say: prints a line with the path of the report.
        check: raises if the workdir no longer exists; called before the report is written.

    Returns:
        The report's files by their names below its folder; empty if there is no report.

    Raises:
        OSError: if the disk is full or the workdir is gone.
    """
    if settings.queries:
        _tried("gallery", lambda: write_gallery(settings, plan, inputs), check)
    if not settings.report:
        return {}

    def report() -> Mapping[str, bytes]:
        from zsh_jax.report.write import report_files, write_files

        files = report_files([settings.workdir])
        check()
        page = write_files(Path(settings.workdir) / "report", files)
        say(f"report: {page}")
        return files

    return _tried("report", report, check) or {}


def _tried(what: str, make: Callable[[], Made], check: Callable[[], None]) -> Made | None:
    try:
        return make()
    except Exception as error:  # hours of results are on disk: no failure here may hide them
        check()
        if isinstance(error, OSError) and error.errno in FULL:
            raise
        said = " ".join(str(error).split())
        named = said if isinstance(error, InputError | OSError) else f"{type(error).__name__}: {said}"
        print(f"zsh_jax: the {what} was not made ({named}); the results are safe", file=sys.stderr)
        return None
