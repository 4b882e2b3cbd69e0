"""Run a sweep: `python launch.py --config experiments/sweep_bits.py[:dataset] [--config.KEY=VALUE ...]`."""

import shlex
from collections.abc import Sequence

from zsh_jax.exits import NOT_FINITE, end_as_status

WIDTH = 180  # of lines outside a terminal; tables are as wide as they need to be
KEPT = "finished cells are saved; rerun the same command to resume"


def main(arguments: Sequence[str], program: Sequence[str] = ("python", "launch.py")) -> int:
    """Run a sweep from the command line.

    Args:
        arguments: as in `sys.argv`.
        program: first words of the command; the last one is its name in messages.

    Returns:
        Exit status: 0; 1 if the disk failed, 2 for bad input, 3 if a solve was not finite, 130 after Ctrl-C,
        143 after SIGTERM.
    """
    return end_as_status(program[-1], lambda: _launch(arguments, program), kept=KEPT)


def _launch(arguments: Sequence[str], program: Sequence[str]) -> int:
    # Imported here: this takes seconds, and signals must be handled meanwhile.
    from absl import logging
    from rich.console import Console

    from zsh_jax.commands.configuration import SETTINGS, read_config
    from zsh_jax.commands.experiment import shipped_experiments
    from zsh_jax.commands.sweep import run_sweep

    if {"-h", "-help", "--help"} & set(arguments[1:]):
        print(f"{__doc__}\n\nExperiments by name: {', '.join(shipped_experiments())}.\n{SETTINGS}.")
        return 0
    logging.set_verbosity(logging.ERROR)  # silence TFDS warnings about missing packages
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    command = shlex.join([*program[:-1], *arguments])
    rows = run_sweep(read_config(arguments), console, command)
    return NOT_FINITE if any(row["status"] == "non_finite" for row in rows) else 0
