"""Count the passes that batches of a finished sweep make on an accelerator, in lockstep and with compaction.

    python scripts/compacted_passes.py WORKDIR/results.jsonl

A batch has the cells of one method, variant and code length; cells that share their training data and a factorisation
are a group (`zsh_jax.core.compaction`). Nothing is trained and nothing is timed: from the iterations of each cell
follows when it rests, hence how wide the batch is in each pass.
"""

import argparse
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zsh_jax import METHODS
from zsh_jax.core.compaction import part_width
from zsh_jax.tracking.results import read_results


class Count(NamedTuple):
    """Of a batch: passes and gathers, both counted in groups, and passes that wait for each other, of any width."""

    passes: int
    gathered: int
    in_turn: int


def compacted(iterations: Sequence[int]) -> Count:
    """What a batch does: passes over all groups until half of them rest, then over one part after the other.

    Args:
        iterations: of each group, those of its slowest cell.

    Returns:
        Its passes, those on groups that rest but are still in the batch or part included.
    """
    groups, width = len(iterations), part_width(len(iterations))
    whole = sorted(iterations)[max(groups // 2 - 1, 0)]  # half of the groups, rounded up, may need more
    left = [count - whole for count in iterations if count > whole]
    parts = [left[first : first + width] for first in range(0, len(left), width)]
    slowest = sum(max(part) for part in parts)
    return Count(groups * whole + width * slowest, width * len(parts), whole + slowest)


def main() -> None:
    """Print a row for each batch."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path, help="results.jsonl of a workdir")
    batches: dict[Hashable, dict[Hashable, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in read_results(parser.parse_args().results):
        batch = row["method"], row["variant"], row["bits"]
        batches[batch][_group(row)].append(row["iterations"])
    print("| method | bits | cells | groups | needed | in lockstep | compacted | gathered | in turn |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (method, variant, bits), groups in sorted(batches.items()):  # type: ignore[misc]
        cells = sum(map(len, groups.values()))
        slowest = [max(counts) for counts in groups.values()]
        needed, lockstep = sum(slowest), len(groups) * max(slowest)
        figures = (bits, cells, len(groups), needed, lockstep, *compacted(slowest))
        print("|", " | ".join(map(str, (f"{method} {variant}".strip(), *figures))), "|")


def _group(row: dict[str, Any]) -> Hashable:
    """The data split of a result, and the weights that its factorisation depends on."""
    return row["unseen"], row["seed"], *(row[name] for name in METHODS[row["method"]].shared)


if __name__ == "__main__":
    main()
