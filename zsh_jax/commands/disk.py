"""Estimate the bytes that a sweep writes, and check that its workdir has room and is writable."""

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from zsh_jax.byte_size import byte_size
from zsh_jax.core.hashing import HashFunction
from zsh_jax.data.registry import has_images
from zsh_jax.errors import InputError
from zsh_jax.inputs.load import Inputs
from zsh_jax.report.code_pictures import METHODS
from zsh_jax.report.gallery import SIDE
from zsh_jax.report.shown import shown_cells
from zsh_jax.sweep.axes import Cell, Program
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.load import bytes_of, preparation
from zsh_jax.sweep.plan import Plan
from zsh_jax.sweep.tuning import validation_config
from zsh_jax.takes import shown
from zsh_jax.tracking.results import ID, cell_id, read_results
from zsh_jax.training.fit import assemble
from zsh_jax.training.prepare import Preparation, Taught, prepare
from zsh_jax.training.streams import Streams

KIB, MIB = 2**10, 2**20


def cell_bytes(cell: Cell, config: ConfigDict) -> int:
    """Bytes of a cell on disk, without its hash function.

    Measured: a row has 2.4 KB and about 20 B a bit, a history 170 B an iteration, an offline run of W&B
    30 KB in files that take 40 KB of a disk. An online run has the same buffer files.

    Args:
        cell: of the sweep.
        config: of the sweep.

    Returns:
        `3 KiB + 40 B * bits` for its row, `200 B * iterations` for its history (at most 100 iterations; few solves need
        more), and 48 KiB for its W&B run, if there is one.
    """
    row = 3 * KIB + 40 * cell.program.bits
    history = 200 * min(getattr(cell.program.options, "max_iterations", 1), 100)
    return row + history + (0 if config.wandb.mode == "disabled" else 48 * KIB)


def model_bytes(cell: Cell, inputs: Inputs) -> int:
    """Bytes of the hash function of a cell: its arrays, from the shapes of the fit, and 4 KiB of metadata."""
    split, program = cell.split, cell.program
    if not program.of.has_codes:
        return 0
    return _model_bytes(
        program,
        preparation(split, program.of.reads),
        (split.training_samples, inputs.features.shape[1]),
        inputs.semantics[split.semantics].vectors.shape,
        inputs.dataset.labels.ndim == 2,
    )


@cache
def _model_bytes(
    program: Program,
    how: Preparation,
    features: tuple[int, int],
    vectors: tuple[int, int],
    several_labels: bool,
) -> int:
    def fitted(x: jax.Array, taught: Taught, keys: Streams, weights: Any) -> HashFunction:
        prepared = prepare(x, taught, keys, 1.0, how=how, reads=program.of.reads)
        found = program.of.fit(keys.start, prepared.data, weights, program.options, bits=program.bits)
        return assemble(program.of, prepared, found)

    dtype = jnp.result_type(float)
    key = jax.eval_shape(lambda: jax.random.key(0))
    labels: Any = jax.ShapeDtypeStruct(features[:1], jnp.int32)
    if several_labels:
        labels = jax.ShapeDtypeStruct((features[0], vectors[0]), bool)
    taught = Taught(
        labels,
        jax.ShapeDtypeStruct((features[0], vectors[1]), dtype),  # type: ignore[arg-type]
        jax.ShapeDtypeStruct(vectors, dtype),  # type: ignore[arg-type]
    )
    weights = program.of.weights
    numbers = weights(*[jax.ShapeDtypeStruct((), dtype)] * len(weights._fields))
    shapes = jax.eval_shape(
        fitted, jax.ShapeDtypeStruct(features, dtype), taught, Streams(key, key, key), numbers
    )
    return bytes_of(shapes) + 4 * KIB


def report_bytes(config: ConfigDict, methods: int) -> int:
    """Bytes of the report, the retrieval examples, and the sweep's W&B run, which has a copy of the report.

    Args:
        config: of the sweep.
        methods: number of variants and methods whose codes are shown.

    Returns:
        2 MiB for the report (measured: 0.8 to 1.5 MB), 1 MiB for the figures of the codes of a method (measured: 0.7
        MB), and 64 x 64 x 3 bytes for each image, in the file of the retrieval examples and, a third longer as text, on
        the page; with W&B, twice the report.
    """
    has_examples = methods and has_images(config.dataset.name)
    images = config.gallery.queries * (1 + 2 * config.gallery.neighbours * methods) if has_examples else 0
    examples = images * SIDE * SIDE * 3
    if not config.report:
        return examples
    report = (2 + min(methods, METHODS)) * MIB + examples * 4 // 3
    return examples + report * (1 if config.wandb.mode == "disabled" else 2)


def needed_bytes(config: ConfigDict, plan: Plan, inputs: Inputs) -> int:
    """Estimated bytes that a sweep still writes: unfinished cells, all cells of tuning, hash functions, report."""
    done = _done(config.workdir)
    todo = [cell for cell in plan.cells() if not done or cell_id(identity(cell, inputs)) not in done]
    has_models = config.save_models or has_images(config.dataset.name)
    shown = shown_cells(plan, config.gallery.queries) if has_models else []
    own = sum(cell_bytes(cell, config) for cell in (*todo, *tried_cells(config)))
    kept = todo if config.save_models else [cell for cell in shown if cell in set(todo)]
    models = sum(model_bytes(cell, inputs) for cell in kept)
    vectors = sum(found.vectors.nbytes for found in inputs.semantics.values())
    methods = len({(cell.variant, cell.program.method) for cell in shown})
    return own + models + vectors + report_bytes(config, methods)


def tried_cells(config: ConfigDict) -> list[Cell]:
    """The cells that tuning runs first; empty without tuning."""
    if not config.tuning.axes:
        return []
    made = validation_config(config)
    every = groups(made.sweep.to_dict(), made.variants.to_dict())
    return [cell for group in every for cell in group.cells()]


def _done(workdir: str | Path) -> frozenset[str]:
    path = Path(workdir) / "results.jsonl"
    return frozenset(row[ID] for row in read_results(path)) if path.exists() else frozenset()


def check_disk(config: ConfigDict, plan: Plan, inputs: Inputs) -> tuple[int, int]:
    """Check that the disk has room for a sweep.

    Returns:
        Bytes that the sweep will write, and free bytes.

    Raises:
        InputError: there is too little room, or existing results cannot be read.
    """
    needed = needed_bytes(config, plan, inputs)
    free = shutil.disk_usage(_nearest(config.workdir)).free
    if needed > free:
        raise InputError(
            f"workdir: {config.workdir} has {byte_size(free)} of disk left, but the sweep writes about "
            f"{byte_size(needed)}; fix: free disk space, or choose another --config.workdir"
        )
    return needed, free


def check_writable(workdir: str | Path) -> None:
    """Check that a workdir exists or can be created, and is writable. Leaves no files.

    Raises:
        InputError: it is not a folder, or is not writable.
    """
    folder = _nearest(workdir)
    if not folder.is_dir():
        raise InputError(
            f"workdir: {workdir} cannot be created, {folder} is a file; fix: choose another --config.workdir"
        )
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"workdir: {folder} cannot be written to ({error.strerror}); fix: choose another --config.workdir"
        ) from None


def _nearest(workdir: str | Path) -> Path:
    """The folder itself, or the nearest folder above it that exists."""
    folder = Path(workdir).absolute()
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
    except OSError as error:
        raise InputError(
            f"workdir: {shown(str(workdir))} cannot be created ({error.strerror}); fix: choose another "
            "--config.workdir"
        ) from None
    return folder
