"""The class vectors of a sweep come back as they were."""

import numpy as np
import pytest

from zsh_jax.data.dataset import Dataset
from zsh_jax.errors import InputError
from zsh_jax.inputs.class_vectors import Semantics
from zsh_jax.inputs.fingerprint import vectors_fingerprint
from zsh_jax.inputs.load import Inputs
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
    inputs = Inputs(dataset, "made-up", np.zeros((3, 2), np.float32), semantics)
    save_vectors(tmp_path, inputs)
    save_vectors(tmp_path, inputs)
    other = {"word_vectors": Semantics("news", words + 1)}
    save_vectors(tmp_path, inputs._replace(semantics=other))
    others = dataset._replace(class_names=("ant", "bee", "cow"))
    save_vectors(tmp_path, inputs._replace(dataset=others, semantics={"one-hot": semantics["one-hot"]}))
    found = load_vectors(tmp_path)
    assert len(found) == 4
    for of, given in ((dataset, semantics), (dataset, other), (others, {"one-hot": semantics["one-hot"]})):
        for kind, (name, vectors) in given.items():
            one = found[vectors_fingerprint(kind, given[kind], of)]
            assert (one.name, one.class_names) == (name, of.class_names)
            np.testing.assert_array_equal(one.vectors, vectors)


@pytest.mark.parametrize("content", [None, b"", b"nothing of the kind"])
def test_a_file_that_is_missing_or_damaged_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "semantics").mkdir()
        (tmp_path / "semantics" / "0123.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="does not hold class vectors"):
        load_vectors(tmp_path)
