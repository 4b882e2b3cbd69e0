"""The plan of a sweep: groups of cells, cut into batches that fit the memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

from zsh_jax.byte_size import byte_size
from zsh_jax.core.feature_maps import Identity
from zsh_jax.errors import InputError
from zsh_jax.methods.protocol import Reads
from zsh_jax.sweep.axes import Cell, DataSplit, Program
from zsh_jax.sweep.grid import Group, even_chunks
from zsh_jax.sweep.memory import (
    Sizes,
    cell_bytes,
    fewer_searches,
    fixed_bytes,
    in_blocks_bytes,
    once_bytes,
    phi_bytes,
    split_bytes,
)

Samples = Literal["auto", "memory", "blocks"]
PHI_SHARE = 0.25
"""Share of the memory limit within which several code lengths or methods share the RBF features of all samples."""
STACK_SHARE = 0.25
"""Share of the memory limit within which data splits are stacked: it is small problems that gain from it."""


@dataclass(frozen=True)
class Batch:
    """Cells that run in one call: the product of data splits, outer weights and the other weights.

    Attributes:
        splits: data splits of one shape, stacked.
        program: method, code length and options.
        shared: values of the weights of the outer axis: those that share a factorisation, see `Method.shared`.
        others: values of the other weights.
        reads: inputs that the methods on these data splits read.
        variant: of the cells.
        holds_phi: whether the RBF features of all samples are computed once and held while the data splits are loaded.
        in_blocks: whether the training samples are read in blocks; the batch then has one cell.
        paired: whether all weights are on the outer axis, since their values are no product.
    """

    splits: tuple[DataSplit, ...]
    program: Program
    shared: tuple[Any, ...]
    others: tuple[Any, ...]
    reads: frozenset[Reads]
    variant: str
    holds_phi: bool = False
    in_blocks: bool = False
    paired: bool = False

    @property
    def outer(self) -> tuple[str, ...]:
        """Names of the weights on the outer axis."""
        method = self.program.of
        return method.weights._fields if self.paired else method.shared

    def cells(self) -> Iterator[Cell]:
        """All cells, in the order of the batch's axes."""
        names = self.outer
        for split, shared, other in product(self.splits, self.shared, self.others):
            weights = other._replace(**{name: getattr(shared, name) for name in names})
            yield Cell(split, self.program, weights, self.variant)

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.splits) * len(self.shared) * len(self.others)


def batch_bytes(sizes: Sizes, batch: Batch) -> int:
    """Bytes of a batch, by formula."""
    split, program = batch.splits[0], batch.program
    if batch.in_blocks:
        return in_blocks_bytes(sizes, split, program)
    stacked = len(batch.splits) * split_bytes(sizes, split, batch.reads, holds_phi=batch.holds_phi)
    fixed = fixed_bytes(sizes, split, batch.reads)
    return (
        fixed + stacked + once_bytes(sizes, split, program) + len(batch) * cell_bytes(sizes, split, program)
    )


@dataclass(frozen=True)
class Plan:
    """The batches of a sweep.

    Attributes:
        groups: cells of the sweep by compiled program.
        batches: the same cells, or those of this process's part, in the order in which they run.
        peak_bytes: estimated memory of the largest batch on each device.
        devices: over which a batch is spread.
        samples: see `make_plan`.
    """

    groups: tuple[Group, ...]
    batches: tuple[Batch, ...]
    peak_bytes: int
    devices: int = 1
    samples: Samples = "auto"

    def __len__(self) -> int:
        """Number of cells."""
        return sum(len(batch) for batch in self.batches)

    def cells(self) -> Iterator[Cell]:
        """All cells, in the order in which they run."""
        return (cell for batch in self.batches for cell in batch.cells())


def make_plan(
    every: Sequence[Group],
    sizes: Mapping[str, Sizes],
    *,
    memory_gib: float,
    places: int = 1,
    samples: Samples = "auto",
) -> Plan:
    """Cut a sweep into batches that fit the memory.

    Data splits of one shape are stacked within a share of the memory, then cells as far as it allows. Batches of one
    chunk of splits are adjacent, so that each split is prepared once.

    Args:
        every: the groups of the sweep.
        sizes: of the data, for each kind of semantics.
        memory_gib: memory limit of a batch on each device, in GiB.
        places: over which the data splits of a batch are spread, each of one device or more.
        samples: where training samples are: in "memory"; read in "blocks" by methods that can; or "auto", in blocks if
            one cell does not fit.

    Returns:
        The plan.

    Raises:
        InputError: if one cell alone does not fit.
    """
    budget = int(memory_gib * 2**30)
    batches: list[Batch] = []
    peak = 0
    by_splits: dict[tuple[DataSplit, ...], list[Group]] = {}
    for group in every:
        by_splits.setdefault(group.splits, []).append(group)
    for splits, together in by_splits.items():
        size = sizes[splits[0].semantics]
        streamed = [group for group in together if _streams(group, size, budget, samples)]
        for batch in _in_blocks(streamed):
            batches.append(batch)
            peak = max(peak, _within_budget(batch_bytes(size, batch), memory_gib, fewer_searches(size)))
        same = [group for group in together if group not in streamed]
        if not same:
            continue
        reads = frozenset[Reads]().union(*(_reads(group) for group in same))
        fixed = fixed_bytes(size, splits[0], reads)
        fixed += max(once_bytes(size, splits[0], group.program) for group in same)
        mapped = [group for group in same if group.program.of.feature_map is not Identity]
        holds_phi = len(mapped) > 1 and phi_bytes(size, splits[0]) <= budget * PHI_SHARE
        each = split_bytes(size, splits[0], reads, holds_phi=holds_phi)
        largest = max(cell_bytes(size, splits[0], group.program) for group in same)
        _within_budget(fixed + each + largest, memory_gib, in_blocks_instead(same) + fewer_searches(size))
        room = min((budget - fixed) // (each + largest), int(budget * STACK_SHARE) // each)
        rows = even_chunks(splits, min(places, len(splits)))  # each place has one split of a row
        stack = min(len(rows), max(1, room))
        for row in even_chunks(rows, stack):
            chunk = tuple(split for few in row for split in few)
            for group in same:
                cell = cell_bytes(size, splits[0], group.program)
                room = (budget - fixed - len(row) * each) // (len(row) * cell)
                cut = _batches(group, chunk, room, reads, holds_phi=holds_phi)
                batches += cut
                cells = len(row) * max(len(batch) // len(chunk) for batch in cut)
                peak = max(peak, fixed + len(row) * each + cells * cell)
    devices = places * next(iter(sizes.values())).devices
    return Plan(tuple(every), tuple(batches), peak, devices, samples)


def _within_budget(needed: int, memory_gib: float, instead: str) -> int:
    if needed <= int(memory_gib * 2**30):
        return needed
    raise InputError(
        f"one cell needs about {byte_size(needed)}, more than memory_gib = {memory_gib:g}; fix: raise "
        f"--config.memory_gib, or lower sweep.training_samples or sweep.anchors{instead}"
    )


def _streams(group: Group, sizes: Sizes, budget: int, samples: Samples) -> bool:
    """Whether the cells of a group train in blocks of samples."""
    reads, split = _reads(group), group.splits[0]
    if samples == "memory" or not can_stream(group.program, split, reads):
        return False
    alone = fixed_bytes(sizes, split, reads) + split_bytes(sizes, split, reads)
    alone += once_bytes(sizes, split, group.program) + cell_bytes(sizes, split, group.program)
    return samples == "blocks" or alone > budget


def can_stream(program: Program, split: DataSplit, reads: frozenset[Reads]) -> bool:
    """Whether cells can train in blocks of samples: the exact kNN graph needs all samples at once."""
    return program.of.fit_in_blocks is not None and (Reads.GRAPH not in reads or split.graph == "anchors")


def in_blocks_instead(groups: Sequence[Group | Batch]) -> str:
    """How cells that do not fit the memory could train in blocks of samples, for the end of a message."""
    names = {group.program.method for group in groups if group.program.of.fit_in_blocks is None}
    if not names:
        return ", or train in blocks of samples: sweep.graph='anchors'"
    return (
        f", or train in blocks of samples: zsh with sweep.graph='anchors' ({', '.join(sorted(names))} cannot)"
    )


def _in_blocks(groups: Sequence[Group]) -> Iterator[Batch]:
    """Batches of one cell, those of a data split adjacent: they share its preparation."""
    if not groups:
        return
    reads = frozenset[Reads]().union(*map(_reads, groups))
    for split in groups[0].splits:
        for group in groups:
            for batch in _batches(group, (split,), 1, reads, holds_phi=False):
                yield replace(batch, in_blocks=True)


def _reads(group: Group) -> frozenset[Reads]:
    """The inputs that the method of a group reads for at least one of its weights."""
    method, options = group.program.of, group.program.options
    unread = [method.unread(weights, options) for weights in group.weights]
    return method.reads - frozenset.intersection(*unread)


def _batches(
    group: Group, splits: tuple[DataSplit, ...], room: int, reads: frozenset[Reads], *, holds_phi: bool
) -> list[Batch]:
    """Cut the weights so that a batch has at most `room` cells of each split; share factorisations if possible."""
    names = group.program.of.shared
    blank = dict.fromkeys(names)
    shared = tuple({tuple(getattr(w, name) for name in names): w for w in group.weights}.values())
    others = tuple({w._replace(**blank): w for w in group.weights}.values())
    paired = len(shared) * len(others) != len(group.weights)
    if paired:
        shared, others = group.weights, group.weights[:1]
    other_chunks = even_chunks(others, min(room, len(others)))
    shared_chunks = even_chunks(shared, max(1, room // len(other_chunks[0])))
    return [
        Batch(splits, group.program, tuple(one), tuple(other), reads, group.variant, holds_phi, paired=paired)
        for one, other in product(shared_chunks, other_chunks)
    ]
