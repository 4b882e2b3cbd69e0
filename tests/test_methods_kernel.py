"""SGH, KSH and the semantic ridge against SciPy, scikit-learn and NumPy; and what they solve with."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
from method_data import BITS, codes_of, several_labels, toy, training
from sklearn.linear_model import Ridge

from zsh_jax.core.gram import gram_basis, inverse_root, oriented, ridge_regression
from zsh_jax.methods import class_codes, ksh, ksh_descent, semantic_ridge, sgh
from zsh_jax.methods.protocol import NoOptions

pytestmark = pytest.mark.usefixtures("strict_promotion")


def _signs(values):
    return np.where(values > 0, 1.0, -1.0)


def test_ridge_regression_is_that_of_scikit_learn(float64):
    data = toy()
    basis = gram_basis(jnp.asarray(data.phi.T @ data.phi))
    for ridge in (1e-2, 7.0):
        found = ridge_regression(basis, jnp.asarray(data.phi.T @ data.x), ridge)
        expected = Ridge(alpha=ridge, fit_intercept=False, solver="svd").fit(data.phi, data.x).coef_.T
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def test_float32_ridge_regression_survives_features_that_depend_on_each_other():
    data = toy()
    features = np.hstack([data.phi, data.phi, data.phi[:, :3] + data.phi[:, 3:6]])
    gram = jnp.asarray(features.T @ features, jnp.float32)
    right = jnp.asarray(features.T @ data.x, jnp.float32)
    found = ridge_regression(gram_basis(gram), right, 1e-6)
    expected = data.phi @ np.linalg.lstsq(data.phi, data.x)[0]
    np.testing.assert_allclose(features @ np.asarray(found, float), expected, atol=0.02)


def test_the_inverse_root_whitens_and_leaves_out_what_is_rounding(float64):
    data = toy()
    gram = data.phi.T @ data.phi
    root = np.asarray(inverse_root(gram_basis(jnp.asarray(gram)), 0.3))
    np.testing.assert_allclose(root.T @ (gram + 0.3 * np.eye(21)) @ root, np.eye(21), atol=1e-8)
    twice = np.block([[gram, gram], [gram, gram]])
    root = np.asarray(inverse_root(gram_basis(jnp.asarray(twice))))
    assert (np.abs(root).max(0) > 0).sum() == 21
    np.testing.assert_allclose(np.sort(np.diag(root.T @ twice @ root))[-21:], 1, atol=1e-6)


def test_orientation_makes_the_largest_entry_positive(float64):
    vectors = np.array([[1.0, -3.0, 0.0], [-2.0, 1.0, 0.0]])
    np.testing.assert_array_equal(oriented(jnp.asarray(vectors)), [[-1, 3, 0], [2, -1, 0]])


@pytest.mark.parametrize("several", [False, True])
def test_class_codes_are_those_of_the_seen_class_that_a_ridge_classifier_finds(several, float64):
    data, key = several_labels(toy()) if several else toy(), jax.random.key(6)
    given = training(data)
    fitted = class_codes.fit(key, given, class_codes.Weights(0.3), NoOptions(), bits=BITS)
    taught = np.asarray(given.classes)
    seen = np.flatnonzero(taught.any(0))
    assert len(seen) < taught.shape[1]  # an unseen class is never chosen, however little the others fit
    ridge = Ridge(alpha=0.3, fit_intercept=False, solver="svd").fit(data.phi, taught[:, seen])
    codes = np.asarray(fitted.head.codes)
    assert set(np.unique(codes)) == {-1.0, 1.0}
    chosen = seen[ridge.predict(data.phi).argmax(1)]
    np.testing.assert_array_equal(codes_of("class_codes", data, fitted, data.raw), codes[chosen])
    assert taught[np.arange(len(taught)), chosen].mean() > 0.8
    far = -3 * data.phi  # where the scores of seen classes are below those of unseen ones, which are 0
    np.testing.assert_array_equal(fitted.head(jnp.asarray(far)), codes[seen[ridge.predict(far).argmax(1)]])
    assert (ridge.predict(far).max(1) < 0).any()


def test_semantic_ridge_hashes_the_predictions_of_ridge_regression(float64):
    data, key, weights = toy(), jax.random.key(5), semantic_ridge.Weights(0.3)
    fitted = semantic_ridge.fit(key, training(data), weights, NoOptions(), bits=BITS)
    ridge = Ridge(alpha=0.3, fit_intercept=False, solver="svd").fit(data.phi, data.semantics)
    np.testing.assert_allclose(
        semantic_ridge.semantic_regression(training(data), 0.3), ridge.coef_.T, rtol=1e-7, atol=1e-9
    )
    planes = np.asarray(jax.random.normal(key, (7, BITS)))
    np.testing.assert_array_equal(
        codes_of("semantic_ridge", data, fitted, data.raw), _signs(ridge.predict(data.phi) @ planes)
    )


def test_the_transformed_features_of_sgh_are_the_chord_of_the_similarity(float64):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 6))
    x[1] = -4 * x[0]
    p = np.asarray(sgh.transformed_features(jnp.asarray(x)))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosine = unit @ unit.T
    approximate, exact = p @ p.T - 1, 2 * np.exp(cosine - 1) - 1
    np.testing.assert_allclose(np.diag(approximate), 1, rtol=1e-12)  # the chord's upper end
    assert approximate[0, 1] == pytest.approx(exact[0, 1], abs=1e-12)  # and its lower one
    chord = 2 / np.e * (np.cosh(1) + np.sinh(1) * cosine) - 1
    np.testing.assert_allclose(approximate, chord, atol=1e-12)


def _sgh_in_numpy(data, ridge, order):
    """Algorithm 1 with the similarity between all samples, and SciPy's generalised eigenproblem."""
    k = (data.phi - data.phi.mean(0))[:, :-1]
    unit = data.x / np.linalg.norm(data.x, axis=1, keepdims=True)
    similarity = 2 / np.e * (np.cosh(1) + np.sinh(1) * unit @ unit.T) - 1
    residual, gram = BITS * similarity, k.T @ k + ridge * np.eye(k.shape[1])
    weights, codes = np.zeros((k.shape[1], BITS)), np.zeros((len(k), BITS))
    for t in [*range(BITS), *order]:
        residual = residual + np.outer(codes[:, t], codes[:, t])
        _, vectors = scipy.linalg.eigh(k.T @ residual @ k, gram)
        w = vectors[:, -1]
        weights[:, t] = w * np.sign(w[np.argmax(np.abs(w))])
        codes[:, t] = _signs(k @ weights[:, t])
        residual = residual - np.outer(codes[:, t], codes[:, t])
    return weights, codes


def test_sgh_equals_a_plain_port_with_the_whole_similarity(float64):
    data, key = toy(), jax.random.key(1)
    fitted = sgh.fit(key, training(data), sgh.Weights(), NoOptions(), bits=BITS)
    weights, codes = _sgh_in_numpy(data, 1e-6, np.asarray(jax.random.permutation(key, BITS)))
    np.testing.assert_allclose(fitted.head.projection[:-1], weights, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(codes_of("sgh", data, fitted, data.raw), codes)


def _ksh_given(several=False):
    data = several_labels(toy()) if several else toy()
    features = (data.phi - data.phi.mean(0))[:, :-1]
    similarity = np.where(data.classes @ data.classes.T > 0, 1.0, -1.0)
    return features, similarity


@pytest.mark.parametrize("given", ["one label", "several labels", "one label that is known"])
def test_ksh_is_greedy_on_the_residual(given, float64):
    features, similarity = _ksh_given(several=given == "several labels")
    similar = jnp.asarray(similarity)
    if given == "one label that is known":
        similar = ksh.OneLabel(jnp.asarray(toy().classes.T))
    found = ksh.greedy_bits(jnp.asarray(features), similar, 1e-2, bits=BITS, iterations=30)
    residual, before = BITS * similarity, np.sum((BITS * similarity) ** 2)
    for k in range(BITS):
        # The relaxation of each bit, by SciPy.
        _, vectors = scipy.linalg.eigh(features.T @ residual @ features, features.T @ features)
        relaxed = _signs(features @ vectors[:, -1])
        assert found.relaxed[k] == pytest.approx(relaxed @ residual @ relaxed, rel=1e-9)
        b = _signs(features @ np.asarray(found.weights[:, k]))
        assert found.agreement[k] == pytest.approx(b @ residual @ b, rel=1e-9)
        residual = residual - np.outer(b, b)
        assert found.residual[k] == pytest.approx(np.sum(residual**2), rel=1e-9)
        assert found.residual[k] <= before
        before = found.residual[k]
    assert (found.agreement >= found.relaxed).all()
    assert found.residual[-1] < 0.6 * np.sum((BITS * similarity) ** 2)


def test_ksh_without_gradient_steps_is_the_relaxation(float64):
    features, similarity = map(jnp.asarray, _ksh_given())
    found = ksh.greedy_bits(features, similarity, 1e-2, bits=BITS, iterations=0)
    np.testing.assert_array_equal(found.agreement, found.relaxed)
    np.testing.assert_allclose(np.sum((features @ found.weights) ** 2, axis=0), 120, rtol=1e-9)


@pytest.mark.parametrize("wide", [False, True], ids=["products with K", "with K K'"])
def test_the_gradient_method_of_ksh_goes_down_the_gradient(wide, float64):
    features, similarity = _ksh_given()
    start = 0.1 * np.random.default_rng(0).normal(size=20)

    def surrogate(a):
        smooth = 2 / (1 + np.exp(-features @ a)) - 1
        return -smooth @ similarity @ smooth

    def reached(iterations, tolerance):
        return np.asarray(
            ksh_descent.smooth_descent(
                jnp.asarray(features),
                jnp.asarray(features @ features.T) if wide else None,
                ksh.times(jnp.asarray(similarity)),
                jnp.asarray(start),
                tolerance,
                iterations=iterations,
            )
        )

    values = [surrogate(reached(count, 0.0)) for count in (0, 1, 5, 50, 500)]
    assert values[0] == pytest.approx(surrogate(start), rel=1e-12)
    assert (np.diff(values) < 0).all()
    assert values[-1] < 0.95 * scipy.optimize.minimize(surrogate, start, method="BFGS").fun  # below zero
    first = start - reached(1, 0.0)
    gradient = scipy.optimize.approx_fprime(start, surrogate)
    np.testing.assert_allclose(first / np.linalg.norm(first), gradient / np.linalg.norm(gradient), atol=1e-4)
    np.testing.assert_allclose(
        reached(500, np.inf), reached(1, 0.0), rtol=1e-9
    )  # the first small change ends it


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several labels"])
def test_ksh_reads_the_labelled_samples_alone(several, float64):
    data, key = several_labels(toy()) if several else toy(), jax.random.key(3)
    given, options = training(data), ksh.Options(labelled=40, max_iterations=20)
    assert (given.labels is None) == several
    fitted = ksh.fit(key, given, ksh.Weights(), options, bits=BITS)
    chosen = np.asarray(jax.random.choice(key, 120, (40,), replace=False))
    unlabelled = np.setdiff1d(np.arange(120), chosen)
    other = data.classes.copy()
    other[unlabelled] = other[unlabelled][:, ::-1]
    again = ksh.fit(key, given._replace(classes=jnp.asarray(other)), ksh.Weights(), options, bits=BITS)
    np.testing.assert_array_equal(fitted.head.projection, again.head.projection)
    features = (data.phi - data.phi.mean(0))[:, :-1]
    projected = features @ np.asarray(fitted.head.projection)[:-1]
    np.testing.assert_array_equal(codes_of("ksh", data, fitted, data.raw), _signs(projected))


def test_ksh_learns_the_same_whether_or_not_it_knows_that_samples_have_one_label(float64):
    given = training(toy())
    options = ksh.Options(labelled=60, max_iterations=20)
    heads = [
        ksh.fit(jax.random.key(0), one, ksh.Weights(), options, bits=BITS).head
        for one in (given, given._replace(labels=None))
    ]
    np.testing.assert_allclose(heads[0].projection, heads[1].projection, rtol=1e-6, atol=1e-8)


def test_ksh_multiplies_with_the_smaller_matrices():
    features = jnp.asarray(np.random.default_rng(0).normal(size=(6, 3)), jnp.float32)
    np.testing.assert_allclose(
        ksh_descent.inner_products(features), features @ features.T, rtol=1e-5, atol=1e-6
    )
    assert ksh_descent.inner_products(features[:, :2]) is None
