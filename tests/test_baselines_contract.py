"""What holds for every method: it learns, vmaps, compiles once and never holds samples x samples."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from baseline_methods import BITS, METHODS, packed, several_labels, toy, training
from jaxprs import largest_array

from zsh_jax import evaluate

pytestmark = pytest.mark.usefixtures("strict_ranks")
each_method = pytest.mark.parametrize("name", METHODS)


def _fit(name, bits=BITS):
    return partial(METHODS[name].module.fit, bits=bits, **METHODS[name].static)


def _stack(*trees):
    return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *trees)


def _assert_rows_equal(batched, singles):
    for i, single in enumerate(singles):
        row = jax.tree.map(lambda leaf, i=i: leaf[i], batched)
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-7, atol=1e-9), row, single)


@each_method
@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
def test_new_images_of_the_classes_are_retrieved_better_than_by_chance(name, several):
    data = several_labels(toy()) if several else toy()
    found = _fit(name)(jax.random.key(0), training(data, jnp.float32), METHODS[name].options[0])
    assert found.projection.dtype == jnp.float32
    new = toy(1)
    queries, database = packed(data, found, new.raw), packed(data, found, data.raw)
    one_label = (jnp.asarray(new.labels), jnp.asarray(data.labels))
    by_codes = evaluate(queries, one_label[0], database, one_label[1], bits=BITS)
    without = evaluate(0 * queries, one_label[0], 0 * database, one_label[1], bits=BITS)
    assert float(without.mean_average_precision) < 0.3  # a stub's codes, all equal
    # Random hyperplanes learn nothing; principal components differ in what they tell.
    assert float(by_codes.mean_average_precision) > (0.5 if name in ("lsh", "pcah") else 0.8)


@each_method
def test_vmap_over_keys_and_options_equals_the_loop(name, float64):
    data, method = training(toy()), METHODS[name]
    options = (method.options[0], method.options[-1])
    keys = jax.random.split(jax.random.key(0), 2)
    batched = jax.vmap(_fit(name), (0, None, 0 if options[0] else None))(keys, data, _stack(*options))
    _assert_rows_equal(batched, [_fit(name)(*pair) for pair in zip(keys, [data] * 2, options, strict=True)])


@each_method
def test_key_and_options_matter(name):
    data, method, key = training(toy(), jnp.float32), METHODS[name], jax.random.key(0)
    one = _fit(name)(key, data, method.options[0]).projection
    if name != "pcah":
        assert not np.allclose(one, _fit(name)(jax.random.key(1), data, method.options[0]).projection)
    if len(method.options) > 1:
        assert not np.allclose(one, _fit(name)(key, data, method.options[1]).projection)


@each_method
def test_vmap_over_data_equals_the_loop(name, float64):
    several, key, options = [training(toy(seed)) for seed in (0, 1)], jax.random.key(0), METHODS[name].options
    batched = jax.vmap(_fit(name), (None, 0, None))(key, _stack(*several), options[0])
    _assert_rows_equal(batched, [_fit(name)(key, data, options[0]) for data in several])


@each_method
def test_a_second_call_does_not_compile_again(name):
    method, fit = METHODS[name], _fit(name)
    options = jax.tree.map(jnp.asarray, method.options)
    fit(jax.random.key(0), training(toy(), jnp.float32), options[0])
    before = method.module.fit._cache_size()
    fit(jax.random.key(1), training(toy(2), jnp.float32), options[-1])
    assert method.module.fit._cache_size() == before


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if not method.ordered])
def test_the_order_of_the_samples_does_not_matter(name, float64):
    data, key, options = training(toy()), jax.random.key(0), METHODS[name].options[0]
    order = np.random.default_rng(0).permutation(120)
    shuffled = jax.tree.map(lambda rows: rows[order], data)
    straight, other = _fit(name)(key, data, options), _fit(name)(key, shuffled, options)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-7), straight, other)


@each_method
def test_no_array_of_samples_by_samples(name):
    n = 3000
    like = jax.tree.map(lambda rows: jnp.zeros((n, *rows.shape[1:])), training(toy(), jnp.float32))
    fit = lambda key, data: _fit(name)(key, data, METHODS[name].options[0])  # noqa: E731
    assert largest_array(fit, jax.random.key(0), like) <= n * (12 + 21 + BITS)
