"""Run a plan batch by batch; a batch is one call of each compiled program."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from zsh_jax.byte_size import byte_size
from zsh_jax.core.feature_maps import Identity
from zsh_jax.inputs.load import Inputs
from zsh_jax.sweep.ahead import ahead
from zsh_jax.sweep.axes import DataSplit
from zsh_jax.sweep.collect import cell_results, hash_functions, identity
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.evaluate import Scores, encode_cells, evaluate_cells, samples_of_codes
from zsh_jax.sweep.evaluate_vectors import evaluate_vectors
from zsh_jax.sweep.halving import check_smaller_helps, smaller
from zsh_jax.sweep.load import (
    Loaded,
    Samples,
    bytes_of,
    load,
    loaded_shapes,
    preparing,
    sample_shapes,
    samples_of,
)
from zsh_jax.sweep.memory import sizes_of
from zsh_jax.sweep.mesh import devices_of_a_place, gathered, spans_processes
from zsh_jax.sweep.plan import Batch, Plan, batch_bytes
from zsh_jax.sweep.result import CellResult
from zsh_jax.sweep.train import Trained, in_one_row, train
from zsh_jax.training.fit import preprocessing_of, rbf_of


def run(
    plan: Plan,
    inputs: Inputs,
    *,
    cutoffs: tuple[int, ...] = (),
    seen_queries: int = 0,
    keeps_model: Callable[[dict[str, Any]], bool] = lambda cell: False,
    is_done: Callable[[dict[str, Any]], bool] = lambda cell: False,
    compiled: Compiled | None = None,
    memory_gib: float = float("inf"),
    tell: Callable[[str], None] = lambda line: None,
) -> Iterator[list[CellResult]]:
    """Train, encode and evaluate every cell of a plan.

    The next batch compiles while this one runs. If memory runs out, the batch is cut in two, and later batches start at
    the size that worked.

    Args:
        plan: from `make_plan`.
        inputs: from `load_inputs`.
        cutoffs: the N of precision at N.
        seen_queries: number of queries of seen classes; `draw_seen_queries` chooses them.
        keeps_model: given a cell's flat identity, whether its result carries its hash function.
        is_done: given a cell's flat identity, whether it is finished already. Finished cells are skipped, and so is a
            batch with no other cells.
        compiled: programs that are compiled already.
        memory_gib: memory limit of a batch, as the compiler counts it, in GiB; larger batches are cut.
        tell: takes a line about a batch that did not fit.

    Yields:
        The results of each batch, as it ends.

    Raises:
        InputError: if one cell, or a batch of several processes, does not fit the memory. Earlier results stay valid.
        ProcessLost: if another process of the sweep has ended.
    """
    compiled = Compiled() if compiled is None else compiled
    evaluation: Any = {"cutoffs": cutoffs, "seen_queries": seen_queries}
    sizes = sizes_of(inputs, devices_of_a_place(compiled.mesh))

    def size(batch: Batch) -> int:
        return batch_bytes(sizes[batch.splits[0].semantics], batch)

    def wanted_in(batch: Batch) -> list[bool]:
        return [not is_done(identity(cell, inputs)) for cell in batch.cells()]

    queue = [batch for batch in plan.batches if any(wanted_in(batch))]
    uses = Counter(use for batch in queue for use in _uses(batch))
    samples: Samples | None = None
    loaded: Loaded | None = None
    known: set[Hashable] = set()  # uses whose batches fit the memory
    begun: set[Hashable] = set()  # uses whose programs are compiled, or about to be
    splits: tuple[DataSplit, ...] = ()
    while queue:
        batch, *rest = queue
        results: list[CellResult] = []
        wanted = wanted_in(batch)
        if len(batch) > 1 and _uses(batch) not in known and memory_gib < float("inf"):
            known.add(_uses(batch))
            takes = compiled.agreed(footprint(batch, inputs, compiled, **evaluation))
            if takes > memory_gib * 2**30:
                queue = smaller(queue, size, is_loaded=True, why=f"{byte_size(takes)} needed", tell=tell)
                uses = Counter(use for one in queue for use in _uses(one))
                continue
        begun.add(_uses(batch))
        compile_next = None
        if rest and _uses(rest[0]) not in begun:
            compile_next = partial(footprint, rest[0], inputs, compiled, **evaluation)
        try:
            with ahead(compile_next):
                samples = samples_of(inputs, compiled.mesh) if samples is None else samples
                if splits != batch.splits:
                    loaded, splits = None, ()  # free the last chunk's arrays before loading the next
                if loaded is None:
                    loaded = load(batch, inputs, samples, compiled, seen_queries=seen_queries)
                    splits = batch.splits
                keeps = [keeps_model(identity(cell, inputs)) for cell in batch.cells()]
                results = _run_batch(
                    batch, inputs, loaded, samples, compiled, cutoffs=cutoffs, keep_models=any(keeps)
                )
        except (MemoryError, RuntimeError) as error:
            check_smaller_helps(error, together=spans_processes(compiled.mesh))
        if not results:  # outside the except block: an exception keeps the arrays of its frames alive
            queue = smaller(queue, size, is_loaded=loaded is not None, why="memory ran out", tell=tell)
            uses = Counter(use for one in queue for use in _uses(one))
            continue
        queue = rest
        uses -= Counter(_uses(batch))
        compiled.release(uses)
        yield [
            result if keep else result._replace(model=None)
            for result, want, keep in zip(results, wanted, keeps, strict=True)
            if want
        ]


def _uses(batch: Batch) -> tuple[Hashable, ...]:
    """Keys of the programs of a batch: batches that share a key may share the program."""
    split, program, cells = batch.splits[0], batch.program, len(batch)
    shape = (split.shape, batch.reads, len(batch.splits), batch.holds_phi)
    method = program.of
    judged = (method.feature_map, method.has_codes, program.bits, cells)
    return (
        preparing(batch),
        ("train", shape, program, len(batch.shared), len(batch.others)),
        ("judge", shape, *judged),
    )


def footprint(
    batch: Batch,
    inputs: Inputs,
    compiled: Compiled,
    *,
    cutoffs: tuple[int, ...] = (),
    seen_queries: int = 0,
) -> int:
    """Memory of a batch as the compiler counts it: compiles the programs without running them.

    Args:
        batch: of a plan.
        inputs: of the sweep.
        compiled: stores the programs.
        cutoffs: as in `run`.
        seen_queries: as in `run`.

    Returns:
        Bytes of its largest stage on one device, with all arrays that are held during it.
    """
    samples = sample_shapes(inputs, compiled.mesh)
    loaded, peak = loaded_shapes(batch, inputs, samples, compiled, seen_queries=seen_queries)
    held = bytes_of((loaded.prepared, loaded.roles, loaded.phi))

    def call(function: Any, *args: Any, use: Hashable, **static: Any) -> Any:
        nonlocal peak, held
        returned, beside = compiled.shapes(function, *args, use=use, **static)
        peak = max(peak, held + beside)
        held += bytes_of(returned)
        return returned

    _stages(batch, loaded, samples, call, cutoffs=cutoffs)
    return bytes_of(samples) + peak


def _traced(batch: Batch, dtype: jnp.dtype) -> Any:
    """The weights of a batch as arrays; weights that share a factorisation have one length, the others another."""
    method = batch.program.of

    def column(name: str) -> np.ndarray:  # which every process of a sweep may give to all devices
        rows = batch.shared if name in method.shared else batch.others
        return np.asarray([getattr(weights, name) for weights in rows], dtype)

    return method.weights(*map(column, method.weights._fields))


def _stages(
    batch: Batch,
    loaded: Loaded,
    samples: Samples,
    call: Callable[..., Any],
    *,
    cutoffs: tuple[int, ...],
) -> tuple[Trained, Scores]:
    """Train, encode and evaluate a batch of arrays, or of shapes.

    Args:
        batch: of the plan.
        loaded: its data splits.
        samples: of the sweep.
        call: calls a jitted function with the given arguments.
        cutoffs: the N of precision at N.

    Returns:
        Trained cells and their scores, (splits, cells, ...).
    """
    weights = _traced(batch, samples.features.dtype)
    program, method = batch.program, batch.program.of
    _, training, judging = _uses(batch)
    trained = call(
        train,
        loaded.prepared,
        weights,
        use=training,
        whole=(1,),
        program=program,
        samples=batch.splits[0].training_samples,
    )
    trained = in_one_row(trained)
    before = preprocessing_of(method, loaded.prepared), rbf_of(method, loaded.prepared)
    mapped = {"feature_map": method.feature_map, "use": judging}
    if not method.has_codes:
        judged = (*before, trained.head, *samples, loaded.roles)
        return trained, call(evaluate_vectors, *judged, **mapped, whole=(3, 4), cutoffs=cutoffs)
    phi = None if method.feature_map is Identity else loaded.phi
    codes = call(
        encode_cells,
        *before,
        trained.head,
        samples.features,
        phi,
        **mapped,
        whole=(3,),
        lies=samples_of_codes,
    )
    scores = call(
        evaluate_cells,
        codes,
        trained.class_codes,
        samples.labels,
        loaded.roles,
        use=judging,
        whole=(2,),
        bits=program.bits,
        cutoffs=cutoffs,
    )
    return trained, scores


def _run_batch(
    batch: Batch,
    inputs: Inputs,
    loaded: Loaded,
    samples: Samples,
    compiled: Compiled,
    *,
    cutoffs: tuple[int, ...],
    keep_models: bool,
) -> list[CellResult]:
    seconds: dict[Any, float] = {}

    def call(function: Any, *args: Any, **static: Any) -> Any:
        result, seconds[function] = compiled.run(function, *args, **static)
        return result

    trained, scores = _stages(batch, loaded, samples, call, cutoffs=cutoffs)
    has_codes = batch.program.of.has_codes
    names = 0 if trained.class_codes is None else trained.class_codes.shape[-2]
    seen_queries = loaded.roles.seen_queries.shape[-1]

    def each(*functions: Any) -> float:
        return sum(seconds.get(function, 0.0) for function in functions) / len(batch)

    extra = {
        "cutoffs": list(cutoffs),
        "seen_queries": seen_queries,
        "encoded_samples": len(samples.labels) if has_codes else 0,
        "evaluated_queries": loaded.roles.queries.shape[-1] + seen_queries + names,
        "seconds": each(train),
        "prepare_seconds": loaded.seconds,
        "encode_seconds": each(encode_cells),
        "evaluate_seconds": each(evaluate_cells, evaluate_vectors),
    }
    models = None
    if keep_models and has_codes:
        models = hash_functions(batch, loaded.prepared, trained, compiled.mesh)
    # Splits that only fill the last device up are left out.
    trace, scores = jax.tree.map(
        lambda leaf: leaf[: len(batch.splits)], gathered((trained.trace, scores), compiled.mesh)
    )
    return list(cell_results(batch, inputs, trace, scores, extra=extra, models=models))
