"""Take one part of a sweep, so that several independent processes share it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ml_collections import ConfigDict

from zsh_jax.sweep.axes import DataSplit
from zsh_jax.sweep.grid import Group

FOLDER = "shards"
MOST = 100_000  # parts of one sweep


class Shard(NamedTuple):
    """One of several parts of a sweep.

    Attributes:
        number: of the part, from 1.
        of: number of parts.
    """

    number: int
    of: int

    def __str__(self) -> str:
        """As on the command line, such as `3/16`."""
        return f"{self.number}/{self.of}"

    @property
    def folder(self) -> str:
        """The part's own workdir below that of the sweep."""
        return f"{FOLDER}/{self.number}-of-{self.of}"


def parse_shard(text: object) -> Shard | None:
    """The part that a text such as `3/16` names; None if it names none."""
    found = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", text, re.ASCII) if isinstance(text, str) else None
    shard = found and Shard(*map(int, found.groups()))
    return shard if shard and shard.number <= shard.of <= MOST else None


def shard_of(config: ConfigDict) -> Shard | None:
    """The part that a configuration runs; None for the whole sweep."""
    return parse_shard(config.get("shard"))


def deal(every: Sequence[Group], shard: Shard | None) -> list[Group]:
    """The part of a sweep that a shard runs: every N-th data split with all its cells.

    So a split is prepared by one process, and neither memory nor devices of a process change its part. Splits of which
    there are fewer than shards are dealt once for each code length, method and variant.

    Args:
        every: groups of the whole sweep; equal in all processes, since they follow from the configuration.
        shard: which part; None for all.

    Returns:
        The groups of this part; none if there is less to do than there are parts.
    """
    if shard is None:
        return list(every)
    by_splits: dict[tuple[DataSplit, ...], list[Group]] = {}
    for group in every:
        by_splits.setdefault(group.splits, []).append(group)
    own: list[Group] = []
    dealt = 0
    for splits, same in by_splits.items():
        bundles = [same] if len(splits) >= shard.of else [[group] for group in same]
        for bundle in bundles:
            mine = tuple(
                split for place, split in enumerate(splits, dealt) if place % shard.of == shard.number - 1
            )
            own += [replace(group, splits=mine) for group in bundle if mine]
            dealt += len(splits)
    return own
