"""`zsh-jax evaluate`: other people's files, one table, and one line for each mistake."""

import json

import numpy as np
import pytest
from printed import tables
from scipy.io import savemat

from zsh_jax import evaluate
from zsh_jax.commands.evaluate import main

BITS = 16
N = (8, 60)  # one program for all tests


@pytest.fixture(scope="module")
def drawn():
    """Boolean codes and labels of queries and of a database."""
    rng = np.random.default_rng(0)
    words = rng.random((4, BITS)) < 0.5
    labels = [np.arange(size) % 4 for size in N]
    return [(words[y] ^ (rng.random((len(y), BITS)) < 0.2), y) for y in labels]


def _npz(
    folder, drawn, form=lambda code: np.where(code, 1.0, -1.0), label=lambda y: y, names=("codes", "labels")
):
    files = []
    for role, (code, y) in zip(("query", "database"), drawn, strict=True):
        files.append(str(folder / f"{role}.npz"))
        np.savez(files[-1], **dict(zip(names, (form(code), label(y)), strict=True)))
    return files


def _table(text):
    return {line["metric"]: line for line in tables(text)[0]}


def test_the_table_and_the_file_say_what_evaluate_says(drawn, tmp_path, capsys):
    files = _npz(tmp_path, drawn)
    out = tmp_path / "found.json"
    assert main([*files, "--cutoffs", "5", "20", "--json", str(out)]) == 0
    text = capsys.readouterr().out
    assert "8 codes of 16 bits (signs -1 and +1), one of 4 classes" in text
    expected = evaluate(drawn[0][0], drawn[0][1], drawn[1][0], drawn[1][1], cutoffs=(5, 20))
    table = _table(text)
    for head, name, chance in (
        ("mAP over all ranks", "mean_average_precision", "chance"),
        ("mAP@20, divided by the relevant found", "mean_average_precision_at_found", "chance_at_found"),
        ("mAP@20, divided by min(20, all relevant)", "mean_average_precision_at_min", "chance_at_min"),
        ("mAP@20, divided by all relevant", "mean_average_precision_at", "chance_at"),
    ):
        values = [getattr(expected, one) for one in (f"{name}_worst", name, f"{name}_best", chance)]
        shown = [f"{float(np.atleast_1d(value)[-1]):.4f}" for value in values]
        assert list(table[head].values())[1:] == shown, head
    assert table["precision@5"]["expected"] == f"{float(expected.precision_at[0]):.4f}"
    record = json.loads(out.read_text())
    assert (record["bits"], record["classes"], record["cutoffs"]) == (16, 4, [5, 20])
    assert record["query"] == {
        "codes": f"{files[0]}, codes",
        "labels": f"{files[0]}, labels",
        "number": 8,
        "format": "signs -1 and +1",
    }
    assert set(record["metrics"]) == set(expected._fields)
    for name, values in record["metrics"].items():
        np.testing.assert_allclose(np.array(values, float), getattr(expected, name), rtol=1e-6, err_msg=name)


def _mat(folder, drawn):
    """As MATLAB saves them: classes from 1 in a column, codes of both roles in one file."""
    file = str(folder / "codes.mat")
    (query, asked), (database, held) = drawn
    savemat(
        file,
        {
            "B_tst": np.where(query, 1.0, -1.0),
            "B_trn": np.where(database, 1.0, -1.0),
            "L_tst": asked[:, None] + 1,
            "L_trn": held[:, None] + 1,
        },
    )
    return [file, file]


def _npy(folder, drawn):
    """Codes alone, labels in a file beside each, or named."""
    files = [str(folder / "query.npy"), str(folder / "database.npy")]
    for file, (code, y) in zip(files, drawn, strict=True):
        np.save(file, code.astype(np.uint8))
        np.save(file.replace(".npy", ".labels.npy"), y)
    return files


def _named_labels(folder, drawn):
    files = [str(folder / "q.npy"), str(folder / "d.npy")]
    labels = [str(folder / "one.npy"), str(folder / "two.npz")]
    for file, (code, _) in zip(files, drawn, strict=True):
        np.save(file, np.packbits(code, axis=1))
    np.save(labels[0], np.eye(4)[drawn[0][1]])
    np.savez(labels[1], anything=np.eye(4)[drawn[1][1]])
    return [*files, "--bits", "16", "--labels", *labels]


def _both_ways(folder, drawn):
    """Signs beside packed bytes; one code a column."""
    files = _npz(folder, drawn)
    np.savez(files[1], codes=np.packbits(drawn[1][0], axis=1).T, labels=drawn[1][1])
    return files


def _own_names(folder, drawn):
    return [
        *_npz(folder, drawn, names=("mine", "kinds")),
        "--codes",
        "mine",
        "mine",
        "--labels",
        "kinds",
        "kinds",
    ]


def _outputs(folder, drawn):
    """Real-valued outputs of a network."""
    rng = np.random.default_rng(1)
    form = lambda code: np.where(code, 1, -1) * rng.random(code.shape)  # noqa: E731
    return [*_npz(folder, drawn, form=form), "--signs"]


def _hashnet(folder, drawn):
    """As HashNet's program saves them: outputs, and labels by class, those of queries with -1 for 0."""
    names = ("test", "database")
    for name, (code, y) in zip(names, drawn, strict=True):
        np.save(folder / f"iter_{name}_code.npy", np.where(code, 0.3, -0.2).astype(np.float32))
        hot = np.eye(4, dtype=np.float32)[y]
        np.save(folder / f"iter_{name}_labels.npy", np.where(hot > 0, 1, -1) if name == "test" else hot)
    codes, labels = (
        [str(folder / f"iter_{name}_{kind}.npy") for name in names] for kind in ("code", "labels")
    )
    return [*codes, "--labels", *labels, "--signs"]


def _texts(folder, drawn):
    return _npz(folder, drawn, label=lambda y: np.array(["ant", "bee", "cat", "dog"])[y])


@pytest.mark.parametrize(
    "write", [_mat, _npy, _named_labels, _both_ways, _own_names, _texts, _outputs, _hashnet]
)
def test_every_kind_of_file_gives_the_same(drawn, tmp_path, capsys, write):
    assert main([*write(tmp_path, drawn), "--cutoffs", "5", "20"]) == 0
    text = capsys.readouterr().out
    expected = evaluate(drawn[0][0], drawn[0][1], drawn[1][0], drawn[1][1], cutoffs=(5, 20))
    assert _table(text)["mAP over all ranks"]["expected"] == f"{float(expected.mean_average_precision):.4f}"
    assert "one of 4 classes" in text
    assert "assumed" not in text


def test_packed_bytes_without_a_length_are_said_to_be_assumed_full(drawn, tmp_path, capsys):
    files = _npz(tmp_path, drawn, form=lambda code: np.packbits(code, axis=1))
    assert main([*files, "--cutoffs", "5", "20"]) == 0
    assert (
        "8 codes of 16 bits (packed bytes, assumed: set --bits if fewer are in use)"
        in capsys.readouterr().out
    )


def test_the_same_codes_twice_are_told_of(drawn, tmp_path, capsys, monkeypatch):
    def stops(*_, leave_one_out, **__):
        raise ValueError(f"leave_one_out: {leave_one_out}")

    monkeypatch.setattr("zsh_jax.core.metrics.retrieval.evaluate", stops)
    file = _npz(tmp_path, drawn)[1]
    assert main([file, file]) == 2
    told = capsys.readouterr()
    assert "--leave-one-out excludes each query" in told.out
    assert "--leave-one-out: False" in told.err
    assert main([file, file, "--leave-one-out"]) == 2
    told = capsys.readouterr()
    assert "excludes" not in told.out
    assert "--leave-one-out: True" in told.err


def _saved(folder, **arrays):
    file = str(folder / "other.npz")
    np.savez(file, **arrays)
    return file


def _signs(drawn):
    return np.where(drawn[0], 1.0, -1.0)


MISTAKES = {
    "no file": (lambda q, d, f: (str(f / "none.npz"), []), "there is no file"),
    "a text": (
        lambda q, d, f: (str(f / "codes.txt"), []),
        "are read from .npz, .npy, .parquet, .mat, .arrow files",
    ),
    "no codes": (lambda q, d, f: (_saved(f, x=_signs(q)), []), "usual name of query codes; it has x; fix: "),
    "no labels": (
        lambda q, d, f: (_saved(f, codes=_signs(q)), []),
        "no array with a usual name of query labels",
    ),
    "two codes": (
        lambda q, d, f: (_saved(f, B=_signs(q), code=_signs(q), L=q[1]), []),
        "code and B may both be",
    ),
    "another length": (
        lambda q, d, f: (_saved(f, codes=_signs(q)[:, :9], labels=q[1]), []),
        "query codes have 9 bits (signs -1 and +1), database codes 16",
    ),
    "bits": (
        lambda q, d, f: (_saved(f, codes=_signs(q), labels=q[1]), ["--bits", "9"]),
        "does not hold 9 bits",
    ),
    "labels of another kind": (
        lambda q, d, f: (_saved(f, codes=_signs(q), labels=np.eye(4)[q[1]]), []),
        "labels differ in kind",
    ),
    "labels of other rows": (
        lambda q, d, f: (_saved(f, codes=_signs(q), labels=q[1][1:]), []),
        "labels of shape (7,)",
    ),
    "values": (
        lambda q, d, f: (_saved(f, codes=_signs(q) * 2, labels=q[1]), []),
        "in row 0, column 0; codes have two",
    ),
    "real values": (
        lambda q, d, f: (_saved(f, codes=_signs(q) * 0.3, labels=q[1]), []),
        "fix: --signs takes their signs",
    ),
    "no number": (
        lambda q, d, f: (_saved(f, codes=_signs(q) * np.nan, labels=q[1]), ["--signs"]),
        "some values are not numbers",
    ),
    "nan": (lambda q, d, f: (_saved(f, codes=_signs(q) * np.nan, labels=q[1]), []), "nan in row 0, column 0"),
    "nothing relevant": (
        lambda q, d, f: (_saved(f, codes=_signs(q), labels=q[1] + 1), ["--cutoffs", "5", "20"]),
        "fix: set --without-relevant drop or zero",
    ),
    "cut-offs": (
        lambda q, d, f: (_saved(f, codes=_signs(q), labels=q[1]), ["--cutoffs", "0"]),
        "--cutoffs: takes",
    ),
    "same cut-offs": (
        lambda q, d, f: (_saved(f, codes=_signs(q), labels=q[1]), ["--cutoffs", "5", "5"]),
        "different",
    ),
    "no folder": (
        lambda q, d, f: (_saved(f, codes=_signs(q), labels=q[1]), ["--json", str(f / "none" / "x.json")]),
        "there is no folder",
    ),
    "over a file of codes": (
        lambda q, d, f: (_saved(f, codes=_signs(q), labels=q[1]), ["--json", str(f / "database.npz")]),
        "does not end in .json",
    ),
    "an empty file of codes": (
        lambda q, d, f: (_saved(f, codes=_signs(q)[:0], labels=q[1][:0]), []),
        "fix: give one row a code",
    ),
}


@pytest.mark.parametrize(("make", "said"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_is_one_line(drawn, tmp_path, capsys, make, said):
    database = _npz(tmp_path, drawn)[1]
    (tmp_path / "codes.txt").write_text("1 0 1\n")
    query, options = make(*drawn, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main([query, database, *options]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("zsh-jax evaluate: ")
    assert said in error
    assert len(error) < 400 + 2 * len(str(tmp_path))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_that_cannot_be_replaced_stays(drawn, tmp_path, capsys, monkeypatch):
    files, out = _npz(tmp_path, drawn), tmp_path / "found.json"
    out.write_text("old")

    def fails(path, content):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("zsh_jax.atomic.write_whole", fails)
    assert main([*files, "--cutoffs", "5", "20", "--json", str(out)]) == 2
    assert "fix: give another --json" in capsys.readouterr().err
    assert out.read_text() == "old"
