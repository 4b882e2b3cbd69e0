"""The positions of unfinished cells of a sweep: files in its workdir, deleted when the cell is finished."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import jax.numpy as jnp

from zsh_jax.core.blocks.solver import Keeper
from zsh_jax.core.blocks.stream import BLOCK
from zsh_jax.position_file import load_position, save_position
from zsh_jax.tracking.row import cell_id
from zsh_jax.version import package_version

POSITIONS = "positions"


def keeper_of(
    workdir: str | Path, every: float, tell: Callable[[str], object]
) -> Callable[[Mapping[str, Any]], Callable[[int], Keeper]]:
    """What keeps the positions of the solves of a cell.

    A position is of a cell, a precision, a size of blocks and a version: another one is never read.

    Args:
        workdir: of the sweep.
        every: seconds of a solve after which its position is kept, and between two times.
        tell: takes a line about a file that cannot be used, and about a solve that continues.

    Returns:
        From a cell's flat identity, from the number of a start, to its keeper.
    """

    def of_cell(cell: Mapping[str, Any]) -> Callable[[int], Keeper]:
        identifier = cell_id(cell)
        precision = jnp.dtype(jnp.result_type(float)).name

        def of_start(number: int) -> Keeper:
            path = Path(workdir) / POSITIONS / f"{identifier}-{number}.safetensors"
            of = f"{identifier} {number} {precision} {BLOCK} {package_version()}"

            def read(like: Any) -> Any:
                found = load_position(path, like, of, tell)
                if found is not None:
                    tell(f"{path.name}: continues after {max(0, int(found.iterations))} passes")
                return found

            return Keeper(read, lambda position: save_position(path, position, of), every)

        return of_start

    return of_cell


def forget_positions(workdir: str | Path, identifier: str) -> None:
    """Delete the positions of a finished cell.

    Args:
        workdir: of the sweep.
        identifier: `cell_id` of the cell.
    """
    folder = Path(workdir) / POSITIONS
    for path in folder.glob(f"{identifier}-*.safetensors"):
        path.unlink(missing_ok=True)
    with suppress(OSError):  # not empty, or not there
        folder.rmdir()
