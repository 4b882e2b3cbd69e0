"""Take one part of a sweep, so that several independent processes share it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ml_collections import ConfigDict

from zsh_jax.errors import InputError
from zsh_jax.sweep.axes import DataSplit
from zsh_jax.sweep.plan import Batch, Plan

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


def deal(plan: Plan, shard: Shard | None) -> Plan:
    """The part of a plan that a shard runs: every N-th chunk of data splits with all its batches.

    A chunk is prepared once, by the shard that has it. A plan with fewer chunks than shards is dealt by batches.

    Args:
        plan: of the whole sweep; equal in all processes, since it follows from the configuration and the data.
        shard: which part; None for all.

    Returns:
        The plan with the batches of this part.

    Raises:
        InputError: if nothing is left for this part.
    """
    if shard is None:
        return plan
    chunks: dict[tuple[DataSplit, ...], list[Batch]] = {}
    for batch in plan.batches:
        chunks.setdefault(batch.splits, []).append(batch)
    dealt: Sequence[Sequence[Batch]] = list(chunks.values())
    if len(dealt) < shard.of:
        dealt = [[batch] for batch in plan.batches]
    own = [batch for chunk in dealt[shard.number - 1 :: shard.of] for batch in chunk]
    if not own:
        raise InputError(
            f"shard: part {shard} is empty, since the sweep has only {len(dealt)} batches; fix: "
            f"--config.shard=I/{len(dealt)}"
        )
    return replace(plan, batches=tuple(own))
