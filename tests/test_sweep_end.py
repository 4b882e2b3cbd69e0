"""The end of a sweep: its gallery against brute force, its report, and what a rerun makes of what lies on disk."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rows import rows_of
from wandb_files import offline_runs

from zsh_jax import encode, encode_classes, load
from zsh_jax.data.shapes import load_shapes
from zsh_jax.data.split import zero_shot_split
from zsh_jax.data.unseen import parse_unseen
from zsh_jax.report.code_pictures import CODES, load_code_pictures
from zsh_jax.report.gallery import GALLERY, load_gallery
from zsh_jax.tracking.models import is_whole_model, model_path

ROOT = Path(__file__).resolve().parent.parent
SETS = ("striped circle+spotted star", "solid cross", "hollow triangle", "solid circle")
SHOWN = (("zsh", "zsh", 2, 3), ("bits", "zsh", 2, 3), ("itq", "itq", 0, 3))  # variant, method, names, sets
EXPERIMENT = """
from ml_collections import ConfigDict
from zsh_jax.sweep.config import for_dataset

def get_config(only=None):
    config = for_dataset("shapes")
    config.name = "ending"
    config.reference = "zsh"
    config.variants = ConfigDict({
        "zsh": {}, "bits": {"bits": (72, 24), "zsh": {"lam": (0.1,)}}, "itq": {"method": ("itq",)},
        "bound": {"method": ("cosine_features",), "bits": (0,)},
    })
    if only:
        config.variants = ConfigDict({only: {}})
    return config.lock()
"""


class Ended(NamedTuple):
    workdir: Path
    run: Callable  # a sweep like it, in another folder and with other settings
    features: np.ndarray


@pytest.fixture(scope="module")
def ended(tmp_path_factory, shapes_folder, launch):
    folder = tmp_path_factory.mktemp("ended")
    (folder / "ending.py").write_text(EXPERIMENT)
    dataset = load_shapes(str(shapes_folder), images=False)
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(30, 24))
    features = (centres[dataset.labels] + rng.normal(size=(9000, 24))).astype(np.float32)
    (folder / "noise").mkdir()
    np.savez(folder / "noise" / "train.npz", id=dataset.ids, features=features)

    def run(workdir, only="", **changes):
        settings = {
            "workdir": workdir,
            "dataset.data_dir": shapes_folder,
            "features.name": "precomputed",
            "features.path": folder / "noise",
            "sweep.unseen": repr(SETS),
            "sweep.seed": 1,
            "sweep.bits": (16,),
            "sweep.training_samples": 100,
            "sweep.anchors": 10,
            "sweep.queries": 20,
            "evaluation.cutoffs": "()",
            "wandb.mode": "disabled",
        } | {key.replace("__", "."): value for key, value in changes.items()}
        flags = [f"--config.{key}={value}" for key, value in settings.items()]
        return launch.main(["launch.py", f"--config={folder / 'ending.py'}:{only}", *flags])

    assert run(folder / "sweep", wandb__mode="offline") == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "zsh_jax.report.code_figures.METHODS", 0
        )  # drawn once, above: reruns look at other things
        yield Ended(folder / "sweep", run, features)


def _rows(workdir):
    return rows_of(workdir / "results.jsonl")


def _brute_force(queries, codes, database, count):
    """By the bits themselves; a stable sort keeps ties in the order of the database."""
    bits = np.unpackbits(np.asarray(codes), axis=1)
    asked = np.unpackbits(np.asarray(queries), axis=1)
    distances = (asked[:, None] != bits[database][None]).sum(axis=2)
    return database[np.argsort(distances, axis=1, kind="stable")[:, :count]]


def _shares(codes, labels, split, classes, count):
    """Mean over the queries of a class; within the last distance that fits in part, each image has an equal chance."""
    bits = np.unpackbits(codes, axis=1).astype(int)
    found = np.zeros((len(classes), 30))
    for place, name in enumerate(classes):
        queries = split.queries[labels[split.queries] == name]
        for query in queries:
            distances = (bits[query] != bits[split.database]).sum(1)
            edge = np.sort(distances)[count - 1]
            within, at = labels[split.database[distances < edge]], labels[split.database[distances == edge]]
            found[place] += np.bincount(within, minlength=30) / count / len(queries)
            found[place] += (1 - len(within) / count) * np.bincount(at, minlength=30) / len(at) / len(queries)
    return found


@pytest.mark.slow
def test_neighbours_are_those_of_a_brute_force_ranking(ended, shapes_folder):
    dataset = load_shapes(str(shapes_folder))
    gallery = load_gallery(ended.workdir / GALLERY)
    assert gallery.methods.tolist() == ["zsh, 16 bits", "bits, 24 bits", "itq, 16 bits"]
    assert gallery.neighbours.shape == (3, 6, 10)
    assert gallery.names.tolist() == ["striped circle", "spotted star", "solid cross", "hollow triangle"]
    rows = _rows(ended.workdir)
    pictures = load_code_pictures(ended.workdir / CODES)
    assert pictures.dataset == dataset.name
    assert pictures.names == tuple(dataset.class_names)
    assert [one.method for one in pictures.pictures] == np.repeat(gallery.methods, 3).tolist()
    asked = []
    for number, (variant, method, *_) in enumerate(SHOWN):
        for place, unseen in enumerate(SETS[:3]):
            (row,) = [
                row
                for row in rows
                if (row["variant"], row["method"], row["unseen"], row["seed"]) == (variant, method, unseen, 1)
                and row["bits"] == (24 if variant == "bits" else 16)
            ]
            model = jax.tree.map(jnp.asarray, load(model_path(ended.workdir, row["cell_id"])))
            codes = np.asarray(encode(model, ended.features))
            classes = parse_unseen(unseen, dataset.class_names)
            split = zero_shot_split(dataset.labels, classes, training_samples=100, queries=20, seed=1)
            here = slice(2 * place, 2 * place + 2)
            # The first query of each class in turn.
            of = dataset.labels[split.queries]
            queries = [split.queries[of == name][0] for name in classes]
            queries = (queries + [split.queries[of == name][1] for name in classes])[:2]
            asked += [queries] * (number == 0)
            np.testing.assert_array_equal(gallery.images[gallery.queries[here]], dataset.images[queries])
            expected = _brute_force(codes[queries], codes, split.database, 10)
            np.testing.assert_array_equal(
                gallery.images[gallery.neighbours[number, here]], dataset.images[expected]
            )
            picture = pictures.pictures[3 * number + place]
            assert picture.unseen.tolist() == sorted(classes)
            shares = _shares(codes, dataset.labels, split, picture.unseen, 100)
            np.testing.assert_allclose(picture.shares, shares, atol=1e-12)
            right = dataset.labels[expected] == dataset.labels[queries][:, None]
            np.testing.assert_array_equal(gallery.correct[number, here], right)
            names = [gallery.names.tolist().index(dataset.class_names[name]) for name in classes]
            if method == "itq":
                assert model.class_head is None
                assert (gallery.named_neighbours[number] == -1).all()
                continue
            vectors = dataset.attributes / np.linalg.norm(dataset.attributes, axis=1, keepdims=True)
            class_codes = np.asarray(encode_classes(model, vectors.astype(np.float32)))
            expected = _brute_force(class_codes[list(classes)], codes, split.database, 10)
            named = gallery.named_neighbours[number, names]
            np.testing.assert_array_equal(gallery.images[named], dataset.images[expected])
            right = dataset.labels[expected] == np.array(classes)[:, None]
            np.testing.assert_array_equal(gallery.named_correct[number, names], right)
    assert gallery.correct.any()
    assert not gallery.correct.all()
    captions = [dataset.class_names[label] for label in dataset.labels[np.concatenate(asked)]]
    assert gallery.captions[gallery.queries].tolist() == captions


@pytest.mark.slow
def test_only_the_hash_functions_that_are_shown_are_kept(ended):
    rows = {row["cell_id"]: row for row in _rows(ended.workdir)}
    kept = [rows[path.stem] for path in (ended.workdir / "models").iterdir()]
    assert len(kept) == 9 < len(rows)
    assert {row["unseen"] for row in kept} == set(SETS[:3])
    assert {(row["variant"], row["bits"]) for row in kept} == {("zsh", 16), ("bits", 24), ("itq", 16)}


@pytest.mark.slow
def test_the_report_and_the_run_of_the_sweep_show_the_same(ended):
    report = ended.workdir / "report"
    page = (report / "index.html").read_text()
    assert page.count("query by class name") == 4
    (run,) = [run for run in offline_runs(ended.workdir).values() if "all cells" in run.name]
    media = run.folder / "files" / "media"
    figures = {path.stem for path in (report / "figures").glob("*.png")}
    assert len(figures) > 3
    assert {path.name.rsplit("_", 2)[0] for path in (media / "images" / "figures").iterdir()} == figures
    tables = {path.stem for path in (report / "tables").glob("*.csv")}
    assert {path.name.rsplit("_", 2)[0] for path in (media / "table" / "tables").iterdir()} == tables
    (logged,) = (media / "html").iterdir()
    assert logged.read_text() == page


@pytest.mark.slow
def test_a_rerun_makes_it_again_from_disk_and_trains_nothing(ended, tmp_path, capsys, monkeypatch):
    shutil.copytree(ended.workdir, tmp_path / "copy", ignore=shutil.ignore_patterns("wandb", "report"))
    before = load_gallery(tmp_path / "copy" / GALLERY)
    content = (tmp_path / "copy" / "results.jsonl").read_bytes()
    (tmp_path / "copy" / GALLERY).unlink()
    assert ended.run(tmp_path / "copy") == 0
    said = capsys.readouterr()
    assert not said.err
    (line,) = [line for line in said.out.splitlines() if line.startswith("report: ")]
    assert Path(line.removeprefix("report: ")) == tmp_path / "copy" / "report" / "index.html"
    for one, other in zip(load_gallery(tmp_path / "copy" / GALLERY), before, strict=True):
        np.testing.assert_array_equal(one, other)
    # A sweep of before there were galleries has no such models: it is done all the same.
    ids = [row["cell_id"] for row in _rows(tmp_path / "copy") if row["variant"] == "itq"]
    for identifier in ids:
        model_path(tmp_path / "copy", identifier).unlink(missing_ok=True)
    monkeypatch.setattr("zsh_jax.report.code_tsne.MOST", 40)
    few = {"gallery__queries": 2, "gallery__neighbours": 3}
    assert ended.run(tmp_path / "copy", report=False, **few, gallery__tsne=True) == 0
    gallery = load_gallery(tmp_path / "copy" / GALLERY)
    assert gallery.methods.tolist() == ["zsh, 16 bits", "bits, 24 bits"]
    assert gallery.neighbours.shape == (2, 2, 3)
    pictures = load_code_pictures(tmp_path / "copy" / CODES).pictures
    methods = [one.method for one in pictures]
    with_tsne = [number for number, one in enumerate(pictures) if one.tsne is not None]
    assert with_tsne == [methods.index(method) for method in gallery.methods], "the first of each method"
    assert (tmp_path / "copy" / "results.jsonl").read_bytes() == content


@pytest.mark.slow
def test_a_damaged_hash_function_that_is_shown_is_made_again(ended, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(ended.workdir, copy, ignore=shutil.ignore_patterns("wandb", "report"))
    before = load_gallery(copy / GALLERY)
    one, other, *_ = sorted((copy / "models").iterdir())
    one.write_bytes(one.read_bytes()[:-9])
    other.write_bytes(one.read_bytes())
    assert ended.run(copy, report=False) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "2 damaged models" in line
    assert all(map(is_whole_model, (copy / "models").iterdir()))
    for gallery, earlier in zip(load_gallery(copy / GALLERY), before, strict=True):
        np.testing.assert_array_equal(gallery, earlier)


@pytest.mark.slow
def test_both_can_be_turned_off(ended, tmp_path, capsys):
    few = {"only": "zsh", "sweep__unseen": repr(SETS[0]), "sweep__seed": 0}
    assert ended.run(tmp_path / "off", report=False, gallery__queries=0, **few) == 0
    assert {path.name for path in (tmp_path / "off").iterdir()} == {
        *("config.json", "results.jsonl", "history.jsonl", "semantics", "splits.json")
    }
    said = capsys.readouterr()
    assert "report" not in said.out
    assert not said.err


@pytest.mark.slow
def test_trouble_with_either_ends_nothing(ended, tmp_path, capsys, monkeypatch):
    shutil.copytree(ended.workdir, tmp_path / "copy", ignore=shutil.ignore_patterns("wandb", "report"))

    def fail(*args, **kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr("zsh_jax.report.at_end.save_gallery", fail)
    monkeypatch.setattr("zsh_jax.report.write.report_files", fail)
    assert ended.run(tmp_path / "copy") == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "the gallery was not made" in said[0]
    assert "the report was not made" in said[1]
    assert "the results are safe" in said[1]


@pytest.mark.slow
def test_features_alone_have_no_gallery(ended, tmp_path, capsys, shapes_folder):
    dataset = load_shapes(str(shapes_folder), images=False)
    path = tmp_path / "vectors.npz"
    np.savez(path, features=ended.features, labels=dataset.labels)
    changes = {"dataset__name": "features", "dataset__path": path, "features__name": "source"}
    changes |= {
        "only": "zsh",
        "sweep__semantics": "('one-hot',)",
        "sweep__unseen": repr("class 3"),
        "sweep__seed": 0,
    }
    assert ended.run(tmp_path / "out", **changes) == 0
    assert not capsys.readouterr().err
    assert (tmp_path / "out" / "report" / "index.html").exists()
    assert not (tmp_path / "out" / GALLERY).exists()
    assert not (tmp_path / "out" / "models").exists()
