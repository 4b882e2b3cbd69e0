"""A study by Optuna: its values are means of rows, a batch is one program, and the unseen classes have no say."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import optuna
import pytest
from bad_input import make_data, put, refusal, tiny_config
from ml_collections import ConfigDict
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from rows import rows_of
from small_sweeps import PER_CLASS, arguments, write_features

from zsh_jax.commands import optuna_studies
from zsh_jax.errors import InputError
from zsh_jax.sweep import compiled
from zsh_jax.sweep.search_space import LogRange, search_space
from zsh_jax.sweep.train import train
from zsh_jax.sweep.tuning import check_tuning

UNSEEN = "cow+dog"
EXPERIMENT = """
from ml_collections import ConfigDict
from zsh_jax.sweep.config import for_dataset

def get_config():
    config = for_dataset("features")
    config.name = "study"
    config.reference = "sdh"
    config.variants = ConfigDict({"sdh": {"method": ("sdh",)}})
    config.tuning.axes = ConfigDict({"sdh": {"sdh": {"nu": (1e-6, 1e-2), "lam": (1e-2, 1.0, 10.0)}}})
    config.tuning.validation, config.tuning.bits, config.tuning.seed = 2, (8,), (0, 1)
    config.tuning.trials, config.tuning.batch = 8, 4
    return config.lock()
"""


def _run(launch, folder, path, workdir, **changes):
    """Run the sweep; what was trained in validation, as (programs compiled, weights of each call)."""
    (folder / "study.py").write_text(EXPERIMENT)
    programs, calls = [], []
    make, run = compiled.compile_program, compiled.Compiled.run

    def compile_program(function, *given, **static):
        programs.append(function)
        return make(function, *given, **static)

    def count(self, function, *given, **static):
        if function is train:
            calls.append(given[1]._asdict() if given[1] else {})
        return run(self, function, *given, **static)

    settings = {"sweep__method": None, "sweep__training_samples": 50, "sweep__bits": "(8,)"} | changes
    given = arguments(path, workdir, experiment=folder / "study.py", **settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "compile_program", compile_program)
        patch.setattr(compiled.Compiled, "run", count)
        assert launch.main(given) == 0
    return programs.count(train), [call for call in calls if "nu" in call]


def _trials(workdir):
    storage = JournalStorage(JournalFileBackend(str(workdir / "validation" / "optuna.log")))
    (summary,) = optuna.get_all_study_summaries(storage)
    return optuna.load_study(study_name=summary.study_name, storage=storage).trials


def _told(trials):
    return [(one.params, one.value) for one in trials]


def _validation_rows(workdir):
    return rows_of(workdir / "validation" / "results.jsonl")


@pytest.fixture(scope="module")
def study(launch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    path, workdir = write_features(folder / "data.npz"), folder / "sweep"
    programs, calls = _run(launch, folder, path, workdir)
    return SimpleNamespace(
        folder=folder, path=path, workdir=workdir, programs=programs, calls=calls, trials=_trials(workdir)
    )


def test_a_told_value_is_the_mean_of_the_rows_of_its_setting(study):
    rows = _validation_rows(study.workdir)
    assert len(study.trials) == 8
    assert len(rows) == 8 * 2
    for trial in study.trials:
        nu, lam = trial.params["sdh.nu"], trial.params["sdh.lam"]
        own = [row for row in rows if (row["nu"], row["lam"]) == (nu, lam)]
        assert {row["seed"] for row in own} == {0, 1}
        assert trial.value == pytest.approx(sum(row["mean_average_precision"] for row in own) / 2, rel=1e-12)
        assert 1e-6 <= nu <= 1e-2
        assert 1e-2 <= lam <= 10.0


def test_a_batch_is_one_call_and_all_batches_are_one_program(study):
    *batches, last = study.calls
    assert len(batches) == 2
    for number, batch in enumerate(batches):
        drawn = [one.params for one in study.trials[4 * number :][:4]]
        for name in ("nu", "lam"):
            np.testing.assert_allclose(batch[name], [one[f"sdh.{name}"] for one in drawn], rtol=1e-6)
    assert len(last["nu"]) == 1  # the best, on the unseen classes
    assert study.programs == 2  # of the study, and of the best


def test_what_is_run_on_the_unseen_classes_is_the_best_setting_alone(study):
    best = max(study.trials, key=lambda trial: trial.value)
    own = [row for row in rows_of(study.workdir / "results.jsonl") if row["variant"] == "sdh"]
    assert own
    assert {(row["nu"], row["lam"]) for row in own} == {(best.params["sdh.nu"], best.params["sdh.lam"])}
    assert {(row["validation"], row["unseen"]) for row in own} == {(0, UNSEEN)}
    choices = json.loads((study.workdir / "config.json").read_text())["choices"]
    assert choices == {"sdh": {UNSEEN: best.params}}


def test_images_of_the_unseen_classes_change_neither_draws_nor_values(study, launch, tmp_path):
    assert {row["validation"] for row in _validation_rows(study.workdir)} == {2}
    given = dict(np.load(study.path))
    unseen = np.isin(given["labels"], UNSEEN.split("+"))
    assert unseen.sum() == 2 * PER_CLASS
    given["features"][unseen] = 1e3 * np.random.default_rng(1).normal(size=(unseen.sum(), 7))
    other = tmp_path / "data.npz"
    np.savez(other, **given)
    _run(launch, tmp_path, other, tmp_path / "sweep")
    assert _told(_trials(tmp_path / "sweep")) == _told(study.trials)
    ids = [{row["cell_id"] for row in _validation_rows(at)} for at in (study.workdir, tmp_path / "sweep")]
    assert not ids[0] & ids[1]  # other data are other cells


def test_a_killed_study_goes_on_where_it_was_and_a_longer_one_adds_to_it(study, launch, tmp_path):
    workdir = tmp_path / "sweep"
    shutil.copytree(study.workdir, workdir)
    assert _run(launch, tmp_path, study.path, workdir) == (0, [])
    rows = workdir / "validation" / "results.jsonl"
    whole = rows.read_bytes()
    rows.write_bytes(b"".join(whole.splitlines(keepends=True)[:8]))  # killed in its second batch,
    (workdir / "validation" / "optuna.log").write_text("{")  # and while it wrote Optuna's file
    (workdir / "validation" / "optuna.log.lock").symlink_to("nowhere")
    programs, calls = _run(launch, tmp_path, study.path, workdir)
    assert (programs, len(calls)) == (1, 1)
    assert _told(_trials(workdir)) == _told(study.trials)
    before = {row["cell_id"] for row in rows_of(rows)}
    _, calls = _run(launch, tmp_path, study.path, workdir, tuning__trials=12)
    assert len(calls[0]["nu"]) == 4
    assert _told(_trials(workdir))[:8] == _told(study.trials)
    assert len({row["cell_id"] for row in rows_of(rows)} - before) == 4 * 2


def test_a_setting_of_a_batch_is_what_it_is_in_a_grid(study, launch, tmp_path):
    first, second = (trial.params for trial in study.trials[:2])
    values = {name: (first[f"sdh.{name}"], second[f"sdh.{name}"]) for name in ("nu", "lam")}
    given = arguments(
        study.path,
        tmp_path / "grid",
        sweep__method="sdh",
        sweep__training_samples=50,
        sweep__validation=2,
        sweep__seed="(0, 1)",
        **{f"sweep__sdh__{name}": value for name, value in values.items()},
    )
    assert launch.main(given) == 0
    axes = ("seed", "nu", "lam")
    grid = {tuple(row[axis] for axis in axes): row for row in rows_of(tmp_path / "grid" / "results.jsonl")}
    assert len(grid) == 8
    same = 0
    for row in _validation_rows(study.workdir):
        other = grid.get(tuple(row[axis] for axis in axes))
        if other is not None:
            same += 1
            assert row["mean_average_precision"] == pytest.approx(other["mean_average_precision"], rel=1e-5)
    assert same == 4


def test_positive_weights_are_ranges_and_all_else_are_choices():
    tried = {
        "zsh.alpha": (1.0, 1e-5, 1e-3),
        "zsh.gamma": (0.0, 1e-6),
        "zsh.lam": (2.0,),
        "bandwidth": (0.5, 2.0),
    }
    tried |= {"zsh.rotation": ("none", "random"), "zsh.max_iterations": (5, 10)}
    assert search_space(tried) == tried | {"zsh.alpha": LogRange(1e-5, 1.0)}


def test_variants_may_have_different_numbers_of_values():
    config = tiny_config_of_two()
    check_tuning(config)
    config.tuning.trials = 0
    with pytest.raises(InputError, match="budgets differ"):
        check_tuning(config)


def tiny_config_of_two():
    from zsh_jax.sweep.config import for_dataset

    config = for_dataset("features")
    config.variants = ConfigDict({"a": {}, "b": {"method": ("sdh",)}})
    config.tuning.axes = ConfigDict(
        {"a": {"zsh": {"beta": (1.0, 2.0, 3.0)}}, "b": {"sdh": {"nu": (1.0, 2.0)}}}
    )
    config.tuning.trials = 5
    return config


AXES = {
    "variants": ConfigDict({"a": {}}),
    "tuning.axes": ConfigDict({"a": {"zsh": {"beta": (1e-4, 1e-3)}}}),
    "tuning.trials": 4,
}
REFUSED = {
    "nothing to draw": ({"tuning.trials": 4}, "tuning.trials: there are no axes to draw from"),
    "none at once": (AXES | {"tuning.batch": 0}, "tuning.batch: takes whole numbers from 1"),
    "several processes": (
        AXES | {"distributed.coordinator": "h:1", "distributed.processes": 2, "distributed.process": 0},
        "tuning.trials: one process draws the settings",
    ),
    "no Optuna": (AXES, "tuning.trials: optuna is not installed; fix: pip install -e '.[optuna]'"),
    "a range that is none": (
        AXES | {"tuning.axes": ConfigDict({"a": {"zsh": {"beta": (-1.0, 1.0)}}})},
        "tuning.axes.a.zsh.beta: takes numbers from",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_study_that_cannot_run_is_refused(case, launch, tmp_path, capsys, monkeypatch):
    changes, said = REFUSED[case]
    if case == "no Optuna":
        monkeypatch.setattr(optuna_studies, "find_spec", lambda name: None)
    make_data(tmp_path)
    assert said in refusal(launch, tmp_path, capsys, put(tiny_config(tmp_path), changes))
