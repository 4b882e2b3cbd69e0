"""The plan of a sweep: its groups, cut into batches that fit the memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from zsh_jax.errors import InputError
from zsh_jax.sweep.axes import Cell, DataSplit, Program, Weights
from zsh_jax.sweep.grid import Group, even_chunks, groups
from zsh_jax.sweep.memory import Sizes, cell_bytes, fixed_bytes, split_bytes


@dataclass(frozen=True)
class Batch:
    """Cells that run in one call: the product of data splits, (alpha, beta, gamma) and (lam, tolerance).

    Attributes:
        splits: data splits of one shape, stacked.
        program: the static axes.
        ratios: weights, of which alpha, beta and gamma are read.
        lams: weights, of which lam and tolerance are read.
        has_locality: whether any cell of the sweep needs the neighbour graph.
    """

    splits: tuple[DataSplit, ...]
    program: Program
    ratios: tuple[Weights, ...]
    lams: tuple[Weights, ...]
    has_locality: bool

    def cells(self) -> Iterator[Cell]:
        """All cells, in the order of the batch's axes."""
        for split, ratio, lam in product(self.splits, self.ratios, self.lams):
            weights = Weights(lam.lam, ratio.alpha, ratio.beta, ratio.gamma, lam.tolerance)
            yield Cell(split, self.program, weights)

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.splits) * len(self.ratios) * len(self.lams)


@dataclass(frozen=True)
class Plan:
    """What will be run.

    Attributes:
        groups: cells by compiled program.
        batches: the same cells in the order in which they run.
        peak_bytes: estimated memory of the largest batch.
    """

    groups: tuple[Group, ...]
    batches: tuple[Batch, ...]
    peak_bytes: int

    def __len__(self) -> int:
        """Number of cells."""
        return sum(len(group) for group in self.groups)


def make_plan(axes: Mapping[str, Any], sizes: Mapping[str, Sizes], *, memory_gib: float) -> Plan:
    """Lay out a sweep so that each batch fits the memory.

    Data splits of one shape are stacked as far as memory allows, then cells. Batches of one chunk of splits
    follow each other, so that each split is prepared once.

    Args:
        axes: the axes of the sweep and their values.
        sizes: of the data, for each kind of semantics.
        memory_gib: what a batch may take, in GiB.

    Returns:
        The plan.

    Raises:
        InputError: if an axis is wrong, or one cell alone does not fit.
    """
    every = groups(axes)
    budget = int(memory_gib * 2**30)
    batches: list[Batch] = []
    peak = 0
    by_shape: dict[tuple[Any, ...], list[Group]] = {}
    for group in every:
        by_shape.setdefault(group.splits[0].shape, []).append(group)
    for same in by_shape.values():
        splits = same[0].splits
        size = sizes[splits[0].semantics]
        fixed, each = fixed_bytes(size, splits[0]), split_bytes(size, splits[0])
        largest = max(cell_bytes(size, splits[0], group.program) for group in same)
        if fixed + each + largest > budget:
            raise InputError(
                f"one cell needs about {(fixed + each + largest) / 2**30:.1f} GiB, more than memory_gib = "
                f"{memory_gib:g}; raise --config.memory_gib, or lower sweep.training_samples or sweep.anchors"
            )
        stack = min(len(splits), (budget - fixed) // (each + largest))
        for chunk in even_chunks(splits, stack):
            for group in same:
                cell = cell_bytes(size, splits[0], group.program)
                room = (budget - fixed - len(chunk) * each) // (len(chunk) * cell)
                cut = _batches(group, tuple(chunk), room)
                batches += cut
                peak = max(peak, fixed + len(chunk) * each + max(map(len, cut)) * cell)
    return Plan(tuple(every), tuple(batches), peak)


def _batches(group: Group, splits: tuple[DataSplit, ...], room: int) -> list[Batch]:
    """Cut the weights so that a batch has at most `room` cells of each split, sharing factorisations if it can."""
    ratios = tuple({(w.alpha, w.beta, w.gamma): w for w in group.weights}.values())
    lams = tuple({(w.lam, w.tolerance): w for w in group.weights}.values())
    has_locality = any(w.gamma > 0 for w in group.weights)
    lam_chunks = even_chunks(lams, min(room, len(lams)))
    ratio_chunks = even_chunks(ratios, max(1, room // len(lam_chunks[0])))
    return [
        Batch(splits, group.program, tuple(ratio), tuple(lam), has_locality)
        for ratio, lam in product(ratio_chunks, lam_chunks)
    ]
