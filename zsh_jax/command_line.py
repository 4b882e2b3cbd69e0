"""Read the arguments of commands with argparse; an error is an `InputError` of one line."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from zsh_jax.errors import InputError
from zsh_jax.takes import Takes, check

LONGEST = 160  # characters of a message of argparse


def read_arguments(
    parser: argparse.ArgumentParser, arguments: Sequence[str], takes: Mapping[str, Takes]
) -> argparse.Namespace:
    """Read a command line.

    Args:
        parser: of the command.
        arguments: without the program's name.
        takes: valid values of each argument by its name, such as `out` for `--out`.

    Raises:
        InputError: an argument is unknown, missing, given twice, of the wrong type or out of range.
    """

    def refuse(message: str) -> NoReturn:
        said = " ".join(message.split())
        raise InputError(f"{said if len(said) <= LONGEST else f'{said[:LONGEST]}...'}; fix: see --help")

    parsers = list(_parsers(parser))
    for one in parsers:
        one.error = refuse  # type: ignore[method-assign]
    _check_once(parsers, arguments)
    options = parser.parse_args(arguments)
    for name, kind in takes.items():
        given = getattr(options, name, None)
        option = f"--{name.replace('_', '-')}" if _is_option(parsers, name) else name
        for value in given if isinstance(given, list) else [] if given is None else [given]:
            check(kind, option, value, f"fix: give another {option}")
    return options


def check_workdirs(workdirs: Sequence[str | Path]) -> None:
    """Refuse a workdir that is given twice, under whatever names.

    Raises:
        InputError: one is.
    """
    folders = [Path(workdir).resolve() for workdir in workdirs]
    twice = next((folder for folder in folders if folders.count(folder) > 1), None)
    if twice:
        raise InputError(f"workdir {twice} is given twice; fix: name each workdir once")


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and the parsers of its verbs, all without abbreviated options."""
    parser.allow_abbrev = False
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield from _parsers(one)


def _is_option(parsers: Sequence[argparse.ArgumentParser], name: str) -> bool:
    return any(
        action.dest == name and action.option_strings for parser in parsers for action in parser._actions
    )


def _check_once(parsers: Sequence[argparse.ArgumentParser], arguments: Sequence[str]) -> None:
    known = {
        option
        for parser in parsers
        for option, action in parser._option_string_actions.items()
        if not isinstance(action, argparse._AppendAction)  # these collect what is given several times
    }
    given = [one.partition("=")[0] for one in arguments]
    for option in given:
        if option in known and given.count(option) > 1:
            raise InputError(f"{option} is given twice; fix: give it once")
