"""The neighbour graph against scikit-learn, and the quadratic form against the dense Laplacian."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from jaxprs import largest_array
from sklearn.neighbors import NearestNeighbors

from zsh_jax import Graph, knn_graph, laplacian_quadratic

pytestmark = pytest.mark.usefixtures("strict_promotion")

N, K = 103, 5


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(N, 8)) * [1, 2, 3, 4, 5, 6, 7, 8] + 10


@pytest.fixture
def phi():
    return np.random.default_rng(1).normal(size=(N, 11))


@pytest.mark.parametrize("block", [1, 10, 64, N, 4096])
def test_neighbours_and_weights_equal_brute_force(x, block, float64):
    found = knn_graph(jnp.asarray(x), k=K, block=block)
    distances, neighbours = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(x).kneighbors()
    np.testing.assert_array_equal(found.neighbours, neighbours)
    width = distances[:, -1]
    np.testing.assert_allclose(
        found.weights, np.exp(-(distances**2) / (width[:, None] * width[neighbours])), rtol=1e-9
    )
    np.testing.assert_allclose(found.weights, oracle.knn(x, K)[1], rtol=1e-9)


def test_float32_neighbours_equal_float64_ones(x):
    """Squared distances of neighbours differ by 0.02 and more; float32 rounds those of norm 1,900 by about 0.001."""
    found = knn_graph(jnp.asarray(x, jnp.float32), k=K)
    neighbours, weights = oracle.knn(x, K)
    np.testing.assert_array_equal(found.neighbours, neighbours)
    np.testing.assert_allclose(found.weights, weights, rtol=1e-4)


def test_all_others_can_be_neighbours():
    graph = knn_graph(jnp.asarray([[0.0], [1.0], [3.0]]), k=2)
    np.testing.assert_array_equal(graph.neighbours, [[1, 2], [0, 2], [1, 0]])


@pytest.mark.parametrize("x64", [True, False])
@pytest.mark.parametrize("shift", [0.0, 50.0])
def test_copies_are_neighbours_with_weight_one(x, shift, x64):
    copies = np.vstack([np.repeat(x[:1], K + 3, axis=0), x[1:]]) + shift
    with jax.enable_x64(x64):
        graph = jax.tree.map(np.asarray, knn_graph(jnp.asarray(copies), k=K))
    assert np.isfinite(graph.weights).all()
    np.testing.assert_array_equal(graph.weights[: K + 3], 1)
    assert (graph.neighbours[: K + 3] < K + 3).all()
    assert (graph.neighbours != np.arange(len(copies))[:, None]).all()
    assert ((graph.weights >= 0) & (graph.weights <= 1)).all()


@pytest.mark.parametrize("k", [0, N])
def test_too_few_or_too_many_neighbours_are_refused(x, k):
    with pytest.raises(ValueError, match="cannot find"):
        knn_graph(jnp.asarray(x), k=k)


@pytest.mark.parametrize("block", [1, 10, N, 4096])
def test_quadratic_form_equals_the_dense_laplacian_s(x, phi, block, float64):
    neighbours, weights = oracle.knn(x, K)
    graph = Graph(jnp.asarray(neighbours, jnp.int32), jnp.asarray(weights))
    found = laplacian_quadratic(jnp.asarray(phi), graph, block=block)
    np.testing.assert_allclose(found, phi.T @ oracle.laplacian(neighbours, weights) @ phi, atol=1e-10)
    np.testing.assert_array_equal(found, found.T)


def test_quadratic_form_is_half_the_weighted_squared_differences(x, float64):
    neighbours, weights = oracle.knn(x, K)
    graph = Graph(jnp.asarray(neighbours, jnp.int32), jnp.asarray(weights))
    found = float(laplacian_quadratic(jnp.asarray(x[:, :1]), graph)[0, 0])
    edges = weights * (x[:, :1] - x[neighbours, 0]) ** 2  # each once, and A is the mean of both directions
    assert found == pytest.approx(edges.sum() / 2, rel=1e-10)


def test_quadratic_form_is_positive_semi_definite_and_blind_to_constants(x, phi, float64):
    neighbours, weights = oracle.knn(x, K)
    graph = Graph(jnp.asarray(neighbours, jnp.int32), jnp.asarray(weights))
    with_constant = jnp.asarray(np.hstack([phi, np.ones((N, 1))]))
    found = np.asarray(laplacian_quadratic(with_constant, graph))
    assert np.linalg.eigvalsh(found).min() > -1e-10
    np.testing.assert_allclose(found[-1], 0, atol=1e-10)
    assert np.linalg.eigvalsh(found[:-1, :-1]).min() > 1e-3


def test_float32_quadratic_form_is_near_the_dense_one(x, phi):
    neighbours, weights = oracle.knn(x, K)
    graph = Graph(jnp.asarray(neighbours, jnp.int32), jnp.asarray(weights, jnp.float32))
    expected = phi.T @ oracle.laplacian(neighbours, weights) @ phi
    found = laplacian_quadratic(jnp.asarray(phi, jnp.float32), graph)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_no_array_is_samples_by_samples():
    n, m = 20_000, 50
    x = jax.ShapeDtypeStruct((n, 8), jnp.float32)
    graph = Graph(jax.ShapeDtypeStruct((n, 10), jnp.int32), jax.ShapeDtypeStruct((n, 10), jnp.float32))
    assert largest_array(lambda x: knn_graph(x, k=10, block=512), x) <= 512 * n
    features = jax.ShapeDtypeStruct((n, m), jnp.float32)
    assert (
        largest_array(lambda phi, graph: laplacian_quadratic(phi, graph, block=256), features, graph) <= n * m
    )
