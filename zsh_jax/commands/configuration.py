"""Make the configuration of a command line."""

import re
from collections.abc import Sequence
from pathlib import Path

from ml_collections import ConfigDict

from zsh_jax.commands.agent import agent_folder, check_agent, take_agent_run
from zsh_jax.commands.arguments import read_arguments
from zsh_jax.commands.experiment import load_experiment
from zsh_jax.commands.optuna_studies import check_study
from zsh_jax.commands.values import apply
from zsh_jax.errors import InputError
from zsh_jax.sweep.plain_numbers import plain
from zsh_jax.sweep.settings import check_settings
from zsh_jax.sweep.shard import shard_of

SETTINGS = "zsh_jax/sweep/config.py lists all settings and their defaults"


def read_config(arguments: Sequence[str]) -> ConfigDict:
    """The configuration of a command line: of its experiment, with its settings.

    Args:
        arguments: as in `sys.argv`.

    Returns:
        The locked configuration, with `workdir` set; every setting is valid.

    Raises:
        InputError: if the experiment, a key or a value is wrong.
    """
    command = read_arguments(arguments)
    config = load_experiment(command.experiment)
    try:
        config.to_dict()
        config.lock()
        for setting in command.settings:
            apply(config, setting)
        take_agent_run(config)
        return complete(config)
    except RecursionError:
        raise InputError(
            f"{command.experiment}: its configuration contains itself; fix: correct the experiment"
        ) from None


def complete(config: ConfigDict) -> ConfigDict:
    """Check a configuration, and set its `workdir` if it has none.

    Args:
        config: of an experiment, with the user's changes.

    Returns:
        A locked copy, with `workdir` set; every setting is valid.

    Raises:
        InputError: a setting is invalid.
    """
    made: ConfigDict = config.copy_and_resolve_references()
    plain(made)
    check_settings(made)
    check_agent(made)
    check_study(made)
    with made.unlocked():
        made.workdir = str(_own_folder(_expanded(made.workdir or default_workdir(made)), made))
    return made.lock()


def _own_folder(workdir: Path, config: ConfigDict) -> Path:
    """The workdir of this process: below that of the sweep if it runs one part of it, or is one run of an agent."""
    workdir = agent_folder(workdir, config)
    shard = shard_of(config)
    if shard is None or workdir.parts[-2:] == Path(shard.folder).parts:  # completed already
        return workdir
    return workdir / shard.folder


def default_workdir(config: ConfigDict) -> str:
    """The default workdir: one folder below `runs`, whatever the name of the data set."""
    return f"runs/{config.name}-{re.sub('[/:]', '-', config.dataset.name)}"


def _expanded(workdir: str) -> Path:
    try:
        return Path(workdir).expanduser()
    except RuntimeError:
        raise InputError(f"workdir: {workdir!r} has no home folder; fix: --config.workdir=FOLDER") from None
