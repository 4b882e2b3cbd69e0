"""Settings that are right by themselves and wrong together, or for the data: one line, before anything is written."""

import numpy as np
import pytest
from bad_input import CLASSES, make_data, put, refusal, tiny_config
from ml_collections import ConfigDict

from zsh_jax.data.select import HELD_OUT, draw_classes
from zsh_jax.sweep.settings import check_settings

TWO = {"a": {}, "b": {"method": ("semantic_ridge",)}}
PCA = {"sweep.preprocessing": ("pca",)}
ALL = "cat+dog+cow+pig+owl+bee"


TOGETHER = {
    "more bits than components": (
        {"sweep.method": ("pcah",), "sweep.bits": (9,)},
        "sweep.bits: pcah cannot make 9 bits from 8",
    ),
    "more bits than directions kept": (
        PCA | {"sweep.pca_dimensions": (4,), "sweep.method": ("itq",), "sweep.bits": (8,)},
        "sweep.bits: itq cannot make 8 bits from 4",
    ),
    "a method as a rotation": (
        {"sweep.zsh.rotation": ("coupled",)},
        "sweep.zsh.rotation: takes procrustes, none, random, not 'coupled'",
    ),
    "growth of a closed form": (
        {"sweep.zsh_coupled.alpha_growth": (2.0,)},
        "sweep.zsh_coupled.alpha_growth: there is no such setting; nearest: sweep.zsh_coupled.alpha",
    ),
    "growth of relaxed codes": (
        {"variants": ConfigDict({"a": {"zsh_relaxed": {"alpha_growth": (2.0,)}}})},
        "variants.a.zsh_relaxed: unknown axis 'alpha_growth'; there are lam, alpha, beta",
    ),
    "growth beyond float32": (
        {"sweep.zsh.alpha_growth": (1e3,), "sweep.zsh.max_iterations": (50,)},
        "sweep.zsh.alpha_growth: alpha 1e-05 grown by 1000 is 1e142 after 50 iterations",
    ),
    "an axis above its method": (
        {"sweep.alpha": (1e-5, 1e-3)},
        "sweep.alpha: there is no such setting; it is an axis of zsh, zsh_relaxed, zsh_coupled; fix: "
        "--config.sweep.zsh.alpha='(...)'",
    ),
    "an axis above its method in a variant": (
        {"variants": ConfigDict({"a": {}, "b": {"nu": (1e-5, 1e-3)}})},
        "variants.b: unknown axis 'nu'; it is an axis of sdh, fsdh; fix: --config.sweep.sdh.nu='(...)'",
    ),
    "a value in the place of a method's axes": (
        {"sweep.zsh": (1e-5,)},
        "sweep.zsh",
    ),
    "a value in the place of a method's axes in a variant": (
        {"variants": ConfigDict({"a": {"zsh": 3}})},
        "variants.a.zsh: takes a dict of axes of zsh, not 3",
    ),
    "an own axis of a variant with a wrong value": (
        {"variants": ConfigDict({"a": {"zsh": {"restarts": (0,)}}})},
        "variants.a.zsh.restarts: takes whole numbers from 1 to 10,000",
    ),
    "an own axis of a variant with a value twice": (
        {"variants": ConfigDict({"a": {"sdh": {"nu": (1, 1.0)}}})},
        "variants.a.sdh.nu repeats a value: 1 and 1.0",
    ),
    "a method without bits": ({"sweep.bits": (0,)}, "sweep.bits: zsh has codes"),
    "a bound with bits": ({"sweep.method": ("cosine_features",)}, "sweep.bits: cosine_features has no codes"),
    "a bound and a method": (
        {"sweep.method": ("zsh", "cosine_features")},
        "sweep.bits: cosine_features has no codes",
    ),
    "more anchors than samples": (
        {"sweep.anchors": (41,)},
        "sweep.anchors: 41 anchors cannot be drawn from 40",
    ),
    "as many neighbours as samples": ({"sweep.neighbours": (40,)}, "sweep.neighbours: 40 neighbours"),
    "as many neighbours as anchors": (
        {"sweep.graph": ("anchors",), "sweep.neighbours": (10,)},
        "sweep.neighbours: 10",
    ),
    "more directions than features": (
        PCA | {"sweep.pca_dimensions": (9,)},
        "sweep.pca_dimensions: 9 principal",
    ),
    "as many directions as samples": (
        PCA | {"sweep.pca_dimensions": (40,)},
        "sweep.pca_dimensions: 40 principal",
    ),
    "more seen classes than there are": (
        {"sweep.seen_classes": (6,)},
        "6 seen classes cannot be drawn from 5",
    ),
    "no class left to learn from": (
        {"sweep.validation": (5,)},
        "5 validation classes cannot be drawn from 5",
    ),
    "more samples than images": (
        {"sweep.training_samples": (101,)},
        "101 training samples cannot be drawn from 100",
    ),
    "more queries than images": ({"sweep.queries": (21,)}, "21 queries cannot be drawn from 20"),
    "all images are queries": ({"sweep.queries": (20,)}, "no relevant image in the database"),
    "more seen queries than images": (
        {"evaluation.seen_queries": 99},
        "99 seen queries cannot be drawn from",
    ),
    "a search that no method has": (
        {"evaluation.search": ("asymmetric", "rabitq")},
        "evaluation.search: no method of this sweep has the search 'rabitq'; fix: remove it, or add one that has it to "
        "--config.sweep.method, such as random_rotation",
    ),
    "a search of codes for a bound": (
        {"evaluation.search": ("rescored",), "sweep.method": ("cosine_features",), "sweep.bits": (0,)},
        "evaluation.search: no method of this sweep has the search 'rescored'",
    ),
    "every class unseen": ({"sweep.unseen": (ALL,), "sweep.queries": (100,)}, "none is left to train on"),
    "a class that is not there": ({"sweep.unseen": ("cta",)}, "sweep.unseen: there is no class 'cta'"),
    "a class twice": ({"sweep.unseen": ("cat + cat",)}, "sweep.unseen: class 'cat' occurs twice"),
    "a set twice": (
        {"sweep.unseen": ("cat+dog", "dog + cat")},
        "sweep.unseen repeats a value: 'cat+dog' and 'dog + cat'",
    ),
    "a number twice": ({"sweep.zsh.lam": (1, 1.0)}, "sweep.zsh.lam repeats a value: 1 and 1.0"),
    "one number in float32": (
        {"sweep.zsh.lam": (1e-3, 1e-3 * (1 + 1e-9))},
        "sweep.zsh.lam repeats a value",
    ),
    "one bandwidth in float32": ({"sweep.bandwidth": (1.0, 1.0 + 1e-12)}, "sweep.bandwidth repeats a value"),
    "too many cells": (
        {"sweep.seed": tuple(range(1001)), "sweep.zsh.alpha": tuple(np.linspace(1, 2, 1001).tolist())},
        "sweep: its axes make 1,002,001 cells",
    ),
    "word vectors without a file": ({"sweep.semantics": ("word_vectors",)}, "semantics.path is not set"),
    "attributes of a data set without": ({"sweep.semantics": ("attributes",)}, "semantics.attributes"),
    "sentences without a model": ({"sweep.semantics": ("sentences",)}, "semantics.model is not set"),
    "features that are nowhere": ({"features.name": "precomputed"}, "features.path is not set"),
    "images of a data set without": ({"features.name": "gist"}, "features.name: tiny comes without"),
    "features of no name": ({"features.name": "gits"}, "features.name: there is no 'gits'"),
    "a data set that is nowhere": ({"dataset.path": "nowhere.npz"}, "nowhere.npz"),
    "a data set without a path": ({"dataset.path": None}, "dataset.path is not set"),
    "more classes than there are": (
        {"dataset.classes": 7},
        "dataset.classes: 7 classes cannot be drawn from 6",
    ),
    "as many held out as there are": (
        {"dataset.classes": 3, "dataset.held_out": 3},
        "dataset.held_out: 3 of 3 classes",
    ),
    "no memory": ({"memory_gib": 1e-6}, "memory_gib"),
    "an auxiliary data set without features": (
        {"auxiliary.dataset.name": "features", "auxiliary.dataset.path": "nowhere.npz"},
        "nowhere.npz",
    ),
    "an auxiliary data set without a path for them": (
        {"auxiliary.dataset.name": "cifar10", "auxiliary.features.name": "precomputed"},
        "features.path",
    ),
    "a reference without variants": (
        {"reference": "a"},
        "reference: there are no variants to compare with 'a'",
    ),
    "an unknown reference": (
        {"reference": "c", "variants": ConfigDict(TWO)},
        "reference: there is no variant 'c'",
    ),
    "a variant of no axis": (
        {"variants": ConfigDict({"a": {"bit": (8,)}})},
        "variants.a: unknown axis 'bit'; nearest: bits",
    ),
    "a variant with a wrong value": (
        {"variants": ConfigDict({"a": {"bits": (8.0,)}})},
        "variants.a.bits: takes whole",
    ),
    "a variant with a value twice": (
        {"variants": ConfigDict({"a": {"bits": (8, 8)}})},
        "variants.a.bits repeats a value",
    ),
    "a variant that cannot be drawn": (
        {"variants": ConfigDict({"a": {}, "b": {"anchors": (99,)}})},
        "variants.b: sweep.anchors: 99 anchors",
    ),
    "a variant whose name is a path": ({"variants": ConfigDict({"a/b": {}})}, "variants: takes a name"),
    "a variant without a name": ({"variants": ConfigDict({"": {}})}, "variants: takes a name"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    make_data(folder)
    (folder / "file").write_text("mine")
    return folder


@pytest.mark.parametrize("case", TOGETHER)
def test_what_contradicts_itself_or_the_data_is_refused(launch, folder, capsys, case):
    changes, said = TOGETHER[case]
    assert said in refusal(launch, folder, capsys, put(tiny_config(folder), changes))


def test_the_held_out_classes_and_the_same_by_name_are_one_set(launch, folder, capsys):
    _, (name,) = draw_classes(CLASSES, classes=None, held_out=None, seed=0)
    config = put(tiny_config(folder), {"sweep.unseen": (HELD_OUT, name)})
    assert "sweep.unseen repeats a value" in refusal(launch, folder, capsys, config)


@pytest.mark.parametrize(
    ("workdir", "said"), [("file", "is a file"), ("file/below", "is a file"), ("a" * 300, "workdir")]
)
def test_a_workdir_that_cannot_be_one_is_refused_before_data_are_read(launch, folder, capsys, workdir, said):
    config = put(tiny_config(folder), {"workdir": str(folder / workdir), "dataset.path": "nowhere.npz"})
    assert said in refusal(launch, folder, capsys, config)
    assert (folder / "file").read_text() == "mine"


def test_numbers_of_numpy_are_taken_as_they_are(folder):
    from zsh_jax.sweep.plain_numbers import plain

    given = {
        "sweep.zsh.lam": tuple(np.logspace(-3, -1, 3)),
        "sweep.seed": tuple(np.arange(2)),
        "memory_gib": np.float64(3),
    }
    config = put(tiny_config(folder), given)
    plain(config)
    check_settings(config)
    assert config.sweep.seed == (0, 1)
    assert {type(value) for value in (*config.sweep.seed, *config.sweep.zsh.lam, config.memory_gib)} == {
        int,
        float,
    }
