"""Check, before a sweep starts, that it can write every file and folder below its workdir."""

import os
import tempfile
from pathlib import Path

from ml_collections import ConfigDict

from zsh_jax.commands.disk import check_writable
from zsh_jax.commands.profile import FOLDER as PROFILE
from zsh_jax.errors import InputError
from zsh_jax.report.code_pictures import CODES
from zsh_jax.report.gallery import GALLERY
from zsh_jax.sweep.tuning import VALIDATION
from zsh_jax.tracking.history import HISTORY
from zsh_jax.tracking.positions import POSITIONS
from zsh_jax.tracking.results import RESULTS
from zsh_jax.tracking.splits import SPLITS
from zsh_jax.tracking.tensorboard import FOLDER as EVENTS

FIX = "fix: move it away, or choose another --config.workdir"


def check_places(config: ConfigDict) -> None:
    """Check that the workdir and all places below it are writable, and that no file or folder is in the way.

    Raises:
        InputError: a file or folder is in the way, or is not writable.
    """
    check_writable(config.workdir)
    workdir = Path(config.workdir)
    wanted = {
        "models": True,
        POSITIONS: True,
        "semantics": True,
        "report": config.report,
        "report/figures": config.report,
        "report/tables": config.report,
        "wandb": config.wandb.mode != "disabled",
        EVENTS: config.tensorboard,
        PROFILE: config.profile,
        VALIDATION: bool(config.tuning.axes),
    }
    for name in (name for name, is_wanted in wanted.items() if is_wanted):
        _check_folder(workdir / name)
    for name, added_to in (
        (RESULTS, True),
        (HISTORY, True),
        ("config.json", False),
        (SPLITS, False),
        (GALLERY, False),
        (CODES, False),
    ):
        path = workdir / name
        if path.is_dir():
            raise InputError(f"workdir: {path} is a folder, but the sweep writes a file there; {FIX}")
        if added_to and path.exists() and not os.access(path, os.W_OK):
            raise InputError(f"workdir: {path} cannot be written to (read-only); {FIX}")


def _check_folder(path: Path) -> None:
    if not os.path.lexists(path):
        return
    if not path.is_dir():
        what = "a broken link" if path.is_symlink() and not path.exists() else "a file"
        raise InputError(f"workdir: {path} is {what}, but the sweep needs a folder there; {FIX}")
    try:
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise InputError(f"workdir: {path} cannot be written to ({error.strerror}); {FIX}") from None
