"""Hash functions on disk: what is loaded encodes as what was saved, and nothing else is taken for one."""

import json
import struct

import jax
import numpy as np
import pytest
from cells import hash_function, identity, joint_hash_function
from safetensors.numpy import load_file, save_file

from zsh_jax import JointHashFunction, encode
from zsh_jax.baselines.families import encode_any
from zsh_jax.baselines.hash_functions import LinearHashFunction
from zsh_jax.core.hashing import HashFunction
from zsh_jax.core.preprocessing import fit_preprocessing
from zsh_jax.errors import InputError
from zsh_jax.tracking.models import load_class_codes, load_model, model_path, save_model


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_types_and_metadata_come_back(tmp_path, dtype):
    model, cell = hash_function(dtype=dtype), identity(note='"quoted"\nü', nothing=None, flag=True)
    path = model_path(tmp_path, "0123")
    assert path == tmp_path / "models" / "0123.safetensors"
    save_model(path, model, cell)
    loaded, metadata = load_model(path)
    assert metadata == cell
    assert isinstance(loaded, HashFunction)
    assert jax.tree.structure(loaded) == jax.tree.structure(model)
    for name in HashFunction._fields[:5]:
        leaf = getattr(loaded, name)
        np.testing.assert_array_equal(
            leaf, getattr(model, name), strict=not np.isscalar(getattr(model, name))
        )
        assert leaf.dtype == dtype
    assert loaded.bandwidth.shape == ()


@pytest.mark.parametrize("kind", ["unit", "pca"])
def test_a_preprocessing_comes_back_with_its_function(tmp_path, kind):
    x = jax.random.normal(jax.random.key(1), (40, 6)) + 3
    mean, scale, basis, unit = fit_preprocessing(x, kind=kind, dimensions=4 if kind == "pca" else None)
    plain = hash_function()
    anchors = np.asarray(plain.anchors)[:, : 4 if kind == "pca" else 6]
    model = plain._replace(mean=mean, scale=scale, anchors=anchors, basis=basis, unit=unit)
    save_model(tmp_path / "model.safetensors", model, identity())
    loaded, _ = load_model(tmp_path / "model.safetensors")
    as_arrays = [jax.tree.map(jax.numpy.asarray, one) for one in (model, loaded)]
    np.testing.assert_array_equal(*(encode(one, x) for one in as_arrays))
    assert not np.array_equal(encode(as_arrays[0], x), encode(as_arrays[0], 2 * x + 1))


def test_a_linear_hash_function_comes_back(tmp_path):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=size).astype(np.float32) for size in (6, 6, (6, 9), 9)]
    model = LinearHashFunction(*arrays)
    save_model(tmp_path / "model.safetensors", model, identity())
    loaded, _ = load_model(tmp_path / "model.safetensors")
    assert isinstance(loaded, LinearHashFunction)
    for one, other in zip(loaded, model, strict=True):
        np.testing.assert_array_equal(one, other)
    save_model(tmp_path / "model.safetensors", model._replace(offset=arrays[0]), identity())
    with pytest.raises(InputError, match="offset is for 6 bits, projection for 9"):
        load_model(tmp_path / "model.safetensors")


def test_a_joint_hash_function_comes_back(tmp_path):
    model = joint_hash_function()
    save_model(tmp_path / "model.safetensors", model, identity())
    loaded, _ = load_model(tmp_path / "model.safetensors")
    assert isinstance(loaded, JointHashFunction)
    x = jax.random.normal(jax.random.key(1), (40, 6))
    codes = [encode_any(jax.tree.map(jax.numpy.asarray, one), x) for one in (model, loaded)]
    np.testing.assert_array_equal(*codes)
    assert len(np.unique(codes[0], axis=0)) > 1
    save_model(tmp_path / "model.safetensors", model._replace(centre=model.mean), identity())
    with pytest.raises(InputError, match="do not fit each other"):
        load_model(tmp_path / "model.safetensors")


def test_class_codes_stand_beside_a_function_or_do_not(tmp_path):
    path, model = tmp_path / "model.safetensors", hash_function(bits=12)
    save_model(path, model, identity())
    assert load_class_codes(path) is None
    codes = np.arange(10, dtype=np.uint8).reshape(5, 2)
    save_model(path, model, identity(), codes)
    np.testing.assert_array_equal(load_class_codes(path), codes, strict=True)
    loaded, metadata = load_model(path)
    assert metadata == identity()
    for one, other in zip(*map(jax.tree.leaves, (loaded, model)), strict=True):
        np.testing.assert_array_equal(one, other)
    for wrong in (codes[:, :1], codes[0], codes.astype(np.float32)):
        save_model(path, model, identity(), wrong)
        for load in (load_model, load_class_codes):
            with pytest.raises(InputError, match="are no packed codes of 12 bits"):
                load(path)


def test_the_loaded_function_encodes_as_the_saved_one(tmp_path):
    model = jax.tree.map(jax.numpy.asarray, hash_function())
    save_model(tmp_path / "model.safetensors", model, identity())
    loaded, _ = load_model(tmp_path / "model.safetensors")
    x = jax.random.normal(jax.random.key(0), (50, 6))
    np.testing.assert_array_equal(encode(jax.tree.map(jax.numpy.asarray, loaded), x), encode(model, x))


def test_a_view_is_saved_by_its_values(tmp_path):
    model = hash_function()
    turned = model._replace(projection=np.asfortranarray(model.projection), anchors=model.anchors[::-1])
    save_model(tmp_path / "model.safetensors", turned, {})
    loaded, _ = load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.projection, model.projection)
    np.testing.assert_array_equal(loaded.anchors, model.anchors[::-1])


def test_the_file_is_plain_safetensors(tmp_path):
    """Read by hand from the format's description: a length, a JSON header, raw little-endian arrays."""
    model = hash_function()
    save_model(tmp_path / "model.safetensors", model, identity())
    content = (tmp_path / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    texts = header.pop("__metadata__")
    assert texts.pop("checksum")
    assert {key: json.loads(text) for key, text in texts.items()} == identity()
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(content[start:end], "<f4").reshape(entry["shape"])
        np.testing.assert_array_equal(array, getattr(model, name))


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    save_model(path, hash_function(0), identity())
    before = path.read_bytes()

    def no_room(descriptor):
        raise OSError(28, "no room")

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(OSError, match="no room"):
        save_model(path, hash_function(1), identity())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


SPOILT = {
    "lacks anchors": (lambda a: a.pop("anchors"), "it lacks anchors"),
    "holds more": (lambda a: a.update(bias=a["mean"]), "it also holds bias"),
    "type": (lambda a: a.update(scale=a["scale"].astype(np.float16)), "scale is of type float16"),
    "dimensions": (lambda a: a.update(bandwidth=a["mean"]), r"bandwidth has shape \(6,\)"),
    "features of scale": (lambda a: a.update(scale=a["scale"][:-1]), "scale is for 5 features, mean for 6"),
    "features of anchors": (
        lambda a: a.update(anchors=a["anchors"][:, :-1].copy()),
        "anchors are for 5 features",
    ),
    "rows": (lambda a: a.update(projection=a["projection"][:-1]), "projection has 5 rows for 5 anchors"),
}


@pytest.mark.parametrize(("spoil", "message"), SPOILT.values(), ids=SPOILT)
def test_what_is_wrong_with_a_file_is_named(tmp_path, spoil, message):
    path = tmp_path / "model.safetensors"
    save_model(path, hash_function(), identity())
    arrays = load_file(path)
    spoil(arrays)
    save_file(arrays, path)  # without a checksum, as older versions did
    with pytest.raises(InputError, match=message) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"hello, this is no model", b"\x80\x04pickle."])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a hash function that was saved here"):
        load_model(path)


def test_a_file_cut_short_or_with_foreign_metadata_is_refused(tmp_path):
    path, whole = tmp_path / "model.safetensors", tmp_path / "whole.safetensors"
    save_model(whole, hash_function(), identity())
    path.write_bytes(whole.read_bytes()[:-8])
    with pytest.raises(InputError, match="not a hash function that was saved here"):
        load_model(path)
    save_file(load_file(whole), path, {"format": "pt"})
    with pytest.raises(InputError, match="not a hash function that was saved here"):
        load_model(path)


def test_a_missing_file_and_a_folder_that_cannot_be_made_are_named(tmp_path):
    with pytest.raises(InputError, match="no model"):
        load_model(tmp_path / "model.safetensors")
    (tmp_path / "models").touch()
    with pytest.raises(InputError, match="cannot be written"):
        save_model(model_path(tmp_path, "0123"), hash_function(), {})
