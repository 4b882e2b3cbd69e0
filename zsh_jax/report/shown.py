"""Which few cells of a sweep, and which of their queries, a gallery of pictures shows."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.split import Split
from zsh_jax.inputs.load import Inputs
from zsh_jax.sweep.axes import Cell
from zsh_jax.sweep.plan import Plan
from zsh_jax.sweep.splits import split_of

SETS = 3  # of unseen classes, at the most
BITS = 64  # the longest codes that are shown, if there are any as short


class Asked(NamedTuple):
    """What is asked with one set of unseen classes.

    Attributes:
        unseen: their names, joined by "+".
        queries: rows of the data set.
        classes: indices of those that are asked for by name.
    """

    unseen: str
    queries: Int[np.ndarray, " q"]
    classes: tuple[int, ...]


def shown_cells(plan: Plan, queries: int) -> list[Cell]:
    """For each variant and method, one code length and one seed with the first few sets of unseen classes.

    Args:
        plan: of the sweep.
        queries: how many images are to be asked with; there is one of each set at least.

    Returns:
        Cells in the order of the plan's variants and methods: those of the longest codes of up to 64 bits, the first
        seed, and the first value of every other axis. Bounds have no codes, and so no cell here.
    """
    kinds: dict[tuple[str, str], list[Cell]] = {}
    for group in plan.groups:
        if group.program.of.has_codes:
            kinds.setdefault((group.variant, group.program.method), []).extend(group.cells())
    every = [cell.split.unseen for cells in kinds.values() for cell in cells]
    sets = list(dict.fromkeys(every))[: min(SETS, queries)]
    shown = []
    for cells in kinds.values():
        lengths = {cell.program.bits for cell in cells}
        bits = max((length for length in lengths if length <= BITS), default=max(lengths))
        seed = cells[0].split.seed
        first: dict[str, Cell] = {}
        for cell in cells:
            if cell.program.bits == bits and cell.split.seed == seed:
                first.setdefault(cell.split.unseen, cell)
        shown += [first[unseen] for unseen in sets if unseen in first]
    return shown


def asked(inputs: Inputs, cells: Sequence[Cell], queries: int) -> list[Asked]:
    """What the shown cells are asked with: images and names of unseen classes, shared out evenly over the sets.

    Args:
        inputs: of the sweep.
        cells: of `shown_cells`.
        queries: how many images, and names at the most, there are of all sets together.

    Returns:
        One for each set of unseen classes. Of its queries those come first that are the first of their class, in the
        order of the classes, then the second of each, and so on. No class is asked for by name twice.
    """
    first: dict[str, Cell] = {}
    for cell in cells:
        first.setdefault(cell.split.unseen, cell)
    questions: list[Asked] = []
    for place, (unseen, cell) in enumerate(first.items()):
        share = queries // len(first) + (place < queries % len(first))
        split = split_of(inputs, cell.split)
        classes = tuple(split.asked.tolist())  # the unseen ones, or those that stand in for them
        rows = _in_turn(inputs.dataset, split, classes)
        named = {number for question in questions for number in question.classes}
        fresh = tuple(number for number in classes if number not in named)
        questions.append(Asked(unseen, rows[:share], fresh[:share]))
    return questions


def _in_turn(dataset: Dataset, split: Split, classes: Sequence[int]) -> Int[np.ndarray, " q"]:
    """The queries of a split, one of each class after the other."""
    labels = dataset.labels[split.queries]
    holds = labels[:, list(classes)] if labels.ndim == 2 else labels[:, None] == np.asarray(classes)
    of = holds.argmax(axis=1)  # the first of its unseen classes; a query has one at least
    turn = np.empty(len(of), int)
    for number in range(len(classes)):
        same = np.flatnonzero(of == number)
        turn[same] = np.arange(len(same))
    return np.asarray(split.queries)[np.lexsort((of, turn))]
