"""Codes in other engines and in MATLAB files: each finds what a count of differing bits finds, in the same order."""

import os
import re
import runpy
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from cells import hash_function
from scipy.io import loadmat

from zsh_jax.core.code_formats import SIGNS, read_codes
from zsh_jax.data.code_files import read_code_file
from zsh_jax.errors import InputError
from zsh_jax.export import checks, milvus_collection, qdrant_points
from zsh_jax.export.__main__ import main
from zsh_jax.export.codes import codes_of
from zsh_jax.export.matlab_file import save_mat
from zsh_jax.export.milvus_collection import fill_milvus, vectors_of
from zsh_jax.export.qdrant_points import bit_vectors, fill_qdrant
from zsh_jax.export.usearch_index import build_usearch, save_usearch
from zsh_jax.model_file import save

ROOT = Path(__file__).resolve().parent.parent
NUMBER, QUERIES = 300, 4
NEEDS = {"usearch": "usearch.index", "qdrant": "qdrant_client", "milvus": "pymilvus"}


def _needs(extra):
    return pytest.importorskip(NEEDS[extra], reason=f"needs pip install -e '.[{extra}]'")


def _codes(bits, number=NUMBER, seed=0):
    """Few bits, many codes: most distances have ties."""
    zeros_and_ones = np.random.default_rng(seed).integers(0, 2, (number, bits), np.uint8)
    return np.packbits(zeros_and_ones, axis=1)


def _distances(query, codes):
    """Bits that differ, counted by Python's integers."""
    words = [int.from_bytes(code.tobytes()) for code in (query, *codes)]
    return np.array([(words[0] ^ word).bit_count() for word in words[1:]])


def _check(rows, distances, query, codes):
    """Distances are the smallest there are, in order, and those of their rows, each once."""
    expected = _distances(query, codes)
    np.testing.assert_array_equal(distances, np.sort(expected)[: len(rows)])
    np.testing.assert_array_equal(expected[rows], distances)
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("bits", [12, 32])
def test_usearch_finds_the_nearest(tmp_path, bits):
    usearch = _needs("usearch")
    codes, queries = _codes(bits), _codes(bits, QUERIES, seed=1)
    save_usearch(tmp_path / "codes.usearch", codes)
    index = usearch.Index.restore(tmp_path / "codes.usearch")
    assert len(index) == NUMBER
    exact, quick = (index.search(queries, 20, exact=exact) for exact in (True, False))
    for row, query in enumerate(queries):
        _check(exact.keys[row].astype(int), exact.distances[row], query, codes)
        np.testing.assert_array_equal(
            _distances(query, codes)[quick.keys[row].astype(int)], quick.distances[row]
        )
    assert np.mean(quick.distances <= exact.distances[:, -1:]) > 0.9  # among ties any will do


def test_scores_of_qdrant_are_hamming_distances_in_their_order(monkeypatch):
    client = _needs("qdrant").QdrantClient(":memory:")
    monkeypatch.setattr(qdrant_points, "BATCH", 128)  # does not divide the number
    codes, queries = _codes(12), _codes(12, QUERIES, seed=1)
    ids = np.array([f"image {row}".encode() for row in range(NUMBER)])
    fill_qdrant(client, "images", codes, bits=12, ids=ids)
    for query, vector in zip(queries, bit_vectors(queries, bits=12), strict=True):
        points = client.query_points("images", query=vector.tolist(), limit=NUMBER).points
        assert len(points) == NUMBER  # the whole order
        _check([point.id for point in points], [point.score for point in points], query, codes)
        assert all(point.payload == {"id": f"image {point.id}"} for point in points)
    with pytest.raises(InputError, match="Qdrant has a collection 'images' already; fix: choose another"):
        fill_qdrant(client, "images", codes, bits=12)
    monkeypatch.setattr(client, "upsert", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fill_qdrant(client, "others", codes, bits=12)
    assert not client.collection_exists("others")
    client.close()


def _needs_milvus():
    """Skip where there is no local engine with binary vectors."""
    if find_spec("pymilvus") is None:
        pytest.skip("needs pip install -e '.[milvus]'")
    fix = "pip install 'milvus-lite<3' 'setuptools<82'"
    try:
        engine = version("milvus-lite")
    except PackageNotFoundError:
        pytest.skip(f"needs a local engine: {fix}")
    if not engine.startswith("2."):
        pytest.skip(f"milvus-lite {engine} has no binary vectors: {fix}")
    if find_spec("pkg_resources") is None:
        pytest.skip(f"milvus-lite {engine} imports pkg_resources: {fix}")


@pytest.mark.parametrize("kind", ["rows", "numbers", "strings"])
@pytest.mark.filterwarnings("ignore:pkg_resources is deprecated")  # of milvus-lite
def test_milvus_finds_the_nearest(tmp_path, monkeypatch, kind):
    _needs_milvus()
    client = _needs("milvus").MilvusClient(str(tmp_path / "codes.db"))
    monkeypatch.setattr(milvus_collection, "BATCH", 128)
    codes, queries = _codes(12), _codes(12, QUERIES, seed=1)
    given = {
        "rows": None,
        "numbers": np.arange(NUMBER) + 7,
        "strings": np.array([f"x{i}" for i in range(NUMBER)]),
    }
    ids = given[kind]
    fill_milvus(client, "images", codes, ids=ids)
    place = {key: row for row, key in enumerate(range(NUMBER) if ids is None else ids.tolist())}
    for query, hits in zip(queries, client.search("images", vectors_of(queries), limit=50), strict=True):
        _check([place[hit["id"]] for hit in hits], [hit["distance"] for hit in hits], query, codes)
    with pytest.raises(InputError, match="Milvus has a collection 'images' already; fix: choose another"):
        fill_milvus(client, "images", codes)
    with pytest.raises(InputError, match="Milvus: ids are not unique"):
        fill_milvus(client, "others", codes, ids=np.zeros(NUMBER, int))
    monkeypatch.setattr(client, "insert", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fill_milvus(client, "others", codes)
    assert not client.has_collection("others")
    client.close()


CLASSES = ("plain dog", "žába", "+")
LABELS = np.arange(NUMBER) % 3


@pytest.mark.parametrize("several", [False, True])
def test_a_matlab_file_holds_codes_labels_and_names(tmp_path, several):
    codes, ids = _codes(12), np.array([f"image {row}" for row in range(NUMBER)])
    labels = np.eye(3, dtype=bool)[LABELS] | (np.arange(3) == 1) if several else LABELS
    save_mat(tmp_path / "new" / "c.mat", codes, bits=12, labels=labels, class_names=CLASSES, ids=ids)
    held = loadmat(tmp_path / "new" / "c.mat", chars_as_strings=True)
    signs = 2.0 * np.unpackbits(codes, axis=1)[:, :12] - 1
    np.testing.assert_array_equal(held["B"], signs)
    assert [str(cell[0, 0] if cell.ndim > 1 else cell[0]) for cell in held["class_names"][:, 0]] == list(
        CLASSES
    )
    assert [str(cell[0]) for cell in held["ids"][:, 0]] == ids.tolist()
    np.testing.assert_array_equal(held["L"], labels if several else LABELS[:, None] + 1)
    again = read_code_file(tmp_path / "new" / "c.mat", "database")  # as zsh-jax evaluate does
    read = read_codes(again.codes)
    np.testing.assert_array_equal(read.packed, codes)
    assert (read.bits, read.form) == (12, SIGNS)


WRONG = {
    "codes": ({"codes": np.zeros((5, 3), np.uint8)}, r"codes must be uint8 \(n, 2\), not uint8 \(5, 3\)"),
    "no codes": ({"codes": np.zeros((0, 2), np.uint8)}, r"not uint8 \(0, 2\)"),
    "bits": ({"bits": 9}, r"codes of 9 bits have a set bit after the last \(first: row 0\)"),
    "ids": ({"ids": np.arange(4)}, r"ids must be \(5,\) strings or integers, not int64 \(4,\)"),
    "labels": (
        {"labels": np.arange(4)},
        r"labels must be class indices \(5,\) or booleans \(5, c\), not int64 \(4,\)",
    ),
    "kind": ({"labels": np.zeros(5)}, "not float64"),
    "from -1": ({"labels": np.arange(5) - 1}, "labels count from 0, not from -1"),
    "names": ({"labels": np.arange(5), "class_names": CLASSES}, "there are 3 class names for 5 classes"),
    "ending": ({"path": "c.m"}, r"c\.m must be a \.mat file; fix: name it so"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_a_matlab_file_is_refused_in_one_line(tmp_path, case):
    changes, said = WRONG[case]
    given = {"path": "c.mat", "codes": np.full((5, 2), 0xF0, np.uint8), "bits": 12} | changes
    if case == "bits":
        given["codes"] = np.full((5, 2), 0xFF, np.uint8)
    with pytest.raises(InputError, match=said) as caught:
        save_mat(tmp_path / given.pop("path"), **given)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("extra", NEEDS)
def test_without_its_library_an_export_says_how_to_install_it(monkeypatch, extra):
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    codes = _codes(12)
    with pytest.raises(InputError, match=rf"is not installed; fix: pip install -e '\.\[{extra}\]'"):
        {
            "usearch": lambda: build_usearch(codes),
            "qdrant": lambda: fill_qdrant(None, "images", codes, bits=12),
            "milvus": lambda: fill_milvus(None, "images", codes),
        }[extra]()


def test_the_command_writes_one_file_by_its_ending(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("zsh_jax.exits.check_limits", lambda: None)  # starts 80 threads: tests/test_limits.py
    model, x = hash_function(), np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    save("m.safetensors", model)
    np.savez("x.npz", features=x, labels=np.arange(30) % 3)
    Path("x.classes.txt").write_text("cat\ndog\nemu\n")
    pytest.importorskip("onnx", reason="needs pip install -e '.[onnx]'")
    usearch = _needs("usearch")
    given = ["m.safetensors", "--features", "x.npz", "--out"]
    assert main([*given, "c.mat"]) == 0
    assert main([*given, "c.usearch"]) == 0
    assert main(["m.safetensors", "--out", "h.onnx"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "c.mat: 30 codes of 12 bits, labels of 3 classes",
        "c.usearch: 30 codes of 12 bits, index of usearch",
        "h.onnx: a hash function of 12 bits",
    ]
    codes = codes_of(model, x)
    np.testing.assert_array_equal(read_codes(loadmat("c.mat")["B"]).packed, codes)
    np.testing.assert_array_equal(usearch.Index.restore("c.usearch").search(codes, 1).distances, 0)
    for arguments, expected in (
        ([*given, "c.mat"], "c.mat exists already; fix: "),
        ([*given, "h2.onnx"], "--features: an .onnx file holds no codes"),
        ([*given, "d.mat", "--index", "flat"], "--index: is for a folder, not for a .mat file"),
        (["m.safetensors", "--out", "folder"], "--features: is missing; fix: "),
    ):
        assert main(arguments) == 2
        complaint = capsys.readouterr().err
        assert complaint.startswith(f"zsh_jax.export: {expected}")
        assert complaint.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir()) == sorted(
        ["m.safetensors", "x.npz", "x.classes.txt", "c.mat", "c.usearch", "h.onnx"]
    )


EXAMPLES = sorted((ROOT / "examples").glob("export_*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore:pkg_resources is deprecated")
def test_an_example_runs_and_finds_its_queries(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    target = path.stem.removeprefix("export_")
    if target == "milvus":
        _needs_milvus()
        _needs("usearch")
    elif target in NEEDS:
        _needs(target)
    elif target in ("faiss", "onnx"):
        pytest.importorskip({"faiss": "faiss", "onnx": "onnxruntime"}[target], reason=f"needs {target}")
    if target == "milvus":  # imported first while pytest captures output, its client breaks the capture
        command = [sys.executable, str(path)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=300
        )
        printed, names = (
            done.stdout,
            runpy.run_path(str(path.with_name("export_usearch.py"))),
        )  # the same codes
    else:
        names = runpy.run_path(str(path))
        printed = capsys.readouterr().out
    if target == "mat":
        assert printed == "{'B': (1000, 32), 'L': (1000, 1), 'class_names': (2, 1)}\n"
    elif target == "onnx":
        assert np.mean(names["codes"] != codes_of(names["model"], names["features"])) < 1e-3
        assert printed.startswith("(1000, 4) bits that differ: ")
    else:
        said = [float(number) for number in re.findall(r"\d+\.?\d*", printed)]
        rows, distances = (said[::2], said[1::2]) if "(" in printed else (said[:15], said[15:])
        for query, start in enumerate((0, 5, 10)):
            found = np.array(rows[start : start + 5], int)
            _check(found, distances[start : start + 5], names["codes"][query], names["codes"])
    assert path.read_text() in (ROOT / "docs" / "export.md").read_text()
