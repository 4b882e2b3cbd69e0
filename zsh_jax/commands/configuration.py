"""The configuration that a command line asks for."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from absl import flags
from ml_collections import ConfigDict, config_flags

from zsh_jax.data.nearest import nearest_names
from zsh_jax.errors import InputError

SETTINGS = "zsh_jax/sweep/config.py has all settings and their defaults"


def read_config(arguments: Sequence[str]) -> ConfigDict:
    """The configuration that the command line asks for.

    Args:
        arguments: as in `sys.argv`.

    Returns:
        The locked configuration, with `workdir` set.

    Raises:
        InputError: if the experiment, a key or a value is wrong.
    """
    experiment = _experiment(arguments)
    # Twice: first without the settings, so that what fails then is the experiment, and keys can be checked.
    config, _ = _parse([arguments[0], f"--config={experiment}"], f"{experiment} cannot be read")
    for argument in arguments[1:]:
        setting = re.match(r"--?(?:no)?config\.([^=]*)", argument)
        if setting:
            _check_key(config, setting[1])
    config, rest = _parse(arguments, "the command line cannot be read")
    if rest:
        raise InputError(f"unexpected argument {rest[0]!r}; settings are given as --config.KEY=VALUE")
    if not config.workdir:
        config.workdir = f"runs/{config.name}-{config.dataset.name}"
    return config


def _experiment(arguments: Sequence[str]) -> str:
    """What is given as --config: a file, and perhaps a colon and what its `get_config` is to be told."""
    given = ""
    for argument, following in pairwise([*arguments, ""]):
        name, equals, value = argument.partition("=")
        if name in ("-config", "--config"):
            given = value if equals else following
    file = given.partition(":")[0]
    if not file:
        raise InputError("no experiment given; give one, as in --config experiments/sweep_bits.py")
    if not Path(file).is_file():
        raise InputError(f"there is no experiment {file}; give one, as in --config experiments/sweep_bits.py")
    return given


def _check_key(config: ConfigDict, setting: str) -> None:
    here: Any = config
    for key in setting.split("."):
        if not isinstance(here, ConfigDict):
            raise InputError(f"there is no setting --config.{setting}, for what is before .{key} is a value")
        if key not in here:
            raise InputError(f"there is no setting --config.{setting}; {nearest_names(key, here.keys())}")
        here = here[key]


def _parse(arguments: Sequence[str], trouble: str) -> tuple[ConfigDict, list[str]]:
    """The configuration, and the arguments that are no flags."""
    parsed = flags.FlagValues()  # of this call alone, not of the process
    config_flags.DEFINE_config_file("config", None, "", flag_values=parsed, sys_argv=list(arguments))
    try:
        rest = parsed(list(arguments))
        config: Any = parsed["config"].value
        config.name  # noqa: B018  a file that could not be read says so at the first access
    except (flags.Error, AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        # What was raised first says most; flags and configurations wrap it in lines of their own.
        chain: list[BaseException] = [error]
        while inner := chain[-1].__cause__ or chain[-1].__context__:
            chain.append(inner)
        for one in chain[::-1]:
            if isinstance(one, InputError):
                raise one from None
        if isinstance(error, flags.IllegalFlagValueError) and len(chain) > 1:
            flag = str(error).partition(": ")[0]
            raise InputError(f"{flag} is not of the right kind ({chain[1]}); {SETTINGS}") from None
        said = " ".join(str(chain[-1]).split())
        raise InputError(f"{trouble} ({type(chain[-1]).__name__}: {said}); {SETTINGS}") from None
    return config, rest[1:]
