"""Data sets on the command line: `python -m zsh_jax.data list | prepare NAME | features NAME FEATURES`."""

import sys
from collections.abc import Sequence

from zsh_jax.command_line import read_arguments
from zsh_jax.exits import end_as_status
from zsh_jax.interrupts import leave


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Args:
        arguments: command-line arguments without the program's name.

    Returns:
        Exit status: 0; 1 if the disk failed; 2 for bad input; 130 after Ctrl-C; 141 if the reader of the output closed
        the pipe; 143 after SIGTERM.
    """
    return end_as_status("zsh_jax.data", lambda: _run(arguments), kept="rerun the command to resume")


def _run(arguments: Sequence[str]) -> int:
    from zsh_jax.commands.data import TAKES, parser, run

    return run(read_arguments(parser(), arguments, TAKES))


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
