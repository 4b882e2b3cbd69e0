"""What a traced program holds: equations, array sizes, factorisations and FFTs, nested programs included."""

import math

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

FACTORISATIONS = {
    "cholesky",
    "cholesky_update",
    "eig",
    "eigh",
    "geqp3",
    "geqrf",
    "hessenberg",
    "householder_product",
    "lu",
    "ormqr",
    "qr",
    "schur",
    "svd",
    "triangular_solve",
    "tridiagonal",
    "tridiagonal_solve",
}


def equations(function, *args, platform="cpu"):
    """All equations of the traced function, those of loops and calls too, as they run on a platform."""
    return list(_walk(jax.make_jaxpr(function)(*args).jaxpr, platform))


def largest_array(function, *args):
    """Number of elements of the largest array that any equation makes."""
    sizes = (math.prod(out.aval.shape) for eq in equations(function, *args) for out in eq.outvars)
    return max(sizes, default=0)


def batched_factorisations(function, *args):
    """Factorisations and triangular solves of more than one matrix that reach the CPU, with their shapes."""
    return batched_factorisations_in(jax.make_jaxpr(function)(*args).jaxpr)


def batched_factorisations_in(jaxpr):
    """Those of a traced program."""
    return [
        f"{eq.primitive.name} of {eq.invars[0].aval.shape}"
        for eq in _walk(jaxpr)
        if eq.primitive.name in FACTORISATIONS and any(value.aval.ndim > 2 for value in eq.invars)
    ]


def count(function, name, *args, platform="cpu"):
    """How many equations of a name there are."""
    return sum(eq.primitive.name == name for eq in equations(function, *args, platform=platform))


def dependent_steps(function, *args, platform, trips=math.inf):
    """Steps of all loops that wait for each other: trip counts, multiplied where loops are nested, else added.

    Of programs for several platforms it counts the one of `platform`. A loop without a known number of trips has
    `trips`.
    """
    return _steps(jax.make_jaxpr(function)(*args).jaxpr, platform, trips)


def _steps(jaxpr, platform, trips):
    total = 0
    for eq in jaxpr.eqns:
        inner = sum(_steps(one, platform, trips) for one in _programs(eq, platform))
        length = {"scan": eq.params.get("length"), "while": trips}.get(eq.primitive.name)
        total += inner if length is None else length * max(inner, 1)
    return total


def ffts_at_once(function, *args):
    """Pairs of FFTs, or of loops that hold some, of which neither waits for the other."""
    return ffts_at_once_in(jax.make_jaxpr(function)(*args).jaxpr)


def ffts_at_once_in(jaxpr):
    """Those of a traced program.

    Calls are taken apart, as XLA does; a loop begins when all its inputs are there and ends as a whole.
    """
    pairs = []
    before = {}  # of a value, the FFTs that it waits for
    seen = []

    def ancestors(values):
        known = [before.get(value, frozenset()) for value in values if not isinstance(value, Literal)]
        return frozenset().union(*known)

    def visit(jaxpr):
        for eq in jaxpr.eqns:
            called = next((inner for inner in _programs(eq)), None)
            if eq.primitive.name in ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vmap_call"):
                before.update(zip(called.invars, map(lambda v: ancestors([v]), eq.invars), strict=True))
                visit(called)
                before.update(zip(eq.outvars, map(lambda v: ancestors([v]), called.outvars), strict=True))
                continue
            waits = ancestors(eq.invars)
            for inner in _programs(eq):
                pairs.extend(ffts_at_once_in(inner))
            if eq.primitive.name == "fft" or any(_holds_fft(inner) for inner in _programs(eq)):
                pairs.extend((other, len(seen)) for other in seen if other not in waits)
                waits |= {len(seen)}
                seen.append(len(seen))
            before.update((out, waits) for out in eq.outvars)

    visit(jaxpr)
    return pairs


def _holds_fft(jaxpr):
    return any(eq.primitive.name == "fft" for eq in _walk(jaxpr))


def _walk(jaxpr, platform="cpu"):
    for eq in jaxpr.eqns:
        yield eq
        for inner in _programs(eq, platform):
            yield from _walk(inner, platform)


def _programs(eq, platform="cpu"):
    """The programs inside an equation; of those for several platforms, the one that runs on this one."""
    values = list(eq.params.values())
    platforms = eq.params.get("branches_platforms")
    if platforms is not None:
        chosen = next(i for i, names in enumerate(platforms) if names is None or platform in names)
        values = [eq.params["branches"][chosen]]
    for value in jax.tree.leaves(values, is_leaf=_is_program):
        if isinstance(value, ClosedJaxpr):
            yield value.jaxpr
        elif isinstance(value, Jaxpr):
            yield value


def _is_program(value):
    return isinstance(value, ClosedJaxpr | Jaxpr)
