"""A scikit-learn estimator around `fit` and `encode`; `pip install -e '.[sklearn]'`."""

from collections.abc import Hashable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Num, Shaped, UInt8

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import type_of_target
    from sklearn.utils.validation import check_is_fitted, validate_data
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "zsh_jax.estimator: scikit-learn is not installed; fix: pip install 'zsh_jax[sklearn]'",
        name=error.name,
    ) from None

from zsh_jax.core.hashing import HashFunction, encode, encode_classes
from zsh_jax.errors import InputError
from zsh_jax.methods.table import PUBLISHED
from zsh_jax.training.arguments import BEFORE, method_named
from zsh_jax.training.fit import fit

ROWS = 1024  # encoded at a time, always as many: one program serves all, and a row's code is its own
MOST = {"anchors": 1000, "neighbours": 10}  # defaults, lowered for small data

Semantics = Mapping[Hashable, ArrayLike] | ArrayLike | None


class ZeroShotHasher(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Binary codes of features, learned from labels and class vectors.

    `transform` returns one column of 0 and 1 for each bit, in `uint8`, as `NearestNeighbors(metric="hamming")` takes
    them; `numpy.packbits(codes, axis=1)` gives the bytes of `zsh_jax.encode`.

    Args:
        bits: code length.
        method: a key of `zsh_jax.METHODS` with codes.
        semantics: class vectors. A mapping from each class in y to its vector; or a matrix (c, e) with a row for each
            of the classes 0 to c - 1, seen or unseen. None for one-hot vectors of the classes in y: no class is then
            closer to another, and nothing is transferred to unseen classes.
        settings: other keywords of `zsh_jax.fit`, such as `{"alpha": 1e-5, "anchors": 500}`. Anchors and neighbours are
            min(1,000, n) and min(10, n - 1) if not set.
        random_state: seed or generator of all draws.

    Attributes:
        hash_function_: for `zsh_jax.encode`, `encode_classes` and `save`.
        classes_: the classes, in the order of the rows of the class vectors.
        class_vectors_: a row for each class, at unit length.
        n_features_in_: number of features.

    Examples:
        >>> import numpy as np
        >>> from zsh_jax.estimator import ZeroShotHasher
        >>> rng = np.random.default_rng(0)
        >>> vectors = {name: rng.normal(size=8) for name in ("cat", "dog", "emu", "fox")}  # fox is unseen
        >>> names = rng.choice(["cat", "dog", "emu"], 60)
        >>> features = np.stack([vectors[name] for name in names]) + 0.1 * rng.normal(size=(60, 8))
        >>> hasher = ZeroShotHasher(bits=16, semantics=vectors).fit(features, names)
        >>> hasher.transform(features).shape, hasher.transform_classes(["fox"]).shape
        ((60, 16), (1, 16))
    """

    def __init__(
        self,
        bits: int = 32,
        *,
        method: str = PUBLISHED,
        semantics: Semantics = None,
        settings: Mapping[str, Any] | None = None,
        random_state: Any = 0,
    ) -> None:
        self.bits = bits
        self.method = method
        self.semantics = semantics
        self.settings = settings
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> "ZeroShotHasher":
        """Learn a hash function.

        Args:
            X: features, (n, d).
            y: class of each row, (n,); or multi-hot, (n, c).

        Returns:
            The estimator.

        Raises:
            ValueError: an argument does not fit.
        """
        features, y = validate_data(
            self, X, y, dtype=[np.float64, np.float32], ensure_min_samples=2, multi_output=True
        )
        labels, self.classes_, vectors = _supervision(y, self.semantics)
        self.class_vectors_ = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
        method = method_named(self.method)
        if not method.has_codes:
            raise InputError(f"method: {self.method} has no codes; fix: use zsh_jax.fit and zsh_jax.project")
        most = {"anchors": len(features), "neighbours": len(features) - 1}
        small = {name: min(MOST[name], most[name]) for name in most if name in BEFORE}
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        self.hash_function_: HashFunction = fit(
            jax.random.key(int(seed)),
            features,
            vectors,
            labels,
            bits=self.bits,
            method=self.method,
            **small | dict(self.settings or {}),
        )
        self._n_features_out = self.bits
        return self

    def transform(self, X: Any) -> UInt8[np.ndarray, "n l"]:
        """Codes of images.

        Args:
            X: features, (n, d).

        Returns:
            0 or 1 for each bit.
        """
        check_is_fitted(self)
        features = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        mean = self.hash_function_.preprocessing.mean
        out = np.empty((len(features), self.bits), np.uint8)
        held = np.zeros((ROWS, features.shape[1]), mean.dtype)
        for start in range(0, len(features), ROWS):
            part = features[start : start + ROWS]
            held[: len(part)] = part
            out[start : start + ROWS] = _unpacked(encode(self.hash_function_, jnp.asarray(held)), self.bits)[
                : len(part)
            ]
        return out

    def transform_classes(self, classes: Any = None) -> UInt8[np.ndarray, "c l"]:
        """Codes of classes, seen or unseen, from their vectors alone.

        Args:
            classes: entries of `classes_`; None for all.

        Returns:
            0 or 1 for each bit.

        Raises:
            ValueError: a class is unknown, or the method has no class codes.
        """
        check_is_fitted(self)
        rows = {name: row for row, name in enumerate(self.classes_.tolist())}
        chosen = self.classes_.tolist() if classes is None else np.asarray(classes).tolist()
        unknown = [name for name in chosen if name not in rows]
        if unknown:
            raise InputError(f"classes: there is no class {unknown[0]!r}; fix: use entries of classes_")
        vectors = jnp.asarray(self.class_vectors_[[rows[name] for name in chosen]], jnp.result_type(float))
        return _unpacked(encode_classes(self.hash_function_, vectors), self.bits)

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn's checks may expect: labels are required, and codes keep no type."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _unpacked(codes: ArrayLike, bits: int) -> UInt8[np.ndarray, "n l"]:
    return np.unpackbits(np.asarray(codes), axis=1, count=bits)


def _supervision(
    y: Shaped[np.ndarray, "n *c"], semantics: Semantics
) -> tuple[Shaped[np.ndarray, "n *c"], Shaped[np.ndarray, " c"], Num[np.ndarray, "c e"]]:
    """Labels for `fit`, the classes, and a vector of each."""
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass", "multilabel-indicator"):
        raise InputError(f"Unknown label type: y must be classes, or zeros and ones by class; got {kind}")
    several = kind == "multilabel-indicator"
    seen = np.arange(y.shape[1]) if several else np.unique(y)
    if isinstance(semantics, Mapping):
        # Classes that only the mapping has come last: they are unseen.
        named = [*seen.tolist(), *(name for name in semantics if name not in set(seen.tolist()))]
        lacking = [name for name in seen.tolist() if name not in semantics]
        if lacking:
            raise InputError(f"semantics: class {lacking[0]!r} of y has no vector; fix: add it")
        if np.array(named).tolist() != named:
            raise InputError(
                f"semantics: its keys and y must be of one type; got {named[0]!r} and {named[-1]!r}"
            )
        classes, vectors = np.array(named), np.stack([np.asarray(semantics[name], float) for name in named])
    elif semantics is None:
        classes, vectors = seen, np.eye(len(seen))
    else:
        vectors = np.asarray(semantics, float)
        if vectors.ndim != 2:
            raise InputError(f"semantics: must be (c, e), a row for each class; got shape {vectors.shape}")
        classes = np.arange(len(vectors))
        if not set(seen.tolist()) <= set(classes.tolist()):
            raise InputError(
                f"semantics: y must be whole numbers from 0 to {len(vectors) - 1}, rows of the matrix; fix: give a "
                "mapping from each class to its vector"
            )
    if several:
        hot = np.zeros((len(y), len(classes)), bool)
        hot[:, : y.shape[1]] = y != 0
        return hot, classes, vectors
    index = {name: row for row, name in enumerate(classes.tolist())}
    return np.array([index[name] for name in y.ravel().tolist()], np.int32), classes, vectors
