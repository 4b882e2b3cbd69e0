"""Run a sweep: `python launch.py --config experiments/sweep_bits.py[:dataset] [--config.KEY=VALUE ...]`."""

import sys

from zsh_jax.commands.launch import main
from zsh_jax.interrupts import leave

if __name__ == "__main__":
    leave(main(sys.argv))
