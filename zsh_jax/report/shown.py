"""Choose the cells and queries of a sweep that the page shows as retrieval examples."""

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

SETS = 3  # of unseen classes, at most
BITS = 64  # the longest code length shown, if the sweep has one as short


class ShownQueries(NamedTuple):
    """The queries of one set of unseen classes.

    Attributes:
        unseen: names of the classes, joined by "+".
        queries: rows of the query images in the data set.
        classes: indices of the classes whose names are queries.
    """

    unseen: str
    queries: Int[np.ndarray, " q"]
    classes: tuple[int, ...]


def shown_cells(plan: Plan, queries: int) -> list[Cell]:
    """For each variant and method, one code length and one seed with the first few sets of unseen classes.

    Args:
        plan: of the sweep.
        queries: number of query images; each set has at least one.

    Returns:
        Cells in the order of the plan's variants and methods, with the longest codes of up to 64 bits, the first
        seed, and the first value of every other axis. Unhashed bounds have no codes and are excluded.
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


def shown_queries(inputs: Inputs, cells: Sequence[Cell], queries: int) -> list[ShownQueries]:
    """The queries of the shown cells: images and names of unseen classes, divided evenly over the sets.

    Args:
        inputs: of the sweep.
        cells: from `shown_cells`.
        queries: number of query images over all sets; also the largest number of class names.

    Returns:
        One for each set of unseen classes. Its query images are the first of each class, in the order of the classes,
        then the second of each, and so on. No class name is a query twice.
    """
    first: dict[str, Cell] = {}
    for cell in cells:
        first.setdefault(cell.split.unseen, cell)
    questions: list[ShownQueries] = []
    for place, (unseen, cell) in enumerate(first.items()):
        share = queries // len(first) + (place < queries % len(first))
        split = split_of(inputs, cell.split)
        classes = tuple(split.query_classes.tolist())  # the unseen ones, or those that stand in for them
        rows = _in_turn(inputs.dataset, split, classes)
        named = {number for question in questions for number in question.classes}
        fresh = tuple(number for number in classes if number not in named)
        questions.append(ShownQueries(unseen, rows[:share], fresh[:share]))
    return questions


def _in_turn(dataset: Dataset, split: Split, classes: Sequence[int]) -> Int[np.ndarray, " q"]:
    """The queries of a split, one of each class in turn."""
    labels = dataset.labels[split.queries]
    holds = labels[:, list(classes)] if labels.ndim == 2 else labels[:, None] == np.asarray(classes)
    of = holds.argmax(axis=1)  # the first of its unseen classes; a query has at least one
    turn = np.empty(len(of), int)
    for number in range(len(classes)):
        same = np.flatnonzero(of == number)
        turn[same] = np.arange(len(same))
    return np.asarray(split.queries)[np.lexsort((of, turn))]
