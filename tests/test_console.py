"""The console script: which verb runs what, and what it says of itself."""

import pytest

from zsh_jax.commands import main as console
from zsh_jax.commands.experiment import load_experiment, shipped_experiments


@pytest.mark.parametrize(
    ("verb", "target"),
    [
        ("sweep", "zsh_jax.commands.launch.main"),
        ("report", "zsh_jax.report.__main__.main"),
        ("encode", "zsh_jax.commands.encode.main"),
        ("evaluate", "zsh_jax.commands.evaluate.main"),
        ("export", "zsh_jax.export.__main__.main"),
        ("data", "zsh_jax.data.__main__.main"),
        ("demo", "zsh_jax.commands.demo.main"),
        ("search-page", "zsh_jax.commands.search_page.main"),
        ("wandb-check", "zsh_jax.commands.wandb_check.main"),
    ],
)
def test_a_verb_runs_its_command_with_the_rest_of_the_line(verb, target, monkeypatch):
    seen = []
    monkeypatch.setattr(target, lambda *given: seen.append(given) or 3)
    assert console.main([verb, "--out", "x"]) == 3
    assert seen[0][0][-2:] == ["--out", "x"]
    assert len(seen) == 1


@pytest.mark.parametrize("arguments", [[], ["swep"], ["--version"]])
def test_another_verb_is_refused_in_one_line_with_those_there_are(arguments, capsys):
    assert console.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        "zsh-jax: takes demo, sweep, merge, report, show, diff, leaderboard, evaluate, encode, export, data, "
        "search-page, wandb-check, not "
    )
    assert all(f"zsh-jax {verb}" in error for verb in console.VERBS)


def test_help_tells_the_verbs(capsys):
    assert console.main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(f"zsh-jax {verb}" in told for verb in console.VERBS)


def test_every_verb_says_what_it_does():
    assert set(console.ABOUT) == set(console.VERBS)


@pytest.mark.parametrize("name", shipped_experiments())
def test_a_shipped_experiment_is_found_by_its_name(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    config = load_experiment(name)
    assert config.name == name
    assert config.sweep.method


def test_a_file_of_ones_own_comes_before_a_shipped_experiment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep_bits").write_text(
        "from ml_collections import ConfigDict\n\ndef get_config():\n    return ConfigDict({'name': 'mine'})\n"
    )
    assert load_experiment("sweep_bits").name == "mine"
