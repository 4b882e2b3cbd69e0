"""Compare the offline runs of Weights & Biases with the results: `zsh-jax wandb-check WORKDIR [WORKDIR ...]`."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zsh_jax.command_line import check_workdirs, read_arguments
from zsh_jax.errors import InputError
from zsh_jax.exits import end_as_status
from zsh_jax.takes import path

if TYPE_CHECKING:
    from zsh_jax.tracking.wandb_check import Checked


def main(arguments: Sequence[str]) -> int:
    """Run the command on arguments without the program's name.

    Returns:
        Exit status: 0 if each cell has one run with equal figures; 1 if the disk failed, 2 for bad input or a run that
        is missing, there twice or different, 130 after Ctrl-C, 143 after SIGTERM.
    """
    return end_as_status("zsh-jax wandb-check", lambda: _check(arguments), kept="nothing has been written")


def _check(arguments: Sequence[str]) -> int:
    options = read_arguments(_parser(), arguments, {"workdir": path()})
    check_workdirs(options.workdir)
    from zsh_jax.tracking.wandb_check import check_runs, run_of_agent

    agents = {workdir: run_of_agent(workdir) for workdir in options.workdir}
    for workdir, run in agents.items():
        if run:
            told = f"a sweep of an agent; its run {run} has means, and its cells have no runs"
            print(f"{workdir}: {told}", flush=True)
    found = {workdir: check_runs(workdir) for workdir, run in agents.items() if not run}
    for workdir, one in found.items():
        if one.is_whole:
            beside = f"; {_counted(one.online)} not compared" if one.online else ""
            offline = one.cells - one.online
            told = "1 cell, with" if offline == 1 else f"{offline:,} cells, each with"
            print(f"{workdir}: {told} one offline run of equal figures{beside}", flush=True)
    wrong = next((workdir for workdir, one in found.items() if not one.is_whole), None)
    if wrong is None:
        return 0
    folder = Path(wrong)
    raise InputError(
        f"{wrong}, {found[wrong].cells:,} cells: {'; '.join(said(found[wrong]))}; fix: remove {folder / 'wandb'} and "
        f"{folder / 'wandb.jsonl'}, then rerun the sweep: it writes all runs again"
    )


def said(found: "Checked") -> Iterator[str]:
    """What is wrong, in words, with the first cell of each kind."""
    if found.missing:
        yield f"{len(found.missing):,} without a run ({_first(found.missing)})"
    if found.several:
        yield f"{len(found.several):,} with several runs ({_first(found.several)})"
    if found.unlike:
        cell, words = next(iter(found.unlike.items()))
        more = ", ..." if len(found.unlike) > 1 else ""
        yield f"{len(found.unlike):,} with other figures ({cell}: {words}{more})"
    if found.foreign:
        yield f"{found.foreign:,} run{'s' * (found.foreign > 1)} of no finished cell"


def _counted(online: int) -> str:
    return "1 online run is" if online == 1 else f"{online:,} online runs are"


def _first(cells: Sequence[str]) -> str:
    return ", ".join([*cells[:2], *(["..."] if len(cells) > 2 else [])])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zsh-jax wandb-check",
        description="Read the files of the offline runs of Weights & Biases, and compare them with results.jsonl: each "
        "cell has exactly one run, with the same settings and figures. Use it before `wandb sync`. Needs no network.",
    )
    parser.add_argument("workdir", nargs="+", help="folder of a sweep")
    return parser
