"""Fit a method to arrays whose samples are read in blocks."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import PRNGKeyArray

from zsh_jax.core.blocks.iteration import Position
from zsh_jax.core.blocks.solver import Running
from zsh_jax.core.blocks.stream import BLOCK, Mapped
from zsh_jax.core.hashing import HashFunction
from zsh_jax.errors import InputError
from zsh_jax.methods.protocol import Method, Reads, Trace
from zsh_jax.methods.table import METHODS, PUBLISHED
from zsh_jax.training.arguments import checked_supervision, method_named, sorted_out
from zsh_jax.training.fit import assemble
from zsh_jax.training.prepare_in_blocks import prepare_in_blocks, supervision
from zsh_jax.training.streams import streams

CHECKED = 1 << 14  # rows that are checked at a time


class Telling(NamedTuple):
    """What is told while a fit runs.

    Attributes:
        prepared: takes the seconds of the preparation.
        passed: takes the seconds of each pass.
    """

    prepared: Callable[[float], object] = lambda seconds: None
    passed: Callable[[float], object] = lambda seconds: None


def fit_in_blocks(
    key: PRNGKeyArray,
    features: ArrayLike,
    class_vectors: ArrayLike,
    labels: ArrayLike,
    *,
    bits: int = 32,
    method: str = PUBLISHED,
    block: int = BLOCK,
    telling: Telling | None = None,
    **settings: Any,
) -> tuple[HashFunction, Trace | None]:
    """`fit_with_trace` with memory for one block of RBF features, in time linear in the number of samples.

    Memory-mapped float32 features are read where they are. In float64 the codes are those of `fit`; in float32 they
    are so up to rounding. Not a pure function: it cannot be vmapped.

    Args:
        key: as for `fit`.
        features: as for `fit`.
        class_vectors: as for `fit`.
        labels: as for `fit`.
        bits: as for `fit`.
        method: "zsh".
        block: samples of a block; it does not change the result.
        telling: what is told meanwhile.
        **settings: as for `fit`; the graph must be "anchors", unless `locality` is "none".

    Returns:
        The hash function, and the trace.

    Raises:
        InputError: as for `fit`, or the method or the graph needs all samples at once.

    Examples:
        After the example of `fit`:

        >>> settings = {"bits": 16, "graph": "anchors", "neighbours": 5}
        >>> model, trace = zsh.fit_in_blocks(jax.random.key(0), features, vectors, labels, **settings)
        >>> whole = zsh.fit(jax.random.key(0), features, vectors, labels, **settings)
        >>> bool((zsh.encode(model, features) == zsh.encode(whole, features)).all())
        True
    """
    chosen, tell = method_named(method), Telling() if telling is None else telling
    rows = _in_place(features)
    own, vectors = checked_supervision(labels, class_vectors, len(rows))
    given = sorted_out(chosen, rows.shape, bits, settings)
    reads = chosen.reads - chosen.unread(given.weights, given.options)
    _check(chosen, reads, given.how.graph.kind)
    start = time.perf_counter()
    prepared, stream = prepare_in_blocks(
        jax.device_put(rows, may_alias=True),
        jnp.arange(len(rows)),
        supervision(own, vectors),
        streams(key),
        given.bandwidth,
        how=given.how,
        reads=reads,
        block=block,
    )
    jax.block_until_ready(prepared)
    tell.prepared(time.perf_counter() - start)

    def passed(position: Position, seconds: float) -> None:
        del position
        tell.passed(seconds)

    assert chosen.fit_in_blocks is not None
    assert prepared.rbf is not None
    fitted = chosen.fit_in_blocks(
        prepared.start,
        Mapped(stream, prepared.preprocessing, prepared.rbf),
        prepared.data,
        given.weights,
        given.options,
        bits=given.bits,
        running=Running(block=block, tell=passed),
    )
    return assemble(chosen, prepared, fitted), fitted.trace


def _check(method: Method, reads: frozenset[Reads], graph: str) -> None:
    """Refuse a method or a graph that needs all samples at once."""
    if method.fit_in_blocks is None:
        names = ", ".join(name for name, one in METHODS.items() if one.fit_in_blocks is not None)
        raise InputError(f"method: {method.name} needs all samples at once; fix: use {names}, or zsh_jax.fit")
    if Reads.GRAPH in reads and graph != "anchors":
        raise InputError(
            "graph: the exact kNN graph needs all samples at once; fix: graph='anchors', or locality='none'"
        )


def _in_place(features: ArrayLike) -> Any:
    """Features in JAX's current precision, not copied if they are so already; all values finite."""
    rows = np.asarray(features)
    if rows.dtype.kind not in "fiub":
        raise InputError(f"features: must be (n, d) numbers; got {rows.dtype}")
    if rows.ndim != 2 or 0 in rows.shape:
        raise InputError(f"features: must be (n, d) numbers; got shape {rows.shape}")
    with np.errstate(over="ignore"):  # values beyond float32 become infinite
        rows = np.asarray(rows, jnp.result_type(float))
    for start in range(0, len(rows), CHECKED):
        damaged = np.flatnonzero(~np.isfinite(rows[start : start + CHECKED]).all(axis=1))
        if damaged.size:
            raise InputError(f"features: row {start + damaged[0]} is not finite; fix: correct it")
    return rows
