"""Say what a reader made of a file: a line on standard error."""

import sys


def say(line: str) -> None:
    """Print a notice, as the other notices of the package are printed."""
    print(f"zsh_jax: {line}", file=sys.stderr)
