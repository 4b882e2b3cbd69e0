"""Pair the cells of two sweeps by their identity, without what differs between the two."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from zsh_jax.errors import InputError
from zsh_jax.inputs.fingerprint import PREFIX
from zsh_jax.report.same_names import LABELS
from zsh_jax.report.series import Row
from zsh_jax.sweep.axes import SHARED_AXES
from zsh_jax.tracking.row import ID, identity_of
from zsh_jax.tracking.row_types import NAMES

ALWAYS = (
    "dataset",
    LABELS,
    "unseen",
    "bits",
    "seed",
)  # else the two figures have other queries, or other costs
LISTED = 4  # values in a message
LONGEST = 20  # characters of a value in a message


class Pairs(NamedTuple):
    """The cells of two sweeps, paired.

    Attributes:
        pairs: a cell of the first sweep, and one of the second.
        by: keys of the identity that the two cells of every pair share.
        apart: keys in which the sweeps differ, with the values of the first and of the second.
        alone: number of cells of each sweep without a partner.
    """

    pairs: list[tuple[Row, Row]]
    by: tuple[str, ...]
    apart: Mapping[str, tuple[tuple[Any, ...], tuple[Any, ...]]]
    alone: tuple[int, int]


def pair_cells(first: Sequence[Row], second: Sequence[Row]) -> Pairs:
    """Pair the cells of two sweeps.

    The sweeps differ in a key of the identity if they have no value of it in common, within each method that both have.
    If they have no method in common, they also differ in every axis that a method of either lacks. Two cells are a
    pair if they share all other keys; data set, labels, unseen classes, code length and seed always.

    Args:
        first: rows of a sweep, from `read_sweeps`.
        second: of another.

    Returns:
        The pairs. A cell is in several if the other sweep has several values of a key in which they differ.

    Raises:
        InputError: no cell has a partner.
    """
    methods = {row["method"] for row in first} & {row["method"] for row in second}
    found = Pairs([], (), {}, (0, 0))
    for method in sorted(methods) or [None]:
        one, other = ([row for row in rows if method in (None, row["method"])] for rows in (first, second))
        pairs, by, apart, _ = _paired(one, other, same_method=method is not None)
        both = dict(found.apart)
        for key, sides in apart.items():
            before = both.get(key, ((), ()))
            both[key] = (_distinct((*before[0], *sides[0])), _distinct((*before[1], *sides[1])))
        found = Pairs([*found.pairs, *pairs], _distinct((*found.by, *by)), both, (0, 0))
    if not found.pairs:
        raise InputError(_why_not(first, second))
    paired = [{row[ID] for row in side} for side in zip(*found.pairs, strict=True)]
    alone = [
        sum(row[ID] not in ids for row in rows) for ids, rows in zip(paired, (first, second), strict=True)
    ]
    return found._replace(
        by=tuple(key for key in found.by if key not in found.apart), alone=(alone[0], alone[1])
    )


def _paired(first: Sequence[Row], second: Sequence[Row], *, same_method: bool) -> Pairs:
    keys = _distinct(key for row in (*first, *second) for key in (*identity_of(row), "variant"))
    apart = {}
    for key in keys:
        sides = [_distinct(row.get(key) for row in rows) for rows in (first, second)]
        if _differs(key, sides[0], sides[1], same_method=same_method):
            apart[key] = (sides[0], sides[1])
    by = tuple(key for key in keys if key not in apart)
    partners: dict[tuple[Any, ...], list[Row]] = {}
    for row in first:
        partners.setdefault(tuple(row.get(key) for key in by), []).append(row)
    pairs = [(one, row) for row in second for one in partners.get(tuple(row.get(key) for key in by), [])]
    return Pairs(pairs, by, apart, (0, 0))


def _differs(key: str, one: Sequence[Any], other: Sequence[Any], *, same_method: bool) -> bool:
    if key == LABELS and (set(one) == {None} or set(other) == {None}):
        return one != other  # an older version took no fingerprint
    if key in ALWAYS:
        return False
    is_own = key not in (*SHARED_AXES, *NAMES) and not key.startswith(PREFIX)
    if not same_method and (is_own or None in (*one, *other)):
        return one != other or is_own
    return not set(one) & set(other)


def _distinct(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))


def _why_not(first: Sequence[Row], second: Sequence[Row]) -> str:
    for key in ALWAYS:
        one, other = (_distinct(row.get(key) for row in rows) for rows in (first, second))
        if not set(one) & set(other) and key != LABELS:
            return (
                f"no pair: {key} is {listed(one)} in the first sweep and {listed(other)} in the second; fix: compare "
                f"sweeps that share {key}"
            )
    return (
        "no pair: no cell of the one has data, unseen classes, code length, seed and settings of a cell of the other; "
        "fix: compare sweeps that share them"
    )


def listed(values: Sequence[Any]) -> str:
    """Some values as text: the first few, each cut."""
    texts = ["-" if value in (None, "") else str(value) for value in values]
    few = [text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for text in texts[:LISTED]]
    return ", ".join(few) + (f" and {len(texts) - LISTED:,} others" if len(texts) > LISTED else "")
