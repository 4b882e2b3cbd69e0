"""Experiment files that cannot be read, run or used: status 2, one line with the file and the reason, no traceback."""

import shlex

import pytest
from bad_input import make_data

from zsh_jax.commands.configuration import read_config


@pytest.fixture
def folder(tmp_path):
    make_data(tmp_path)
    return tmp_path


def _said(launch, folder, capsys, given):
    before = sorted(folder.rglob("*"))
    assert launch.main(["launch.py", f"--config={given}"]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    assert sorted(folder.rglob("*")) == before  # no __pycache__ either
    return said.err


SOURCES = {
    "does not parse": ("def get_config(:\n", "SyntaxError: invalid syntax (mine.py, line 1)"),
    "tabs and blanks": ("def get_config():\n\tif 1:\n        return 2\n", "TabError"),
    "is cut off": ("def get_config():\n    return (", "SyntaxError"),
    "null bytes": ("def get_config():\n    return '\0'\n", "null bytes"),
    "nested too deep": ("x = " + "(" * 500 + ")" * 500, "too many nested parentheses"),
    "imports what is not there": (
        "import no_such_module\n",
        "ModuleNotFoundError: No module named 'no_such_module', line 1",
    ),
    "imports a name that is not there": ("from os import no_such_name\n", "ImportError"),
    "raises": ("raise KeyError('breadth')\n", "KeyError: 'breadth', line 1"),
    "raises later": (
        "def get_config():\n    x = 1\n    return x / 0\n",
        "ZeroDivisionError: division by zero, line 3",
    ),
    "raises what cannot be told": (
        "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\n\nraise Odd\n",
        "Odd, line 5",
    ),
    "raises many lines": ("raise ValueError('a\\n' * 1000)\n", "ValueError: a a a"),
    "exits": ("import sys\nsys.exit('bye')\n", "SystemExit: bye, line 2"),
    "exits with 0": ("raise SystemExit(0)\n", "SystemExit: 0"),
    "is a generator's end": ("raise GeneratorExit\n", "GeneratorExit"),
    "recurses": ("def get_config():\n    return get_config()\n", "RecursionError: maximum recursion depth"),
    "has no get_config": ("x = 1\n", "has no get_config"),
    "has none to call": ("get_config = 3\n", "has no get_config"),
    "returns nothing": ("def get_config():\n    pass\n", "get_config returns nothing, not a ConfigDict"),
    "returns a dict": (
        "def get_config():\n    return {'name': 'x'}\n",
        "get_config returns a dict, not a ConfigDict",
    ),
    "returns an empty configuration": (
        "import ml_collections\n\n\ndef get_config():\n    return ml_collections.ConfigDict()\n",
        "is missing; fix: start from zsh_jax.sweep.config.for_dataset",
    ),
    "returns one that holds itself": (
        "from zsh_jax.sweep.config import for_dataset\n\n\ndef get_config():\n    config = for_dataset('shapes')\n"
        "    config.variants.me = config.variants\n    return config\n",
        "its configuration contains itself",
    ),
    "wants an argument": (
        "def get_config(dataset):\n    pass\n",
        "get_config needs an argument; fix: --config",
    ),
    "sets what is not there": (
        "from zsh_jax.sweep.config import for_dataset\n\n\ndef get_config():\n    config = for_dataset('shapes')\n"
        "    config.lock().sweep.bit = (16,)\n",
        "line 6",
    ),
    "sets an axis above its method": (
        "from zsh_jax.sweep.config import for_dataset\n\n\ndef get_config():\n    config = for_dataset('features')\n"
        "    config.sweep.alpha = (1e-5, 1e-3)\n    return config.lock()\n",
        "sweep.alpha: there is no such setting; it is an axis of zsh, zsh_relaxed, zsh_coupled; fix: "
        "--config.sweep.zsh.alpha='(...)'\n",
    ),
    "sets an axis above its method in a variant": (
        "from zsh_jax.sweep.config import for_dataset\n\n\ndef get_config():\n    config = for_dataset('features')\n"
        "    config.variants.mine = {'alpha': (1e-5, 1e-3)}\n    return config.lock()\n",
        "variants.mine: unknown axis 'alpha'; it is an axis of zsh, zsh_relaxed, zsh_coupled; fix: "
        "--config.sweep.zsh.alpha='(...)'\n",
    ),
    "sets text for a number": (
        "from zsh_jax.sweep.config import for_dataset\n\n\ndef get_config():\n    config = for_dataset('shapes')\n"
        "    config.memory_gib = 'much'\n",
        "TypeError",
    ),
    "names a data set without a protocol": (
        "from zsh_jax.sweep.config import for_dataset\n\n\ndef get_config():\n    return for_dataset('cifar')\n",
        "there is no protocol for data set 'cifar'",
    ),
}


@pytest.mark.parametrize("source", SOURCES)
def test_an_experiment_that_cannot_be_run_is_one_line(launch, folder, capsys, monkeypatch, source):
    text, reason = SOURCES[source]
    (folder / "mine.py").write_text(text)
    monkeypatch.chdir(folder)
    said = _said(launch, folder, capsys, "mine.py")
    assert reason in said
    assert len(said) < 400


def test_an_experiment_that_is_no_text_is_one_line(launch, folder, capsys):
    (folder / "latin.py").write_bytes("x = 'caf\xe9'\n".encode("latin-1"))
    assert "latin.py cannot be read (SyntaxError" in _said(launch, folder, capsys, folder / "latin.py")
    (folder / "binary.py").write_bytes(bytes(range(256)) * 9)
    assert "binary.py cannot be read (" in _said(launch, folder, capsys, folder / "binary.py")
    assert f"{folder} is a folder" in _said(launch, folder, capsys, folder)
    assert "there is no experiment" in _said(launch, folder, capsys, folder / "none.py")
    (folder / "loop.py").symlink_to(folder / "loop.py")
    assert "loop.py" in _said(launch, folder, capsys, folder / "loop.py")
    assert "aaa ... aaa" in _said(launch, folder, capsys, "a" * 300)
    assert "--config: takes the name of a file" in _said(launch, folder, capsys, "a" * 5000)
    assert "--config: takes the name of a file" in _said(launch, folder, capsys, "two\nlines.py")


def test_an_experiment_of_another_encoding_that_says_so_is_read(folder):
    (folder / "latin.py").write_bytes(
        "# -*- coding: latin-1 -*-\nfrom zsh_jax.sweep.config import for_dataset\n\n\ndef get_config():\n"
        "    config = for_dataset('shapes')\n    config.name = 'caf\xe9'\n    return config\n".encode(
            "latin-1"
        )
    )
    assert read_config(["launch.py", f"--config={folder / 'latin.py'}"]).name == "caf\xe9"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no experiment given"),
        (["--config"], "no experiment given"),
        (["--config="], "no experiment given"),
        (["--config", "{0}", "--config", "{0}"], "--config is given 2 times; fix: give one experiment"),
        (["-config={0}", "--config={0}"], "--config is given 2 times"),
        (["--config={0}:x"], "get_config takes no argument, and 'x' is given"),
        (["--config={0}", "cifar10"], "unexpected argument 'cifar10'"),
        (["--config={0}", "--configs.name=x"], "unexpected argument '--configs.name=x'"),
        (["--config={0}", "--flagfile=x"], "unexpected argument '--flagfile=x'"),
        (["--config={0}", "--", "x"], "unexpected argument '--'"),
        (["--config={0}", ""], "unexpected argument ''"),
        (["--config={0}", "--config."], "there is no setting --config."),
        (["--config={0}", "--config.name"], "--config.name has no value"),
        (["--config={0}", "--config.name", "--config.report"], "--config.name has no value"),
        (["--config={0}", "--noconfig.name"], "--config.name is not True or False"),
        (
            ["--config={0}", "--noconfig.report=True"],
            "--noconfig.report takes no value; fix: --config.report=False",
        ),
        (["--config={0}", "--config.report", "--noconfig.report"], "--config.report is given twice"),
        (
            ["--config={0}", "--config.sweep.bits=8", "--config.sweep={{'bits': (16,)}}"],
            "--config.sweep would override --config.sweep.bits; fix: give it first",
        ),
        (["--config={0}", "--config.sweep=3"], "has the wrong type (no dict)"),
        (["--config={0}", "--config.sweep={{'bit': (3,)}}"], "no setting --config.sweep.bit; nearest: bits"),
        (["--config={0}", "--config.sweep={{3: 3}}"], "--config.sweep"),
        (
            ["--config={0}", "--config.sweep={{'alpha': (1e-3,)}}"],
            "no setting --config.sweep.alpha; it is an axis of zsh, zsh_relaxed, zsh_coupled; fix: ",
        ),
        (["--config={0}", "--config.sweep.zsh=3"], "--config.sweep.zsh=3 has the wrong type (no dict)"),
        (
            ["--config={0}", "--config.variants={{'a': {{'nu': (1e-3,)}}}}"],
            "variants.a: unknown axis 'nu'; it is an axis of sdh, fsdh; fix: --config.sweep.sdh.nu=",
        ),
        (["--config={0}", "--config.variants=[]"], "--config.variants="),
        (["--config={0}", "--config.variants={{'a': 3}}"], "variants.a: takes a ConfigDict of axes, not 3"),
        (["--config={0}", "--config.sweep.bits.x.y=3"], "the part before .x is a value"),
    ],
)
def test_a_command_line_that_asks_for_nothing_that_can_be_run_is_one_line(
    launch, folder, capsys, arguments, said
):
    (folder / "plain.py").write_text(
        "from zsh_jax.sweep.config import for_dataset\n\n\ndef get_config():\n    return for_dataset('features')\n"
    )
    before = sorted(folder.rglob("*"))
    assert launch.main(["launch.py", *(one.format(folder / "plain.py") for one in arguments)]) == 2
    error = capsys.readouterr()
    assert not error.out
    assert error.err.count("\n") == 1
    assert said in error.err
    assert sorted(folder.rglob("*")) == before


def test_every_way_to_give_a_setting_is_understood(folder):
    (folder / "plain.py").write_text(
        "from zsh_jax.sweep.config import for_dataset\n\n\ndef get_config(dataset='features'):\n"
        "    config = for_dataset(dataset)\n    config.reference = 'a'\n    config.variants.a = {'bits': (8,)}\n"
        "    return config.lock()\n"
    )
    flags = """-config FILE:imagenet100 --config.sweep.bits '(8, 16)'
        --config.sweep.zsh.lam=1e-3 -config.sweep.seed='[0, 1]' --noconfig.report
        --config.save_models --config.semantics.lower_case=t --config.dataset.classes=None
        --config.sweep.sdh="{'nu': (1e-3,), 'max_iterations': (2,)}"
        --config.reference=None --config.sweep.unseen='great dane' --config.memory_gib 3 --config.dataset.held_out=0x10
        --config.evaluation="{'seen_queries': 7}" --config.variants.a.bits='(32,)' --config.workdir='~/x y'"""
    config = read_config(["launch.py", *shlex.split(flags.replace("FILE", str(folder / "plain.py")))])
    assert config.sweep.bits == (8, 16)
    assert config.sweep.zsh.lam == (1e-3,)
    assert config.sweep.sdh.to_dict() == {
        "lam": (1.0,),
        "nu": (1e-3,),
        "ridge": (0.01,),
        "max_iterations": (2,),
        "max_sweeps": (10,),
    }
    assert config.sweep.seed == (0, 1)
    assert config.sweep.unseen == ("great dane",)
    assert (config.report, config.save_models, config.semantics.lower_case) == (False, True, True)
    assert (config.dataset.classes, config.reference, config.dataset.held_out) == (None, None, 16)
    assert config.memory_gib == 3.0
    assert (config.evaluation.seen_queries, config.evaluation.cutoffs) == (7, (100, 1000))
    assert config.variants.to_dict() == {"a": {"bits": (32,)}}
    assert "~" not in config.workdir
    assert config.workdir.endswith("/x y")
    assert config.is_locked


def test_results_go_to_one_folder_below_runs_whatever_the_data_set_is_called(folder):
    (folder / "plain.py").write_text(
        "from zsh_jax.sweep.config import for_dataset\n\n\ndef get_config(dataset):\n    return for_dataset(dataset)\n"
    )
    for dataset, last in (("shapes", "shapes"), ("imagenet_resized", "imagenet_resized-32x32")):
        config = read_config(["launch.py", f"--config={folder / 'plain.py'}:{dataset}"])
        assert config.workdir == f"runs/sweep-{last}"
