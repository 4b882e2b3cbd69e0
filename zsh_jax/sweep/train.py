"""The compiled program that fits a method to many cells at once."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Shaped, UInt8

from zsh_jax.core.hashing import HashFunction
from zsh_jax.core.heads import ClassHead, Head
from zsh_jax.core.loop import Status
from zsh_jax.core.objective import Objective
from zsh_jax.core.packing import pack_codes
from zsh_jax.core.sharding import first_rows
from zsh_jax.methods.protocol import OF_SAMPLES, Fitted, Method, Trace, TrainingData
from zsh_jax.sweep.axes import Program
from zsh_jax.training.fit import assemble
from zsh_jax.training.prepare import Prepared


class Trained(NamedTuple):
    """The trained cells of a batch; leaves have leading axes.

    Attributes:
        head: of each hash function.
        class_head: for class vectors; None if the method has none.
        class_codes: packed code of each class vector; None if the method has none.
        trace: of training; its status also marks hash functions that are not finite.
        settings: that the method chose from the data, by name; None for none.
    """

    head: Head
    class_head: ClassHead | None
    class_codes: UInt8[Array, "*cells c bytes"] | None
    trace: Trace
    settings: Mapping[str, Shaped[Array, "*cells"]] | None = None


@partial(jax.jit, static_argnames=("program", "samples", "outer"))
def train(
    prepared: Prepared, weights: Any, *, program: Program, samples: int, outer: tuple[str, ...]
) -> Trained:
    """Fit every data split with every set of weights, as one program.

    Weights that share a factorisation are on an outer axis, so that each of their values is factorised once.

    Args:
        prepared: data splits, stacked on a leading axis.
        weights: of the method; `outer` ones have shape (shared,), the others (others,).
        program: static.
        samples: number of training samples n; static. Rows after them only fill up devices.
        outer: names of the weights on the outer axis; static.

    Returns:
        Leaves with leading axes (splits, shared, others).
    """
    method = program.of

    def one_cell(split: Prepared, weights: Any) -> Trained:
        split = split._replace(data=_without_filling(split.data, samples))
        fitted = method.fit(split.start, split.data, weights, program.options, bits=program.bits)
        return trained_cell(method, split, fitted)

    others = tuple(name for name in method.weights._fields if name not in outer)
    over_others = _over(one_cell, method, weights, others)
    over_shared = _over(over_others, method, weights, outer)
    return jax.vmap(over_shared, in_axes=(0, None))(prepared, weights)


def _without_filling(data: TrainingData, samples: int) -> TrainingData:
    """Training data without the rows that `even_rows` appended."""
    return data._replace(**{name: first_rows(getattr(data, name), samples) for name in OF_SAMPLES})


def trained_cell(method: Method, split: Prepared, fitted: Fitted) -> Trained:
    """A cell as the evaluation reads it.

    Args:
        method: of the cell.
        split: its data split.
        fitted: the result of the method.

    Returns:
        The cell, with the codes of classes and with the status of a result that is not finite.
    """
    class_codes = None if fitted.class_head is None else pack_codes(fitted.class_head(split.vectors))
    trace = no_trace(split) if fitted.trace is None else fitted.trace
    finite = is_finite(assemble(method, split, fitted))
    status = jnp.where(finite, trace.status, Status.NON_FINITE).astype(jnp.int32)
    return Trained(
        fitted.head, fitted.class_head, class_codes, trace._replace(status=status), fitted.settings
    )


def _over(
    function: Callable[[Prepared, Any], Trained], method: Method, weights: Any, names: tuple[str, ...]
) -> Callable[[Prepared, Any], Trained]:
    """Vmap over the values of some weights; if there are none, over one value."""
    axes = method.weights(*(0 if name in names else None for name in method.weights._fields))
    sizes = [len(leaf) for leaf, axis in zip(weights, axes, strict=True) if axis == 0]
    return jax.vmap(function, in_axes=(None, axes), axis_size=sizes[0] if sizes else 1)


def is_finite(hash_function: HashFunction) -> Bool[Array, ""]:
    """Whether all arrays of a hash function are finite; if not, its codes are meaningless."""
    leaves = [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(hash_function)]
    return jnp.stack(leaves).all()


def no_trace(split: Prepared) -> Trace:
    """The trace of a method without an objective: no iterations, NaN values, arrays of length 1."""
    nothing = jnp.full(1, jnp.nan, split.vectors.dtype)
    return Trace(
        objective=nothing[0],
        start_objectives=nothing,
        terms=Objective(*[nothing] * len(Objective._fields)),
        flips=jnp.full(1, -1, jnp.int32),
        iterations=jnp.array(0, jnp.int32),
        status=jnp.array(Status.CONVERGED, jnp.int32),
    )


def in_one_row(trained: Trained) -> Any:
    """Reshape (splits, shared weights, other weights, ...) to (splits, cells, ...), of arrays or of shapes."""
    if not any(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(trained)):
        return _flattened(trained)
    return jax.tree.map(
        lambda shape, leaf: jax.ShapeDtypeStruct(shape.shape, shape.dtype, sharding=leaf.sharding),
        jax.eval_shape(_flattened, trained),
        trained,
    )


@jax.jit
def _flattened(trained: Trained) -> Trained:
    def flat(leaf: jax.Array) -> jax.Array:
        splits, shared, others = leaf.shape[:3]
        return leaf.reshape(splits, shared * others, *leaf.shape[3:])

    return jax.tree.map(flat, trained)
