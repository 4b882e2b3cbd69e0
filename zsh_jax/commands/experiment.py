"""Run an experiment file and take its configuration."""

import inspect
import sys
import traceback
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from ml_collections import ConfigDict

from zsh_jax.errors import InputError
from zsh_jax.takes import shown, text

LONGEST = 160  # characters of the experiment's own error message
EXAMPLE = "fix: give one, as in --config experiments/sweep_bits.py"
MODULE = "zsh_experiment"


def load_experiment(given: str) -> ConfigDict:
    """The configuration of an experiment: the result of its `get_config(ARGUMENT)`.

    The file is compiled and run; no cache file is written beside it.

    Args:
        given: `FILE` or `FILE:ARGUMENT`; FILE may be the name of a shipped experiment.

    Raises:
        InputError: there is no such file, or it does not return a configuration.
    """
    file, colon, argument = given.partition(":")
    if not text(4096).test(file):
        raise InputError(f"--config: takes the name of a file, not {shown(file)}; {EXAMPLE}")
    where = Path(file)
    if file in shipped_experiments() and not where.exists():
        where = shipped_experiments()[file]
    try:
        if not where.is_file():
            what = f"{file} is a folder" if where.is_dir() else f"there is no experiment {file}"
            raise InputError(f"{what}; {EXAMPLE}")
        source = where.read_bytes()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise InputError(f"{shown(file)} cannot be read ({said}); {EXAMPLE}") from None
    module = ModuleType(MODULE)
    module.__file__ = str(where.absolute())
    before = sys.modules.get(MODULE)
    sys.modules[MODULE] = module  # dataclasses look up their module here
    try:
        return _run(source, file, module, (argument,) if colon else ())
    except (InputError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a user's file may raise anything, also SystemExit
        raise InputError(
            f"{file} cannot be read ({_said(error, file)}); fix: correct the experiment"
        ) from None
    finally:
        if before is None:
            sys.modules.pop(MODULE, None)
        else:
            sys.modules[MODULE] = before


@cache
def shipped_experiments() -> Mapping[str, Path]:
    """The experiments of the package by name, such as `sweep_bits`."""
    folder = Path(__file__).resolve().parents[2] / "experiments"  # of a checkout
    if not (folder / "sweep_bits.py").exists():
        folder = Path(import_module("zsh_jax.experiments").__path__[0])
    return {path.stem: path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")}


def _run(source: bytes, file: str, module: ModuleType, arguments: tuple[str, ...]) -> ConfigDict:
    exec(compile(source, file, "exec", dont_inherit=True), vars(module))
    get_config: Any = getattr(module, "get_config", None)
    if not callable(get_config):
        raise InputError(f"{file} has no get_config; fix: define get_config() that returns a ConfigDict")
    try:
        inspect.signature(get_config).bind(*arguments)
    except TypeError:
        wants = (
            f"takes no argument, and {arguments[0]!r} is given; fix: --config {file}"
            if arguments
            else f"needs an argument; fix: --config {file}:ARGUMENT"
        )
        raise InputError(f"{file}: get_config {wants}") from None
    except ValueError:
        pass  # a callable without a signature: the call itself fails if it is wrong
    config = get_config(*arguments)
    if not isinstance(config, ConfigDict):
        raise InputError(
            f"{file}: get_config returns {_kind(config)}, not a ConfigDict; fix: return config.lock()"
        )
    return config


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _said(error: BaseException, file: str) -> str:
    """The exception, and the last line of the experiment in its traceback."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # an exception without a text form
        text = ""
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    said = said if len(said) <= LONGEST else f"{said[:LONGEST]}..."
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    if isinstance(error, SyntaxError) or not frames:
        return said  # a SyntaxError names the line itself
    return f"{said}, line {frames[-1].lineno}"
