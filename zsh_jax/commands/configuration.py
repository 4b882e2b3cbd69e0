"""The configuration that a command line asks for."""

import re
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

from ml_collections import ConfigDict

from zsh_jax.commands.arguments import read_arguments
from zsh_jax.commands.experiment import load_experiment
from zsh_jax.commands.values import apply
from zsh_jax.errors import InputError
from zsh_jax.sweep.settings import check_settings, plain

SETTINGS = "zsh_jax/sweep/config.py has all settings and their defaults"


def read_config(arguments: Sequence[str]) -> ConfigDict:
    """The configuration that the command line asks for.

    Args:
        arguments: as in `sys.argv`.

    Returns:
        The locked configuration, with `workdir` set; every setting is of the kind and in the range that it takes.

    Raises:
        InputError: if the experiment, a key or a value is wrong.
    """
    asked = read_arguments(arguments)
    config = load_experiment(asked.experiment)
    try:
        config.to_dict()
        config.lock()
        for setting in asked.settings:
            apply(config, setting)
        return complete(config)
    except RecursionError:
        raise InputError(
            f"{asked.experiment}: its configuration holds itself; fix: mend the experiment"
        ) from None


def complete(config: ConfigDict) -> ConfigDict:
    """Check a configuration, and fill in where its results go.

    Args:
        config: as an experiment makes it, with what was changed.

    Returns:
        A locked copy, with `workdir` set; every setting is of the kind and in the range that it takes.

    Raises:
        InputError: a setting is wrong.
    """
    made: ConfigDict = deepcopy(config)
    plain(made)
    check_settings(made)
    with made.unlocked():
        made.workdir = str(_expanded(made.workdir or default_workdir(made)))
    return made.lock()


def default_workdir(config: ConfigDict) -> str:
    """Where results go if nothing is said: one folder below `runs`, whatever the data set is called."""
    return f"runs/{config.name}-{re.sub('[/:]', '-', config.dataset.name)}"


def _expanded(workdir: str) -> Path:
    try:
        return Path(workdir).expanduser()
    except RuntimeError:
        raise InputError(
            f"workdir: {workdir!r} names no user's folder; fix: --config.workdir=FOLDER"
        ) from None
