"""Searches that read more than Hamming distances, against plain loops; RaBitQ's estimate against true products."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from method_data import function_of, toy, training

from zsh_jax import METHODS, apply_preprocessing, encode, evaluate, evaluate_searches, project
from zsh_jax.core.metrics.cosine import cosine_average_precision
from zsh_jax.core.metrics.query_average_precision import query_average_precision
from zsh_jax.core.metrics.search import (
    asymmetric_average_precision,
    rabitq_average_precision,
    rescored_average_precision,
    search_costs,
)
from zsh_jax.core.packing import pack_codes
from zsh_jax.core.rabitq import (
    estimated_products,
    estimated_squared_distances,
    quantise,
    random_quantiser,
)

pytestmark = pytest.mark.usefixtures("strict_promotion")

BITS, FIRST = 10, 25


@pytest.fixture(scope="module")
def case():
    """Projections, codes, vectors and labels of twelve queries and 150 items, with copies among these."""
    rng = np.random.default_rng(0)
    labels = [np.arange(size) % 5 for size in (12, 150)]
    centres = rng.normal(size=(5, 6))
    vectors = [centres[y] + rng.normal(size=(len(y), 6)) for y in labels]
    vectors[1][20:40] = vectors[1][:20]
    frame = rng.normal(size=(6, BITS))
    return [(x @ frame, x, y) for x, y in zip(vectors, labels, strict=True)]


def _arguments(case):
    return [
        (pack_codes(jnp.asarray(values)), jnp.asarray(values), jnp.asarray(x), jnp.asarray(y))
        for values, x, y in case
    ]


def _ranked(scores, relevant):
    """Ties of equal scores in every order, by the rank of each score."""
    return oracle.tie_aware_average_precision(np.unique(-scores, return_inverse=True)[1], relevant)


@pytest.mark.parametrize("several", [False, True])
def test_asymmetric_distance_ranks_as_a_plain_loop(case, several, float64):
    (_, projected, _, asked), (codes, _, _, held) = _arguments(case)
    signs = np.where(case[1][0] > 0, 1.0, -1.0)
    distances = [((p - signs) ** 2).sum(1).round(9) for p in case[0][0]]
    if several:
        asked, held = (jax.nn.one_hot(y, 5) for y in (asked, held))
    found = asymmetric_average_precision(projected, asked, codes, held, bits=BITS)
    expected = [_ranked(-d, case[1][2] == y) for d, y in zip(distances, case[0][2], strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_asymmetric_distance_of_codes_is_the_hamming_distance(case, float64):
    (query, projected, _, asked), (codes, _, _, held) = _arguments(case)
    signs = jnp.where(projected > 0, 1.0, -1.0)
    found = asymmetric_average_precision(signs, asked, codes, held, bits=BITS)
    expected = query_average_precision(query, asked, codes, held, bits=BITS)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def _rescored(case, row, without=None):
    """Hamming distances, then the first ones again by cosine."""
    (values, x, y), (items, vectors, labels) = ([part[row] for part in case[0]], case[1])
    distance = ((values > 0) != (items > 0)).sum(1)
    rest = np.arange(len(items)) != without
    radius = np.sort(distance[rest])[FIRST - 1]
    cosine = (vectors @ x / np.linalg.norm(vectors, axis=1) / np.linalg.norm(x)).round(9)
    scores = np.where(distance <= radius, cosine, -2.0 - distance)
    return _ranked(scores[rest], (labels == y)[rest])


def test_rescoring_ranks_as_a_plain_loop(case, float64):
    (query, _, x, asked), (codes, _, vectors, held) = _arguments(case)
    found = rescored_average_precision(query, x, asked, codes, vectors, held, first=FIRST)
    np.testing.assert_allclose(found, [_rescored(case, row) for row in range(12)], rtol=1e-10)


def test_a_query_of_the_database_is_left_out(case, float64):
    _, (codes, projected, vectors, held) = _arguments(case)
    own = jnp.array([0, 7, 149])
    found = rescored_average_precision(
        codes[own], vectors[own], held[own], codes, vectors, held, own, first=FIRST
    )
    same = (case[1], case[1])
    np.testing.assert_allclose(found, [_rescored(same, int(row), int(row)) for row in own], rtol=1e-10)
    found = asymmetric_average_precision(projected[own], held[own], codes, held, own, bits=BITS)
    signs = np.where(case[1][0] > 0, 1.0, -1.0)
    for row, value in zip(own.tolist(), found, strict=True):
        rest = np.arange(150) != row
        scores = (signs @ case[1][0][row]).round(9)[rest]
        assert float(value) == pytest.approx(
            _ranked(scores, (case[1][2] == case[1][2][row])[rest]), rel=1e-10
        )


def test_rescoring_everything_is_the_cosine_and_rescoring_more_costs_more(case, float64):
    (query, _, x, asked), (codes, _, vectors, held) = _arguments(case)
    found = rescored_average_precision(query, x, asked, codes, vectors, held, first=150)
    np.testing.assert_allclose(found, cosine_average_precision(x, asked, vectors, held), rtol=1e-12)
    costs = search_costs(bits=64, dimensions=512, first=100)
    assert costs["hamming"] == (8, 4, 0)
    assert costs["asymmetric"] == (8, 64, 0)
    assert costs["rabitq"] == (16, 67, 2 * 512 * 64)
    assert costs["rescored"] == (8 + 2048, 4, 2 * 512 * 100)


def _trained(name, data, bits):
    method = METHODS[name]
    fitted = method.fit(jax.random.key(0), training(data), method.weights(), method.options(), bits=bits)
    return function_of(name, data, fitted)


METHODS_TRIED = ("lsh", "random_rotation", "zsh", "joint_fixed")


@pytest.mark.parametrize("name", METHODS_TRIED)
def test_every_way_to_search_is_open_to_a_method(name, float64):
    data, new = toy(), toy(1, n=40)
    function = _trained(name, data, BITS)
    arguments = [jnp.asarray(one) for one in (new.raw, new.labels, data.raw, data.labels)]
    found = evaluate_searches(function, *arguments, first=FIRST)
    codes = [encode(function, x) for x in arguments[::2]]
    judged = evaluate(codes[0], arguments[1], codes[1], arguments[3], bits=BITS)
    exact = float(found.hamming.mean_average_precision)
    assert exact == pytest.approx(float(judged.mean_average_precision), rel=1e-10)
    projected = np.asarray(project(function, arguments[0]))
    signs = np.where(np.asarray(project(function, arguments[2])) > 0, 1.0, -1.0)
    expected = [
        _ranked((signs @ p).round(9), data.labels == y) for p, y in zip(projected, new.labels, strict=True)
    ]
    assert float(found.asymmetric.mean_average_precision) == pytest.approx(np.mean(expected), rel=1e-9)
    x = [np.asarray(apply_preprocessing(function.preprocessing, one)) for one in arguments[::2]]
    case = (projected, x[0], new.labels), (signs, x[1], data.labels)
    expected = [_rescored(case, row) for row in range(40)]
    assert float(found.rescored.mean_average_precision) == pytest.approx(np.mean(expected), rel=1e-9)
    assert found.rescored.cost.bytes_per_item == 2 + 4 * 12


def test_searches_that_cannot_be_are_refused(float64):
    data = toy()
    function = _trained("cosine_features", data, 0)
    x, y = jnp.asarray(data.raw), jnp.asarray(data.labels)
    with pytest.raises(ValueError, match="a bound has no codes"):
        evaluate_searches(function, x, y, x, y)
    with pytest.raises(ValueError, match="first must be at least 1"):
        evaluate_searches(function, x, y, x, y, first=0)


def test_rabitq_ranks_by_its_estimate(float64):
    data, new = toy(), toy(1, n=20)
    copies = np.r_[: len(data.x), 5:25]  # equal items are one tie
    x, queries, labels = jnp.asarray(data.x[copies]), jnp.asarray(new.x), data.labels[copies]
    quantiser = random_quantiser(jax.random.key(0), x.mean(0), bits=12, dtype=jnp.float64)
    held = quantise(quantiser, x)
    found = rabitq_average_precision(quantiser, queries, jnp.asarray(new.labels), held, jnp.asarray(labels))
    distances = np.asarray(estimated_squared_distances(quantiser, held, queries)).round(9)
    expected = [_ranked(-d, labels == y) for d, y in zip(distances, new.labels, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    for leaf in held:
        np.testing.assert_array_equal(leaf[len(data.x) :], leaf[5:25])


@pytest.fixture(scope="module", params=[24, 9], ids=["as many bits as values", "fewer bits"])
def estimates(request):
    """Estimates of the products of three queries with four items, over two thousand random frames."""
    size, bits = 24, request.param
    rng = np.random.default_rng(1)
    items = rng.normal(size=(4, size)) + 2
    queries = rng.normal(size=(3, size)) + items[:3] / 2
    centre = items.mean(0)

    @jax.jit
    def of(key):
        quantiser = random_quantiser(key, jnp.asarray(centre), bits=bits, dtype=jnp.float64)
        held = quantise(quantiser, jnp.asarray(items))
        return estimated_products(quantiser, held, jnp.asarray(queries)), held.agreement

    with jax.enable_x64(True):
        products, agreement = jax.device_get(jax.lax.map(of, jax.random.split(jax.random.key(0), 2000)))
    return queries - centre, items - centre, products, agreement


def test_rabitq_s_estimate_is_unbiased(estimates):
    """The mean over frames is within 4.5 standard errors of each of the twelve products: by chance once in 10,000."""
    queries, items, products, _ = estimates
    errors = products - (queries @ items.T)[None]
    standard = products.std(0, ddof=1) / np.sqrt(len(products))
    assert (np.abs(errors.mean(0)) < 4.5 * standard).all()
    assert (standard < 0.05 * np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(items, axis=1)).all()


def test_rabitq_s_errors_have_the_stated_variance(estimates):
    queries, items, products, agreement = estimates
    size = np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(items, axis=1)[None]
    cosine = queries @ items.T / size
    known = (1 - agreement**2) / agreement**2 / (queries.shape[1] - 1)
    expected = known.mean(0) * (1 - cosine**2) * size**2
    # The variance of 2,000 nearly normal draws has a relative standard error of 0.03.
    np.testing.assert_allclose(products.var(0, ddof=1), expected, rtol=0.2)


def test_a_naive_estimate_would_be_biased(estimates):
    """Without the division by <o~, o> the mean is far off: the test above can fail."""
    queries, items, products, agreement = estimates
    naive = (products * agreement[:, None]).mean(0)
    standard = products.std(0, ddof=1) / np.sqrt(len(products))
    assert (np.abs(naive - queries @ items.T) / standard).max() > 10


def test_rabitq_s_distances_and_items_at_the_centre(float64):
    rng = np.random.default_rng(2)
    items, queries = jnp.asarray(rng.normal(size=(5, 8))), jnp.asarray(rng.normal(size=(2, 8)))
    items = items.at[0].set(items.mean(0))
    quantiser = random_quantiser(jax.random.key(3), items[0], bits=8, dtype=jnp.float64)
    held = quantise(quantiser, items)
    found = estimated_squared_distances(quantiser, held, queries)
    exact = ((np.asarray(queries)[:, None] - np.asarray(items)[None]) ** 2).sum(-1)
    np.testing.assert_allclose(found[:, 0], exact[:, 0], rtol=1e-12)  # the centre itself is known
    products = estimated_products(quantiser, held, queries)
    lengths = ((np.asarray(queries) - np.asarray(items[0])) ** 2).sum(1)[:, None] + np.asarray(held.length)[
        None
    ] ** 2
    np.testing.assert_allclose(found, lengths - 2 * np.asarray(products), rtol=1e-12)
    along = items[1] + (items[1] - items[0])  # an item's own direction is estimated without error
    np.testing.assert_allclose(
        estimated_products(quantiser, held, along[None])[0, 1], 2 * held.length[1] ** 2, rtol=1e-12
    )
    with pytest.raises(ValueError, match="at least as many values"):
        random_quantiser(jax.random.key(0), items[0], bits=9)
