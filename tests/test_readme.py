"""What the documents tell a reader to type."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from cells import hash_function

from zsh_jax.export.__main__ import main
from zsh_jax.export.codes import codes_of
from zsh_jax.model_file import save

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.py"))


def _config(path, *arguments):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.get_config(*arguments), module.__doc__


@pytest.mark.slow
def test_the_program_of_the_readme_runs_and_retrieves(capsys):
    exec(compile(PROGRAMS[0], "README.md", "exec"), {})
    said = capsys.readouterr().out
    (found,) = re.findall(r"MAP of unseen classes: (0\.\d{3})\n", said)
    assert float(found) > 2 / 12  # twice what chance retrieves


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
    (command,) = re.findall(r"python -m zsh_jax\.export (.*?) +#", README)
    assert main(command.split()) == 0
    capsys.readouterr()
    assert len(PROGRAMS) == 2
    exec(compile(PROGRAMS[1], "README.md", "exec"), {})
    said = capsys.readouterr().out
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


def test_commands_name_files_and_settings_that_are_there():
    documents = [README, *((path.read_text()) for path in EXPERIMENTS)]
    for document in documents:
        for name in re.findall(r"experiments/\w+\.py", document):
            assert (ROOT / name).is_file(), name
        for setting in re.findall(r"--config\.([a-z][\w.]*\w)", document):
            config, _ = _config(EXPERIMENTS[0])
            for key in setting.split("."):
                assert key in config, setting
                config = config[key]


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
