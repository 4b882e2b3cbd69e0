"""What the documents tell a reader to type."""

import importlib.util
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cells import hash_function

from zsh_jax import METHODS
from zsh_jax.data.__main__ import main as prepare
from zsh_jax.export.__main__ import main
from zsh_jax.export.codes import codes_of
from zsh_jax.methods.protocol import NoOptions, NoWeights, Reads, TrainingData
from zsh_jax.model_file import load, save
from zsh_jax.sweep.axes import own_defaults

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.py"))


def _config(path, *arguments):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.get_config(*arguments), module.__doc__


def _blocks(page, kind="python"):
    """What stands between the fences of one kind in a page; those of printed text have none."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    return [text for one, text in fences if one == kind]


def _run(programs, capsys):
    """Run programs one after the other, as in one session; returns what they printed, and their names."""
    names = {}
    for program in programs:
        exec(compile(program, "page", "exec"), names)
    return capsys.readouterr().out, names


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked_shapes")  # readers pass NumPy arrays
def test_five_lines_of_the_readme_print_what_it_says(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (program,) = _blocks("README.md")
    said, names = _run([program], capsys)
    (stated,) = (block for block in _blocks("README.md", "") if block.startswith("mAP of unseen"))
    assert re.sub(r"0\.\d\d", "", said) == re.sub(r"0\.\d\d", "", stated)
    np.testing.assert_allclose(
        *(list(map(float, re.findall(r"0\.\d\d", one))) for one in (said, stated)), atol=0.02
    )
    assert names["codes"].shape == (3000, 4)
    five = program[program.index("seen, query") :].strip().splitlines()
    assert len(five) == 5


def test_the_headline_figures_are_those_of_the_results():
    rows = re.findall(r"^\| [\w-]+ \| .*±.*$", README, re.MULTILINE)
    assert len(rows) > 4
    results = (ROOT / "docs" / "results.md").read_text()
    assert not [row for row in rows if row not in results]


@pytest.mark.parametrize(
    ("page", "arguments"),
    [
        ("docs/tutorial.md", ["folder", "--path", "images"]),
        ("docs/how-to/own-data.md", ["features", "--path", "mine.npz"]),
    ],
)
def test_data_that_a_page_makes_are_read_as_it_says(page, arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _run(_blocks(page)[:1], capsys)
    assert prepare(["prepare", *arguments]) == 0
    assert capsys.readouterr().out in _blocks(page, "")


@pytest.mark.usefixtures("unchecked_shapes")  # readers pass NumPy arrays
def test_a_metric_of_ones_own_is_what_the_page_says(capsys):
    assert _run(_blocks("docs/how-to/own-metric.md"), capsys)[0] == "".join(
        _blocks("docs/how-to/own-metric.md", "")
    )


@pytest.mark.slow
def test_a_program_of_ones_own_runs_and_retrieves(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said, names = _run(_blocks("docs/how-to/own-program.md"), capsys)
    (found,) = re.findall(r"mAP of unseen classes: (0\.\d{3})\n", said)
    assert float(found) > 2 / 12  # twice what chance retrieves
    assert (names["codes"].shape, names["names"].shape) == ((3000, 4), (12, 4))
    for saved, known in zip(
        jax.tree.leaves(load("model.safetensors")), jax.tree.leaves(names["model"]), strict=True
    ):
        np.testing.assert_array_equal(saved, known)
    # Most images have a code nearer to that of their own class, seen, than to the mean of the others.
    bits, classes = (np.unpackbits(np.asarray(names[one]), axis=1) for one in ("codes", "names"))
    distances = (bits[:, None] != classes[None]).sum(axis=2)
    labels = np.asarray(names["labels"])
    seen = labels < 10
    own = distances[np.arange(len(labels)), labels]
    assert (own[seen] < distances[seen].mean(axis=1)).mean() > 0.9


def test_the_program_that_searches_finds_the_nearest_images(tmp_path, monkeypatch, capsys):
    pytest.importorskip("faiss")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    database, new = rng.normal(size=(200, 6)), rng.normal(size=(3, 6))
    names = np.array([f"image-{row:03d}" for row in range(200)])
    np.savez("FILE.npz", features=database, id=names)
    np.save("new.npy", new)
    Path("WORKDIR").mkdir()
    save("WORKDIR/models/CELL_ID.safetensors", hash_function(), {})
    (command,) = re.findall(
        r"python -m zsh_jax\.export (.*?) +#", *_blocks("docs/how-to/search-with-faiss.md", "sh")
    )
    assert main(command.split()) == 0
    capsys.readouterr()
    said, _ = _run(_blocks("docs/how-to/search-with-faiss.md"), capsys)
    found = re.findall(r"image-(\d{3})", said)
    distances = [int(number) for number in said.rpartition("[")[2].strip(" ]\n").split()]
    bits = [np.unpackbits(codes_of(hash_function(), x), axis=1) for x in (database, new[:1])]
    expected = (bits[0] != bits[1]).sum(axis=1)
    assert distances == sorted(expected)[:5]
    assert [expected[int(row)] for row in found] == distances


def test_the_readme_sets_up_with_two_commands():
    assert "pip install -e . && python launch.py --config experiments/sweep_bits.py\n" in README
    assert "pip install -e '.[test]' && python -m pytest\n" in README


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_is_locked_and_gives_its_command(path):
    config, doc = _config(path)
    assert config.is_locked
    assert config.name == path.stem
    assert f"python launch.py --config experiments/{path.name}" in doc


def _methods_table():
    """What docs/methods.md says of each method: source, what it reads, and its own axes with their defaults."""
    text = (ROOT / "docs" / "methods.md").read_text()
    for line in re.findall(r"^\| `\w+` \|.*", text, re.MULTILINE):
        name, paper, reads, axes = (part.strip() for part in line.strip("| \n").split(" | "))
        yield name.strip("`"), (paper, reads, dict(re.findall(r"`(\w+)` ([^,]+)", axes)))


def test_the_table_of_methods_is_that_of_the_package():
    stated = dict(_methods_table())
    assert list(stated) == list(METHODS)
    for name, (paper, reads, axes) in stated.items():
        method = METHODS[name]
        assert paper == method.paper
        words = set() if reads == "nothing" else set(reads.split(", "))
        assert words == {one.value for one in method.reads}
        assert axes == {axis: str(value) for axis, value in own_defaults(method).items()}


def test_the_method_that_is_written_as_an_example_is_the_one_of_the_package():
    (program,) = _blocks("docs/how-to/own-method.md")
    names = {}
    exec(compile(program, "docs/how-to/own-method.md", "exec"), names)
    written, own = names["METHOD"], METHODS["random_rotation"]
    assert written.reads == own.reads == {Reads.FEATURES}
    data = TrainingData(x=jax.random.normal(jax.random.key(0), (40, 6)) + 3)
    for bits in (4, 6, 15):
        heads = [
            method.fit(jax.random.key(1), data, NoWeights(), NoOptions(), bits=bits).head
            for method in (written, own)
        ]
        for one, other in zip(*heads, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
        first = np.asarray(heads[0].projection[:, : min(bits, 6)])
        np.testing.assert_allclose(first.T @ first, np.eye(first.shape[1]), atol=1e-5)
        np.testing.assert_allclose(heads[0](data.x).mean(axis=0), jnp.zeros(bits), atol=1e-5)


@pytest.mark.parametrize("path", [*DOCUMENTS, *EXPERIMENTS], ids=lambda path: path.stem)
def test_a_document_names_files_and_settings_that_are_there(path):
    document = path.read_text()
    for name in re.findall(r"\b(?:experiments|zsh_jax|tests|scripts|docs)/[\w/]+\.(?:py|md|txt)", document):
        assert (ROOT / name).is_file() or "/my_" in name, name  # what the reader writes
    for setting in re.findall(r"--config\.([a-z][\w.]*\w)", document):
        config, _ = _config(EXPERIMENTS[0])
        for key in setting.split("."):
            assert key in config, setting
            config = config[key]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target
