"""Make a report: `python -m zsh_jax.report WORKDIR [WORKDIR ...] [--out DIR]`."""

import argparse
import sys
from collections.abc import Sequence

from zsh_jax.command_line import check_workdirs, read_arguments
from zsh_jax.exits import end_as_status
from zsh_jax.interrupts import leave
from zsh_jax.takes import path


def main(arguments: Sequence[str]) -> int:
    """Run the command on arguments without the program's name.

    Returns:
        Exit status: 0; 1 if the disk failed, 2 for bad input, 130 after Ctrl-C, 143 after SIGTERM.
    """
    return end_as_status(
        "zsh_jax.report", lambda: _report(arguments), kept="rerun the same command to make the report"
    )


def _report(arguments: Sequence[str]) -> int:
    options = read_arguments(_parser(), arguments, {"workdir": path(), "out": path()})
    check_workdirs(options.workdir)
    from zsh_jax.report.write import write_report

    print(write_report(options.workdir, options.out), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m zsh_jax.report",
        description="Make a report (page, figures, tables) from the results.jsonl of one or more sweeps.",
    )
    parser.add_argument("workdir", nargs="+", help="folder of a sweep")
    parser.add_argument("--out", help="folder of the report (default: WORKDIR/report of the first sweep)")
    return parser


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
