"""Make a report: `python -m zsh_jax.report WORKDIR [WORKDIR ...] [--out DIR]`."""

import argparse
import sys
from collections.abc import Sequence

from zsh_jax.errors import InputError


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Args:
        arguments: without the program's name.

    Returns:
        Exit status: 0, 2 for bad input, 130 if interrupted.
    """
    asked = _parser().parse_args(arguments)
    from zsh_jax.report.write import write_report

    try:
        print(write_report(asked.workdir, asked.out))
    except InputError as error:
        print(f"zsh_jax.report: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("zsh_jax.report: interrupted; the same command makes the report anew", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m zsh_jax.report",
        description="Make a page, figures and tables of sweeps from their results.jsonl; several are merged.",
    )
    parser.add_argument("workdir", nargs="+", help="folder of a sweep")
    parser.add_argument("--out", help="folder of the report; WORKDIR/report of the first if not given")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
