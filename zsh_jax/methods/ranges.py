"""Accepted values of the weights and options of each method."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from zsh_jax.methods.table import METHODS
from zsh_jax.takes import Takes, flag, number, one_of, whole


@cache
def own_takes(method: str) -> Mapping[str, Takes]:
    """Accepted values of each weight and option of a method.

    Args:
        method: a key of `METHODS`.

    Returns:
        By name: the range that the method declares, else the range of the type of an option; a weight is a positive
        number.
    """
    known = METHODS[method]
    hints = get_type_hints(known.options)
    by_type = {name: number() for name in known.weights._fields}
    by_type |= {field.name: _of_type(hints[field.name]) for field in fields(known.options)}
    return by_type | dict(known.ranges)


def _of_type(kind: Any) -> Takes:
    if get_origin(kind) is Literal:
        return one_of(*get_args(kind))
    return {bool: flag(), int: whole(1, 100_000), float: number()}[kind]
