"""What a sweep will write, in bytes, and whether its workdir has room for it and can be written to."""

import shutil
import tempfile
from pathlib import Path

from ml_collections import ConfigDict

from zsh_jax.baselines.catalogue import BASELINES
from zsh_jax.byte_size import byte_size
from zsh_jax.data.registry import has_pictures
from zsh_jax.errors import InputError
from zsh_jax.report.gallery import SIDE
from zsh_jax.sweep.axes import BOUNDS, Cell
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.inputs import Inputs
from zsh_jax.sweep.plan import Plan
from zsh_jax.sweep.shown import shown_cells
from zsh_jax.sweep.tuning import validation_config
from zsh_jax.takes import shown
from zsh_jax.tracking.results import ID, cell_id, read_results

KIB, MIB = 2**10, 2**20
FLOAT = 4


def cell_bytes(cell: Cell, config: ConfigDict) -> int:
    """What a cell without its hash function leaves on disk.

    Measured: a row has 2.4 KB and about 20 B a bit, a history 170 B an iteration, an offline run of W&B
    30 KB in files that take 40 KB of a disk. One that is online is buffered in files alike.

    Args:
        cell: of the sweep.
        config: of the sweep.

    Returns:
        `3 KiB + 40 B * bits` for its row, `200 B * iterations` for its history (100 iterations at the most; few go on
        for as long), and 48 KiB for its run, if there is one.
    """
    row = 3 * KIB + 40 * cell.program.bits
    history = 200 * min(cell.program.max_iterations, 100)
    return row + history + (0 if config.wandb.mode == "disabled" else 48 * KIB)


def model_bytes(cell: Cell, inputs: Inputs) -> int:
    """What the hash function of a cell takes.

    Args:
        cell: of the sweep.
        inputs: of the sweep.

    Returns:
        4 bytes for each number of mean and scale (2 d), of the anchors (k p) and the projection ((k + 1) l), or, of a
        linear method, of its projection (p l) alone; d p for a basis of principal components; of the joint form also
        (k + 1 + p) e and, for the frame, 2 e l, e being the length of a class vector or the number of classes,
        whichever is larger; c l / 8 for the codes of the classes; and 4 KiB for what it says of itself. d is the
        length of the features, p that after preprocessing, k the number of anchors, l that of bits.
    """
    split, bits = cell.split, cell.program.bits
    if cell.program.method in BOUNDS:
        return 0
    d, classes = inputs.features.shape[1], len(inputs.dataset.class_names)
    pca = split.preprocessing == "pca"
    p = split.pca_dimensions or min(d, split.training_samples) if pca else d
    numbers = 2 * d + (d * p if pca else 0)
    method = cell.program.method
    if method in BASELINES and BASELINES[method].linear:
        numbers += p * bits
    else:
        numbers += split.anchors * p + (split.anchors + 1) * bits
    if method.startswith("joint"):
        e = max(classes, inputs.semantics[split.semantics].vectors.shape[1])
        numbers += (split.anchors + 1 + p) * e + 2 * e * bits
    return FLOAT * numbers + classes * -(-bits // 8) + 4 * KIB


def report_bytes(config: ConfigDict, methods: int) -> int:
    """What report and retrieval examples take, and the run of the sweep in W&B, which holds the report again.

    Args:
        config: of the sweep.
        methods: variants and methods that the retrieval examples show.

    Returns:
        2 MiB for the report (measured: 0.8 to 1.5 MB), and for each image that is shown 64 x 64 x 3 bytes, in the file
        of the retrieval examples and, a third longer as text, in the page; the report twice, with W&B.
    """
    images = config.gallery.queries * (1 + 2 * config.gallery.neighbours * methods) if methods else 0
    examples = images * SIDE * SIDE * 3
    if not config.report:
        return examples
    report = 2 * MIB + examples * 4 // 3
    return examples + report * (1 if config.wandb.mode == "disabled" else 2)


def needed_bytes(config: ConfigDict, plan: Plan, inputs: Inputs) -> int:
    """What a sweep will write, beyond what is there.

    Args:
        config: of the sweep.
        plan: of the sweep.
        inputs: of the sweep.

    Returns:
        Bytes, an estimate: of the cells without a row yet, of all that tuning tries first, of hash functions that are
        kept, and of the report.
    """
    done = _done(config.workdir)
    todo = [
        cell
        for group in plan.groups
        for cell in group.cells()
        if not done or cell_id(identity(cell, inputs)) not in done
    ]
    shown = shown_cells(plan, config.gallery.queries) if has_pictures(config.dataset.name) else []
    own = sum(cell_bytes(cell, config) for cell in (*todo, *tried_cells(config)))
    kept = todo if config.save_models else [cell for cell in shown if cell in set(todo)]
    models = sum(model_bytes(cell, inputs) for cell in kept)
    vectors = sum(found.vectors.nbytes for found in inputs.semantics.values())
    methods = len({(cell.variant, cell.program.method) for cell in shown})
    return own + models + vectors + report_bytes(config, methods)


def tried_cells(config: ConfigDict) -> list[Cell]:
    """The cells that tuning runs first.

    Args:
        config: of the sweep.

    Returns:
        All of them; none without a tuning.
    """
    if not config.tuning.axes:
        return []
    made = validation_config(config)
    every = groups(made.sweep.to_dict(), made.variants.to_dict())
    return [cell for group in every for cell in group.cells()]


def _done(workdir: str | Path) -> frozenset[str]:
    path = Path(workdir) / "results.jsonl"
    return frozenset(row[ID] for row in read_results(path)) if path.exists() else frozenset()


def check_disk(config: ConfigDict, plan: Plan, inputs: Inputs) -> tuple[int, int]:
    """See to it that a sweep has room on its disk.

    Args:
        config: of the sweep.
        plan: of the sweep.
        inputs: of the sweep.

    Returns:
        Bytes that the sweep will write, and bytes that are free.

    Raises:
        InputError: there is less room, or results that are there cannot be read.
    """
    needed = needed_bytes(config, plan, inputs)
    free = shutil.disk_usage(_nearest(config.workdir)).free
    if needed > free:
        raise InputError(
            f"workdir: {config.workdir} has {byte_size(free)} of disk left, and the sweep writes about "
            f"{byte_size(needed)}; fix: make room, or choose another --config.workdir"
        )
    return needed, free


def check_writable(workdir: str | Path) -> None:
    """See to it that a workdir is one, or can be made, and that it can be written to. Nothing stays behind.

    Args:
        workdir: of the sweep.

    Raises:
        InputError: it is no folder, or cannot be written to.
    """
    folder = _nearest(workdir)
    if not folder.is_dir():
        raise InputError(
            f"workdir: {workdir} cannot be made, {folder} is a file; fix: choose another --config.workdir"
        )
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"workdir: {folder} cannot be written to ({error.strerror}); fix: choose another --config.workdir"
        ) from None


def _nearest(workdir: str | Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    folder = Path(workdir).absolute()
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
    except OSError as error:
        raise InputError(
            f"workdir: {shown(str(workdir))} cannot be made ({error.strerror}); fix: choose another --config.workdir"
        ) from None
    return folder
