"""The sweep engine: axes, grid, plan, training and evaluation of many cells at once; and `run_sweep`.

`run_sweep` runs the engine with tracking and a report. It is imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zsh_jax.commands.sweep import run_sweep as run_sweep


def __getattr__(name: str) -> Any:
    if name == "run_sweep":
        return import_module("zsh_jax.commands.sweep").run_sweep
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
