"""Bad input to the launcher: status 2, one line that names it and says how to mend it, and nothing written."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zsh_jax.commands.configuration import read_config
from zsh_jax.data.shapes import load_shapes

ROOT = Path(__file__).resolve().parent.parent
EXPERIMENT = ROOT / "experiments" / "sweep_bits.py"


@pytest.fixture(scope="module")
def features(tmp_path_factory, shapes_folder):
    """Folders of made-up features, one whole and one with damage: they are read faster than GIST is computed."""
    ids = load_shapes(str(shapes_folder), images=False).ids
    values = np.random.default_rng(0).normal(size=(len(ids), 8)).astype(np.float32)
    folder = tmp_path_factory.mktemp("features")
    for name in ("whole", "damaged"):
        (folder / name).mkdir()
        if name == "damaged":
            values[77, 3] = np.nan
        np.savez(folder / name / "train.npz", id=ids, features=values)
    return folder


@pytest.fixture
def arguments(tmp_path, shapes_folder, features):
    """A sweep that would run."""
    return {
        "config": EXPERIMENT,
        "config.workdir": tmp_path / "workdir",
        "config.dataset.data_dir": shapes_folder,
        "config.features.name": "precomputed",
        "config.features.path": features / "whole",
        "config.wandb.mode": "disabled",
        "config.sweep.bits": 16,
        "config.sweep.seed": 0,
        "config.sweep.training_samples": 100,
        "config.sweep.anchors": 10,
        "config.sweep.queries": 20,
    }


def _refused(launch, arguments, capsys, workdir):
    given = {key: value for key, value in arguments.items() if value is not None}
    flags = [f"--{key}={value}" for key, value in given.items()]
    assert launch.main(["launch.py", *flags]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.count("\n") == 1
    assert said.err.startswith("launch.py: ")
    assert not workdir.is_dir()
    return said.err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"config": None}, "no experiment given; fix: give one, as in --config experiments/"),
        ({"config": "experiments/none.py"}, "there is no experiment experiments/none.py; fix: give one"),
        ({"config": f"{EXPERIMENT}:nope"}, "no protocol for data set 'nope'; fix: use one of "),
        ({"config.sweep.bit": 16}, "no setting --config.sweep.bit; nearest: bits"),
        ({"config.workdirr": "x"}, "no setting --config.workdirr; nearest: workdir"),
        ({"config.sweep.bits.x": 16}, "no setting --config.sweep.bits.x"),
        ({"other": 16}, "other"),
        ({"config.memory_gib": "plenty"}, "--config.memory_gib=plenty has the wrong type"),
        ({"config.save_models": 7}, "--config.save_models=7 has the wrong type"),
        ({"config.sweep.bits": "(16,"}, "--config.sweep.bits=(16, has the wrong type"),
        ({"config.sweep.bits": "(16.5,)"}, "sweep.bits: takes whole numbers"),
        ({"config.sweep.zsh.lam": "-1"}, "sweep.zsh.lam: takes numbers from 1e-15 to 1e+15, not -1"),
        ({"config.sweep.seed": "()"}, "sweep.seed is empty; fix: give at least one value"),
        (
            {"config.sweep.zsh.rotation": "turn"},
            "sweep.zsh.rotation: takes procrustes, none, random, not 'turn'; fix: --config.sweep.zsh.rotation=",
        ),
        (
            {"config.sweep.alpha": "(1e-5,1e-3)"},
            "no setting --config.sweep.alpha; it is an axis of zsh, zsh_relaxed, zsh_coupled; fix: "
            "--config.sweep.zsh.alpha='(...)'\n",
        ),
        (
            {"config.sweep.rotation": "none"},
            "no setting --config.sweep.rotation; it is an axis of zsh, zsh_relaxed; fix: "
            "--config.sweep.zsh.rotation='(...)'\n",
        ),
        (
            {"config.sweep.zsh.nu": "1e-5"},
            "no setting --config.sweep.zsh.nu; there are alpha, alpha_growth, beta",
        ),
        ({"config.sweep.semantics": "poems"}, "sweep.semantics: takes word_vectors, attributes, minilm"),
        ({"config.sweep.unseen": "'striped circl'"}, "no class 'striped circl'"),
        ({"config.sweep.anchors": 101}, "101 anchors cannot be drawn from 100 training samples; fix: lower"),
        ({"config.sweep.training_samples": 9000}, "lower --config.sweep.training_samples"),
        (
            {"config.sweep.unseen": "'striped circle'", "config.sweep.queries": 300},
            "database: all images of class 'striped circle' are queries; fix: lower --config.sweep.queries",
        ),
        ({"config.features.name": "gits"}, "features.name: there is no 'gits'"),
        ({"config.features.path": None}, "features.path is not set; fix: give"),
        ({"config.features.path": "nowhere"}, "features.path: there is no nowhere; fix: give"),
        ({"config.features.path": ROOT / "experiments"}, "lacks train.npz; fix: give"),
        ({"config.sweep.semantics": "word_vectors"}, "semantics.path is not set; fix: give"),
        (
            {"config.sweep.semantics": "word_vectors", "config.semantics.path": "nowhere.bin"},
            "semantics.path: there is no nowhere.bin; fix: give",
        ),
        (
            {"config.sweep.semantics": "word_vectors", "config.semantics.path": EXPERIMENT},
            "is not a file of word vectors",
        ),
        (
            {"config.sweep.method": "pcah", "config.sweep.bits": 1000},
            "pcah cannot make 1000 bits from",
        ),
        (
            {"config.sweep.validation": 30},
            "30 validation classes cannot be drawn from",
        ),
        ({"config.memory_gib": 0.001}, "more than memory_gib = 0.001; fix: raise --config.memory_gib"),
        ({"config.memory_gib": "inf"}, "memory_gib: takes numbers from 1e-06 to 1e+06, not inf"),
        (
            {"config.gallery.queries": -1},
            "gallery.queries: takes whole numbers from 0 to 100, not -1; fix: set --config.gallery",
        ),
        ({"config.gallery.neighbours": 0}, "gallery.neighbours: takes whole numbers from 1 to 100, not 0"),
        ({"config.evaluation.cutoffs": 0}, "evaluation.cutoffs: takes a tuple of whole numbers from 1"),
        ({"config.wandb.mode": "onlne"}, "wandb.mode: takes offline, online, disabled, not 'onlne'"),
    ],
)
def test_bad_input_is_one_line_and_nothing_written(launch, arguments, changes, said, capsys, tmp_path):
    error = _refused(launch, arguments | changes, capsys, tmp_path / "workdir")
    assert said in error


@pytest.mark.parametrize(
    ("folder", "said"),
    [("nowhere", "there is no folder"), ("", "cifar10 is not prepared in")],
)
def test_data_that_are_not_there_come_with_the_command_that_prepares_them(
    launch, arguments, folder, said, capsys, tmp_path, shapes_folder
):
    changes = {"config": f"{EXPERIMENT}:cifar10", "config.dataset.data_dir": shapes_folder / folder}
    changes |= {"config.sweep.semantics": "one-hot"}
    error = _refused(launch, arguments | changes, capsys, tmp_path / "workdir")
    assert said in error
    assert "download_and_prepare()" in error


def test_features_that_are_not_finite_are_named(launch, arguments, features, capsys, tmp_path):
    changes = {"config.features.path": features / "damaged"}
    error = _refused(launch, arguments | changes, capsys, tmp_path / "workdir")
    assert "damaged/train.npz: features of 1 of 9000 samples are not finite (solid circle" in error.replace(
        "_", " "
    )
    assert "extract them again" in error


def test_a_workdir_that_is_a_file_is_left_alone(launch, arguments, capsys, tmp_path):
    (tmp_path / "workdir").write_text("mine")
    error = _refused(launch, arguments, capsys, tmp_path / "workdir")
    assert "choose another --config.workdir" in error
    assert (tmp_path / "workdir").read_text() == "mine"


def test_a_workdir_of_something_else_is_left_alone(launch, arguments, capsys, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "results.jsonl").write_text('{"loss": 0.5}\n')
    changes = {"config.workdir": tmp_path / "other"}
    assert "line 1 has no cell_id" in _refused(launch, arguments | changes, capsys, tmp_path / "workdir")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["results.jsonl"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise KeyError('breadth')", "KeyError: 'breadth'"),
        ("open('no/such/list.txt')", "no/such/list.txt"),
        ("return None", "get_config returns nothing, not a ConfigDict"),
    ],
)
def test_an_experiment_that_fails_is_named(launch, arguments, body, said, capsys, tmp_path):
    experiment = tmp_path / "mine.py"
    experiment.write_text(f"def get_config():\n    {body}\n")
    error = _refused(launch, arguments | {"config": experiment}, capsys, tmp_path / "workdir")
    assert "mine.py" in error
    assert said in error


def test_one_command_line_leaves_nothing_for_the_next(launch, arguments, capsys, tmp_path):
    flags = [f"--{key}={value}" for key, value in arguments.items()]
    assert read_config(["launch.py", *flags]).sweep.bits == (16,)
    assert read_config(["launch.py", f"--config={EXPERIMENT}"]).sweep.bits == (16, 32, 64, 128)
    assert read_config(["launch.py", f"--config={EXPERIMENT}"]).workdir == "runs/sweep_bits-shapes"


def test_an_argument_that_is_no_setting_is_named(launch, capsys):
    assert launch.main(["launch.py", "--config", str(EXPERIMENT), "cifar10"]) == 2
    assert (
        "unexpected argument 'cifar10'; fix: give settings as --config.KEY=VALUE" in capsys.readouterr().err
    )


def test_an_interruption_says_how_to_go_on(launch, arguments, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("zsh_jax.commands.sweep.run_sweep", interrupted)
    flags = [f"--{key}={value}" for key, value in arguments.items()]
    assert launch.main(["launch.py", *flags]) == 130
    assert "rerun the same command to resume" in capsys.readouterr().err


def test_online_without_a_key_is_told_before_anything_is_made(arguments, tmp_path):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
    environment |= {"HOME": str(tmp_path / "home"), "NETRC": str(tmp_path / "home" / "netrc")}
    flags = [f"--{key}={value}" for key, value in (arguments | {"config.wandb.mode": "online"}).items()]
    command = [sys.executable, "launch.py", *flags]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "run `wandb login`, set WANDB_API_KEY, or set --config.wandb.mode=offline" in done.stderr
    assert not (tmp_path / "workdir").exists()
