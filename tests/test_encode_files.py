"""Codes of feature files: those of `encode`, from any layout of the files, in a file that appears whole."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cells import hash_function
from scipy.io import savemat

from zsh_jax import Vectors, encode, save
from zsh_jax.commands.encode import main
from zsh_jax.errors import InputError
from zsh_jax.export import encode_files as module
from zsh_jax.export.encode_files import encode_files

MODEL = hash_function(anchors=20, bits=12)
ROWS = 50


def _features(n=ROWS, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32)


X = _features()


@pytest.fixture(scope="module")
def expected():
    return np.asarray(encode(jax.tree.map(jnp.asarray, MODEL), jnp.asarray(X)))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Seven rows on the device at a time, three of a file: neither divides the other, nor the parts."""
    monkeypatch.setattr(module, "VALUES", 6 * 7)
    monkeypatch.setattr("zsh_jax.data.blocks.BYTES", 3 * 6 * 4)


def _parts(folder, write):
    for number, rows in ((9, slice(0, 11)), (10, slice(11, 12)), (11, slice(12, ROWS))):
        write(folder, number, X[rows])
    return folder


def _parquet(folder, number, rows):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"embedding": list(rows)}), folder / f"x-{number}.parquet", row_group_size=4)


FILES = {
    "npy": lambda folder: np.save(folder / "x.npy", X),
    "npy by columns": lambda folder: np.save(folder / "x.npy", np.asfortranarray(X)),
    "npz": lambda folder: np.savez_compressed(folder / "x.npz", features=X, labels=X[:3]),
    "npz by columns": lambda folder: np.savez(folder / "x.npz", features=np.asfortranarray(X)),
    "npz in float64": lambda folder: np.savez(folder / "x.npz", features=X.astype(np.float64)),
    "mat": lambda folder: savemat(folder / "x.mat", {"X": X}),
    "mat of columns": lambda folder: savemat(folder / "x.mat", {"fea": X.T}),
    "npz in parts": lambda folder: _parts(folder, lambda at, i, x: np.savez(at / f"x-{i}.npz", features=x)),
    "npy in parts": lambda folder: _parts(folder, lambda at, i, x: np.save(at / f"x-{i}.npy", x)),
    "parquet in parts": lambda folder: _parts(folder, _parquet),
}


@pytest.mark.parametrize("layout", FILES)
def test_codes_are_those_of_encode_in_the_order_of_the_rows(tmp_path, expected, layout):
    (tmp_path / "in").mkdir()
    FILES[layout](tmp_path / "in")
    made = encode_files(MODEL, tmp_path / "in", tmp_path / "out" / "codes.npy")
    codes = np.load(tmp_path / "out" / "codes.npy")
    np.testing.assert_array_equal(codes, expected)
    assert made == codes.shape == (ROWS, 2)
    assert codes.dtype == np.uint8
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["codes.npy"]


def test_one_program_serves_all_blocks(tmp_path, monkeypatch):
    shapes = set()

    def seen(model, x):
        shapes.add(x.shape)
        return encode(model, x)

    monkeypatch.setattr(module, "encode", seen)
    FILES["npz in parts"](tmp_path)
    encode_files(MODEL, tmp_path / "x-*.npz", tmp_path / "codes.npy")
    assert shapes == {(7, 6)}


def _spoilt(folder):
    rows = X[12:].copy()
    rows[5, 2] = np.nan
    np.savez(
        _parts(folder, lambda at, i, x: np.savez(at / f"x-{i}.npz", features=x)) / "x-11.npz", features=rows
    )


def _narrow(folder):
    FILES["npz in parts"](folder)
    np.savez(folder / "x-12.npz", features=X[:, :5])


WRONG = {
    "a row": (_spoilt, {}, r"x-11\.npz, features: features are not finite \(first: row 5\)"),
    "length": (_narrow, {}, r"x-12\.npz, features has 5 values a row, but the hash function needs 6"),
    "name": (FILES["npy"], {"array": "pool5"}, r"x\.npy has no array 'pool5'; it has features; fix: name"),
    "nothing": (lambda folder: None, {}, r"features: .*in holds no \.npz"),
    "text": (
        lambda folder: np.savez(folder / "x.npz", features=np.full((3, 6), "a")),
        {},
        r"must be \(n, d\) real numbers; got <U1",
    ),
    "bound": (
        FILES["npy"],
        {"model": MODEL._replace(head=Vectors(None))},
        "a bound has no codes; fix: use a hash function of a method",
    ),
    "ending": (FILES["npy"], {"out": "codes.npz"}, r"codes\.npz must be an \.npy file"),
    "exists": (FILES["npy"], {"out": "in/x.npy"}, r"x\.npy exists already; fix: choose another"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_and_no_file_is_left(tmp_path, case):
    write, changes, said = WRONG[case]
    (tmp_path / "in").mkdir()
    write(tmp_path / "in")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=said) as caught:
        encode_files(
            changes.get("model", MODEL),
            tmp_path / "in",
            tmp_path / changes.get("out", "codes.npy"),
            array=changes.get("array"),
        )
    assert "\n" not in str(caught.value)
    assert "dataset.path" not in str(caught.value)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_full_disk_leaves_no_file(tmp_path, monkeypatch):
    FILES["npy"](tmp_path)
    blocks = iter([np.zeros((7, 2), np.uint8)])

    def fails(*_):
        yield next(blocks)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_codes", fails)
    with pytest.raises(OSError, match=r"No space left on device: .*codes\.npy"):
        encode_files(MODEL, tmp_path / "x.npy", tmp_path / "codes.npy")
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


def test_the_command(tmp_path, monkeypatch, capsys, expected):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("zsh_jax.exits.check_limits", lambda: None)  # starts 80 threads: tests/test_limits.py
    save("model.safetensors", MODEL)
    FILES["npz in parts"](tmp_path)
    assert main(["model.safetensors", "x-*.npz", "codes.npy"]) == 0
    said = capsys.readouterr()
    assert said.out == "codes.npy: 50 codes of 12 bits\n"
    assert not said.err
    np.testing.assert_array_equal(np.load("codes.npy"), expected)
    assert main(["model.safetensors", "x-*.npz", "codes.npy"]) == 2
    assert capsys.readouterr().err.startswith("zsh-jax encode: codes.npy exists already; fix: ")
