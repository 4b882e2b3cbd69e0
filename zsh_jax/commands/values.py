"""Turn the text of a flag into the value of a setting, by the type of the setting."""

import ast
from functools import cache
from typing import Any

from ml_collections import ConfigDict

from zsh_jax.commands.arguments import Setting
from zsh_jax.data.nearest import nearest_names
from zsh_jax.errors import InputError
from zsh_jax.methods.protocol import Method
from zsh_jax.methods.table import METHODS
from zsh_jax.sweep.config import defaults
from zsh_jax.sweep.settings import meant
from zsh_jax.takes import shown

WORDS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
ANY_KEY = ("variants", "tuning.axes")  # settings that take a whole dict


def apply(config: ConfigDict, setting: Setting) -> None:
    """Change one setting.

    Args:
        config: changed in place.
        setting: of the command line.

    Raises:
        InputError: there is no such setting, or its value has the wrong type.
    """
    here, key = _place(config, setting.key)
    flag = f"--config.{setting.key}"
    kind, may_be_none = _kind(here, setting.key)
    if setting.off and kind is not bool:
        raise InputError(f"{setting.given}: {flag} is not True or False; fix: {flag}=VALUE")
    if setting.value is None:
        if kind is not bool:
            raise InputError(f"{flag} has no value; fix: {flag}=VALUE")
        value: Any = not setting.off
    elif setting.value == "None" and may_be_none:
        value = None
    else:
        try:
            value = read_value(setting.value, kind)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
            said = " ".join(str(error).split())[:80] or type(error).__name__
            if said.startswith("malformed node"):
                said = "not a literal of Python"
            raise InputError(
                f"{flag}={shown(setting.value)[1:-1]} has the wrong type ({said}); fix: give {_wanted(kind)}"
            ) from None
    try:
        if (
            isinstance(value, ConfigDict)
            and setting.key not in ANY_KEY
            and setting.key.split(".")[0] not in ANY_KEY
        ):
            _merge(here[key], value, setting.key)
        else:
            with config.unlocked():
                here[key] = value
    except InputError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        said = " ".join(str(error).split())[:80]
        raise InputError(f"{flag} has the wrong type ({said}); fix: give {_wanted(kind)}") from None


def read_value(text: str, kind: type) -> Any:
    """Parse the text of a flag.

    Args:
        text: of the flag.
        kind: type of the setting: bool, int, float, str, tuple or ConfigDict; object for one or several paths.

    Returns:
        The value. For a tuple, one bare value or word becomes a tuple of one.

    Raises:
        ValueError: the text is not of that type; or what `ast.literal_eval` raises.
    """
    if kind is bool:
        if text.lower() not in WORDS:
            raise ValueError("neither True nor False")
        return WORDS[text.lower()]
    if kind is int:
        return int(text, 0)
    if kind is float:
        return float(text)
    if kind in (str, object):
        return text if kind is str else _paths(text)
    if issubclass(kind, tuple | list):
        return _tuple(text)
    value = ast.literal_eval(text)
    if not isinstance(value, dict):
        raise ValueError("no dict")
    return ConfigDict(value)


def _tuple(text: str) -> tuple[Any, ...]:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        if text.strip().startswith(("(", "[", "{", "'", '"')) or "," in text:
            raise
        return (text,)  # plain words
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _paths(text: str) -> str | tuple[Any, ...]:
    """Several paths if the text is a tuple, else one path."""
    if not text.startswith(("(", "[")):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):  # the name of a file
        return text
    return tuple(value) if isinstance(value, tuple | list) else text


@cache
def _defaults(methods: tuple[tuple[str, Method], ...]) -> ConfigDict:
    """With these methods; to be read, not changed."""
    del methods
    return defaults().lock()


def _kind(here: ConfigDict, setting: str) -> tuple[type, bool]:
    """The type of a setting, and whether it may be None: an experiment's value may be unset again."""
    known: Any = _defaults(tuple(METHODS.items()))
    for key in setting.split("."):
        if not isinstance(known, ConfigDict) or key not in known:
            return here.get_type(setting.rsplit(".", maxsplit=1)[-1]), False
        parent, known = known, known[key]
    return parent.get_type(key), known is None


def _wanted(kind: type) -> str:
    wanted = {
        bool: "True or False",
        int: "a whole number",
        float: "a number",
        str: "text",
        object: "a path, or several, such as \"('a.npz', 'b.npz')\"",
        ConfigDict: "a dict, such as \"{'key': (1, 2)}\"",
    }
    return wanted.get(kind, "a tuple, such as '(16, 32)'")


def _place(config: ConfigDict, setting: str) -> tuple[ConfigDict, str]:
    """The part of a configuration that holds a setting, and its key there."""
    here: Any = config
    *before, last = setting.split(".")
    for key in before:
        if not isinstance(here, ConfigDict):
            raise InputError(
                f"there is no setting --config.{setting}: the part before .{key} is a value; fix: set that part"
            )
        _check_known(here, key, setting)
        here = here[key]
    if not isinstance(here, ConfigDict):
        raise InputError(
            f"there is no setting --config.{setting}: the part before .{last} is a value; fix: set that part"
        )
    _check_known(here, last, setting)
    return here, last


def _check_known(here: ConfigDict, key: str, setting: str) -> None:
    if key not in here:
        owner = setting.removesuffix(f".{key}")
        hint = meant(setting) if owner == "sweep" else ""
        raise InputError(f"there is no setting --config.{setting}; {hint or nearest_names(key, here.keys())}")


def _merge(here: ConfigDict, changes: ConfigDict, where: str) -> None:
    """Change the keys of a dict in a part of the configuration; keep the others."""
    for key, value in changes.items():
        _check_known(here, key, f"{where}.{key}")
        if (
            isinstance(here[key], ConfigDict)
            and isinstance(value, ConfigDict)
            and f"{where}.{key}" not in ANY_KEY
        ):
            _merge(here[key], value, f"{where}.{key}")
        else:
            with here.unlocked():
                here[key] = _as_axis(here[key], value)


def _as_axis(before: Any, value: Any) -> Any:
    """A bare value of an axis as a tuple of one."""
    is_axis = isinstance(before, tuple | list)
    return (value,) if is_axis and not isinstance(value, tuple | list | ConfigDict) else value
