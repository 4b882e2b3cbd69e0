"""Write the retrieval examples and the report at the end of a sweep, when its results are already on disk."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from ml_collections import ConfigDict

from zsh_jax.atomic import FULL
from zsh_jax.data.registry import has_images
from zsh_jax.errors import InputError
from zsh_jax.inputs.images import load_images
from zsh_jax.inputs.load import Inputs
from zsh_jax.inputs.settings import input_settings
from zsh_jax.report.gallery import GALLERY, save_gallery
from zsh_jax.report.retrieve import captions, retrieve
from zsh_jax.report.shown import shown_cells, shown_queries
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.plan import Plan
from zsh_jax.tracking.results import cell_id

Made = TypeVar("Made")


def kept_for_gallery(config: ConfigDict, plan: Plan, inputs: Inputs) -> frozenset[str]:
    """The `cell_id` of each cell whose hash function the retrieval examples need; empty if there are none."""
    if not has_images(config.dataset.name):
        return frozenset()
    cells = shown_cells(plan, config.gallery.queries)
    return frozenset(cell_id(identity(cell, inputs)) for cell in cells)


def write_gallery(config: ConfigDict, plan: Plan, inputs: Inputs) -> Path | None:
    """Make `<workdir>/gallery.npz` from the hash functions on disk.

    Returns:
        Its path; None if there is nothing to show, or the data set has no images.

    Raises:
        InputError: if a hash function or an image is damaged, or the data set is missing.
        OSError: if the file cannot be written.
    """
    queries, neighbours = config.gallery.queries, config.gallery.neighbours
    cells = shown_cells(plan, queries) if has_images(config.dataset.name) else []
    cells.sort(key=lambda cell: cell.variant != config.reference)  # stable: the reference first
    questions = shown_queries(inputs, cells, queries)
    retrieved = retrieve(config.workdir, inputs, cells, questions, neighbours)
    images = load_images(input_settings(config).parts[-1].source, inputs.dataset) if retrieved else None
    if images is None:
        return None
    path = Path(config.workdir) / GALLERY
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
    config: ConfigDict, plan: Plan, inputs: Inputs, say: Callable[[str], Any], check: Callable[[], None]
) -> Mapping[str, bytes]:
    """Make the retrieval examples, then the report, which shows them. Failures are printed and do not end the sweep.

    Args:
        config: of the sweep.
        plan: of the sweep.
        inputs: of the sweep.
        say: prints a line with the path of the report.
        check: raises if the workdir no longer exists; called before the report is written.

    Returns:
        The report's files by their names below its folder; empty if there is no report.

    Raises:
        OSError: if the disk is full or the workdir is gone.
    """
    if config.gallery.queries:
        _tried("gallery", lambda: write_gallery(config, plan, inputs), check)
    if not config.report:
        return {}

    def report() -> Mapping[str, bytes]:
        from zsh_jax.report.write import report_files, write_files

        files = report_files([config.workdir])
        check()
        page = write_files(Path(config.workdir) / "report", files)
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
