"""The plan of a sweep: its groups, cut into batches that fit the memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product

from zsh_jax.byte_size import byte_size
from zsh_jax.errors import InputError
from zsh_jax.sweep.axes import Cell, DataSplit, Program, Weights
from zsh_jax.sweep.grid import Group, even_chunks
from zsh_jax.sweep.memory import Sizes, cell_bytes, fixed_bytes, split_bytes

SHARED = ("alpha", "beta", "gamma", "delta")


@dataclass(frozen=True)
class Batch:
    """Cells that run in one call: the product of data splits, shared weights and the other weights.

    Attributes:
        splits: data splits of one shape, stacked.
        program: the static axes.
        ratios: weights, of which those are read that share a factorisation: alpha, beta, gamma and delta.
        lams: weights, of which the others are read: lam, tolerance and the learning rate.
        has_locality: whether any cell of these data splits needs the neighbour graph.
        has_samples: whether any method on these data splits reads more than the problem.
        variant: whose cells they are.
    """

    splits: tuple[DataSplit, ...]
    program: Program
    ratios: tuple[Weights, ...]
    lams: tuple[Weights, ...]
    has_locality: bool
    has_samples: bool
    variant: str

    def cells(self) -> Iterator[Cell]:
        """All cells, in the order of the batch's axes."""
        for split, ratio, lam in product(self.splits, self.ratios, self.lams):
            shared = {name: getattr(ratio, name) for name in SHARED}
            yield Cell(split, self.program, replace(lam, **shared), self.variant)

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.splits) * len(self.ratios) * len(self.lams)


def batch_bytes(sizes: Sizes, batch: Batch) -> int:
    """What a batch takes, by formula.

    Args:
        sizes: of the data.
        batch: of a plan.

    Returns:
        Bytes.
    """
    split, program = batch.splits[0], batch.program
    each = split_bytes(sizes, split, has_samples=batch.has_samples)
    stacked = len(batch.splits) * each
    fixed = fixed_bytes(sizes, split, has_locality=batch.has_locality)
    return fixed + stacked + len(batch) * cell_bytes(sizes, split, program)


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


def make_plan(every: Sequence[Group], sizes: Mapping[str, Sizes], *, memory_gib: float) -> Plan:
    """Lay out a sweep so that each batch fits the memory.

    Data splits of one shape are stacked as far as memory allows, then cells. Batches of one chunk of splits
    follow each other, so that each split is prepared once.

    Args:
        every: the groups of the sweep.
        sizes: of the data, for each kind of semantics.
        memory_gib: what a batch may take, in GiB.

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
    for splits, same in by_splits.items():
        size = sizes[splits[0].semantics]
        has_samples = any(group.program.method != "zsh" for group in same)
        has_locality = any(_has_locality(group) for group in same)
        fixed = fixed_bytes(size, splits[0], has_locality=has_locality)
        each = split_bytes(size, splits[0], has_samples=has_samples)
        largest = max(cell_bytes(size, splits[0], group.program) for group in same)
        if fixed + each + largest > budget:
            raise InputError(
                f"one cell needs about {byte_size(fixed + each + largest)}, more than memory_gib = "
                f"{memory_gib:g}; raise --config.memory_gib, or lower sweep.training_samples or sweep.anchors"
            )
        shared = {
            "has_locality": has_locality,
            "has_samples": has_samples,
        }
        stack = min(len(splits), (budget - fixed) // (each + largest))
        for chunk in even_chunks(splits, stack):
            for group in same:
                cell = cell_bytes(size, splits[0], group.program)
                room = (budget - fixed - len(chunk) * each) // (len(chunk) * cell)
                cut = _batches(group, tuple(chunk), room, shared)
                batches += cut
                peak = max(peak, fixed + len(chunk) * each + max(map(len, cut)) * cell)
    return Plan(tuple(every), tuple(batches), peak)


def _has_locality(group: Group) -> bool:
    if group.program.method != "zsh":
        return False
    weight = {"projection": "gamma", "semantics": "delta"}.get(group.program.locality)
    return weight is not None and any(getattr(weights, weight) > 0 for weights in group.weights)


def _batches(
    group: Group, splits: tuple[DataSplit, ...], room: int, shared: Mapping[str, bool]
) -> list[Batch]:
    """Cut the weights so that a batch has at most `room` cells of each split, sharing factorisations if it can."""
    zero = dict.fromkeys(SHARED, 0.0)
    ratios = tuple({tuple(getattr(w, name) for name in SHARED): w for w in group.weights}.values())
    lams = tuple({tuple((asdict(w) | zero).values()): w for w in group.weights}.values())
    lam_chunks = even_chunks(lams, min(room, len(lams)))
    ratio_chunks = even_chunks(ratios, max(1, room // len(lam_chunks[0])))
    return [
        Batch(splits, group.program, tuple(ratio), tuple(lam), **shared, variant=group.variant)
        for ratio, lam in product(ratio_chunks, lam_chunks)
    ]
