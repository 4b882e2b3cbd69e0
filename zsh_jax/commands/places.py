"""Whether everything that a sweep writes below its workdir has its place, told before hours are spent."""

import os
import tempfile
from pathlib import Path

from ml_collections import ConfigDict

from zsh_jax.commands.disk import check_writable
from zsh_jax.errors import InputError
from zsh_jax.report.gallery import GALLERY
from zsh_jax.sweep.tuning import VALIDATION
from zsh_jax.tracking.history import HISTORY
from zsh_jax.tracking.results import RESULTS

FIX = "fix: move it away, or choose another --config.workdir"


def check_places(config: ConfigDict) -> None:
    """See to it that the workdir and all below it can be written, and that nothing else is where a sweep writes.

    Args:
        config: of the sweep.

    Raises:
        InputError: something is in the way, or cannot be written to.
    """
    check_writable(config.workdir)
    workdir = Path(config.workdir)
    wanted = {
        "models": True,
        "semantics": True,
        "report": config.report,
        "report/figures": config.report,
        "report/tables": config.report,
        "wandb": config.wandb.mode != "disabled",
        VALIDATION: bool(config.tuning.axes),
    }
    for name in (name for name, is_wanted in wanted.items() if is_wanted):
        _check_folder(workdir / name)
    for name, added_to in ((RESULTS, True), (HISTORY, True), ("config.json", False), (GALLERY, False)):
        path = workdir / name
        if path.is_dir():
            raise InputError(f"workdir: {path} is a folder, and the sweep writes a file there; {FIX}")
        if added_to and path.exists() and not os.access(path, os.W_OK):
            raise InputError(f"workdir: {path} cannot be written to (read-only); {FIX}")


def _check_folder(path: Path) -> None:
    if not os.path.lexists(path):
        return
    if not path.is_dir():
        what = "a link to nothing" if path.is_symlink() and not path.exists() else "a file"
        raise InputError(f"workdir: {path} is {what}, and the sweep makes a folder there; {FIX}")
    try:
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise InputError(f"workdir: {path} cannot be written to ({error.strerror}); {FIX}") from None
