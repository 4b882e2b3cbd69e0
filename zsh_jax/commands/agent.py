"""A sweep as one run of a W&B agent, which chooses its settings, starts the command and sets variables."""

import os
from pathlib import Path

from ml_collections import ConfigDict

from zsh_jax.errors import InputError

FOLDER = "agents"  # below the workdir: agents may run side by side, and a workdir has one owner
SWEEP, RUN = "WANDB_SWEEP_ID", "WANDB_RUN_ID"  # both set by an agent


def take_agent_run(config: ConfigDict) -> None:
    """Take the run of the agent that has started this process, if one has; changes the configuration in place."""
    if os.environ.get(SWEEP) and RUN in os.environ and isinstance(config.get("wandb"), ConfigDict):
        with config.unlocked():
            config.wandb.run_id = os.environ[RUN]


def agent_folder(workdir: Path, config: ConfigDict) -> Path:
    """The workdir of one run of an agent: below that of all of them."""
    run = config.wandb.run_id
    if run is None or workdir.parts[-2:] == (FOLDER, run):  # completed already
        return workdir
    return workdir / FOLDER / run


def check_agent(config: ConfigDict) -> None:
    """Refuse settings that contradict an agent, and an agent's process whose runs would all have its one id.

    Raises:
        InputError: if they do.
    """
    if config.wandb.run_id is None:
        if os.environ.get(SWEEP) and config.wandb.mode != "disabled":
            raise InputError(
                f"wandb.run_id: {SWEEP} is set, so W&B would give all runs one id; fix: unset it, or set "
                "--config.wandb.run_id, or --config.wandb.mode=disabled"
            )
        return
    if config.tuning.axes:
        raise InputError(
            "tuning.axes: it chooses settings, and so does the agent of wandb.run_id; fix: remove tuning.axes, and set "
            "--config.sweep.validation"
        )
    if config.shard is not None:
        raise InputError(
            "shard: a run of wandb.run_id has the means over all cells; fix: remove --config.shard"
        )
