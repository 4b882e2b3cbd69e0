"""Compare two sweeps cell by cell: `zsh-jax diff A B [--where CONDITION] [--metric NAME]`."""

import argparse
import sys
from collections.abc import Sequence

from zsh_jax.command_line import check_workdirs, read_arguments
from zsh_jax.commands.show import print_listing
from zsh_jax.errors import InputError
from zsh_jax.exits import end_as_status
from zsh_jax.takes import path, text


def main(arguments: Sequence[str]) -> int:
    """Run the command on arguments without the program's name.

    Returns:
        Exit status: 0; 1 if the disk failed, 2 for bad input, 130 after Ctrl-C, 143 after SIGTERM.
    """
    return end_as_status("zsh-jax diff", lambda: _diff(arguments), kept="nothing has been written")


def _diff(arguments: Sequence[str]) -> int:
    takes = dict.fromkeys(("first", "second"), path()) | dict.fromkeys(("where", "metric"), text())
    options = read_arguments(_parser(), arguments, takes)
    check_workdirs((options.first, options.second))
    from rich.console import Console

    from zsh_jax.report.cell_pairs import pair_cells
    from zsh_jax.report.columns import kind_of, resolved, scalar_columns
    from zsh_jax.report.filters import filtered, read_filter
    from zsh_jax.report.printing import say
    from zsh_jax.report.read import read_sweeps
    from zsh_jax.report.summary import IDENTITY
    from zsh_jax.report.tables.pairs import described, not_finite, pairs_table

    sweeps = [read_sweeps([workdir]) for workdir in (options.first, options.second)]
    every = [row for one in sweeps for row in one.rows]
    conditions = [read_filter(one, every) for one in options.where]
    sides = []
    for one in sweeps:
        own = scalar_columns(one.rows)  # of the axes of a method, one of the two may have none
        sides.append(filtered(one.rows, [condition for condition in conditions if condition.name in own]))
    metric = resolved(options.metric, every, "--metric")
    if metric in IDENTITY or kind_of(metric, (row.get(metric) for row in every)) is str:
        raise InputError(f"--metric: {metric} is not a metric; fix: use one, such as mAP or precision@100")
    found = pair_cells(*sides)
    for workdir, one in zip((options.first, options.second), sweeps, strict=True):
        for line in (*one.damaged, *([one.old] if one.old else [])):
            print(f"zsh_jax: {workdir}: {line}", file=sys.stderr)
    console = Console(stderr=options.csv)
    for name, workdir, rows in zip("AB", (options.first, options.second), sides, strict=True):
        say(console, f"{name}: {workdir}, {len(rows):,} cells")
    failed = not_finite(found.pairs, metric)
    for line in (*described(found), *([f"pairs left out, not finite: {failed:,}"] if failed else [])):
        say(console, line)
    print_listing(pairs_table(found, metric), csv=options.csv)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zsh-jax diff",
        description="Compare two sweeps. Cells are paired by their identity without what differs between the sweeps; "
        "unseen classes, code length and seed are always shared. A positive difference: B has more.",
    )
    parser.add_argument("first", metavar="A", help="folder of a sweep")
    parser.add_argument("second", metavar="B", help="folder of another")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="CONDITION",
        help="keep the cells that meet it, see zsh-jax show; an axis that one sweep lacks selects in the other alone",
    )
    parser.add_argument("--metric", default="mean_average_precision", metavar="NAME", help="default: mAP")
    parser.add_argument("--csv", action="store_true", help="print CSV, every number in full precision")
    return parser
