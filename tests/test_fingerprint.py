"""Fingerprints: equal for equal content, whatever its layout in memory; other for other content, whatever its name."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from zsh_jax.data.dataset import Dataset
from zsh_jax.digest import digest
from zsh_jax.inputs.class_vectors import Semantics
from zsh_jax.inputs.fingerprint import take_fingerprints, vectors_fingerprint

X = np.arange(60, dtype=np.float32).reshape(12, 5) / 7


def test_what_is_hashed_is_type_shape_and_bytes():
    expected = hashlib.sha256(b"<f4 (12, 5) " + X.tobytes()).hexdigest()[:16]
    assert digest(X) == expected


def test_the_layout_in_memory_does_not_matter(monkeypatch):
    strided = np.zeros((24, 10), np.float32)
    strided[::2, ::2] = X
    same = [np.asfortranarray(X), strided[::2, ::2], X.astype(">f4"), X[::-1][::-1]]
    assert {digest(one) for one in same} == {digest(X)}
    monkeypatch.setattr("zsh_jax.digest.BLOCK", 41)  # two rows of twenty bytes
    assert {digest(one) for one in [*same, X]} == {
        hashlib.sha256(b"<f4 (12, 5) " + X.tobytes()).hexdigest()[:16]
    }


def test_texts_are_hashed_by_their_characters():
    names = ["ant", "größe", ""]
    wide = np.array(names, "<U40")
    assert digest(names) == digest(tuple(names)) == digest(wide) == digest(np.array(names, object))
    others = [["ant", "größe"], ["größe", "ant", ""], ["antgröße", "", ""], ["ant", "grösse", ""], [b"ant"]]
    assert len({digest(one) for one in [names, *others]}) == len(others) + 1


def test_other_content_has_another_fingerprint():
    last = X.copy()
    last[-1, -1] = np.nextafter(last[-1, -1], np.float32(9))
    swapped = X[[1, 0, *range(2, 12)]]
    others = [X, last, swapped, X.T, X.reshape(-1), X.astype(np.float64), X[:-1], X[:0], np.float32(0)]
    assert len({digest(one) for one in others}) == len(others)
    assert digest(X, None) != digest(X) != digest(None, X)
    assert digest("ab", "c") != digest("a", "bc")


def test_it_is_the_same_in_another_process():
    script = "import numpy as np; from zsh_jax.digest import digest; print(digest(np.ones((3, 2)), ('é',)))"
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == digest(np.ones((3, 2)), ("é",))


def _dataset(**changes):
    labels = np.arange(12, dtype=np.int32) % 3
    dataset = Dataset(
        "beasts", np.arange(12).astype(str), np.full(12, "train"), labels, ("ant", "bee", "cow")
    )
    return dataset._replace(**changes)


CHANGES = {
    "labels": {"labels": np.arange(12, dtype=np.int32) // 4},
    "class names": {"class_names": ("ant", "bee", "dog")},
    "ids": {"ids": np.arange(1, 13).astype(str)},
    "source splits": {"source_splits": np.array(["train"] * 11 + ["test"])},
    "auxiliary marks": {"auxiliary": np.arange(12) < 4},
    "several labels": {"labels": np.eye(12, 3, dtype=bool)},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_labels_are_all_that_is_known_of_the_samples(changes):
    semantics = {"one-hot": Semantics("one-hot", np.eye(3, dtype=np.float32))}
    one, other = (take_fingerprints(data, X, semantics, {}) for data in (_dataset(), _dataset(**changes)))
    assert one.labels != other.labels
    assert one.features == other.features
    assert one.precision == "float32"
    assert take_fingerprints(_dataset(name="renamed"), X, semantics, {}) == one


def test_class_vectors_are_of_their_classes_and_drawn_ones_of_their_rule():
    vectors = Semantics("news", np.eye(3, dtype=np.float32))
    kinds = {
        vectors_fingerprint(kind, vectors, _dataset()) for kind in ("word_vectors", "random", "shuffled")
    }
    assert len(kinds) == 3
    other = _dataset(class_names=("x", "y", "z"))
    assert vectors_fingerprint("word_vectors", vectors, other) not in kinds


@pytest.mark.usefixtures("float64")
def test_double_precision_is_another_precision():
    semantics = {"one-hot": Semantics("one-hot", np.eye(3, dtype=np.float32))}
    assert take_fingerprints(_dataset(), X, semantics, {}).precision == "float64"
