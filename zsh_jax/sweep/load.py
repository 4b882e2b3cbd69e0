"""Load the data splits of a batch: the training problem and the roles of samples, on the device."""

from collections.abc import Iterator, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float, Int, Shaped

from zsh_jax.core.blocks.stream import Stream
from zsh_jax.core.sharding import DATA, even_rows, take_rows
from zsh_jax.data.seen_queries import draw_seen_queries
from zsh_jax.data.semantics import semantic_targets
from zsh_jax.data.split import Split
from zsh_jax.inputs.load import Inputs
from zsh_jax.methods.protocol import OF_SAMPLES, Reads
from zsh_jax.sweep.axes import DataSplit
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.evaluate import map_samples, samples_of_phi
from zsh_jax.sweep.mesh import (
    data_axis,
    of_splits,
    on_every_device,
    padded,
    places,
    rows_over_data,
    shape_over_data,
    stacked,
)
from zsh_jax.sweep.plan import Batch
from zsh_jax.sweep.roles import Roles
from zsh_jax.sweep.rounds import joined
from zsh_jax.sweep.splits import split_of, vectors_of
from zsh_jax.training.prepare import GraphOptions, Preparation, Prepared, Taught, prepare
from zsh_jax.training.streams import Streams, streams


class Samples(NamedTuple):
    """All samples of the data set, on the devices; or their shapes.

    Attributes:
        features: spread over the mesh axis `data`, with rows of zeros up to a multiple of its devices.
        labels: whole on every device.
    """

    features: Float[Array, "n_even d"]
    labels: Shaped[Array, "n_all *c"]


class Loaded(NamedTuple):
    """Data splits of one chunk, stacked on the device; or their shapes.

    Attributes:
        prepared: training problems.
        roles: of samples and classes.
        phi: RBF features of all samples; None if the batches do not hold them.
        seconds: to prepare one split.
        stream: the training samples, if they are read in blocks.
    """

    prepared: Prepared
    roles: Roles
    phi: Float[Array, "s n_all m"] | None
    seconds: float
    stream: Stream | None = None


def samples_of(inputs: Inputs, mesh: Mesh | None = None) -> Samples:
    """All samples, in JAX's current precision; a single CPU device reads aligned features where they are."""
    labels = on_every_device(jnp.asarray(inputs.dataset.labels), mesh)
    if mesh is not None and mesh.shape[DATA] > 1:
        return Samples(rows_over_data(inputs.features, jnp.result_type(float), mesh), labels)
    features = np.asarray(inputs.features, jnp.result_type(float))
    return Samples(on_every_device(jax.device_put(features, may_alias=True), mesh), labels)


def sample_shapes(inputs: Inputs, mesh: Mesh | None = None) -> Samples:
    """The shapes of what `samples_of` returns."""
    features = shape_over_data(inputs.features.shape, jnp.result_type(float), mesh)
    labels = inputs.dataset.labels
    return Samples(features, jax.eval_shape(jnp.asarray, labels))


def load(batch: Batch, inputs: Inputs, samples: Samples, compiled: Compiled, *, seen_queries: int) -> Loaded:
    """Prepare the data splits of a batch, one after the other at each place, and stack them.

    Args:
        batch: of the plan.
        inputs: of the sweep.
        samples: of the sweep.
        compiled: programs.
        seen_queries: number of queries of seen classes.
    """
    splits = padded(batch.splits, compiled.mesh)

    @cache  # of the splits of this process alone
    def each(place: int) -> tuple[tuple[Any, ...], Roles]:
        return _arguments(splits[place], batch, inputs, seen_queries=seen_queries)

    prepared, seconds = [], 0.0
    for rows, static in _rounds(splits, batch, compiled.mesh):
        made, spent = compiled.run(
            prepare_splits,
            samples.features,
            *stacked(lambda device: each(rows[device])[0], len(rows), compiled.mesh),  # noqa: B023
            use=preparing(batch),
            whole=(0,),
            lies=training_rows,
            **static,
        )
        prepared.append(made)
        seconds += spent
    every = joined(prepared, len(splits), compiled, use=preparing(batch), lies=training_rows)
    role = stacked(lambda place: each(place)[1], len(splits), compiled.mesh)
    phi = None
    if batch.holds_phi:
        phi, spent = compiled.run(map_samples, *_mapping(every, samples), **_mapped(batch))
        seconds += spent
    return Loaded(every, role, phi, seconds / len(batch.splits))


def loaded_shapes(
    batch: Batch, inputs: Inputs, samples: Samples, compiled: Compiled, *, seen_queries: int
) -> tuple[Loaded, int]:
    """The shapes of what `load` returns, and its peak memory; compiles without running.

    Args:
        batch: of the plan.
        inputs: of the sweep.
        samples: of the sweep, or their shapes.
        compiled: programs.
        seen_queries: as in `load`.

    Returns:
        Shapes, and bytes without the samples.
    """
    split, side_by_side = batch.splits[0], places(compiled.mesh)
    count = len(padded(batch.splits, compiled.mesh))
    here = count // side_by_side  # splits of one place

    def repeated(tree: Any, times: int) -> Any:
        return jax.tree.map(lambda leaf: of_splits((times, *leaf.shape), leaf.dtype, compiled.mesh), tree)

    one, role = jax.tree.map(shape_of, _arguments(split, batch, inputs, seen_queries=seen_queries))
    of_a_round = repeated(one, side_by_side)
    made, beside = compiled.shapes(
        prepare_splits,
        samples.features,
        *of_a_round,
        use=preparing(batch),
        whole=(0,),
        lies=training_rows,
        **_static(split, batch),
    )
    each = bytes_of(made)
    joining = 2 * here * each if here > 1 else each
    peak = max((here - 1) * each + bytes_of(one) + beside, joining)
    every: Any = jax.tree.map(
        lambda leaf: of_splits((count, *leaf.shape[1:]), leaf.dtype, compiled.mesh, data_axis(leaf)), made
    )
    phi = None
    if batch.holds_phi:
        phi, beside = compiled.shapes(map_samples, *_mapping(every, samples), **_mapped(batch))
        peak = max(peak, here * each + beside)
    return Loaded(every, repeated(role, count), phi, 0.0), peak


def _rounds(
    splits: Sequence[DataSplit], batch: Batch, mesh: Mesh | None
) -> Iterator[tuple[list[int], dict[str, Any]]]:
    """Which splits the places prepare at a time, one each, and the static arguments.

    Each place prepares the splits that it keeps. Splits that are prepared by different programs are an exception: all
    places prepare the same one.
    """
    ways = [_static(split, batch) for split in splits]
    side_by_side = places(mesh)
    if any(way != ways[0] for way in ways):
        yield from (([split] * side_by_side, way) for split, way in enumerate(ways))
        return
    here = len(splits) // side_by_side
    for first in range(here):
        yield list(range(first, len(splits), here)), ways[0]


def training_rows(prepared: Prepared) -> Any:
    """The axis of stacked splits that has training samples, or -1, for each of their arrays."""
    axes: Any = jax.tree.map(lambda _: -1, prepared)
    rows = {name: getattr(axes.data, name) for name in OF_SAMPLES}
    return axes._replace(data=axes.data._replace(**jax.tree.map(lambda _: 1, rows)))


def _mapped(batch: Batch) -> dict[str, Any]:
    """How `map_samples` is compiled."""
    return {"use": preparing(batch), "whole": (2,), "lies": samples_of_phi}


def _mapping(prepared: Prepared, samples: Samples) -> tuple[Any, ...]:
    return prepared.preprocessing, prepared.rbf, samples.features


def preparing(batch: Batch) -> tuple[Any, ...]:
    """A key that is equal for batches whose splits are prepared by the same programs."""
    ways = frozenset(preparation(split, batch.reads) for split in batch.splits)
    return ("prepare", batch.splits[0].shape, batch.reads, ways)


def shape_of(leaf: Any) -> Any:
    """The shape of an array."""
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)


def bytes_of(tree: Any) -> int:
    """Bytes of all arrays, or shapes, of a tree; on each device, if they lie over several."""
    return sum(_bytes_of_leaf(leaf) for leaf in jax.tree.leaves(tree))


def _bytes_of_leaf(leaf: Any) -> int:
    item = 8 if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf.dtype.itemsize
    sharding = getattr(leaf, "sharding", None)
    shape = leaf.shape if sharding is None else sharding.shard_shape(leaf.shape)
    return int(np.prod(shape, dtype=np.int64)) * item


def _arguments(
    split: DataSplit, batch: Batch, inputs: Inputs, *, seen_queries: int
) -> tuple[tuple[Any, ...], Roles]:
    """The arguments of `prepare_splits` after the features, and the roles in the split."""
    dtype = jnp.result_type(float)
    indices = split_of(inputs, split)
    vectors = vectors_of(inputs, split)
    taught = inputs.dataset.labels[indices.training]
    targets = semantic_targets(taught, vectors)
    keys = streams(jax.random.key(split.seed))
    supervision = Taught(jnp.asarray(taught), jnp.asarray(targets, dtype), jnp.asarray(vectors, dtype))
    roles = roles_of(split, indices, inputs, seen_queries=seen_queries)
    return (jnp.asarray(indices.training), supervision, keys, jnp.asarray(split.bandwidth, dtype)), roles


def roles_of(split: DataSplit, indices: Split, inputs: Inputs, *, seen_queries: int) -> Roles:
    """The roles of samples and classes in a split.

    Args:
        split: its axes.
        indices: from `split_of`.
        inputs: of the sweep.
        seen_queries: number of queries of seen classes.

    Returns:
        The roles.
    """
    resamples = streams(jax.random.key(split.seed)).resamples
    seen = draw_seen_queries(inputs.dataset, indices, split.unseen, count=seen_queries, seed=split.seed)
    classes = len(inputs.semantics[split.semantics].vectors)
    unseen = np.isin(np.arange(classes), indices.query_classes)
    queries, database = jnp.asarray(indices.queries), jnp.asarray(indices.database)
    return Roles(queries, database, jnp.asarray(seen), jnp.asarray(unseen), resamples)


@partial(jax.jit, static_argnames=("how", "reads"))
def prepare_splits(
    features: Float[Array, "n_even d"],
    training: Int[Array, "s n"],
    taught: Taught,
    keys: Streams,
    bandwidth_scale: Float[Array, " s"],
    *,
    how: Preparation,
    reads: frozenset[Reads],
) -> Prepared:
    """`prepare` on the training samples among all samples, of the one split of this place; leaves keep its axis."""
    rows, *rest = jax.tree.map(lambda leaf: leaf[0], (training, taught, keys, bandwidth_scale))
    made = prepare(take_rows(features, rows), *rest, how=how, reads=reads)
    filled = even_rows({name: getattr(made.data, name) for name in OF_SAMPLES})
    made = made._replace(data=made.data._replace(**filled))
    return jax.tree.map(lambda leaf: leaf[None], made)


def preparation(split: DataSplit, reads: frozenset[Reads]) -> Preparation:
    """The static options of `prepare`; those that the methods do not read keep their defaults, to share programs."""
    graph = GraphOptions()
    if Reads.GRAPH in reads:
        graph = GraphOptions(
            split.graph, split.neighbours, split.edge_weights, split.laplacian == "normalised"
        )
    dimensions = split.pca_dimensions if split.preprocessing == "pca" else 0
    return Preparation(split.preprocessing, dimensions, split.anchors, graph)


def _static(split: DataSplit, batch: Batch) -> dict[str, Any]:
    return {"how": preparation(split, batch.reads), "reads": batch.reads}
