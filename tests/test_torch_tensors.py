"""Tensors of a PyTorch file, written here without PyTorch: by their strides, and nothing but tensors."""

import io
import os
import pickle
import struct
import sys
import types

import numpy as np
import pytest

from zsh_jax.errors import InputError
from zsh_jax.features.torch_tensors import MAGIC, VERSION, read_torch_tensors


class _Named:
    """An object that is pickled as a call of a named function."""

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


@pytest.fixture
def torch(monkeypatch):
    """Modules that have the names which a file of PyTorch uses."""
    torch, inside = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def rebuild(*_):
        raise AssertionError("never called")

    rebuild.__module__, rebuild.__qualname__, rebuild.__name__ = "torch._utils", *["_rebuild_tensor_v2"] * 2
    inside._rebuild_tensor_v2 = rebuild
    for name in ("FloatStorage", "LongStorage", "DoubleStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", inside)
    torch.rebuild = rebuild
    return torch


def _file(path, torch, tensors, storages, extra=None, magic=MAGIC):
    """`tensors`: name to (key, offset, shape, strides); `storages`: key to (class, array)."""

    class Writer(pickle.Pickler):
        def persistent_id(self, thing):
            return thing[1:] if isinstance(thing, tuple) and thing[:1] == ("persistent",) else None

    def tensor(key, offset, shape, strides):
        kind, numbers = storages[key]
        named = ("persistent", "storage", kind, key, "cpu", len(numbers), None)
        return _Named(torch.rebuild, named, offset, shape, strides, False, {})

    out = io.BytesIO()
    for content in (magic, VERSION, {"little_endian": True}):
        out.write(pickle.dumps(content, protocol=2))
    named = {name: tensor(*what) for name, what in tensors.items()}
    Writer(out, protocol=2).dump(named | (extra or {}))
    out.write(pickle.dumps(list(storages), protocol=2))
    for _, numbers in storages.values():
        out.write(struct.pack("<q", len(numbers)) + numbers.tobytes())
    path.write_bytes(out.getvalue())
    return path


@pytest.fixture
def sound(tmp_path, torch):
    numbers = np.arange(24, dtype="<f4")
    storages = {"a": (torch.FloatStorage, numbers), "b": (torch.LongStorage, np.array([7], "<i8"))}
    tensors = {
        "plain": ("a", 0, (4, 6), (6, 1)),
        "turned": ("a", 0, (6, 4), (1, 6)),
        "part": ("a", 5, (2, 3), (6, 2)),
        "count": ("b", 0, (), ()),
    }
    return _file(tmp_path / "sound.pth", torch, tensors, storages)


def test_tensors_have_the_strides_with_which_they_were_stored(sound):
    read = read_torch_tensors(sound)
    grid = np.arange(24, dtype=np.float32).reshape(4, 6)
    np.testing.assert_array_equal(read["plain"], grid)
    np.testing.assert_array_equal(read["turned"], grid.T)
    np.testing.assert_array_equal(read["part"], [[5, 7, 9], [11, 13, 15]])
    assert read["count"] == 7
    assert {name: array.dtype.str for name, array in read.items()} == {
        "plain": "<f4",
        "turned": "<f4",
        "part": "<f4",
        "count": "<i8",
    }


def test_a_file_cut_anywhere_is_one_line(sound, tmp_path):
    whole = sound.read_bytes()
    for length in range(0, len(whole), 7):
        (tmp_path / "cut.pth").write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut\.pth is no file of tensors") as caught:
            read_torch_tensors(tmp_path / "cut.pth")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "what",
    [
        ("a", 23, (2,), (1,)),  # beyond the end
        ("a", -1, (2,), (1,)),
        ("a", 0, (2, 2), (24, 1)),
        ("a", 0, (2,), (-1,)),
        ("a", 0, (10**12,), (10**9,)),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(tmp_path, torch, what):
    storages = {"a": (torch.FloatStorage, np.arange(24, dtype="<f4"))}
    with pytest.raises(InputError, match="is no file of tensors"):
        read_torch_tensors(_file(tmp_path / "x.pth", torch, {"x": what}, storages))


def test_nothing_else_is_named_or_run(tmp_path, torch):
    storages = {"a": (torch.FloatStorage, np.arange(4, dtype="<f4"))}
    proof = tmp_path / "ran"
    hostile = {
        "mkdir": _Named(os.mkdir, str(proof)),
        "eval": _Named(eval, f"open({str(proof)!r}, 'w')"),
        "getattr": _Named(getattr, [], "append"),
        "zeros": _Named(np.zeros, 3),
    }
    for name, thing in hostile.items():
        with pytest.raises(InputError, match=rf"it names [\w.]*\.{name}\b"):
            read_torch_tensors(_file(tmp_path / "x.pth", torch, {}, storages, {"x": thing}))
    assert not proof.exists()
    with pytest.raises(InputError, match="more than tensors"):
        read_torch_tensors(_file(tmp_path / "x.pth", torch, {}, storages, {"x": 3}))
    doubles = {"a": (torch.DoubleStorage, np.arange(4.0))}
    with pytest.raises(InputError, match=r"it names torch\.DoubleStorage"):
        read_torch_tensors(_file(tmp_path / "x.pth", torch, {"x": ("a", 0, (4,), (1,))}, doubles))
    with pytest.raises(InputError, match="another beginning"):
        read_torch_tensors(_file(tmp_path / "x.pth", torch, {}, storages, magic=1))
