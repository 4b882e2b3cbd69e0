"""Cells that train in blocks of samples: load their data split, train, and find the memory of both."""

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from zsh_jax.core.blocks.iteration import Position
from zsh_jax.core.blocks.solver import Keeper, Running, Step
from zsh_jax.core.blocks.stream import Mapped, Stream
from zsh_jax.inputs.load import Inputs
from zsh_jax.methods.protocol import Fitted, Method
from zsh_jax.sweep.axes import Program
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.load import Loaded, Samples, bytes_of, preparation, roles_of, shape_of
from zsh_jax.sweep.plan import Batch
from zsh_jax.sweep.roles import Roles
from zsh_jax.sweep.splits import split_of, vectors_of
from zsh_jax.sweep.stages import uses_of
from zsh_jax.sweep.train import Trained, trained_cell
from zsh_jax.training.prepare import Prepared
from zsh_jax.training.prepare_in_blocks import Supervision, prepare_in_blocks, supervision
from zsh_jax.training.streams import streams

TOLD = 10.0  # seconds of a pass from which on a line is printed


def load_in_blocks(
    batch: Batch, inputs: Inputs, samples: Samples, compiled: Compiled, *, seen_queries: int
) -> Loaded:
    """Prepare the data split of a batch.

    Args:
        batch: of the plan, of one cell.
        inputs: of the sweep.
        samples: of the sweep, on one device.
        compiled: programs.
        seen_queries: number of queries of seen classes.

    Returns:
        The split, with a leading axis of length 1; without arrays of training samples.
    """
    use, _, _ = uses_of(batch)
    taught, rows, roles = _arguments(batch, inputs, seen_queries=seen_queries)
    call, seconds = _timed(compiled, use)
    prepared, stream = _prepared(batch, samples.features, rows, taught, call)
    one, role = jax.tree.map(lambda leaf: leaf[None], (prepared, roles))
    return Loaded(one, role, None, sum(seconds), stream)


def train_in_blocks(
    batch: Batch,
    loaded: Loaded,
    compiled: Compiled,
    *,
    keeper: Callable[[int], Keeper] | None,
    tell: Callable[[str], None],
) -> tuple[Trained, float]:
    """Train the cell of a batch.

    Args:
        batch: of the plan, of one cell.
        loaded: its data split.
        compiled: programs.
        keeper: keeps the positions of its solves.
        tell: takes a line about each long pass.

    Returns:
        The cell, with leading axes (splits, cells) of length 1, and its run time in seconds without compilation.
    """
    _, use, _ = uses_of(batch)
    call, seconds = _timed(compiled, use)
    told = partial(_tell_pass, batch.program, tell)
    split = jax.tree.map(lambda leaf: leaf[0], loaded.prepared)
    assert loaded.stream is not None
    trained = _trained(batch, split, loaded.stream, Running(call=call, keeper=keeper, tell=told))
    return jax.tree.map(lambda leaf: leaf[None, None], trained), sum(seconds)


def shapes_in_blocks(
    batch: Batch, inputs: Inputs, samples: Samples, compiled: Compiled, *, seen_queries: int
) -> tuple[Loaded, Trained, int]:
    """The shapes of what `load_in_blocks` and `train_in_blocks` return; compiles without running.

    Args:
        batch: of the plan, of one cell.
        inputs: of the sweep.
        samples: shapes.
        compiled: programs.
        seen_queries: as in `load_in_blocks`.

    Returns:
        Shapes, and the peak memory of both in bytes without the samples.
    """
    loading, training, _ = uses_of(batch)
    taught, rows, roles = jax.tree.map(shape_of, _arguments(batch, inputs, seen_queries=seen_queries))
    peaks: list[int] = []

    def call(use: Hashable, function: Any, *args: Any, **static: Any) -> Any:
        shapes = jax.tree.map(shape_of, args)
        _, beside = compiled.shapes(function, *shapes, use=use, **static)
        own = sum(bytes_of(leaf) for leaf in jax.tree.leaves(shapes) if leaf.shape != samples.features.shape)
        peaks.append(own + beside)
        return function(*args, **static)

    def one_step(step: Step, first: Position, how: Running, number: int) -> Position:
        del how, number
        return step(first, jnp.array(1, jnp.int32))

    prepare = partial(_prepared, batch, call=partial(call, loading))
    prepared, stream = jax.eval_shape(prepare, samples.features, rows, taught)
    running = Running(call=partial(call, training), loop=one_step)
    trained = jax.eval_shape(partial(_trained, batch, running=running), prepared, stream)

    def with_axes(tree: Any, *axes: int) -> Any:
        return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((*axes, *leaf.shape), leaf.dtype), tree)

    held = bytes_of((prepared, stream._replace(features=None), roles))
    loaded = Loaded(with_axes(prepared, 1), with_axes(roles, 1), None, 0.0, stream)
    return loaded, with_axes(trained, 1, 1), held + max(peaks)


def _arguments(batch: Batch, inputs: Inputs, *, seen_queries: int) -> tuple[Supervision, jax.Array, Roles]:
    (split,) = batch.splits
    indices = split_of(inputs, split)
    taught = supervision(inputs.dataset.labels[indices.training], vectors_of(inputs, split))
    roles = roles_of(split, indices, inputs, seen_queries=seen_queries)
    return taught, jnp.asarray(indices.training), roles


def _prepared(
    batch: Batch, features: jax.Array, rows: jax.Array, taught: Supervision, call: Callable[..., Any]
) -> tuple[Prepared, Stream]:
    (split,) = batch.splits
    keys = streams(jax.random.key(split.seed))
    scale = jnp.asarray(split.bandwidth, features.dtype)
    how = preparation(split, batch.reads)
    return prepare_in_blocks(features, rows, taught, keys, scale, how=how, reads=batch.reads, call=call)


def _trained(batch: Batch, split: Prepared, stream: Stream, running: Running) -> Trained:
    (cell,) = batch.cells()
    program, method = cell.program, cell.program.of
    weights = jax.tree.map(lambda weight: jnp.asarray(weight, split.vectors.dtype), cell.weights)
    assert method.fit_in_blocks is not None
    assert split.rbf is not None
    fitted = method.fit_in_blocks(
        split.start,
        Mapped(stream, split.preprocessing, split.rbf),
        split.data,
        weights,
        program.options,
        bits=program.bits,
        running=running,
    )
    trained: Trained = running.call(_concluded, split, fitted, method=method)
    return trained


@partial(jax.jit, static_argnames="method")
def _concluded(split: Prepared, fitted: Fitted, *, method: Method) -> Trained:
    return trained_cell(method, split, fitted)


def _timed(compiled: Compiled, use: Hashable) -> tuple[Callable[..., Any], list[float]]:
    """A call of compiled programs, and the list of their run times."""
    seconds: list[float] = []

    def call(function: Any, *args: Any, **static: Any) -> Any:
        result, spent = compiled.run(function, *args, use=use, **static)
        seconds.append(spent)
        return result

    return call, seconds


def _tell_pass(program: Program, tell: Callable[[str], None], position: Position, seconds: float) -> None:
    if seconds < TOLD:
        return
    done = int(position.iterations)
    tell(
        f"{program.method}, {program.bits} bits: pass {done} in {seconds:.0f} s, {int(position.flips[done - 1]):,} "
        f"bits changed, J {float(position.terms.total[done - 1]):.6g}"
    )
