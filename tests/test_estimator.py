"""The scikit-learn estimator: scikit-learn's own checks, and the codes of `fit` and `encode`."""

import importlib
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import zsh_jax as zsh
from zsh_jax.errors import InputError

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from zsh_jax.estimator import ZeroShotHasher

pytestmark = pytest.mark.usefixtures("unchecked_shapes")  # readers pass NumPy arrays
NAMES = ("cat", "dog", "emu", "fox")
RNG = np.random.default_rng(0)
VECTORS = dict(zip(NAMES, RNG.normal(size=(4, 8)), strict=True))
LABELS = RNG.integers(0, 3, 60)  # no fox
FEATURES = np.stack(list(VECTORS.values()))[LABELS] + 0.1 * RNG.normal(size=(60, 8))
SETTINGS = {"anchors": 20, "neighbours": 5}


def test_scikit_learn_s_checks_pass():
    """With hyperplanes, which compile quickly: the checks are of the estimator, not of a method."""
    found = check_estimator(ZeroShotHasher(method="lsh"), on_skip=None)
    assert sum(one["status"] == "passed" for one in found) >= 40


@pytest.fixture(scope="module")
def hasher():
    made = ZeroShotHasher(16, semantics=VECTORS, settings=SETTINGS)
    return clone(made).fit(FEATURES, np.array(NAMES)[LABELS])


def test_codes_are_those_of_fit_and_encode(hasher):
    assert hasher.classes_.tolist() == list(NAMES)
    seed = np.random.RandomState(0).randint(2**31 - 1)
    vectors = np.stack(list(VECTORS.values()))
    model = zsh.fit(jax.random.key(seed), FEATURES, vectors, LABELS, bits=16, **SETTINGS)
    for one, other in zip(jax.tree.leaves(hasher.hash_function_), jax.tree.leaves(model), strict=True):
        np.testing.assert_array_equal(one, other)
    codes = hasher.transform(FEATURES)
    assert (codes.dtype, codes.shape) == (np.uint8, (60, 16))
    expected = zsh.encode(model, jnp.asarray(FEATURES, jnp.float32))
    np.testing.assert_array_equal(np.packbits(codes, axis=1), expected)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    classes = zsh.encode_classes(model, jnp.asarray(unit[::-1], jnp.float32))
    np.testing.assert_array_equal(np.packbits(hasher.transform_classes(NAMES[::-1]), axis=1), classes)
    assert hasher.get_feature_names_out().tolist()[:2] == ["zeroshothasher0", "zeroshothasher1"]


def test_neighbours_of_codes_are_of_the_same_class(hasher):
    found = NearestNeighbors(n_neighbors=6, metric="hamming").fit(hasher.transform(FEATURES))
    rows = found.kneighbors(return_distance=False)
    assert (LABELS[rows] == LABELS[:, None]).mean() > 0.9


def test_labels_may_be_rows_of_a_matrix_or_several_or_without_vectors():
    hot = np.eye(4, dtype=int)[LABELS]
    hot[:9, 1] = 1
    vectors = np.stack(list(VECTORS.values()))
    for y, semantics, classes in (
        (LABELS, vectors, [0, 1, 2, 3]),
        (hot, vectors, [0, 1, 2, 3]),
        (np.array(NAMES)[LABELS], None, list(NAMES[:3])),
    ):
        made = make_pipeline(StandardScaler(), ZeroShotHasher(8, semantics=semantics, method="lsh"))
        assert made.fit_transform(FEATURES, y).shape == (60, 8)
        assert made[-1].classes_.tolist() == classes
        assert made[-1].class_vectors_.shape == (len(classes), len(classes) if semantics is None else 8)


@pytest.mark.parametrize(
    ("changes", "y", "said"),
    [
        ({"semantics": {"cat": [1, 0]}}, np.array(NAMES)[LABELS], "class 'dog' of y has no vector"),
        ({"semantics": np.eye(2)}, LABELS, "whole numbers from 0 to 1, rows of the matrix"),
        ({"semantics": np.ones(3)}, LABELS, r"must be \(c, e\)"),
        ({"semantics": {0: [1], 1: [1], 2: [1], "x": [1]}}, LABELS, "of one type"),
        ({"method": "cosine_features"}, LABELS, "has no codes"),
        ({"settings": {"alpah": 1}}, LABELS, "has no setting 'alpah'"),
        ({}, FEATURES[:, 0], "Unknown label type"),
    ],
)
def test_what_does_not_fit_is_refused(changes, y, said):
    with pytest.raises(InputError, match=said):
        ZeroShotHasher(8, **changes).fit(FEATURES, y)


def test_an_unknown_class_is_named(hasher):
    with pytest.raises(InputError, match="no class 'hen'"):
        hasher.transform_classes(["hen"])


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    monkeypatch.delitem(sys.modules, "zsh_jax.estimator")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'zsh_jax\[sklearn\]'"):
        importlib.import_module("zsh_jax.estimator")
