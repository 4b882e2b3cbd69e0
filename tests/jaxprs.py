"""What a traced program holds: equations and array sizes, nested programs included."""

import math

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr


def equations(function, *args):
    """All equations of the traced function, those of loops and calls too."""
    return list(_walk(jax.make_jaxpr(function)(*args).jaxpr))


def largest_array(function, *args):
    """Number of elements of the largest array that any equation makes."""
    return max(math.prod(out.aval.shape) for eq in equations(function, *args) for out in eq.outvars)


def _walk(jaxpr):
    for eq in jaxpr.eqns:
        yield eq
        for value in jax.tree.leaves(list(eq.params.values()), is_leaf=_is_program):
            if isinstance(value, ClosedJaxpr):
                yield from _walk(value.jaxpr)
            elif isinstance(value, Jaxpr):
                yield from _walk(value)


def _is_program(value):
    return isinstance(value, ClosedJaxpr | Jaxpr)
