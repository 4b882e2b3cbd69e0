"""Tunings that contradict themselves, the sweep or the data: one line, before anything is written."""

import pytest
from bad_input import make_data, put, refusal, tiny_config
from ml_collections import ConfigDict

from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.settings import check_settings
from zsh_jax.sweep.tuning import validation_config

TWO = {"a": {}, "b": {"method": ("semantic_ridge",)}}
PCA = {"sweep.preprocessing": ("pca",)}


def _tuning(axes, variants=None, **settings):
    given = {f"tuning.{key}": value for key, value in settings.items()}
    return {"variants": ConfigDict(variants or TWO), "tuning.axes": ConfigDict(axes)} | given


BETA = {"a": {"zsh": {"beta": (1e-4, 1e-3)}}}

TOGETHER = {
    "tuning on the unseen classes": (
        _tuning(BETA, validation=0),
        "tuning.validation: takes whole numbers from 1",
    ),
    "tuning on less than none": (
        _tuning(BETA, validation=-1),
        "tuning.validation: takes whole numbers from 1",
    ),
    "tuning on too many": (
        _tuning(BETA, validation=5),
        "tuning: 5 validation classes cannot be drawn from 5",
    ),
    "tuning in parts": (
        _tuning(BETA) | {"shard": "1/2"},
        "shard: a sweep with tuning cannot be cut",
    ),
    "tuning for no variant": (
        _tuning({"c": {"zsh": {"beta": (1e-4,)}}}),
        "tuning.axes: there is no variant 'c'",
    ),
    "tuning nothing": (_tuning({"a": {}}), "tuning.axes.a: takes a dict of axes and values"),
    "tuning no axis": (_tuning({"a": 3}), "tuning.axes.a: takes a dict of axes and values, not 3"),
    "tuning the unseen classes": (
        _tuning({"a": {"unseen": ("dog",)}}),
        "tuning.axes.a.unseen: 'unseen' cannot be tuned",
    ),
    "tuning the validation": (
        _tuning({"a": {"validation": (1, 2)}}),
        "tuning.axes.a.validation: 'validation' cannot",
    ),
    "tuning with one bare value": (
        _tuning({"a": {"zsh": {"beta": 1e-4}}}),
        "tuning.axes.a.zsh.beta: takes a tuple",
    ),
    "tuning with no value": (_tuning({"a": {"zsh": {"beta": ()}}}), "tuning.axes.a.zsh.beta: takes a tuple"),
    "tuning with a value twice": (
        _tuning({"a": {"zsh": {"beta": (1e-4, 1e-4)}}}),
        "tuning.axes.a.zsh.beta repeats a value",
    ),
    "tuning with a wrong value": (
        _tuning({"a": {"zsh": {"beta": (1e-4, 0)}}}),
        "tuning.axes.a.zsh.beta: takes numbers from 1e-15",
    ),
    "tuning what is not read": (
        _tuning({"b": {"zsh": {"beta": (1e-4, 1e-3)}}}),
        "tuning.axes.b.zsh.beta: semantic_ridge does not",
    ),
    "tuning what zsh does not read": (
        _tuning({"a": {"semantic_ridge": {"ridge": (1.0, 2.0)}}}),
        "tuning.axes.a.semantic_ridge.ridge: zsh does not",
    ),
    "tuning the features of a method that reads no others": (
        _tuning({"b": {"neighbours": (2, 3)}}),
        "tuning.axes.b.neighbours: semantic_ridge does not read neighbours",
    ),
    "tuning an axis above its method": (
        _tuning({"a": {"beta": (1e-4, 1e-3)}}),
        "tuning.axes.a.beta: it is an axis of zsh, zsh_relaxed, zsh_coupled; fix: set tuning.axes.a.zsh.beta",
    ),
    "tuning with unequal budgets": (
        _tuning(BETA | {"b": {"semantic_ridge": {"ridge": (1.0,)}}}),
        "tuning.axes: budgets differ (a 2, b 1",
    ),
    "tuning a sweep on validation classes": (
        _tuning(BETA) | {"sweep.validation": (1,)},
        "sweep.validation: (1,) contradicts tuning.axes",
    ),
    "tuning a variant on validation classes": (
        _tuning(BETA, {"a": {}, "b": {"validation": (0, 1)}}),
        "variants.b.validation: (0, 1) contradicts tuning.axes",
    ),
    "tuning what cannot be drawn": (
        _tuning({"a": {"anchors": (5, 60)}}),
        "variants.a: sweep.anchors: 60 anchors",
    ),
    "tuning with bits that there are not": (
        _tuning({"p": {"itq": {"passes": (2, 3)}}}, {"p": {"method": ("itq",)}}, bits=(16,)),
        "tuning: sweep.bits: itq cannot make 16 bits from 8",
    ),
    # Two bits of four directions can be tried, and then eight of them not be run.
    "tuning to what cannot be run then": (
        PCA
        | _tuning(
            {"p": {"pca_dimensions": (4, 5)}}, {"p": {"method": ("itq",), "pca_dimensions": (8,)}}, bits=(2,)
        ),
        "tuning: sweep.bits: itq cannot make 8 bits from 4",
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    make_data(folder)
    return folder


@pytest.mark.parametrize("case", TOGETHER)
def test_a_tuning_that_contradicts_itself_or_the_data_is_refused(launch, folder, capsys, case):
    changes, said = TOGETHER[case]
    assert said in refusal(launch, folder, capsys, put(tiny_config(folder), changes))


def test_a_tuned_variant_with_seeds_of_its_own_is_tried_with_those_of_the_tuning(folder):
    variants = {"a": {"seed": (7, 8)}, "b": {"method": ("semantic_ridge",)}}
    config = put(tiny_config(folder), _tuning(BETA, variants, seed=(3,), validation=2))
    check_settings(config)
    made = validation_config(config)
    cells = [cell for one in groups(made.sweep.to_dict(), made.variants.to_dict()) for cell in one.cells()]
    assert {(cell.split.seed, cell.split.validation) for cell in cells} == {(3, 2)}
