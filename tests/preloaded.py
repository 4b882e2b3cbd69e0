"""What a sweep imports on its way, and nothing that starts a thread or asks for a device: see `forked`."""

import os
import warnings

os.environ["JAX_PLATFORMS"] = "cpu"
# JAX tells whoever forks of its threads; before there is a device it has none.
warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)

import wandb  # noqa: E402, F401

import zsh_jax.commands.launch  # noqa: E402
import zsh_jax.commands.sweep  # noqa: E402
import zsh_jax.report.write  # noqa: E402, F401
