"""The class vectors of a sweep come back as they were."""

import numpy as np
import pytest

from zsh_jax.data.dataset import Dataset
from zsh_jax.errors import InputError
from zsh_jax.sweep.class_vectors import Semantics
from zsh_jax.sweep.inputs import Inputs
from zsh_jax.tracking.vectors import load_vectors, save_vectors


def test_vectors_and_names_come_back(tmp_path):
    names = ("café", "big cat", "dog")
    dataset = Dataset(
        "beasts", np.arange(3).astype(str), np.full(3, "train"), np.arange(3, dtype=np.int32), names
    )
    words = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    semantics = {
        "word_vectors": Semantics("news", words[:, ::-1]),
        "one-hot": Semantics("one-hot", np.eye(3)),
    }
    save_vectors(tmp_path, Inputs(dataset, "made-up", np.zeros((3, 2), np.float32), semantics))
    found, found_names = load_vectors(tmp_path)
    assert found_names == names
    assert set(found) == {"news", "one-hot"}
    np.testing.assert_array_equal(found["news"], words[:, ::-1])
    np.testing.assert_array_equal(found["one-hot"], np.eye(3))


@pytest.mark.parametrize("content", [None, b"", b"nothing of the kind"])
def test_a_file_that_is_missing_or_damaged_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "semantics.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"semantics\.safetensors does not hold class vectors"):
        load_vectors(tmp_path)
