"""The wheel of the source archive, installed into a folder of its own and used from an empty one."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_sweeps import write_features

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
FIVE_LINES = """
import jax, numpy as np, zsh_jax as zsh
import zsh_jax.experiments.sweep_bits
from zsh_jax.sweep import run_sweep

data = np.load(FILE)
names, labels = np.unique(data["labels"], return_inverse=True)
model = zsh.fit(jax.random.key(0), data["features"], np.eye(len(names)), labels, bits=16, neighbours=4)
codes = zsh.encode(model, data["features"])
zsh.save("model.safetensors", model)
assert (np.asarray(zsh.encode(zsh.load("model.safetensors"), data["features"])) == np.asarray(codes)).all()
found = zsh.evaluate(codes[::3], labels[::3], codes, labels, bits=16)
assert 0.3 < float(found.mean_average_precision) <= 1

config = zsh_jax.experiments.sweep_bits.get_config("features")
with config.unlocked():
    config.dataset.path = FILE
    config.workdir = "called"
    config.wandb.mode = "disabled"
    config.report, config.evaluation.cutoffs = False, ()
    config.sweep.update(SWEEP)
rows = run_sweep(config)
assert [row["bits"] for row in rows] == [8, 12]
assert all(0 < row["mean_average_precision"] <= 1 for row in rows)
print(zsh.__version__, zsh.__file__)
"""
SWEEP = {
    "method": ("lsh",),
    "semantics": ("one-hot",),
    "unseen": ("cow+dog",),
    "bits": (8, 12),
    "seed": (0,),
    "training_samples": (60,),
    "queries": (20,),
    "anchors": (10,),
    "neighbours": (4,),
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that holds what the wheel installs, without what it depends on."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("not a git checkout: which files belong to the package is not known")
    for name in filter(None, tracked.stdout.split("\0")):
        if not name.startswith(("tests/", "docs/")) and (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(source)]
    made = subprocess.run(build, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    (wheel,), (archive,) = (
        folder.glob("*.whl"),
        folder.glob("*.tar.gz"),
    )  # the wheel is built from the archive
    assert wheel.name.split("-")[:2] == archive.name.removesuffix(".tar.gz").split("-")
    target = folder / "installed"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, capture_output=True)
    return target


def _run(installed, folder, *command):
    """Run a command in an empty folder, where only the installed package can be found."""
    folder.mkdir(exist_ok=True)
    environment = os.environ | {"PYTHONPATH": str(installed), "JAX_PLATFORMS": "cpu"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600
    )


def _script(installed, folder, *arguments):
    return _run(installed, folder, sys.executable, str(installed / "bin" / "zsh-jax"), *arguments)


def test_the_console_script_runs_a_shipped_experiment_and_makes_its_report(installed, tmp_path):
    path = write_features(tmp_path / "data" / "features.npz")
    flags = [f"--config.sweep.{axis}={values!r}" for axis, values in SWEEP.items()]
    settings = [f"--config.dataset.path={path}", "--config.wandb.mode=disabled", "--config.workdir=swept"]
    settings += ["--config.report=False", "--config.evaluation.cutoffs=()"]
    folder = tmp_path / "empty"
    done = _script(installed, folder, "sweep", "--config", "sweep_bits:features", *settings, *flags)
    assert done.returncode == 0, done.stderr
    assert "2/2 cells" in done.stdout
    again = _script(installed, folder, "report", "swept")
    assert again.returncode == 0, again.stderr
    assert "lsh" in (folder / "swept" / "report" / "index.html").read_text("utf-8")
    assert sorted(one.name for one in folder.iterdir()) == ["swept"]


VERBS = """
import json, sys
from zsh_jax.commands.main import main
print(*[main(arguments) for arguments in json.loads(sys.argv[1])])
"""


def test_the_verbs_list_data_sets_and_refuse_what_they_do_not_know(installed, tmp_path):
    asked = [["data", "list", "--data-dir", str(tmp_path)]]
    refused = (
        (
            ["sweeps"],
            "takes demo, sweep, merge, report, show, diff, leaderboard, evaluate, encode, export, data, search-page",
        ),
        (["sweep", "--config", "sweep_bit"], "there is no experiment sweep_bit"),
        (["export", "nothing.safetensors", "--features", "a.npz", "--out", "b"], "there is no model"),
    )
    asked += [arguments for arguments, _ in refused]
    done = _run(installed, tmp_path / "a", sys.executable, "-c", VERBS, json.dumps(asked))
    assert done.returncode == 0, done.stderr
    assert "cifar10" in done.stdout
    assert done.stdout.splitlines()[-1] == "0 2 2 2"
    for _, wanted in refused:
        assert wanted in done.stderr


def test_five_lines_and_run_sweep_work_in_a_program_of_ones_own(installed, tmp_path):
    (readme,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    path = write_features(tmp_path / "data" / "features.npz")
    assert np.load(path)["features"].shape == (180, 7)
    program = readme + FIVE_LINES.replace("FILE", repr(str(path))).replace("SWEEP", repr(SWEEP))
    done = _run(installed, tmp_path / "empty", sys.executable, "-c", program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("mAP of unseen classes 0.")
    version, where = done.stdout.split()[-2:]
    assert Path(where).is_relative_to(installed)
    assert version in (next(installed.glob("zsh_jax-*.dist-info")) / "METADATA").read_text("utf-8")
