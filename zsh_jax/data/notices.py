"""What readers and commands say of data: lines on standard error, and numbers in words."""

import sys


def say(line: str) -> None:
    """Print a notice, as the other notices of the package are printed."""
    print(f"zsh_jax: {line}", file=sys.stderr)


def counted_classes(number: int) -> str:
    """A number of classes, in words."""
    return "1 class" if number == 1 else f"{number:,} classes"
