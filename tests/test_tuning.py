"""Tuning on validation classes: what is tried, what is chosen, and that the unseen classes have no say."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from ml_collections import ConfigDict
from rows import rows_of

from zsh_jax.data.shapes import load_shapes
from zsh_jax.errors import InputError
from zsh_jax.methods.table import METHODS
from zsh_jax.report.read import read_sweeps
from zsh_jax.report.summary import summarise
from zsh_jax.report.tuned import as_tuned, of_choices
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.tuning import check_tuning, choose, described, validation_config

SETS = ("striped circle", "solid cross")
EXPERIMENT = """
from ml_collections import ConfigDict
from zsh_jax.sweep.config import for_dataset

def get_config():
    config = for_dataset("shapes")
    config.name = "tuned"
    config.reference = "zsh"
    config.variants = ConfigDict({
        "zsh": {}, "ridge": {"method": ("semantic_ridge",)}, "lsh": {"method": ("lsh",)},
        "bound": {"method": ("cosine_predictions",), "bits": (0,)},
    })
    config.tuning.axes = ConfigDict({
        "zsh": {"zsh": {"beta": (1e-7, 1e-4)}},
        "ridge": {"semantic_ridge": {"ridge": (0.01, 1e6)}},
        "bound": {"cosine_predictions": {"ridge": (1e6, 0.01)}},
    })
    return config.lock()
"""
AXES = {
    "zsh": {"zsh.beta": (1e-7, 1e-4)},
    "ridge": {"semantic_ridge.ridge": (0.01, 1e6)},
    "bound": {"cosine_predictions.ridge": (1e6, 0.01)},
}


def _config(**changes):
    config = for_dataset("shapes")
    config.workdir = "somewhere"
    config.variants = ConfigDict({"zsh": {}, "lsh": {"method": ("lsh",), "anchors": (20,)}})
    config.tuning.axes = ConfigDict({"zsh": {"zsh": {"alpha": (1e-5, 1e-3), "lam": (1.0, 2.0)}}})
    config.tuning.update(changes)
    return config


def _row(unseen, seed, value, **axes):
    return {"variant": "zsh", "unseen": unseen, "seed": seed, "mean_average_precision": value, **axes}


def test_the_best_mean_is_chosen_for_each_set_of_unseen_classes_by_itself():
    axes = {"zsh": {"zsh.alpha": (1.0, 2.0), "zsh.lam": (0.1, 0.2)}}
    rng = np.random.default_rng(0)
    rows, means = [], {}
    for unseen, alpha, lam in product("ab", *axes["zsh"].values()):
        values = rng.random(3)
        means[unseen, alpha, lam] = values.mean()
        rows += [_row(unseen, seed, value, alpha=alpha, lam=lam) for seed, value in enumerate(values)]
    rng.shuffle(rows)
    rows.append({"variant": "other", "unseen": "a", "mean_average_precision": 9.0})
    choices = choose(rows, axes)
    for unseen in "ab":
        best = max((key for key in means if key[0] == unseen), key=means.get)
        assert choices["zsh"][unseen] == dict(zip(("zsh.alpha", "zsh.lam"), best[1:], strict=True))


def test_of_equal_settings_the_first_listed_is_chosen_and_none_that_is_not_finite():
    axes = {"zsh": {"zsh.alpha": (3.0, 1.0, 2.0)}}
    rows = [_row("a", 0, value, alpha=alpha) for alpha, value in ((2.0, 0.5), (1.0, 0.5), (3.0, np.nan))]
    assert choose(rows, axes) == {"zsh": {"a": {"zsh.alpha": 1.0}}}
    with pytest.raises(InputError, match="no setting of zsh was finite"):
        choose(rows[2:], axes)


def test_validation_tries_the_tuned_variants_alone_and_all_their_settings():
    made = validation_config(_config(bits=(8,), seed=(4, 5), validation=2))
    assert Path(made.workdir) == Path("somewhere/validation")
    assert not made.tuning.axes
    cells = [
        cell for group in groups(made.sweep.to_dict(), made.variants.to_dict()) for cell in group.cells()
    ]
    assert {cell.variant for cell in cells} == {"zsh"}
    assert {cell.split.validation for cell in cells} == {2}
    assert {cell.split.seed for cell in cells} == {4, 5}
    assert {cell.program.bits for cell in cells} == {8}
    tried = {(cell.weights.alpha, cell.weights.lam) for cell in cells}
    assert tried == set(product((1e-5, 1e-3), (1.0, 2.0)))


def test_what_is_run_then_is_the_choice_for_each_set_and_the_rest_as_it_was():
    config = _config()
    config.sweep.unseen = ("a", "b")
    choices = {"zsh": {"a": {"zsh.alpha": 1e-3}, "b": {"zsh.alpha": 1e-5}}}
    plain = groups(config.sweep.to_dict(), config.variants.to_dict())
    tuned = groups(config.sweep.to_dict(), config.variants.to_dict(), choices)
    cells = [cell for group in tuned for cell in group.cells()]
    assert len(cells) == sum(map(len, plain))
    for cell in cells:
        if cell.variant == "zsh":
            assert cell.weights == METHODS["zsh"].weights(
                alpha=choices["zsh"][cell.split.unseen]["zsh.alpha"]
            )
        assert cell.split.validation == 0


def test_the_choices_are_told_by_how_often_they_were_made():
    said = described({"zsh": {"a": {"zsh.alpha": 1e-3}, "b": {"zsh.alpha": 1e-3}, "c": {"zsh.alpha": 1e-5}}})
    assert said == "  zsh: alpha 0.001 (2); alpha 1e-05 (1)"


@pytest.mark.parametrize(
    ("axes", "match"),
    [
        ({"zhs": {"zsh": {"alpha": (1.0,)}}}, "no variant 'zhs'"),
        ({"zsh": {"alpha": (1.0,)}}, r"it is an axis of zsh,.*set tuning\.axes\.zsh\.zsh\.alpha"),
        ({"zsh": {"zsh": {"alfa": (1.0,)}}}, "'zsh.alfa' cannot be tuned"),
        ({"zsh": {"zsh": {"alpha": (0.0,)}}}, r"tuning.axes.zsh.zsh.alpha"),
        ({"zsh": {"sdh": {"nu": (1.0, 2.0)}}}, "zsh does not read sdh.nu"),
        ({"zsh": {"unseen": ("a",)}}, "'unseen' cannot be tuned"),
        ({"zsh": {"zsh": {"alpha": ()}}}, "takes a tuple of values"),
        ({"zsh": {"zsh": {"alpha": (1.0, 2.0)}}, "lsh": {"pca_dimensions": (10,)}}, "budgets differ"),
        (
            {"zsh": {"zsh": {"alpha": (1.0, 2.0)}, "anchors": (10, 20)}, "lsh": {"pca_dimensions": (1, 2)}},
            "lsh 2, zsh 4",
        ),
        ({"lsh": {"zsh": {"alpha": (1.0, 2.0)}}}, "lsh does not read zsh.alpha"),
        ({"lsh": {"anchors": (10, 20)}}, "lsh does not read anchors"),
    ],
)
def test_what_cannot_be_tuned_is_an_error(axes, match):
    config = _config()
    config.tuning.axes = ConfigDict(axes)
    with pytest.raises(InputError, match=match):
        check_tuning(config)


def test_a_tuned_axis_is_one_setting_whether_shared_or_a_methods_own():
    axes = {"mine": {"zsh": {"beta": (1.0, 2.0)}, "anchors": (10, 20)}}
    rows = [{"variant": name, "beta": 1.0, "anchors": 10, "lam": 0.1} for name in ("mine", "other")]
    mine, other = as_tuned(rows, axes)
    assert mine == rows[0] | {"beta": "tuned", "anchors": "tuned"}
    assert other == rows[1]


def test_settings_that_were_chosen_once_are_left_out_of_reports():
    choices = {"mine": {"ant": {"zsh.beta": 2.0, "anchors": 10}}}
    rows = [
        {"variant": variant, "unseen": unseen, "beta": beta, "anchors": anchors}
        for variant, unseen, beta, anchors in (
            ("mine", "ant", 2.0, 10),
            ("mine", "ant", 1.0, 10),
            ("mine", "ant", 2.0, 20),
            ("mine", "bee", 1.0, 10),  # of another sweep, which is not tuned
            ("other", "ant", 1.0, 10),
        )
    ]
    assert of_choices(rows, choices) == [rows[0], *rows[3:]]
    assert of_choices(rows, {}) == rows


@pytest.mark.slow
def test_a_tuned_sweep_end_to_end(tmp_path, shapes_folder, launch):
    dataset = load_shapes(str(shapes_folder), images=False)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(30, 24))[dataset.labels] + rng.normal(size=(9000, 24))
    (tmp_path / "noise").mkdir()
    np.savez(tmp_path / "noise" / "train.npz", id=dataset.ids, features=features.astype(np.float32))
    (tmp_path / "tuned.py").write_text(EXPERIMENT)

    def run(folder, **changes):
        settings = {
            "workdir": tmp_path / folder,
            "dataset.data_dir": shapes_folder,
            "features.name": "precomputed",
            "features.path": tmp_path / "noise",
            "sweep.unseen": repr(SETS),
            "sweep.seed": (0, 1),
            "sweep.bits": (16,),
            "tuning.bits": (16,),
            "sweep.training_samples": 200,
            "sweep.anchors": 30,
            "sweep.queries": 20,
            "gallery.queries": 0,
            "evaluation.cutoffs": "()",
            "wandb.mode": "disabled",
        } | changes
        flags = [f"--config.{key}={value}" for key, value in settings.items()]
        assert launch.main(["launch.py", f"--config={tmp_path / 'tuned.py'}", *flags]) == 0
        return rows_of(tmp_path / folder / "results.jsonl")

    rows = run("tuned")
    assert len(rows) == 2 * 2 * (3 + 1)
    tried = rows_of(tmp_path / "tuned" / "validation" / "results.jsonl")
    assert {row["validation"] for row in tried} == {3}
    assert len(tried) == 2 * 2 * 3
    choices = json.loads((tmp_path / "tuned" / "config.json").read_text())["choices"]
    assert choices == choose(tried, AXES)
    for row in rows:
        for axis, value in choices.get(row["variant"], {}).get(row["unseen"], {}).items():
            assert row[axis.rpartition(".")[2]] == value
    # A ridge of 1e6 predicts next to nothing, so the other one is chosen; the table then is one of settings as told.
    assert {chosen["cosine_predictions.ridge"] for chosen in choices["bound"].values()} == {0.01}
    sweeps = read_sweeps([tmp_path / "tuned"])
    (zsh,) = (
        s
        for s in summarise(sweeps.rows, ["seconds"])
        if s.setting["variant"] == "zsh" and s.setting["bits"] == 16
    )
    assert zsh.setting["beta"] == "tuned"
    assert (zsh.seeds, zsh.cells) == (2, 4)
    assert run("tuned") == rows  # nothing is run twice
