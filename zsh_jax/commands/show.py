"""Print the results of sweeps: `zsh-jax show WORKDIR [WORKDIR ...] [--where CONDITION] [--sort NAME]`."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from zsh_jax.command_line import check_workdirs, read_arguments
from zsh_jax.exits import end_as_status
from zsh_jax.takes import path, text

if TYPE_CHECKING:
    from zsh_jax.report.tables.table import Table


def main(arguments: Sequence[str]) -> int:
    """Run the command on arguments without the program's name.

    Returns:
        Exit status: 0; 1 if the disk failed, 2 for bad input, 130 after Ctrl-C, 143 after SIGTERM.
    """
    return end_as_status("zsh-jax show", lambda: _show(arguments), kept="nothing has been written")


def _show(arguments: Sequence[str]) -> int:
    takes = {"workdir": path()} | dict.fromkeys(("where", "columns", "sort"), text())
    options = read_arguments(_parser(), arguments, takes)
    check_workdirs(options.workdir)
    from zsh_jax.report.columns import resolved
    from zsh_jax.report.filters import filtered, read_filter
    from zsh_jax.report.read import read_sweeps
    from zsh_jax.report.series import unfinished
    from zsh_jax.report.tables.listing import cell_listing, columns_of, setting_listing

    sweeps = read_sweeps(options.workdir)
    rows = filtered(sweeps.rows, [read_filter(one, sweeps.rows) for one in options.where])
    columns = columns_of(options.columns, rows, "--columns")
    sort = resolved(options.sort, rows, "--sort") if options.sort else ""
    listing = cell_listing if options.cells else setting_listing
    table = listing(rows, columns, sort, reverse=options.reverse)
    notes = (*sweeps.damaged, *([sweeps.old] if sweeps.old else []))
    notes += () if options.cells else unfinished(rows)
    for line in notes:
        print(f"zsh_jax: {line}", file=sys.stderr)
    count = f"{len(rows):,} of {len(sweeps.rows):,} cells" if options.where else f"{len(rows):,} cells"
    caption = count if options.cells else f"{count}: {table.caption}"
    print_listing(table._replace(caption=caption), csv=options.csv)
    return 0


def print_listing(table: "Table", *, csv: bool) -> None:
    """Print a table as CSV, with every number in full precision, or for a reader."""
    from rich.console import Console

    from zsh_jax.report.columns import head_of
    from zsh_jax.report.printing import print_table
    from zsh_jax.report.table import as_rich
    from zsh_jax.report.tables.csv import comma_separated

    if csv:
        print(comma_separated(table), end="", flush=True)
    else:
        print_table(Console(), as_rich(table, head_of))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zsh-jax show",
        description="Print the results of one or more sweeps: mean and standard deviation over seeds of each setting. "
        "NAME is an axis, a metric of docs/metrics.md, precision@N, or a head of the printed table.",
    )
    parser.add_argument("workdir", nargs="+", help="folder of a sweep")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="CONDITION",
        help="keep the cells that meet it: 'method=zsh,sdh', 'bits>=32', 'unseen!=cat'; may be given several times",
    )
    parser.add_argument(
        "--sort", metavar="NAME", help="figures from the highest down, axes from the lowest up"
    )
    parser.add_argument("--reverse", action="store_true", help="turn the order round")
    parser.add_argument("--columns", nargs="+", default=[], metavar="NAME", help="columns to print")
    parser.add_argument("--cells", action="store_true", help="one line a cell instead of one a setting")
    parser.add_argument("--csv", action="store_true", help="print CSV, every number in full precision")
    return parser
