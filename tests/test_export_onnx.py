"""A hash function as an ONNX graph: onnxruntime computes the codes of `encode`, ties included."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cells import hash_function, joint_hash_function, linear_hash_function

from zsh_jax import MLP, ClassCodes, Identity, Linear, Preprocessing, Vectors, encode, project
from zsh_jax.errors import InputError
from zsh_jax.export import checks, onnx_graph
from zsh_jax.export.onnx_graph import HEADS, MAPS, onnx_model, save_onnx
from zsh_jax.model_file import KINDS

NEAR_ZERO = 1e-3  # of projections of size 1 to 10, thousands of times what rounding moves them in float32


@pytest.fixture(autouse=True)
def _installed():
    pytest.importorskip("onnx", reason="needs pip install -e '.[onnx]'")


def _arrays(seed, *shapes, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def _prepared(model, **changes):
    return model._replace(preprocessing=model.preprocessing._replace(**changes))


def _class_codes():
    projection, offset, codes = _arrays(3, (6, 4), (4,), (4, 9))
    return hash_function()._replace(head=ClassCodes(projection, offset, np.sign(codes)))


def _mlp():
    (basis,) = _arrays(4, (6, 5))
    model = _prepared(linear_hash_function(), basis=basis, unit=np.asarray(False))
    return model._replace(head=MLP(*_arrays(5, (5, 7), (7,), (7, 9))))


MODELS = {
    "linear, unit length": lambda: _prepared(linear_hash_function(), unit=np.asarray(True)),
    "kernel": lambda: hash_function(bits=16),
    "kernel in float64": lambda: hash_function(dtype=np.float64),
    "joint": joint_hash_function,
    "hidden layer, basis": _mlp,
    "class codes": _class_codes,
}


def _run(model, x, *, packed=True):
    ort = pytest.importorskip("onnxruntime", reason="needs pip install onnxruntime")
    session = ort.InferenceSession(onnx_model(model, packed=packed).SerializeToString())
    (codes,) = session.run(["codes"], {"features": x})
    return codes


def _encoded(model, x):
    model = jax.tree.map(jnp.asarray, model)
    return np.asarray(encode(model, jnp.asarray(x))), np.asarray(project(model, jnp.asarray(x)))


def test_every_kind_of_feature_map_and_head_has_a_rule():
    assert set(MAPS) == set(KINDS["feature_map"].values())
    assert set(HEADS) == set(KINDS["head"].values()) - {Vectors}
    models = [model() for model in MODELS.values()]
    assert {type(model.feature_map) for model in models} == set(MAPS)
    assert {type(model.head) for model in models} == set(HEADS)


@pytest.mark.parametrize("name", MODELS)
def test_codes_are_those_of_encode(name, request):
    model = MODELS[name]()
    dtype = model.preprocessing.mean.dtype
    if dtype == np.float64:
        request.getfixturevalue("float64")
    (x,) = _arrays(7, (200, 6), dtype=dtype)
    x[0], x[1] = model.preprocessing.mean, 1e30 * x[1]  # a row that becomes zero; squares that overflow
    codes, projected = _encoded(model, x)
    bits = projected.shape[1]
    far = np.abs(projected) > NEAR_ZERO
    far[1] = bool(model.preprocessing.unit)  # only then its length is finite
    assert far[2:].mean() > 0.99
    ours = np.unpackbits(codes, axis=1, count=bits)
    assert 0.1 < ours.mean() < 0.9
    packed, plain = _run(model, x), _run(model, x, packed=False)
    assert (packed.dtype, plain.dtype, plain.shape) == (np.uint8, np.uint8, (200, bits))
    np.testing.assert_array_equal(np.packbits(plain, axis=1), packed)
    np.testing.assert_array_equal(plain[far], ours[far])
    np.testing.assert_array_equal(_run(model, x[5:6]), packed[5:6])  # any number of rows


def _whole_numbers(*shape, seed=0):
    return np.random.default_rng(seed).integers(-1, 2, shape).astype(np.float32)


def _tied(head):
    plain = Preprocessing(np.zeros(6, np.float32), np.ones(6, np.float32), None, None)
    return linear_hash_function()._replace(preprocessing=plain, feature_map=Identity(), head=head)


def _at_anchors():
    """Of a sample at an anchor, bump minus constant column is exactly zero."""
    model = hash_function(bits=5)
    projection = np.vstack([np.eye(5), -np.ones((1, 5))]).astype(np.float32)
    anchors = _whole_numbers(5, 6, seed=1)
    return _tied(Linear(projection))._replace(feature_map=model.feature_map._replace(anchors=anchors))


TIED = {  # whole numbers, so that every sum is exact in any order
    "linear": lambda: _tied(Linear(_whole_numbers(6, 11))),
    "hidden layer": lambda: _tied(
        MLP(_whole_numbers(6, 4), _whole_numbers(4), _whole_numbers(4, 11, seed=2), _whole_numbers(11))
    ),
    "kernel": _at_anchors,
    "scores of classes": lambda: _tied(
        ClassCodes(np.repeat(_whole_numbers(6, 2), 2, axis=1), np.zeros(4, np.float32), _whole_numbers(4, 11))
    ),
}


@pytest.mark.parametrize("name", TIED)
def test_ties_fall_as_in_encode(name):
    model = TIED[name]()
    x = np.concatenate([_whole_numbers(60, 6, seed=3), _whole_numbers(5, 6, seed=1)])
    codes, projected = _encoded(model, x)
    assert (projected == 0).sum() > 4
    plain = _run(model, x, packed=False)
    assert not plain[projected == 0].any()
    np.testing.assert_array_equal(np.packbits(plain, axis=1), codes)


def test_the_file_says_what_it_is(tmp_path):
    import onnx

    model, path = hash_function(), tmp_path / "new" / "model.onnx"
    save_onnx(path, model)
    read = onnx.load(path)
    assert [(one.domain, one.version) for one in read.opset_import] == [("", 17)]
    assert read.ir_version == 8
    assert {one.key: one.value for one in read.metadata_props} == {"bits": "12", "packed": "true"}
    assert [one.name for one in (*read.graph.input, *read.graph.output)] == ["features", "codes"]
    with pytest.raises(InputError, match=r"model\.onnx exists already; fix: choose another file"):
        save_onnx(path, model)
    assert [one.name for one in path.parent.iterdir()] == ["model.onnx"]


class Unknown(Linear):
    """A head of somebody's own."""


def _stacked():
    model = linear_hash_function()
    return model._replace(head=jax.tree.map(lambda leaf: np.stack([leaf, leaf]), model.head))


REFUSED = {
    "bound": (
        lambda: linear_hash_function()._replace(head=Vectors()),
        "a bound compares real-valued vectors",
    ),
    "head": (
        lambda: linear_hash_function()._replace(head=Unknown(np.eye(6))),
        "ONNX: unknown part Unknown of a",
    ),
    "cells": (_stacked, "ONNX: arrays of the hash function do not fit; fix: export one hash function"),
    "large": (lambda: hash_function(anchors=50), "GiB of arrays, but a file holds 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_graph_is_refused_in_one_line(tmp_path, monkeypatch, case):
    made, said = REFUSED[case]
    if case == "large":
        monkeypatch.setattr(onnx_graph, "LARGEST", 1000)
    with pytest.raises(InputError, match=said) as caught:
        save_onnx(tmp_path / "model.onnx", made())
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_without_onnx_one_line_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"onnx is not installed; fix: pip install -e '\.\[onnx\]'"):
        save_onnx(tmp_path / "model.onnx", hash_function())
    with pytest.raises(InputError, match=r"model\.pb must be a \.onnx file"):
        save_onnx(tmp_path / "model.pb", hash_function())
