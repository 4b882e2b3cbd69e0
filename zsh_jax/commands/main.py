"""The command of an installed package: `zsh-jax VERB`; `VERBS` has them all."""

import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn

from zsh_jax.exits import INPUT, end_as_status
from zsh_jax.interrupts import leave

PROGRAM = "zsh-jax"


def main(arguments: Sequence[str]) -> int:
    """Run a verb with its arguments; returns the exit status, see `zsh_jax.exits`."""
    verb, rest = (arguments[0] if arguments else ""), arguments[1:]
    if verb in VERBS:
        return VERBS[verb](rest)
    return end_as_status(PROGRAM, lambda: _answer(verb), kept="nothing was run")


def _answer(verb: str) -> int:
    if verb not in ("-h", "--help"):
        print(f"{PROGRAM}: takes {', '.join(VERBS)}, not {verb!r}\n{_usage()}", file=sys.stderr)
        return INPUT
    print(_usage(), flush=True)
    return 0


def _sweep(arguments: Sequence[str]) -> int:
    from zsh_jax.commands.launch import main as launch

    return launch(["sweep", *arguments], (PROGRAM, "sweep"))


def _merge(arguments: Sequence[str]) -> int:
    from zsh_jax.commands.merge import main as merge

    return merge(arguments)


def _report(arguments: Sequence[str]) -> int:
    from zsh_jax.report.__main__ import main as report

    return report(arguments)


def _leaderboard(arguments: Sequence[str]) -> int:
    from zsh_jax.commands.leaderboard import main as leaderboard

    return leaderboard(arguments)


def _show(arguments: Sequence[str]) -> int:
    from zsh_jax.commands.show import main as show

    return show(arguments)


def _diff(arguments: Sequence[str]) -> int:
    from zsh_jax.commands.diff import main as diff

    return diff(arguments)


def _evaluate(arguments: Sequence[str]) -> int:
    from zsh_jax.commands.evaluate import main as evaluate

    return evaluate(arguments)


def _encode(arguments: Sequence[str]) -> int:
    from zsh_jax.commands.encode import main as encode

    return encode(arguments)


def _export(arguments: Sequence[str]) -> int:
    from zsh_jax.export.__main__ import main as export

    return export(arguments)


def _data(arguments: Sequence[str]) -> int:
    from zsh_jax.data.__main__ import main as data

    return data(arguments)


def _demo(arguments: Sequence[str]) -> int:
    from zsh_jax.commands.demo import main as demo

    return demo(arguments)


def _search_page(arguments: Sequence[str]) -> int:
    from zsh_jax.commands.search_page import main as search_page

    return search_page(arguments)


def _wandb_check(arguments: Sequence[str]) -> int:
    from zsh_jax.commands.wandb_check import main as wandb_check

    return wandb_check(arguments)


VERBS: Mapping[str, Callable[[Sequence[str]], int]] = MappingProxyType(
    {
        "demo": _demo,
        "sweep": _sweep,
        "merge": _merge,
        "report": _report,
        "show": _show,
        "diff": _diff,
        "leaderboard": _leaderboard,
        "evaluate": _evaluate,
        "encode": _encode,
        "export": _export,
        "data": _data,
        "search-page": _search_page,
        "wandb-check": _wandb_check,
    }
)
ABOUT = {
    "demo": "from a folder of images to a search page in the browser: [FOLDER]",
    "sweep": "run a sweep: --config EXPERIMENT[:DATASET] [--config.KEY=VALUE ...]",
    "merge": "join the parts of a sweep that several processes ran: WORKDIR [WORKDIR ...]",
    "report": "make a report of sweeps: WORKDIR [WORKDIR ...] [--out DIR]",
    "show": "print results: WORKDIR [WORKDIR ...] [--where CONDITION] [--sort NAME] [--cells] [--csv]",
    "diff": "compare two sweeps cell by cell, with intervals: WORKDIR WORKDIR [--where CONDITION] [--metric NAME]",
    "leaderboard": "rank the methods of sweeps, with provenance: WORKDIR [WORKDIR ...] [--out FILE]",
    "evaluate": "judge saved codes of any program by every rule of mAP: QUERY DATABASE [--bits L] [--json OUT]",
    "encode": "encode files of features, larger than memory perhaps: MODEL FEATURES OUT.npy",
    "export": "codes, an index or a hash function for other programs: MODEL [--features FILE] --out OUT",
    "search-page": "one HTML file that searches the images of a finished sweep: WORKDIR [--out FILE]",
    "wandb-check": "compare offline runs of Weights & Biases with the results: WORKDIR [WORKDIR ...]",
    "data": "list and prepare data sets, extract features: list | prepare NAME | features NAME FEATURES",
}


def _usage() -> str:
    lines = [f"  {PROGRAM} {verb:11} {ABOUT[verb]}" for verb in VERBS]
    return "\n".join([*lines, f"  {PROGRAM} VERB --help shows the arguments of a verb"])


def run() -> NoReturn:
    """Run the command as the console script."""
    leave(main(sys.argv[1:]))
