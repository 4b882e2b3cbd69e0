"""Hash functions on disk: what is loaded encodes as what was saved, and nothing else is taken for one."""

import json
import struct

import jax
import numpy as np
import pytest
from cells import hash_function, identity, joint_hash_function, linear_hash_function

from zsh_jax import MLP, ClassCodes, Linear, Vectors, encode, encode_classes, project
from zsh_jax.core.preprocessing import fit_preprocessing
from zsh_jax.model_file import KINDS, load, load_with_metadata, save
from zsh_jax.tracking.models import is_whole_model, model_path
from zsh_jax.tracking.results import cell_id

MODELS = {
    "kernel": hash_function,
    "kernel with a dictionary": lambda **changes: hash_function(vectors=5, **changes),
    "linear": linear_hash_function,
    "joint": joint_hash_function,
    "mlp": lambda **changes: _with_hidden_layer(linear_hash_function(**changes)),
    "class codes": lambda **changes: _with_class_codes(hash_function(**changes)),
    "features as they are": lambda **changes: linear_hash_function(**changes)._replace(head=Vectors()),
    "predictions": lambda **changes: _predictions(hash_function(**changes)),
}
each_kind = pytest.mark.parametrize("kind", MODELS)


def _predictions(function):
    return function._replace(head=Vectors(function.head.projection))


def _with_hidden_layer(function):
    projection = function.head.projection
    rng, size, dtype = np.random.default_rng(0), (len(projection), 7), projection.dtype
    hidden, offset = rng.normal(size=size).astype(dtype), rng.normal(size=7).astype(dtype)
    return function._replace(head=MLP(hidden, offset, rng.normal(size=(7, 9)).astype(dtype), None))


def _with_class_codes(function):
    projection = function.head.projection
    rng, dtype = np.random.default_rng(0), projection.dtype
    codes = np.where(rng.random((projection.shape[1], 9)) < 0.5, -1, 1).astype(dtype)
    return function._replace(head=ClassCodes(projection, np.zeros(len(codes), dtype), codes))


def _jax(function):
    return jax.tree.map(jax.numpy.asarray, function)


def _assert_same(loaded, model):
    assert jax.tree.structure(loaded) == jax.tree.structure(model)
    for one, other in zip(jax.tree.leaves(loaded), jax.tree.leaves(model), strict=True):
        assert isinstance(one, np.ndarray)
        np.testing.assert_array_equal(one, np.asarray(other), strict=True)


@each_kind
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_types_and_metadata_come_back(tmp_path, kind, dtype):
    model, cell = MODELS[kind](dtype=dtype), identity(note='"quoted"\nü', nothing=None, flag=True)
    path = tmp_path / "models" / "0123.safetensors"
    save(path, model, cell)
    loaded, metadata = load_with_metadata(path)
    assert metadata == cell
    _assert_same(loaded, model)
    _assert_same(load(path), model)


def test_the_file_of_a_cell_is_named_for_it_and_another_is_not_taken_for_it(tmp_path):
    cell = identity()
    path = model_path(tmp_path, cell_id(cell))
    assert path == tmp_path / "models" / f"{cell_id(cell)}.safetensors"
    assert not is_whole_model(path)
    save(path, hash_function(), cell)
    assert is_whole_model(path)
    save(path, hash_function(), identity(seed=1))
    assert not is_whole_model(path)
    save(path, hash_function(), cell)
    path.write_bytes(path.read_bytes()[:-1])
    assert not is_whole_model(path)


@each_kind
def test_the_loaded_function_encodes_as_the_saved_one(tmp_path, kind):
    model = MODELS[kind]()
    save(tmp_path / "model.safetensors", model)
    loaded = load(tmp_path / "model.safetensors")
    x = jax.random.normal(jax.random.key(0), (50, 6))
    values = [project(_jax(one), x) for one in (model, loaded)]
    np.testing.assert_array_equal(*values)
    assert len(np.unique(np.asarray(values[0]) > 0, axis=0)) > 1
    if model.head.bits:
        np.testing.assert_array_equal(encode(_jax(loaded), x), encode(_jax(model), x))
    if model.class_head is not None:
        vectors = jax.random.normal(jax.random.key(1), (50, 5))
        codes = [encode_classes(_jax(one), vectors) for one in (model, loaded)]
        np.testing.assert_array_equal(*codes)
        assert len(np.unique(codes[0], axis=0)) > 1


@pytest.mark.parametrize("kind", ["unit", "pca"])
def test_a_preprocessing_comes_back_with_its_function(tmp_path, kind):
    x = jax.random.normal(jax.random.key(1), (40, 6)) + 3
    preprocessing = fit_preprocessing(x, kind=kind, dimensions=4 if kind == "pca" else None)
    model = hash_function(features=4 if kind == "pca" else 6)._replace(preprocessing=preprocessing)
    save(tmp_path / "model.safetensors", model, identity())
    loaded = load(tmp_path / "model.safetensors")
    _assert_same(loaded, jax.device_get(model))
    as_arrays = [_jax(one) for one in (model, loaded)]
    np.testing.assert_array_equal(*(encode(one, x) for one in as_arrays))
    assert not np.array_equal(encode(as_arrays[0], x), encode(as_arrays[0], 2 * x + 1))


def test_every_kind_of_part_has_been_saved_here():
    kinds = {(name, type(part)) for make in MODELS.values() for name, part in make()._asdict().items()}
    assert {(name, kind) for name, words in KINDS.items() for kind in words.values()} <= kinds


def test_a_view_is_saved_by_its_values(tmp_path):
    model = hash_function()
    turned = model._replace(
        feature_map=model.feature_map._replace(anchors=model.feature_map.anchors[::-1]),
        head=Linear(np.asfortranarray(model.head.projection)),
    )
    save(tmp_path / "model.safetensors", turned)
    loaded = load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.head.projection, model.head.projection)
    np.testing.assert_array_equal(loaded.feature_map.anchors, model.feature_map.anchors[::-1])


@each_kind
def test_the_file_is_plain_safetensors(tmp_path, kind):
    """Read by hand from the format's description: a length, a JSON header, raw little-endian arrays."""
    model = MODELS[kind]()
    save(tmp_path / "model.safetensors", model, identity())
    content = (tmp_path / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    texts = {key: json.loads(text) for key, text in header.pop("__metadata__").items()}
    assert texts.pop("checksum")
    assert texts.pop("format") == 2
    parts = texts.pop("parts")
    assert {name: KINDS[name][word] for name, word in parts.items()} == {
        name: type(part) for name, part in model._asdict().items() if part is not None
    }
    assert texts == identity()
    assert len(header) == len(jax.tree.leaves(model))
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(content[start:end], {"F32": "<f4", "U8": "u1"}[entry["dtype"]])
        part, field = name.split(".")
        np.testing.assert_array_equal(array.reshape(entry["shape"]), getattr(getattr(model, part), field))


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    save(path, hash_function(0), identity())
    before = path.read_bytes()

    def no_room(descriptor):
        raise OSError(28, "no room")

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(OSError, match="no room"):
        save(path, hash_function(1), identity())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
