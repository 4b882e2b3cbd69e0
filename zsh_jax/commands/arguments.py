"""Split a command line into its experiment and its settings."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from zsh_jax.errors import InputError

NO_EXPERIMENT = "no experiment given; fix: give one, as in --config experiments/sweep_bits.py"


class Setting(NamedTuple):
    """One flag.

    Attributes:
        key: such as `sweep.bits`.
        value: text of the value; None for none.
        off: whether it has the form `--noconfig.KEY`.
        given: the flag as typed, without its value.
    """

    key: str
    value: str | None
    off: bool
    given: str


class CommandLine(NamedTuple):
    """The experiment, `FILE[:ARGUMENT]`, and the settings in their order."""

    experiment: str
    settings: tuple[Setting, ...]


def read_arguments(arguments: Sequence[str]) -> CommandLine:
    """Split a command line.

    A value follows an equals sign, or is the next argument; `--config.KEY` alone and `--noconfig.KEY` set a boolean.
    One dash works as well as two.

    Args:
        arguments: as in `sys.argv`.

    Raises:
        InputError: there is no experiment, an argument is not a setting, or a setting is given twice.
    """
    experiments: list[str] = []
    settings: list[Setting] = []
    rest = list(arguments[1:])
    while rest:
        argument = rest.pop(0)
        flag, equals, value = argument.partition("=")
        name = flag.removeprefix("-").removeprefix("-") if flag.startswith("-") else ""
        has_next = bool(rest) and not re.match("--|-(no)?config", rest[0])
        if name == "config":
            experiments.append(value if equals else rest.pop(0) if has_next else "")
        elif name.startswith("noconfig."):
            if equals:
                raise InputError(f"{flag} takes no value; fix: --{name.removeprefix('no')}=False")
            settings.append(Setting(name.removeprefix("noconfig."), None, True, flag))
        elif name.startswith("config."):
            # The next argument is its value, unless that is a setting too: booleans need no value.
            text = value if equals else rest.pop(0) if has_next else None
            settings.append(Setting(name.removeprefix("config."), text, False, flag))
        else:
            raise InputError(f"unexpected argument {argument!r}; fix: give settings as --config.KEY=VALUE")
    if not experiments or not experiments[0]:
        raise InputError(NO_EXPERIMENT)
    if len(experiments) > 1:
        raise InputError(f"--config is given {len(experiments)} times; fix: give one experiment")
    _check_once(settings)
    return CommandLine(experiments[0], tuple(settings))


def _check_once(settings: Sequence[Setting]) -> None:
    """Refuse a setting that is given twice: one of the two is a mistake."""
    for place, setting in enumerate(settings):
        for earlier in settings[:place]:
            if earlier.key == setting.key:
                raise InputError(
                    f"--config.{setting.key} is given twice; fix: give it once, with all values in one tuple"
                )
            if earlier.key.startswith(f"{setting.key}."):
                raise InputError(
                    f"--config.{setting.key} would override --config.{earlier.key}; fix: give it first"
                )
