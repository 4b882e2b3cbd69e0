"""Run a sweep: `python launch.py --config experiments/sweep_bits.py[:dataset] [--config.KEY=VALUE ...]`."""

import sys
from collections.abc import Sequence

from absl import logging
from rich.console import Console

from zsh_jax.commands.configuration import SETTINGS, read_config
from zsh_jax.commands.sweep import run_sweep
from zsh_jax.errors import InputError

WIDTH = 180  # of tables that are not printed to a terminal


def main(arguments: Sequence[str]) -> int:
    """Run `launch.py`.

    Args:
        arguments: as in `sys.argv`.

    Returns:
        Exit status: 0; 1 where the disk failed, 2 for bad input, 3 where a solve was not finite, 130 if interrupted.
    """
    if {"-h", "-help", "--help"} & set(arguments[1:]):
        print(f"{__doc__}\n\n{SETTINGS}.")
        return 0
    logging.set_verbosity(logging.ERROR)  # TFDS warns of what it would rather have installed
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    try:
        return run_sweep(read_config(arguments), console)
    except InputError as error:
        print(f"launch.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"launch.py: {error}; what has ended is kept, and the same command goes on from there",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(
            "launch.py: interrupted; what has ended is kept, and the same command goes on from there",
            file=sys.stderr,
        )
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv))
