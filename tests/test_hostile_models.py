"""Files that are no hash functions, or damaged ones: refused in one line that says what is wrong."""

import json

import numpy as np
import pytest
from cells import hash_function, identity, joint_hash_function
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from zsh_jax.errors import InputError
from zsh_jax.model_file import _checksum, load, load_with_metadata, save
from zsh_jax.tracking.models import model_path


def _spoil(path, spoil):
    """A file whose checksum holds, since it is made after the arrays and the metadata are changed."""
    arrays = load_file(path)
    with safe_open(path, framework="numpy") as file:
        texts = {key: text for key, text in file.metadata().items() if key != "checksum"}
    spoil(arrays, texts)
    texts["checksum"] = json.dumps(_checksum(arrays, texts))
    save_file(arrays, path, texts)


def _shorter(name):
    def spoil(arrays, texts):
        arrays[name] = arrays[name][..., :-1].copy()

    return spoil


def _said(**changes):
    def spoil(arrays, texts):
        texts.update({key: json.dumps(value) for key, value in changes.items()})

    return spoil


PARTS = {"preprocessing": "preprocessing", "feature_map": "rbf", "head": "linear", "class_head": "dictionary"}
SPOILT = {
    "lacks anchors": (lambda a, t: a.pop("feature_map.anchors"), "it lacks feature_map.anchors"),
    "lacks a projection": (lambda a, t: a.pop("head.projection"), "it lacks head.projection"),
    "holds more": (lambda a, t: a.update(bias=a["preprocessing.mean"]), "it also holds bias"),
    "holds more of a part": (
        lambda a, t: a.update({"head.bias": a["preprocessing.mean"]}),
        "it also holds head.bias",
    ),
    "another part": (_said(parts=PARTS | {"tail": "linear"}), "it also holds tail"),
    "half precision": (
        lambda a, t: a.update({"preprocessing.scale": a["preprocessing.scale"].astype(np.float16)}),
        "preprocessing.scale is of type float16",
    ),
    "whole numbers": (
        lambda a, t: a.update({"head.projection": a["head.projection"].astype(np.int32)}),
        "head.projection is of type int32",
    ),
    "codes that are numbers": (
        lambda a, t: a.update({"class_head.codes": a["class_head.codes"].astype(np.float32)}),
        "class_head.codes is of type float32",
    ),
    "dimensions": (
        lambda a, t: a.update({"feature_map.bandwidth": a["preprocessing.mean"]}),
        r"feature_map.bandwidth has shape \(6,\), not 0 dimensions",
    ),
    "features of scale": (
        _shorter("preprocessing.scale"),
        r"preprocessing.scale has shape \(5,\), where d is 6",
    ),
    "features of anchors": (_shorter("feature_map.anchors"), "have inconsistent shapes"),
    "rows": (
        lambda a, t: a.update({"head.projection": a["head.projection"][:-1].copy()}),
        "have inconsistent shapes",
    ),
    "an offset of other bits": (
        lambda a, t: a.update({"head.offset": a["preprocessing.mean"]}),
        r"head.offset has shape \(6,\), where l is 12",
    ),
    "packed codes of other bits": (_shorter("class_head.codes"), "have inconsistent shapes"),
    "classes of other bits": (
        lambda a, t: a.update({"class_head.dictionary": a["class_head.dictionary"][:-1].copy()}),
        "have inconsistent shapes",
    ),
    "no format": (lambda a, t: t.pop("format"), "its format is None, not 2"),
    "a later format": (_said(format=3), "its format is 3, not 2"),
    "no parts": (lambda a, t: t.pop("parts"), "metadata lacks the kinds of its parts"),
    "parts that are a text": (_said(parts="linear"), "metadata lacks the kinds"),
    "a head of no kind": (_said(parts=PARTS | {"head": "forest"}), "its head is of kind 'forest'"),
    "a kind that is no word": (_said(parts=PARTS | {"head": ["linear"]}), "metadata lacks the kinds"),
    "a head that is missing": (
        _said(parts={key: word for key, word in PARTS.items() if key != "head"}),
        "its head is of kind None",
    ),
    "a head of another kind": (_said(parts=PARTS | {"head": "joint"}), "it lacks head.semantic"),
}


@pytest.mark.parametrize(("spoil", "message"), SPOILT.values(), ids=SPOILT)
def test_what_is_wrong_with_a_file_is_named(tmp_path, spoil, message):
    path = tmp_path / "model.safetensors"
    save(path, hash_function(vectors=5), identity())
    _spoil(path, lambda arrays, texts: None)
    assert load_with_metadata(path)[1] == identity()  # what follows is refused for what is spoilt alone
    _spoil(path, spoil)
    with pytest.raises(InputError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_parts_of_the_joint_form_fit_each_other(tmp_path):
    path, model = tmp_path / "model.safetensors", joint_hash_function()
    for head in (
        model.head._replace(centre=model.preprocessing.mean),
        model.head._replace(frame=model.head.frame[:-1]),
        model.head._replace(semantic=model.head.semantic[:-1]),
        model.head._replace(offset=model.head.offset[:-1]),
    ):
        save(path, model._replace(head=head), identity())
        with pytest.raises(InputError, match=r"have inconsistent shapes|has shape"):
            load(path)


def test_a_byte_that_changed_is_found_by_the_checksum(tmp_path):
    path = tmp_path / "model.safetensors"
    save(path, hash_function(vectors=5), identity())
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="is damaged: its checksum is wrong"):
        load(path)
    save_file(load_file(path), path, {"format": "2", "parts": json.dumps(PARTS)})
    with pytest.raises(InputError, match="is damaged: its checksum is wrong"):
        load(path)


def test_a_file_of_an_older_version_is_told_from_a_damaged_one(tmp_path):
    path, one = tmp_path / "model.safetensors", hash_function()
    arrays = {"mean": one.preprocessing.mean, "projection": one.head.projection}
    save_file(arrays, path, {"method": json.dumps("zsh"), "checksum": json.dumps("0123")})
    with pytest.raises(InputError, match="is of an older version"):
        load(path)


@pytest.mark.parametrize("content", [b"", b"hello, this is no model", b"\x80\x04pickle."])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a hash function of this package"):
        load(path)


@pytest.mark.parametrize("text", ["pt", "[" * 100_000, "1" * 5000])
def test_a_file_cut_short_or_with_foreign_metadata_is_refused(tmp_path, text):
    path, whole = tmp_path / "model.safetensors", tmp_path / "whole.safetensors"
    save(whole, hash_function(), identity())
    path.write_bytes(whole.read_bytes()[:-8])
    with pytest.raises(InputError, match="not a hash function of this package"):
        load(path)
    save_file(load_file(whole), path, {"format": text})
    with pytest.raises(InputError, match="not a hash function of this package"):
        load(path)


def test_a_missing_file_and_a_folder_that_cannot_be_made_are_named(tmp_path):
    with pytest.raises(InputError, match="no model"):
        load(tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="no model"):
        load(tmp_path)
    (tmp_path / "models").touch()
    with pytest.raises(InputError, match="cannot be written"):
        save(model_path(tmp_path, "0123"), hash_function())
