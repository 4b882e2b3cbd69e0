"""Exports: FAISS finds in them what a count of differing bits finds, and what does not fit is refused beforehand."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cells import hash_function, identity, joint_hash_function, linear_hash_function
from scipy.io import savemat

from zsh_jax import Vectors, encode, hamming_distances, unpack_codes
from zsh_jax.core.preprocessing import fit_preprocessing
from zsh_jax.errors import InputError
from zsh_jax.export import codes as codes_module
from zsh_jax.export import faiss_index
from zsh_jax.export.__main__ import main
from zsh_jax.export.codes import codes_of
from zsh_jax.export.read import load_export
from zsh_jax.export.write import export_index
from zsh_jax.model_file import load_with_metadata, save

NEAREST = 10


MODELS = {
    "kernel": lambda bits: hash_function(anchors=20, bits=bits),
    "linear": lambda bits: linear_hash_function(bits=bits),
    "joint": lambda bits: joint_hash_function(bits=bits),
}


def _features(n, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(12, 6))[rng.integers(0, 12, n)] + rng.normal(size=(n, 6))).astype(np.float32)


def _differing(one, other, bits):
    """Bits that differ, bit by bit, those past the code length not looked at."""
    return (np.unpackbits(one, axis=-1)[..., :bits] != np.unpackbits(other, axis=-1)[..., :bits]).sum(-1)


@pytest.fixture
def without_faiss(monkeypatch):
    monkeypatch.setattr(faiss_index, "find_spec", lambda name: None)


@pytest.mark.parametrize("bits", [12, 32])
@pytest.mark.parametrize("kind", MODELS)
def test_faiss_finds_what_this_package_finds(tmp_path, kind, bits):
    faiss = pytest.importorskip("faiss")
    model, x = MODELS[kind](bits), _features(1000)
    export_index(tmp_path / "out", model, x)
    index = faiss.read_index_binary(str(tmp_path / "out" / "index.faiss"))
    assert isinstance(index, faiss.IndexBinaryFlat)
    queries, codes = codes_of(model, _features(50, seed=1)), np.load(tmp_path / "out" / "codes.npy")
    ours = np.asarray(hamming_distances(jnp.asarray(queries), jnp.asarray(codes)))
    np.testing.assert_array_equal(ours, _differing(queries[:, None], codes[None], bits))
    distances, rows = index.search(queries, NEAREST)
    np.testing.assert_array_equal(distances, np.sort(ours, axis=1)[:, :NEAREST])
    np.testing.assert_array_equal(np.take_along_axis(ours, rows, axis=1), distances)
    for found, distance in zip(rows, ours, strict=True):
        assert len(set(found)) == NEAREST
        nearer = np.flatnonzero(distance < np.sort(distance)[NEAREST - 1])
        assert set(nearer) <= set(found)  # whatever the order of ties


@pytest.mark.parametrize("kind", MODELS)
def test_hnsw_states_true_distances_and_misses_little(tmp_path, kind):
    faiss = pytest.importorskip("faiss")
    model = MODELS[kind](32)
    export_index(tmp_path / "out", model, _features(3000), index="hnsw")
    export = load_export(tmp_path / "out")
    assert isinstance(export.faiss_index, faiss.IndexBinaryHNSW)
    queries = codes_of(model, _features(100, seed=1))
    distances, rows = export.faiss_index.search(queries, NEAREST)
    np.testing.assert_array_equal(distances, _differing(queries[:, None], export.codes[rows], 32))
    exact = np.sort(_differing(queries[:, None], export.codes[None], 32), axis=1)[:, :NEAREST]
    # Among ties any will do: what counts is whether it is as near as the last of the true neighbours.
    assert np.mean(distances <= exact[:, -1:]) > 0.9


@pytest.mark.parametrize("kind", MODELS)
def test_parts_come_back(tmp_path, kind):
    model, x = MODELS[kind](12), _features(40)
    ids = np.array([f"train_{row:05d}" for row in range(40)])
    pytest.importorskip("faiss")
    export_index(tmp_path / "new" / "out", model, x, ids=ids, metadata=identity())
    export = load_export(tmp_path / "new" / "out")
    expected = encode(jax.tree.map(jnp.asarray, model), jnp.asarray(x))
    np.testing.assert_array_equal(export.codes, expected)
    assert not np.unpackbits(export.codes, axis=1)[:, 12:].any()
    np.testing.assert_array_equal(codes_of(export.hash_function, x), expected)
    np.testing.assert_array_equal(export.ids, ids)
    assert (export.bits, export.faiss_index.ntotal, export.faiss_index.d) == (12, 40, 16)
    assert load_with_metadata(tmp_path / "new" / "out" / "hash_function.safetensors")[1] == identity()
    about = json.loads((tmp_path / "new" / "out" / "index.json").read_text())
    assert about == {"bits": 12, "number": 40, "index": "flat"}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out"]


def test_features_in_parts_of_any_type_and_preprocessing_have_the_same_codes(monkeypatch):
    x = _features(50)
    preprocessing = fit_preprocessing(jnp.asarray(x), kind="pca", dimensions=4)
    model = hash_function(features=4)._replace(preprocessing=preprocessing)
    whole = codes_of(model, x)
    assert len(np.unique(whole, axis=0)) > 5
    monkeypatch.setattr(codes_module, "ROWS", 16)
    np.testing.assert_array_equal(codes_of(model, x.astype(np.float64)), whole)
    first = np.asarray(unpack_codes(jnp.asarray(whole), bits=12))[:, 0] > 0
    z = (x - np.asarray(preprocessing.mean)) @ np.asarray(preprocessing.basis)
    squares = ((z[:, None] - model.feature_map.anchors[None]) ** 2).sum(-1)
    phi = np.hstack([np.exp(-squares / (2 * model.feature_map.bandwidth)), np.ones((50, 1))])
    np.testing.assert_array_equal(first, phi @ model.head.projection[:, 0] > 0)


def test_without_faiss_codes_are_exported_and_an_index_is_refused_first(tmp_path, without_faiss, monkeypatch):
    export_index(tmp_path / "out", hash_function(), _features(20), index=None)
    export = load_export(tmp_path / "out")
    assert export.faiss_index is None
    assert export.ids is None
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "codes.npy",
        "hash_function.safetensors",
        "index.json",
    ]
    monkeypatch.setattr("zsh_jax.export.write.codes_of", lambda *_: pytest.fail("codes were computed"))
    with pytest.raises(InputError, match=r"FAISS is not installed; fix: pip install -e '\.\[faiss\]'"):
        export_index(tmp_path / "other", hash_function(), _features(20))
    assert not (tmp_path / "other").exists()


def _spoilt(row, value):
    x = _features(20).astype(np.float64)
    x[row, 2] = value
    return x


REFUSED = {
    "values": ({"features": np.zeros((20, 5))}, "features have 5 values, but the hash function needs 6"),
    "one row": (
        {"features": np.zeros(6)},
        r"must be \(n, d\) real numbers with n >= 1, not float64 \(6,\)",
    ),
    "no row": ({"features": np.zeros((0, 6))}, r"n >= 1, not float64 \(0, 6\)"),
    "text": ({"features": np.full((20, 6), "a")}, r"real numbers with n >= 1, not <U1"),
    "not a number": ({"features": _spoilt(7, np.nan)}, r"1 of 20 rows are not finite \(first: row 7\)"),
    "too large": ({"features": _spoilt(3, 1e300)}, r"1 of 20 rows are not finite \(first: row 3\)"),
    "ids": ({"ids": np.arange(19)}, r"ids must be \(20,\) strings or integers, not int64 \(19,\)"),
    "objects": ({"ids": np.array([None] * 20)}, r"not object \(20,\)"),
    "index": ({"index": "tree"}, "index: takes flat, hnsw or None, not 'tree'"),
    "links": ({"links": 1}, "links: takes 2 or more, not 1"),
}


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_before_anything_is_computed(tmp_path, changes, message, monkeypatch):
    monkeypatch.setattr("zsh_jax.export.write.codes_of", lambda *_: pytest.fail("codes were computed"))
    asked = {"features": _features(20), "index": None} | changes
    with pytest.raises(InputError, match=message) as caught:
        export_index(tmp_path / "out", hash_function(), **asked)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_bound_has_nothing_to_export(tmp_path):
    bound = linear_hash_function()._replace(head=Vectors())
    with pytest.raises(InputError, match="a bound compares real-valued vectors and has no codes"):
        export_index(tmp_path / "out", bound, _features(20), index=None)
    assert not list(tmp_path.iterdir())


def test_what_is_in_the_folder_already_stays(tmp_path):
    (tmp_path / "out").mkdir()
    export_index(tmp_path / "out", hash_function(), _features(20), index=None)  # into an empty one
    before = (tmp_path / "out" / "codes.npy").read_bytes()
    with pytest.raises(InputError, match="out exists already; fix: choose another folder, or delete it"):
        export_index(tmp_path / "out", hash_function(1), _features(20), index=None)
    assert (tmp_path / "out" / "codes.npy").read_bytes() == before
    with pytest.raises(InputError, match="cannot be written"):
        export_index(tmp_path / "out" / "codes.npy" / "x", hash_function(), _features(20), index=None)


@pytest.mark.parametrize("files", [0, 1, 2])
def test_an_export_that_fails_leaves_nothing(tmp_path, monkeypatch, files):
    written = []

    def no_room(descriptor):
        written.append(descriptor)
        if len(written) > files:
            raise OSError(28, "no room")

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(OSError, match=r"no room: '\S*out'"):
        export_index(tmp_path / "out", hash_function(), _features(20), index=None)
    assert not list(tmp_path.iterdir())


def _cut(path):
    path.write_bytes(path.read_bytes()[:-20])


DAMAGED = {
    "codes cut off": (lambda folder: _cut(folder / "codes.npy"), "codes.npy is truncated"),
    "codes of others": (
        lambda f: np.save(f / "codes.npy", np.zeros((20, 1), np.uint8)),
        "codes.npy does not hold",
    ),
    "ids of others": (
        lambda f: np.save(f / "ids.npy", np.arange(3)),
        "ids.npy does not hold 20 codes of 12 bits",
    ),
    "no codes": (lambda folder: (folder / "codes.npy").unlink(), "codes.npy is missing"),
    "nothing said": (lambda folder: (folder / "index.json").write_text("{}"), "is not a complete export"),
    "no index.json": (
        lambda folder: (folder / "index.json").unlink(),
        "is not an export: it has no index.json",
    ),
    "another function": (
        lambda f: save(f / "hash_function.safetensors", hash_function(bits=8)),
        "hash_function.safetensors does not hold 20 codes of 12 bits",
    ),
    "index cut off": (lambda folder: _cut(folder / "index.faiss"), "not a binary index of FAISS"),
    "no index": (lambda folder: (folder / "index.faiss").unlink(), "index.faiss is missing"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_export_is_refused(tmp_path, damage, message):
    pytest.importorskip("faiss")
    export_index(tmp_path / "out", hash_function(), _features(20), ids=np.arange(20))
    damage(tmp_path / "out")
    with pytest.raises(InputError, match=message) as caught:
        load_export(tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_an_index_may_be_left_unread(tmp_path, monkeypatch):
    pytest.importorskip("faiss")
    export_index(tmp_path / "out", hash_function(), _features(20))
    monkeypatch.setattr(faiss_index, "find_spec", lambda name: None)
    assert load_export(tmp_path / "out", with_index=False).faiss_index is None
    with pytest.raises(InputError, match="FAISS is not installed"):
        load_export(tmp_path / "out")


@pytest.fixture
def model_file(tmp_path):
    save(tmp_path / "model.safetensors", hash_function(), identity())
    return str(tmp_path / "model.safetensors")


@pytest.mark.parametrize("ending", ["npz", "npy", "mat"])
@pytest.mark.parametrize("index", ["flat", "hnsw", "none"])
def test_the_command_exports_files(tmp_path, model_file, capsys, ending, index):
    if index != "none":
        pytest.importorskip("faiss")
    x, ids = _features(30), np.array([f"image {row}" for row in range(30)])
    if ending == "npz":
        np.savez(tmp_path / "x.npz", features=x, id=ids)
    elif ending == "mat":  # samples in columns, names in cells
        savemat(tmp_path / "x.mat", {"fea": x.T, "id": ids.astype(object)})
    else:
        np.save(tmp_path / "x.npy", x)
    out = tmp_path / "out"
    status = main(
        [model_file, "--features", str(tmp_path / f"x.{ending}"), "--out", str(out), "--index", index]
    )
    assert status == 0
    kind = "no index" if index == "none" else f"index {index}"
    assert capsys.readouterr().out == f"{out}: 30 codes of 12 bits, {kind}\n"
    export = load_export(out)
    np.testing.assert_array_equal(export.codes, codes_of(hash_function(), x))
    assert (export.faiss_index is None) == (index == "none")
    assert (export.ids is None) == (ending == "npy")
    if export.ids is not None:
        np.testing.assert_array_equal(export.ids, ids)
    assert load_with_metadata(out / "hash_function.safetensors")[1] == identity()


def test_bad_input_is_one_line_and_status_2(tmp_path, model_file, capsys, without_faiss):
    np.savez(tmp_path / "x.npz", features=_features(9))
    np.savez(tmp_path / "y.npz", y=_features(9))
    out = ["--out", str(tmp_path / "out")]
    unknown = [model_file, "--features", str(tmp_path / "x.npz"), "--out", str(tmp_path / "codes.parquet")]
    assert main(unknown) == 2
    assert (
        "--out: there is no export to .parquet files; fix: .onnx, .usearch, .mat, or"
        in capsys.readouterr().err
    )
    for arguments, said in (
        ([model_file, "--features", "none.npz"], "--features: there is no file none.npz"),
        (
            [model_file, "--features", str(tmp_path / "y.npz")],
            "y.npz has no array with a usual name for features",
        ),
        ([model_file, "--features", str(tmp_path / "x.npz")], "or set --index none"),
        (["no.safetensors", "--features", str(tmp_path / "x.npz")], "there is no model no.safetensors"),
    ):
        assert main(arguments + out) == 2
        complaint = capsys.readouterr().err
        assert complaint.startswith("zsh_jax.export: ")
        assert said in complaint
        assert complaint.count("\n") == 1
    assert not (tmp_path / "out").exists()
