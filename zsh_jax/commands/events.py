"""Event files of TensorBoard beside the results of a sweep, if it asks for them."""

from collections.abc import Callable, Container, Sequence
from functools import partial

from ml_collections import ConfigDict

from zsh_jax.commands.record import wandb_of
from zsh_jax.sweep.result import CellResult
from zsh_jax.tracking.tensorboard import write_events, write_missing_events


def open_events(
    config: ConfigDict, done: Container[str], say: Callable[[str], object]
) -> Callable[[Sequence[CellResult]], None]:
    """Write the event files that finished cells lack.

    Args:
        config: of the sweep; its results are open.
        done: `cell_id` of its finished cells.
        say: prints a line with the number of these cells.

    Returns:
        Writes the event files of a batch; does nothing without `config.tensorboard`.

    Raises:
        InputError: if the results or histories cannot be read.
        OSError: if the disk failed.
    """
    if not config.tensorboard:
        return lambda batch: None
    sweep = wandb_of(config).group
    written = write_missing_events(config.workdir, sweep, done)
    if written:
        say(f"TensorBoard: wrote the missing event files of {written:,} finished cells")
    return partial(write_events, config.workdir, sweep)
