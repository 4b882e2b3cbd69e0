"""No program for the CPU holds what can deadlock there: a batched factorisation, or two FFTs that can run at once."""

import itertools
import threading
import time
from functools import partial
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxprs import (
    FACTORISATIONS,
    batched_factorisations,
    batched_factorisations_in,
    equations,
    ffts_at_once,
    ffts_at_once_in,
)
from test_engine import CUTOFFS, _inputs, _plan

import zsh_jax as zsh
from zsh_jax import METHODS
from zsh_jax.core import factorisation
from zsh_jax.core.preprocessing import KINDS
from zsh_jax.features import gist as gist_module
from zsh_jax.methods.zsh import Locality, Rotation
from zsh_jax.sweep import engine
from zsh_jax.sweep.axes import GRAPHS, own_axes
from zsh_jax.sweep.compiled import Compiled

BATCH = {"seed": (0, 1), "unseen": ("ant", "bee")}
ROTATIONS, LOCALITIES = get_args(Rotation), get_args(Locality)


def _weights(name):
    """Two or three values of each weight of a method, or of its first four."""
    paper = METHODS[name].weights()._asdict()
    values = {field: (one, 2 * one + 1e-3, 3 * one + 1e-2) for field, one in paper.items()}
    return {field: ones[: 3 if i == 0 else 2] for i, (field, ones) in enumerate(values.items()) if i < 4}


PUBLISHED = [
    {"method": (name,), name: _weights(name) | changes}
    for name in ("zsh", "zsh_relaxed")
    for changes in (
        *({"rotation": (rotation,), "restarts": (3,)} for rotation in ROTATIONS),
        *({"locality": (locality,)} for locality in LOCALITIES),
        {"alpha_growth": (2.0,)},
    )
    if set(changes) <= set(own_axes(METHODS[name]))
]
OTHERS = [
    {"method": (name,), "bits": (bits,)} | ({name: _weights(name)} if METHODS[name].weights() else {})
    for name, method in METHODS.items()
    for bits in (((3, 6) if method.most_bits else (3, 24)) if method.has_codes else (0,))
]
PREPARED = [
    {"preprocessing": (kind,), "graph": (graph,), "laplacian": (laplacian,)}
    for kind, graph, laplacian in itertools.product(KINDS, GRAPHS, ("plain", "normalised"))
]


@pytest.fixture(scope="module")
def walked():
    """What each program can wait for, and its results' shapes: many sweeps prepare, encode and evaluate alike."""
    return {}


@pytest.fixture
def programs(monkeypatch, walked):
    """Every program that the engine would run, traced in its place, with its dangers; its results are ones."""
    found = {}

    def walk(function, args, static):
        leaves, structure = jax.tree.flatten(args)
        shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        key = function, tuple(sorted(static.items())), structure, shapes
        if key not in walked:
            traced, made = jax.make_jaxpr(partial(function, **static), return_shape=True)(*args)
            dangers = batched_factorisations_in(traced.jaxpr) + ffts_at_once_in(traced.jaxpr)
            walked[key] = dangers, made
        return key, *walked[key]

    def shapes(self, function, *args, use=None, whole=(), lies=None, **static):
        return walk(function, args, static)[2], 0

    def trace(self, function, *args, use=None, whole=(), lies=None, **static):
        key, dangers, made = walk(function, args, static)
        found[key] = dangers
        ones = jax.tree.map(
            lambda leaf: (
                jax.random.split(jax.random.key(0), leaf.shape)
                if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
                else jnp.ones(leaf.shape, leaf.dtype)
            ),
            made,
        )
        return ones, 0.0

    monkeypatch.setattr(Compiled, "run", trace)
    monkeypatch.setattr(Compiled, "shapes", shapes)
    return found


def _run(changes, *, several_labels):
    inputs = _inputs()
    if several_labels:
        hot = np.arange(5) == inputs.dataset.labels[:, None]
        inputs = inputs._replace(dataset=inputs.dataset._replace(labels=hot))
    plan = _plan(inputs, **BATCH | changes)
    ran = engine.run(plan, inputs, cutoffs=CUTOFFS, seen_queries=3, keeps_model=lambda cell: True)
    return sum(len(batch) for batch in ran)


@pytest.mark.parametrize(
    "changes",
    PUBLISHED + OTHERS + PREPARED,
    ids=lambda c: "-".join(map(str, c.values())).replace(" ", "")[:90],
)
def test_no_program_of_the_engine_can_wait_for_itself(changes, programs):
    for several_labels in {False, "method" in changes}:
        assert _run(changes, several_labels=several_labels) >= 4
        kinds = {function.__name__ for function, *_ in programs}
        hashes = METHODS[changes.get("method", ("zsh",))[0]].has_codes
        assert len(kinds) == (5 if hashes else 4), kinds
        assert [danger for dangers in programs.values() for danger in dangers] == []


def test_every_method_is_walked():
    assert {change["method"][0] for change in OTHERS} == set(METHODS)


# Axes of the two arguments, inner ones first.
SHARED = [((0, None), (0, 0)), ((None, 0), (0, 0)), ((0, 0), (None, 0), (0, None))]
OPERATIONS = {
    "cholesky": lambda a, b: factorisation.cholesky(a),
    "cho_solve": factorisation.cho_solve,
    "eigh": lambda a, b: factorisation.eigh(a),
    "svd": lambda a, b: factorisation.svd(b),
    "complete_qr": lambda a, b: factorisation.complete_qr(b),
}


@pytest.mark.parametrize(
    ("name", "axes"),
    [(name, ((0, 0),) * depth) for name in OPERATIONS for depth in (1, 3)]
    + [("cho_solve", axes) for axes in SHARED],
    ids=str,
)
def test_a_batch_of_any_depth_is_what_each_gives_alone(name, axes, float64):
    rng = np.random.default_rng(0)
    sizes = (2, 3, 4)[: len(axes)]
    lengths = [tuple(n for n, pair in zip(sizes, axes, strict=True) if pair[k] == 0)[::-1] for k in (0, 1)]
    root = rng.normal(size=(*lengths[0], 5, 5))
    a = jnp.asarray(root @ np.swapaxes(root, -1, -2) + np.eye(5))
    b = jnp.asarray(rng.normal(size=(*lengths[1], 5, 3)))
    function = OPERATIONS[name]
    for pair in axes:
        function = jax.vmap(function, in_axes=pair)
    assert batched_factorisations(function, a, b) == []
    found = jax.jit(function)(a, b)
    for place in np.ndindex(sizes[::-1]):
        own = [tuple(i for i, pair in zip(place, axes[::-1], strict=True) if pair[k] == 0) for k in (0, 1)]
        alone = OPERATIONS[name](a[own[0]], b[own[1]])
        # The same routine on the same matrix; only a shared factor solves for all columns in one call.
        for one, all_ in zip(jax.tree.leaves(alone), jax.tree.leaves(found), strict=True):
            np.testing.assert_allclose(all_[place], one, rtol=0, atol=1e-12)


def test_what_is_looked_for_is_found():
    matrices, images = jnp.ones((2, 3, 3)), jnp.ones((2, 4, 4))
    assert batched_factorisations(jax.vmap(jnp.linalg.cholesky), matrices)
    assert batched_factorisations(jax.vmap(lambda a: jax.scipy.linalg.cho_solve((a, True), a)), matrices)
    assert batched_factorisations(lambda a: jax.lax.map(jnp.linalg.svd, a[None]), matrices)
    assert ffts_at_once(lambda x: jnp.fft.fft2(x) + jnp.fft.fft2(2 * x), images)
    assert ffts_at_once(lambda x: jax.jit(jnp.fft.fft2)(x) + jax.lax.map(jnp.fft.fft2, x), images)
    assert not ffts_at_once(lambda x: jnp.fft.ifft2(2 * jnp.fft.fft2(x)), images)


def test_gist_runs_one_fft_after_the_other():
    program = partial(gist_module.gist_batch, scales=2, orientations=3)
    images = np.zeros((2, 32, 32, 3), np.uint8)
    assert sum(eq.primitive.name == "fft" for eq in equations(program, images)) >= 6
    assert ffts_at_once(program, images) == []
    assert not {eq.primitive.name for eq in equations(program, images)} & FACTORISATIONS


def test_two_threads_take_turns_at_gist(monkeypatch):
    running, most = 0, 0

    def slow(images, **static):
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.05)
        running -= 1
        return np.zeros((len(images), 512), np.float32)

    monkeypatch.setattr(gist_module, "gist_batch", slow)
    images = np.zeros((6, 16, 16, 3), np.uint8)
    threads = [threading.Thread(target=partial(gist_module.gist, images, batch_size=2)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


CORE = {
    "rotation step": zsh.rotation_step,
    "regression step": zsh.regression_step,
    "projection step": zsh.projection_step,
    "solve": lambda problem, hyper, state: zsh.class_dictionary(
        zsh.solve(problem, hyper, state, max_iterations=2).state
    )(problem.semantics),
    "solve_relaxed": partial(zsh.solve_relaxed, max_iterations=2),
    "pca": lambda problem, hyper, state: zsh.fit_preprocessing(problem.phi, kind="pca"),
}


@pytest.mark.parametrize("bits", [3, 6])
@pytest.mark.parametrize("name", CORE)
def test_the_public_core_vmaps_safely(name, bits):
    key = jax.random.key(0)
    phi, semantics = jax.random.normal(key, (2, 20, 5)), jax.random.normal(key, (2, 20, 4))
    problems = jax.vmap(zsh.make_problem)(phi, semantics)
    states = jax.vmap(partial(zsh.init_state, bits=bits), in_axes=(0, None))(problems, key)
    hypers = zsh.Hyperparameters(*jnp.ones((5, 3)))
    over_hypers = jax.vmap(CORE[name], in_axes=(None, 0, None))
    over_problems = jax.vmap(over_hypers, in_axes=(0, None, 0))
    assert batched_factorisations(over_problems, problems, hypers, states) == []
