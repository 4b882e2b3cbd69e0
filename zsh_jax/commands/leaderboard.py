"""Rank methods by the results of sweeps: `zsh-jax leaderboard WORKDIR [WORKDIR ...] [--out FILE]`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from zsh_jax.atomic import cannot_write, write_whole
from zsh_jax.command_line import check_workdirs, read_arguments
from zsh_jax.errors import InputError
from zsh_jax.exits import end_as_status
from zsh_jax.takes import path


def main(arguments: Sequence[str]) -> int:
    """Run the command on arguments without the program's name.

    Returns:
        Exit status: 0; 1 if the disk failed, 2 for bad input, 130 after Ctrl-C, 143 after SIGTERM.
    """
    return end_as_status("zsh-jax leaderboard", lambda: _rank(arguments), kept="rerun the same command")


def _rank(arguments: Sequence[str]) -> int:
    options = read_arguments(_parser(), arguments, {"workdir": path(), "out": path()})
    check_workdirs(options.workdir)
    out = None if options.out is None else Path(options.out)
    if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise InputError(f"{out} cannot be written: it needs a folder that exists; fix: choose another --out")
    from zsh_jax.report.leaderboard import leaderboard

    page = leaderboard(options.workdir)
    if out is None:
        print(page, end="", flush=True)
        return 0
    try:
        write_whole(out, page.encode())
    except OSError as error:
        raise cannot_write(out, error, "choose another --out") from None
    print(out, flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zsh-jax leaderboard",
        description="Rank methods on each data set by the results of one or more sweeps, with their provenance.",
    )
    parser.add_argument("workdir", nargs="+", help="folder of a sweep")
    parser.add_argument("--out", help="Markdown file to write (default: print it)")
    return parser
