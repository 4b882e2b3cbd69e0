"""A W&B agent runs a sweep: the command that W&B's own code makes of the YAML, and the run that has the metric."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from bad_input import make_data, put, refusal, tiny_config
from ml_collections import ConfigDict
from rows import rows_of
from small_sweeps import write_features
from wandb_files import offline_runs

from zsh_jax.commands.configuration import read_config
from zsh_jax.methods.table import METHODS
from zsh_jax.sweep.axes import own_axes
from zsh_jax.tracking.means import mean_metrics

ROOT = Path(__file__).resolve().parent.parent
SWEEP = yaml.safe_load((ROOT / "experiments" / "wandb_sweep.yaml").read_text())
FIXED = {key: one["value"] for key, one in SWEEP["parameters"].items() if "value" in one}
CHOSEN = {"zsh.alpha": 3.5e-05, "zsh.beta": 1, "zsh.lam": 0.25, "zsh.gamma": 0.0}  # as a server may choose
RUN, METRIC = "k3j9x2ab", SWEEP["metric"]["name"]


def _command(parameters, monkeypatch, folder):
    """What an agent would start for parameters that the server has chosen, and with which variables."""
    from wandb import wandb_agent

    started = {}

    class Process:
        def __init__(self, env, command, forward_signals):
            started.update(env=env, command=command)

    monkeypatch.setattr(wandb_agent, "AgentProcess", Process)
    monkeypatch.setenv("WANDB_DIR", str(folder / "agent"))
    for name, value in {
        "SWEEP_ID": "sw33p",
        "PROJECT": "hashing",
        "ENTITY": "me",
        "RUN_ID": "",
        "SWEEP_PARAM_PATH": "",
    }.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    agent = wandb_agent.Agent(api=None, queue=None, sweep_id="sw33p")
    agent._sweep_command = list(SWEEP["command"])
    args = {key: {"value": value} for key, value in parameters.items()}
    agent._command_run({"type": "run", "run_id": RUN, "program": SWEEP["program"], "args": args})
    command = started["command"]
    assert command[:3] == ["/usr/bin/env", "python", "launch.py"]
    for name in ("WANDB_RUN_ID", "WANDB_SWEEP_PARAM_PATH"):
        monkeypatch.setenv(name, started["env"][name])
    return command[2:]


@pytest.fixture
def agents_command(monkeypatch, tmp_path):
    chosen = {f"config.sweep.{axis}": value for axis, value in CHOSEN.items()}
    yield lambda **changes: _command(FIXED | chosen | changes, monkeypatch, tmp_path)
    import wandb

    wandb.teardown()  # it has read the variables


def test_the_yaml_tunes_axes_that_there_are_on_validation_classes(agents_command, monkeypatch):
    tuned = [key for key, one in SWEEP["parameters"].items() if "value" not in one]
    assert {key.removeprefix("config.sweep.") for key in tuned} == set(CHOSEN)
    assert {key.rpartition(".")[2] for key in tuned} <= set(own_axes(METHODS["zsh"]))
    for key in tuned:
        range_ = SWEEP["parameters"][key]
        bounds = range_.get("values") or [range_["min"], range_["max"]]
        assert all(isinstance(one, float) for one in bounds), key  # YAML reads 1e-7 as text
    monkeypatch.chdir(ROOT)
    config = read_config(agents_command())
    assert config.sweep.validation == (FIXED["config.sweep.validation"],)
    assert config.sweep.validation[0] > 0
    assert (config.sweep.bits, config.sweep.seed) == ((32,), (0, 1, 2))
    for axis, value in CHOSEN.items():
        assert config.sweep.zsh[axis.removeprefix("zsh.")] == (value,)
    assert (config.wandb.mode, config.report, config.wandb.run_id) == ("online", False, RUN)
    assert Path(config.workdir) == Path("runs/wandb_sweep/agents") / RUN
    assert read_config(agents_command()).workdir == config.workdir  # whether it is completed once or twice


def test_values_of_a_nested_parameter_are_one_value_each(agents_command, monkeypatch):
    monkeypatch.chdir(ROOT)
    nested = {"alpha": 0.5, "rotation": "none", "lam": [1.0, 2.0]}
    config = read_config(
        agents_command(**{"config.sweep.sdh": {"nu": 0.5}, "config.sweep.zsh_coupled": {"alpha": 7}})
    )
    assert config.sweep.sdh.nu == (0.5,)
    assert config.sweep.zsh_coupled.alpha == (7,)
    words = ["launch.py", "--config=experiments/sweep_bits.py", f"--config.sweep.zsh={nested}"]
    own = read_config(words).sweep.zsh
    assert (own.alpha, own.rotation, own.lam) == ((0.5,), ("none",), (1.0, 2.0))


def test_the_agent_s_run_has_the_metric_and_is_the_only_one(agents_command, launch, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    small = {
        "config.wandb.mode": "offline",
        "config.workdir": str(tmp_path / "sweep"),
        "config.dataset.path": str(write_features(tmp_path / "data.npz")),
        "config.sweep.method": "lsh",
        "config.sweep.semantics": "one-hot",
        "config.sweep.unseen": "cow+dog",
        "config.sweep.validation": 2,
        "config.sweep.bits": 8,
        "config.sweep.seed": [0, 1],
        "config.sweep.training_samples": 40,
        "config.sweep.queries": 20,
        "config.sweep.anchors": 10,
        "config.sweep.neighbours": 4,
    }
    command = [
        one.replace("sweep_bits.py:shapes", "sweep_bits.py:features") for one in agents_command(**small)
    ]
    assert launch.main(command) == 0
    workdir = tmp_path / "sweep" / "agents" / RUN
    rows = rows_of(workdir / "results.jsonl")
    assert {row["validation"] for row in rows} == {2}
    assert [row["seed"] for row in rows] == [0, 1]
    (run,) = offline_runs(workdir).values()
    assert (run.run_id, run.project, run.exit_code) == (RUN, "hashing", 0)
    expected = np.mean([row["mean_average_precision"] for row in rows])
    assert run.summary[METRIC] == pytest.approx(expected, rel=1e-12)
    assert [row[METRIC] for row in run.history] == [run.summary[METRIC]]
    assert not [key for key in run.summary if key.startswith("test/")]
    assert run.config["config.sweep.zsh.alpha"] == CHOSEN["zsh.alpha"]  # as W&B's own optimiser reads it
    assert launch.main(command) == 0  # started again, the run is written again, and nothing is computed
    assert rows_of(workdir / "results.jsonl") == rows
    assert list(offline_runs(workdir)) == [RUN]


def test_means_tell_validation_classes_from_unseen_ones_and_leave_out_what_is_not_finite():
    rows = [
        {"validation": validation, "mean_average_precision": value, "chance": chance}
        for validation, value, chance in ((3, 0.2, 0.1), (3, 0.4, float("nan")), (0, 0.9, 0.5))
    ]
    means = mean_metrics(rows)
    assert means == pytest.approx(
        {"validation/mean_average_precision": 0.3, "test/mean_average_precision": 0.9, "test/chance": 0.5}
    )
    assert mean_metrics([]) == {}


REFUSED = {
    "tuned twice": (
        {
            "wandb.run_id": "a",
            "variants": ConfigDict({"a": {}}),
            "tuning.axes": ConfigDict({"a": {"zsh": {"beta": (1e-4, 1e-3)}}}),
        },
        "tuning.axes: it chooses settings, and so does the agent",
    ),
    "a part": (
        {"wandb.run_id": "a", "shard": "1/2"},
        "shard: a run of wandb.run_id has the means over all cells",
    ),
    "no id": ({"wandb.run_id": "../a"}, "wandb.run_id: takes letters, digits, - and _"),
    "one id for all": (
        {"wandb.mode": "offline"},
        "wandb.run_id: WANDB_SWEEP_ID is set, so W&B would give all runs one",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_contradicts_an_agent_is_refused(case, launch, tmp_path, capsys, monkeypatch):
    changes, said = REFUSED[case]
    monkeypatch.delenv("WANDB_RUN_ID", raising=False)
    monkeypatch.setenv("WANDB_SWEEP_ID", "sw33p")
    make_data(tmp_path)
    assert said in refusal(launch, tmp_path, capsys, put(tiny_config(tmp_path), changes))
