"""A command line cut into its experiment and the settings that it changes."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from zsh_jax.errors import InputError

NO_EXPERIMENT = "no experiment given; give one, as in --config experiments/sweep_bits.py"


class Setting(NamedTuple):
    """One flag.

    Attributes:
        key: such as `sweep.bits`.
        value: the text that it is given; None for none.
        off: whether it is of the form `--noconfig.KEY`.
        given: the flag as it stands, without its value.
    """

    key: str
    value: str | None
    off: bool
    given: str


class CommandLine(NamedTuple):
    """What a command line asks for: `FILE[:ARGUMENT]`, and the settings in the order in which they stand."""

    experiment: str
    settings: tuple[Setting, ...]


def read_arguments(arguments: Sequence[str]) -> CommandLine:
    """Cut a command line.

    A value stands after an equals sign, or is the next argument; `--config.KEY` alone and `--noconfig.KEY` are for
    settings that are true or false. One dash does as well as two.

    Args:
        arguments: as in `sys.argv`.

    Returns:
        Its parts.

    Raises:
        InputError: there is no experiment, an argument is no setting, or one is given twice.
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
            # The next argument is its value, unless that is a setting too: those of True and False need none.
            text = value if equals else rest.pop(0) if has_next else None
            settings.append(Setting(name.removeprefix("config."), text, False, flag))
        else:
            raise InputError(f"unexpected argument {argument!r}; settings are given as --config.KEY=VALUE")
    if not experiments or not experiments[0]:
        raise InputError(NO_EXPERIMENT)
    if len(experiments) > 1:
        raise InputError(f"--config is given {len(experiments)} times; fix: give one experiment")
    _check_once(settings)
    return CommandLine(experiments[0], tuple(settings))


def _check_once(settings: Sequence[Setting]) -> None:
    """A setting that is given twice is a slip, whichever of the two was meant."""
    for place, setting in enumerate(settings):
        for earlier in settings[:place]:
            if earlier.key == setting.key:
                raise InputError(
                    f"--config.{setting.key} is given twice; fix: give it once, with all values in one tuple"
                )
            if earlier.key.startswith(f"{setting.key}."):
                raise InputError(
                    f"--config.{setting.key} would change what --config.{earlier.key} has set; fix: give it first"
                )
