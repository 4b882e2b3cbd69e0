"""The command: `python -m benchmarks`; `--help` lists its options."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.compare import compare, compared_table
from benchmarks.row import Cifar, Settings
from benchmarks.rows import ROWS
from benchmarks.sizes import FULL, SMALL
from benchmarks.table import circumstances, table, write
from benchmarks.timing import Budget


def main(arguments: Sequence[str]) -> int:
    """Measure rows, and print their table."""
    asked = _parser().parse_args(arguments)
    # Children run on the same device: this process must not take all of its memory.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    budget = Budget(asked.rounds, asked.seconds)
    cifar = None if asked.cifar is None else Cifar(*asked.cifar)
    settings = Settings(SMALL if asked.small else FULL, budget, not asked.without_numpy, cifar)
    names = asked.only or [row.name for row in ROWS]
    chosen = []
    for row in ROWS:
        if row.name in names:
            reason = row.why_not(settings)
            print(f"{row.name}: {reason or 'to do'}", file=sys.stderr)
            chosen += [] if reason else [row]
    if asked.compare is not None:
        options = ["--rounds", str(asked.rounds), "--seconds", str(asked.seconds)]
        options += ["--small"] if asked.small else []
        options += ["--cifar", *(str(path.resolve()) for path in cifar)] if cifar else []
        compared = compare(
            asked.compare, [row.name for row in chosen], options, rounds=asked.turns, python=asked.python
        )
        print(compared_table(compared, asked.compare))
        return 0
    results = []
    for row in chosen:
        start = time.perf_counter()
        results += row.measure(settings)
        print(f"{row.name}: done in {time.perf_counter() - start:.0f} s", file=sys.stderr)
    where = circumstances(settings)
    print(f"{where['device']}; {where['processor']}, {where['cores']} cores; commit {where['commit']}")
    print(table(results))
    if asked.json is not None:
        write(asked.json, results, where)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description="Time each stage; see docs/performance.md."
    )
    parser.add_argument(
        "--only", nargs="+", choices=[row.name for row in ROWS], metavar="NAME", help="rows to measure"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here too")
    parser.add_argument(
        "--small", action="store_true", help="small sizes: a quick check of the programs, no times"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each row (default 5)")
    parser.add_argument(
        "--seconds", type=float, default=60, help="no round starts after this time (default 60)"
    )
    parser.add_argument("--without-numpy", action="store_true", help="do not time the NumPy implementation")
    parser.add_argument(
        "--cifar",
        type=Path,
        nargs=3,
        metavar=("DATA_DIR", "FEATURES", "VECTORS"),
        help="time the CIFAR-10 sweep",
    )
    parser.add_argument("--compare", metavar="REV", help="measure this commit and another, in turns")
    parser.add_argument(
        "--python",
        default=sys.executable,
        metavar="FILE",
        help="interpreter for REV, if it needs other libraries",
    )
    parser.add_argument("--turns", type=int, default=3, help="child processes of each commit, with --compare")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
