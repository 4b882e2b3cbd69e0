"""Batches on accelerators: cells that rest leave, so passes are fewer, and each cell gives what it gives alone."""

from functools import partial
from operator import itemgetter

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxprs import equations
from problems import given, hyper_of, problem_of, start_of

from scripts.compacted_passes import compacted
from zsh_jax import init_coupled, solve, solve_coupled
from zsh_jax.core.compaction import loop_while, part_width
from zsh_jax.core.loop import Status

pytestmark = pytest.mark.usefixtures("strict_promotion", "float64")


@pytest.fixture
def accelerator(monkeypatch):
    """The path of accelerators, on the CPU. JAX keeps what it has traced, for whatever platform that was."""
    jax.clear_caches()
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    yield
    jax.clear_caches()


TABLE = 50  # the largest array that a pass reads


def _collatz(table, weight, start, see=None):
    """Whole numbers, exact in any batch: halve or triple until 1; add entries of a table on the way."""

    def once(now):
        value, passes, total = now
        if see is not None:
            jax.debug.callback(see, value)
        after = jnp.where(value % 2 == 0, value // 2, 3 * value + 1)
        return after, passes + 1, total + weight * table[value % TABLE]

    return loop_while(lambda now: now[0] != 1, once, (start, jnp.array(0), jnp.array(0)))


def _alone(table, weight, start):
    value, passes, total = int(start), 0, 0
    while value != 1:
        total += int(weight) * int(table[value % TABLE])
        value, passes = value // 2 if value % 2 == 0 else 3 * value + 1, passes + 1
    return value, passes, total


def _batch(shape, seed=0):
    """Tables of the outer axes, weights of the inner one, and starts of which some rest at once and some last long."""
    rng = np.random.default_rng(seed)
    tables = rng.integers(0, 9, (*shape[:2], TABLE))
    return tables, np.arange(1, shape[2] + 1), rng.choice([1, 2, 8, 27, 31, 97, 871], shape)


def _over_batch(see=None):
    """Axes as in a sweep: splits, weights that share a factorisation, other weights."""
    cells = jax.vmap(partial(_collatz, see=see), in_axes=(None, 0, 0))
    return jax.vmap(jax.vmap(cells, in_axes=(0, None, 0)), in_axes=(0, None, 0))


SHAPES = [(1, 1, 1), (1, 1, 5), (2, 1, 1), (3, 1, 2), (1, 5, 3), (2, 3, 2), (9, 2, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_each_cell_gives_what_it_gives_alone_and_groups_leave(shape, accelerator):
    seen = []
    tables, weights, starts = _batch(shape)
    found = jax.jit(_over_batch(lambda value: seen.append(int(value))))(
        *map(jnp.asarray, (tables, weights, starts))
    )
    jax.effects_barrier()
    for place in np.ndindex(shape):
        alone = _alone(tables[place[:2]], weights[place[2]], starts[place])
        assert tuple(int(leaf[place]) for leaf in found) == alone
    counts = np.asarray(found[1])
    # A split and weights with one table are a group; cells that all share one table are groups of their own.
    by_group = counts.reshape(-1, shape[2]).max(1) if shape[0] * shape[1] > 1 else counts.ravel()
    assert len(seen) == compacted(by_group).passes * (counts.size // by_group.size)
    assert counts.sum() <= len(seen) <= counts.size * counts.max()
    if len(by_group) > 2:
        assert len(seen) < counts.size * counts.max()


def test_axes_may_come_in_any_order_and_be_missing_anywhere(accelerator):
    """Groups inside cells, a start that all share, and an axis that only the unknowns have."""
    tables, weights, starts = _batch((5, 1, 3), seed=1)
    tables, few = tables[:, 0], starts[:, 0, 0]
    inside = jax.vmap(_collatz, in_axes=(0, None, None))  # groups
    over = jax.vmap(jax.vmap(inside, in_axes=(None, 0, None)), in_axes=(None, None, 0))
    found = jax.jit(over)(*map(jnp.asarray, (tables, weights, few)))
    for i, j, k in np.ndindex(5, 3, 5):
        assert tuple(int(leaf[i, j, k]) for leaf in found) == _alone(tables[k], weights[j], few[i])


def test_what_cells_share_is_not_copied_for_each(accelerator):
    tables, weights, starts = _batch((3, 2, 8))
    every = equations(_over_batch(), *map(jnp.asarray, (tables, weights, starts)))
    tables_held = {out.aval.shape for eq in every for out in eq.outvars if TABLE in out.aval.shape}
    assert (2, TABLE) in tables_held  # two of six groups, gathered
    assert max(np.prod(shape) for shape in tables_held) == tables.size


@pytest.mark.parametrize(("groups", "width"), [(1, 1), (2, 1), (4, 1), (5, 2), (30, 8)])
def test_a_part_is_a_quarter(groups, width):
    assert part_width(groups) == width


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="says what the CPU does")
def test_on_the_cpu_it_is_the_loop_of_jax():
    def program(loop):
        return str(jax.make_jaxpr(lambda x: loop(lambda y: y < 9, lambda y: y * x, x))(2.0))

    assert program(loop_while) == program(jax.lax.while_loop)


DATA = [given(seed, n=60) for seed in (1, 2)]
SHARED, OTHERS = (1e-4, 1e-1), (1e-2, np.nan)  # alpha, which has its own factor; lam
BITS, LIMIT = 4, 25


def _published(problem, hyper, start):
    return solve(problem, hyper, start, max_iterations=LIMIT)


def _coupled(problem, hyper, start):
    begin = init_coupled(problem, jax.random.key(0), bits=BITS)
    alpha = hyper.alpha + 0 * hyper.lam  # the coupled form has no lam; a NaN reaches it so
    begin = begin._replace(codes=start.codes)
    return solve_coupled(problem, hyper._replace(alpha=alpha), begin, max_iterations=LIMIT)


def _determined(solution):
    """What the codes determine: not the R and W of the published form where the semantics have no variance."""
    state = solution.state._replace(rotation=None)
    state = state._replace(regression=None) if hasattr(state, "regression") else state
    return jax.tree.leaves((state, solution.objective, solution.terms))


@pytest.mark.parametrize("solver", [_published, _coupled])
def test_solvers_give_each_cell_what_it_gives_alone(solver, accelerator):
    problems = [problem_of(data) for data in DATA]
    starts = [start_of(data, BITS, seed=i) for i, data in enumerate(DATA, 1)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *zip(problems, starts, strict=True))
    hyper = hyper_of()._replace(alpha=jnp.asarray(SHARED), lam=jnp.asarray(OTHERS))
    axes = [
        type(hyper)(lam=lam, alpha=alpha, beta=None, gamma=None, delta=None)
        for lam, alpha in ((0, None), (None, 0))
    ]
    cells = jax.vmap(solver, in_axes=(None, axes[0], None))
    cells = jax.vmap(cells, in_axes=(None, axes[1], None))
    found = jax.jit(jax.vmap(cells, in_axes=(0, None, 0)))(stacked[0], hyper, stacked[1])
    alone = jax.jit(solver)
    for i, j, k in np.ndindex(2, 2, 2):
        one = alone(problems[i], hyper._replace(alpha=hyper.alpha[j], lam=hyper.lam[k]), starts[i])
        own = jax.tree.map(itemgetter((i, j, k)), found)
        for name in ("iterations", "flips", "status"):
            np.testing.assert_array_equal(getattr(own, name), getattr(one, name))
        np.testing.assert_array_equal(own.state.codes, one.state.codes)
        for ours, theirs in zip(*map(_determined, (own, one)), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    assert len(np.unique(found.iterations)) >= 3
    assert set(np.unique(found.status)) >= {Status.CONVERGED, Status.NON_FINITE}


def test_what_a_pass_does_not_read_is_not_gathered(accelerator):
    """The loop reads T' (m, n) in place of Phi (n, m), though its steps are given a problem with both."""
    n, m = DATA[0].phi.shape
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *map(problem_of, DATA))
    every = equations(
        jax.vmap(_published, in_axes=(0, None, None)), stacked, hyper_of(), start_of(DATA[0], BITS)
    )
    gathered = {eq.invars[0].aval.shape for eq in every if eq.primitive.name == "gather"}
    assert (len(DATA), m, n) in gathered
    assert (len(DATA), n, m) not in gathered
