"""Ranges of tuned axes that grow until no choice lies at an end: on rows with a known best, and in a sweep."""

import json

import numpy as np
import pytest
from rows import rows_of
from small_sweeps import arguments, write_features

from zsh_jax.errors import InputError
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.tuning import check_tuning, choose, tried_axes, with_values
from zsh_jax.sweep.widening import further_values

EXPERIMENT = """
from ml_collections import ConfigDict
from zsh_jax.sweep.config import for_dataset

def get_config():
    config = for_dataset("features")
    config.name = "tuned"
    config.variants = ConfigDict({"ridge": {"method": ("semantic_ridge",)}, "lsh": {"method": ("lsh",)}})
    config.tuning.axes = ConfigDict({"ridge": {"semantic_ridge": {"ridge": (1e5, 1e7)}}})
    config.tuning.validation = 2
    config.tuning.bits = (8,)
    return config.lock()
"""


def _tuned(best, times, values=(1e-2, 1.0)):
    """The values that are tried and the one chosen where mAP falls with the distance to the best in decades."""
    config = for_dataset("shapes")
    config.variants = {"mine": {}}
    config.tuning.axes = {"mine": {"zsh": {"beta": values}}}
    for _ in range(times):
        axes = tried_axes(config)
        rows = [
            {
                "variant": "mine",
                "unseen": unseen,
                "beta": value,
                "mean_average_precision": -abs(np.log10(value / one)),
            }
            for value in axes["mine"]["zsh.beta"]
            for unseen, one in best.items()
        ]
        choices = choose(rows, axes)
        further = further_values(axes, choices)
        if not further:
            break
        config = with_values(config, further)
    return axes["mine"]["zsh.beta"], {unseen: one["zsh.beta"] for unseen, one in choices["mine"].items()}


def test_a_range_grows_by_its_own_step_until_the_best_lies_inside():
    assert _tuned({"a": 1e-6}, 9) == ((1e-2, 1.0, 1e-4, 1e-6, 1e-8), {"a": 1e-6})
    assert _tuned({"a": 1e2}, 9, (0.01, 0.1, 1.0)) == ((0.01, 0.1, 1.0, 10.0, 100.0, 1000.0), {"a": 100.0})
    assert _tuned({"a": 0.1}, 9, (0.01, 0.1, 1.0)) == ((0.01, 0.1, 1.0), {"a": 0.1})


def test_each_set_of_unseen_classes_has_its_say():
    values, chosen = _tuned({"a": 1e-4, "b": 1e2}, 9)
    assert values == (1e-2, 1.0, 1e-4, 1e2, 1e-6, 1e4)
    assert chosen == {"a": 1e-4, "b": 1e2}


def test_a_range_ends_where_the_setting_does_and_after_as_many_times_as_asked():
    values, chosen = _tuned({"a": 1e-40}, 99)
    assert min(values) == chosen["a"] == 1e-14  # the next would be below the least that beta takes
    assert min(_tuned({"a": 1e-40}, 3)[0]) == 1e-6


def test_a_further_value_that_changes_nothing_is_not_chosen():
    axes = {"mine": {"zsh.beta": (1e-4, 1e-2, 1e-6)}}
    rows = [
        {"variant": "mine", "unseen": "a", "beta": b, "mean_average_precision": 0.5} for b in (1e-6, 1e-4)
    ]
    rows.append({"variant": "mine", "unseen": "a", "beta": 1e-2, "mean_average_precision": 0.4})
    assert not further_values(axes, choose(rows, axes))


@pytest.mark.parametrize("values", [(0.0, 1.0), (1.0,), (10, 20), ("a", "b")], ids=str)
def test_ranges_without_a_ratio_stay_as_they_are(values):
    axes = {"mine": {"anchors": values}}
    assert not further_values(axes, {"mine": {"a": {"anchors": values[0]}}})


def test_of_a_grid_each_axis_grows_by_itself():
    axes = {"mine": {"zsh.beta": (1e-4, 1e-2), "zsh.alpha": (0.1, 0.2, 0.4)}}
    choices = {"mine": {"a": {"zsh.beta": 1e-2, "zsh.alpha": 0.2}}}
    assert further_values(axes, choices) == {"mine": {"zsh.beta": (1.0,)}}


@pytest.mark.parametrize(("axes", "trials"), [({}, 0), ({"mine": {"zsh": {"beta": (0.1, 1.0)}}}, 4)])
def test_widening_without_a_grid_is_refused(axes, trials):
    config = for_dataset("shapes")
    config.variants = {"mine": {}}
    config.tuning.axes, config.tuning.trials, config.tuning.widen = axes, trials, 2
    with pytest.raises(InputError, match=r"^tuning\.widen: .*; fix: .*--config\.tuning\.widen=0"):
        check_tuning(config)


def test_a_sweep_tries_what_lies_beyond_and_resumes(tmp_path, launch, capsys):
    experiment, workdir = tmp_path / "tuned.py", tmp_path / "sweep"
    experiment.write_text(EXPERIMENT)
    path = write_features(tmp_path / "data.npz")

    def run(times, **more):
        flags = {"sweep__method": None, "sweep__seed": "(0,1)", "tuning__widen": times} | more
        assert launch.main(arguments(path, workdir, experiment=experiment, **flags)) == 0
        (chosen,) = json.loads((workdir / "config.json").read_text())["choices"]["ridge"].values()
        tried = rows_of(workdir / "validation" / "results.jsonl")
        return chosen["semantic_ridge.ridge"], [row["ridge"] for row in tried], capsys.readouterr().out

    with pytest.raises(FileNotFoundError):  # it writes nothing
        run(9, validate_only=True)
    assert "tuning first: 2 cells on validation classes, and more beyond each end" in capsys.readouterr().out
    best, tried, said = run(0)
    assert (best, tried) == (1e5, [1e5, 1e7])  # which predict next to nothing
    assert "at an end of their range: ridge ridge; to go on beyond, raise --config.tuning.widen" in said
    best, tried, said = run(9)
    assert min(tried) < best < 1e5
    assert len(tried) == len(set(tried))
    assert "best at an end of its range, so tried beyond it: ridge ridge 1000\n" in said
    assert "at an end of their range" not in said
    assert run(9)[:2] == (best, tried)  # nothing is run twice
    assert {row["ridge"] for row in rows_of(workdir / "results.jsonl") if row["variant"] == "ridge"} == {
        1e5,
        best,
    }
