"""Locality: the released form is constant, the graphs and Laplacians are those of SciPy and scikit-learn."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from problems import PUBLISHED, given, hyper_of, problem_of, random_rotation, start_of
from scipy.sparse.csgraph import laplacian
from sklearn.neighbors import kneighbors_graph

from zsh_jax import anchor_graph, knn_graph, laplacian_quadratic, make_problem, objective, solve
from zsh_jax.core.steps.rotation import random_rotation as haar

pytestmark = pytest.mark.usefixtures("strict_promotion", "float64")


def _points(n=90, d=5):
    return np.random.default_rng(0).normal(size=(n, d))


def _phi(n=90, m=7):
    return np.random.default_rng(1).normal(size=(n, m))


def test_locality_on_the_semantics_is_the_same_for_every_rotation():
    data = given()
    problem = problem_of(data)
    trace = np.trace(data.semantics.T @ data.laplacian @ data.semantics)
    for seed in range(5):
        state = start_of(data, 8, rotation=random_rotation(seed, 9))
        hyper = hyper_of(PUBLISHED)._replace(gamma=0.0, delta=0.7)
        assert float(objective(problem, hyper, state).locality) == pytest.approx(0.7 * trace, rel=1e-10)


@pytest.mark.parametrize("delta", [1e-3, 1.0, 100.0])
def test_so_the_codes_are_those_without_it(delta):
    data = given(n=150, classes=7)
    hyper = hyper_of((1e-2, 0.1, 1e-3, 0.0))
    without = solve(problem_of(data), hyper, start_of(data, 12))
    with_it = solve(problem_of(data), hyper._replace(delta=delta), start_of(data, 12))
    np.testing.assert_array_equal(with_it.state.codes, without.state.codes)
    np.testing.assert_array_equal(with_it.state.projection, without.state.projection)
    count = int(without.iterations)
    difference = np.asarray(with_it.objective - without.objective)[:count]
    np.testing.assert_allclose(difference, difference[0], rtol=1e-9)


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("weights", ["heat", "binary"])
def test_the_quadratic_form_is_that_of_scipy_s_laplacian(weights, normalised):
    x, phi = _points(), _phi()
    neighbours, heat = oracle.knn(x, 6)
    directed = np.zeros((90, 90))
    np.put_along_axis(directed, neighbours, heat if weights == "heat" else np.ones_like(heat), 1)
    dense = laplacian((directed + directed.T) / 2, normed=normalised)
    graph = knn_graph(jnp.asarray(x), k=6, weights=weights)
    found = laplacian_quadratic(jnp.asarray(phi), graph, normalised=normalised, block=32)
    np.testing.assert_allclose(found, phi.T @ dense @ phi, atol=1e-9)


def test_binary_weights_are_scikit_learn_s_connectivity():
    x = _points()
    graph = knn_graph(jnp.asarray(x), k=4, weights="binary")
    expected = kneighbors_graph(x, 4, mode="connectivity").toarray()
    found = np.zeros_like(expected)
    np.put_along_axis(found, np.asarray(graph.neighbours), np.asarray(graph.weights), 1)
    np.testing.assert_array_equal(found, expected)


def test_the_anchor_graph_is_its_definition():
    x, phi = _points(), _phi()
    anchors = x[:12] + 0.1
    graph = anchor_graph(jnp.asarray(x), jnp.asarray(anchors), jnp.asarray(3.0), nearest=4)
    d = oracle.distances(x, anchors) ** 2
    z = np.exp(-d / 6.0)
    z[d > np.sort(d, axis=1)[:, 3:4]] = 0
    z /= z.sum(1, keepdims=True)
    adjacency = z @ np.diag(1 / z.sum(0)) @ z.T
    np.testing.assert_allclose(adjacency.sum(1), 1, rtol=1e-10)
    expected = phi.T @ (np.eye(90) - adjacency) @ phi
    for normalised in (False, True):
        found = laplacian_quadratic(jnp.asarray(phi), graph, normalised=normalised, block=32)
        np.testing.assert_allclose(found, expected, atol=1e-9)
    assert np.linalg.eigvalsh(found).min() > -1e-9


def test_an_anchor_that_is_nobody_s_is_left_out():
    x = _points()
    anchors = np.vstack([x[:5], np.full((1, 5), 1e3)])
    graph = anchor_graph(jnp.asarray(x), jnp.asarray(anchors), jnp.asarray(3.0), nearest=2)
    assert graph.mass[5] == 0
    assert np.isfinite(laplacian_quadratic(jnp.asarray(_phi()), graph)).all()


def test_problems_carry_the_form_that_is_asked_for():
    x, phi = _points(), _phi()
    graph = knn_graph(jnp.asarray(x), k=6)
    y = jnp.asarray(_phi(m=3))
    problem = make_problem(jnp.asarray(phi), y, graph, normalised=True)
    # To the last digits: GPUs add up in another order in another program.
    expected = (laplacian_quadratic(matrix, graph, normalised=True) for matrix in (jnp.asarray(phi), y))
    for found, one in zip((problem.locality, problem.semantic_locality), expected, strict=True):
        np.testing.assert_allclose(found, one, rtol=1e-13, atol=1e-12)
    assert make_problem(jnp.asarray(phi), y).semantic_locality is None


def test_a_random_rotation_is_orthogonal_and_uniform():
    draws = np.asarray(
        jax.vmap(lambda key: haar(key, size=3, dtype=float))(jax.random.split(jax.random.key(0), 400))
    )
    np.testing.assert_allclose(
        draws @ draws.transpose(0, 2, 1), np.broadcast_to(np.eye(3), draws.shape), atol=1e-12
    )
    assert 0.4 < (np.linalg.det(draws) > 0).mean() < 0.6
    np.testing.assert_allclose(draws.mean(0), 0, atol=0.15)
    np.testing.assert_allclose((draws**2).mean(0), 1 / 3, atol=0.07)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: knn_graph(x, weights="cold"),
        lambda x: anchor_graph(x, x[:2], jnp.asarray(1.0), nearest=3),
        lambda x: anchor_graph(x, x[:2], jnp.asarray(1.0), nearest=0),
    ],
)
def test_bad_options_are_refused(make, unchecked_shapes):
    with pytest.raises(ValueError, match=r"must be|cannot find"):
        make(jnp.asarray(_points()))
