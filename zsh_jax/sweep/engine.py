"""Run a plan batch by batch; a batch is one call of each compiled program."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import Any

import jax

from zsh_jax.byte_size import byte_size
from zsh_jax.core.blocks.solver import Keeper
from zsh_jax.core.blocks.stream import BLOCK
from zsh_jax.core.preprocessing import preprocessed_length
from zsh_jax.inputs.load import Inputs
from zsh_jax.sweep.ahead import ahead
from zsh_jax.sweep.axes import DataSplit
from zsh_jax.sweep.collect import cell_results, hash_functions, identity
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.evaluate import encode_cells, evaluate_cells
from zsh_jax.sweep.evaluate_searches import evaluate_searches
from zsh_jax.sweep.evaluate_vectors import evaluate_vectors
from zsh_jax.sweep.halving import check_smaller_helps, smaller
from zsh_jax.sweep.in_blocks import load_in_blocks, shapes_in_blocks, train_in_blocks
from zsh_jax.sweep.load import Loaded, Samples, bytes_of, load, loaded_shapes, sample_shapes, samples_of
from zsh_jax.sweep.memory import sizes_of
from zsh_jax.sweep.mesh import devices_of_a_place, gathered, on_one_device, spans_processes
from zsh_jax.sweep.phases import PREPARE, phase, phase_of
from zsh_jax.sweep.plan import Batch, Plan, batch_bytes
from zsh_jax.sweep.result import CellResult
from zsh_jax.sweep.searches import NO_OTHERS, Searching, costs_of
from zsh_jax.sweep.stages import judge, train_cells, uses_of
from zsh_jax.sweep.train import Trained, train


def run(
    plan: Plan,
    inputs: Inputs,
    *,
    cutoffs: tuple[int, ...] = (),
    seen_queries: int = 0,
    searching: Searching = NO_OTHERS,
    keeps_model: Callable[[dict[str, Any]], bool] = lambda cell: False,
    is_done: Callable[[dict[str, Any]], bool] = lambda cell: False,
    compiled: Compiled | None = None,
    memory_gib: float = float("inf"),
    tell: Callable[[str], None] = lambda line: None,
    keeper: Callable[[dict[str, Any]], Callable[[int], Keeper]] | None = None,
) -> Iterator[list[CellResult]]:
    """Train, encode and evaluate every cell of a plan.

    The next batch compiles while this one runs. If memory runs out, the batch is cut in two, and later batches start at
    the size that worked.

    Args:
        plan: from `make_plan`.
        inputs: from `load_inputs`.
        cutoffs: the N of precision at N.
        seen_queries: number of queries of seen classes; `draw_seen_queries` chooses them.
        searching: searches beside Hamming distance.
        keeps_model: given a cell's flat identity, whether its result carries its hash function.
        is_done: given a cell's flat identity, whether it is finished already. Finished cells are skipped, and so is a
            batch with no other cells.
        compiled: programs that are compiled already.
        memory_gib: memory limit of a batch, as the compiler counts it, in GiB; larger batches are cut.
        tell: takes a line about a batch that did not fit, and about a long pass of a cell.
        keeper: given a cell's flat identity, what keeps the positions of its solves if it trains in blocks of samples.

    Yields:
        The results of each batch, as it ends.

    Raises:
        InputError: if one cell alone does not fit the memory, or memory runs out in one of several processes. Results
            yielded before remain valid.
        ProcessLost: if another process of the sweep has ended.
    """
    compiled = Compiled() if compiled is None else compiled
    evaluation: Any = {"cutoffs": cutoffs, "seen_queries": seen_queries, "searching": searching}
    sizes = sizes_of(inputs, devices_of_a_place(compiled.mesh), searching)

    def size(batch: Batch) -> int:
        return batch_bytes(sizes[batch.splits[0].semantics], batch)

    def wanted_in(batch: Batch) -> list[bool]:
        return [not is_done(identity(cell, inputs)) for cell in batch.cells()]

    queue = [batch for batch in plan.batches if any(wanted_in(batch))]
    uses = Counter(use for batch in queue for use in uses_of(batch))
    samples: Samples | None = None
    loaded: Loaded | None = None
    known: set[Hashable] = set()  # uses whose batches fit the memory
    begun: set[Hashable] = set()  # uses whose programs are compiled, or about to be
    splits: tuple[tuple[DataSplit, ...], bool] = ((), False)  # that are loaded, and whether in blocks
    while queue:
        batch, *rest = queue
        results: list[CellResult] = []
        wanted = wanted_in(batch)
        if len(batch) > 1 and uses_of(batch) not in known and memory_gib < float("inf"):
            known.add(uses_of(batch))
            takes = compiled.agreed(footprint(batch, inputs, compiled, **evaluation))
            if takes > memory_gib * 2**30:
                queue = smaller(queue, size, is_loaded=True, why=f"{byte_size(takes)} needed", tell=tell)
                uses = Counter(use for one in queue for use in uses_of(one))
                continue
        begun.add(uses_of(batch))
        compile_next = None
        if rest and uses_of(rest[0]) not in begun:
            compile_next = partial(footprint, rest[0], inputs, compiled, **evaluation)
        try:
            with ahead(compile_next):
                samples = samples_of(inputs, compiled.mesh) if samples is None else samples
                if splits != (batch.splits, batch.in_blocks):
                    loaded, splits = None, ((), False)  # free the last chunk's arrays before loading the next
                own, by = (on_one_device(samples), compiled.alone) if batch.in_blocks else (samples, compiled)
                if loaded is None:
                    with phase(PREPARE, batch):
                        loaded = (load_in_blocks if batch.in_blocks else load)(
                            batch, inputs, own, by, seen_queries=seen_queries
                        )
                    splits = batch.splits, batch.in_blocks
                keeps = [keeps_model(identity(cell, inputs)) for cell in batch.cells()]
                results = _run_batch(
                    batch,
                    inputs,
                    loaded,
                    own,
                    by,
                    cutoffs=cutoffs,
                    searching=searching,
                    keep_models=any(keeps),
                    keeper=keeper,
                    tell=tell,
                )
        except (MemoryError, RuntimeError) as error:
            check_smaller_helps(error, together=spans_processes(compiled.mesh))
        if not results:  # outside the except block: an exception keeps the arrays of its frames alive
            queue = smaller(queue, size, is_loaded=loaded is not None, why="memory ran out", tell=tell)
            uses = Counter(use for one in queue for use in uses_of(one))
            continue
        queue = rest
        uses -= Counter(uses_of(batch))
        compiled.release(uses)
        yield [
            result if keep else result._replace(model=None)
            for result, want, keep in zip(results, wanted, keeps, strict=True)
            if want
        ]


def footprint(
    batch: Batch,
    inputs: Inputs,
    compiled: Compiled,
    *,
    cutoffs: tuple[int, ...] = (),
    seen_queries: int = 0,
    searching: Searching = NO_OTHERS,
) -> int:
    """Memory of a batch as the compiler counts it: compiles the programs without running them.

    Args:
        batch: of a plan.
        inputs: of the sweep.
        compiled: stores the programs.
        cutoffs: as in `run`.
        seen_queries: as in `run`.
        searching: as in `run`.

    Returns:
        Bytes of its largest stage on one device, with all arrays that are held during it.
    """
    samples = sample_shapes(inputs, compiled.mesh)
    trained: Trained | None = None
    if batch.in_blocks:
        compiled = compiled.alone
        loaded, trained, peak = shapes_in_blocks(batch, inputs, samples, compiled, seen_queries=seen_queries)
    else:
        loaded, peak = loaded_shapes(batch, inputs, samples, compiled, seen_queries=seen_queries)
    held = bytes_of((loaded.prepared, loaded.roles, loaded.phi))

    def call(function: Any, *args: Any, use: Hashable, **static: Any) -> Any:
        nonlocal peak, held
        returned, beside = compiled.shapes(function, *args, use=use, **static)
        peak = max(peak, held + beside)
        held += bytes_of(returned)
        return returned

    if trained is None:
        trained = train_cells(batch, loaded, call)
    judge(batch, loaded, samples, trained, call, cutoffs=cutoffs, searching=searching)
    return bytes_of(samples) + peak


def _run_batch(
    batch: Batch,
    inputs: Inputs,
    loaded: Loaded,
    samples: Samples,
    compiled: Compiled,
    *,
    cutoffs: tuple[int, ...],
    searching: Searching,
    keep_models: bool,
    keeper: Callable[[dict[str, Any]], Callable[[int], Keeper]] | None,
    tell: Callable[[str], None],
) -> list[CellResult]:
    seconds: dict[Any, float] = {}

    def call(function: Any, *args: Any, **static: Any) -> Any:
        with phase_of(function, batch):
            result, seconds[function] = compiled.run(function, *args, **static)
        return result

    if batch.in_blocks:
        kept = None if keeper is None else keeper(identity(next(batch.cells()), inputs))
        with phase_of(train, batch):
            trained, seconds[train] = train_in_blocks(batch, loaded, compiled, keeper=kept, tell=tell)
    else:
        trained = train_cells(batch, loaded, call)
    scores = judge(batch, loaded, samples, trained, call, cutoffs=cutoffs, searching=searching)
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
    if batch.in_blocks:
        extra["training_block"] = BLOCK
    if searching.names:
        length = preprocessed_length(loaded.prepared.preprocessing)
        extra |= costs_of(searching, batch.program.of, batch.program.bits, length)
        extra |= {"rescored": searching.first} if "rescored" in searching.names else {}
        extra["search_seconds"] = each(evaluate_searches)
    models = None
    if keep_models and has_codes:
        models = hash_functions(batch, loaded.prepared, trained, compiled.mesh)
    # Splits that only fill the last device up are left out.
    every = gathered((trained.trace, scores, trained.settings), compiled.mesh)
    trace, scores, settings = jax.tree.map(lambda leaf: leaf[: len(batch.splits)], every)
    return list(
        cell_results(batch, inputs, trace, scores, settings, searching=searching, extra=extra, models=models)
    )
