"""Join the parts of a sweep: `zsh-jax merge WORKDIR [WORKDIR ...]`."""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from zsh_jax.command_line import check_workdirs, read_arguments
from zsh_jax.errors import InputError
from zsh_jax.exits import end_as_status
from zsh_jax.takes import path

KEPT = "rerun the same command to merge the rest"


def main(arguments: Sequence[str]) -> int:
    """Run the command on arguments without the program's name.

    Returns:
        Exit status: 0; 1 if the disk failed, 2 for bad input, 130 after Ctrl-C, 143 after SIGTERM.
    """
    return end_as_status("zsh-jax merge", lambda: _merge(arguments), kept=KEPT)


def _merge(arguments: Sequence[str]) -> int:
    options = read_arguments(_parser(), arguments, {"workdir": path(), "parts": path()})
    into, parts = Path(options.workdir), [Path(part) for part in options.parts]
    from zsh_jax.sweep.shard import FOLDER
    from zsh_jax.tracking.lock import locked
    from zsh_jax.tracking.merge import merge

    if not parts:
        parts = sorted(folder for folder in (into / FOLDER).glob("*-of-*") if folder.is_dir())
        if not parts:
            raise InputError(f"{into} has no parts below {into / FOLDER}; fix: name them after the workdir")
    check_workdirs((into, *parts))
    missing = [str(part) for part in parts if not part.is_dir()]
    if missing:
        raise InputError(
            f"there is no workdir {', '.join(missing)}; fix: name the workdirs of finished parts"
        )
    try:
        with ExitStack() as stack:
            for folder in (into, *parts):  # a part that is still running is refused
                stack.enter_context(locked(folder))
            found = merge(into, parts)
    except InputError as error:
        raise InputError(
            str(error).replace("choose another --config.workdir", "name another workdir")
        ) from None
    print(f"{_counted(found.added, 'cell')} of {_counted(len(parts), 'workdir')} added to {into}", flush=True)
    if found.there:
        print(f"{_counted(found.there, 'cell')} of them there already", flush=True)
    if found.empty:
        print(f"{_counted(found.empty, 'workdir')} without a finished cell", flush=True)
    if found.damaged:
        print(f"{_counted(found.damaged, 'damaged line')} left behind; their cells run again", flush=True)
    print(
        "rerun the sweep with this workdir and without a part: it runs what is missing, and makes the report"
    )
    return 0


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zsh-jax merge",
        description="Join the parts of a sweep that several processes ran with --config.shard.",
    )
    parser.add_argument("workdir", help="folder of the whole sweep; created if needed")
    parser.add_argument(
        "parts", nargs="*", metavar="part", help="workdir of a part (default: all below WORKDIR/shards)"
    )
    return parser
