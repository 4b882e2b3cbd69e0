"""What the documents tell a reader to type."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.py"))


def _config(path, *arguments):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.get_config(*arguments), module.__doc__


@pytest.mark.slow
def test_the_program_of_the_readme_runs_and_retrieves(capsys):
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(program, "README.md", "exec"), {})
    said = capsys.readouterr().out
    (found,) = re.findall(r"MAP of unseen classes: (0\.\d{3})\n", said)
    assert float(found) > 2 / 12  # twice what chance retrieves


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
