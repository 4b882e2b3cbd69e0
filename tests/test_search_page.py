"""The demo and its search page: codes and ranking against `encode` and brute force, in the file and in a browser."""

import contextlib
import io
import json
import re
import shutil
import webbrowser

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from browser import LOOK, visiting
from PIL import Image
from rows import rows_of
from search_pages import (
    DOWN,
    EACH,
    ENTER,
    KNOWN,
    RIGHT,
    STATE,
    bits,
    data,
    oracle,
    skip_without_browser,
    write_pictures,
)

from zsh_jax import encode, encode_classes, load
from zsh_jax.commands import demo_settings
from zsh_jax.commands.demo import _has_screen
from zsh_jax.commands.main import main
from zsh_jax.data.semantics.minilm import minilm_vectors


@pytest.fixture(scope="module")
def without_model():
    """As where the extra packages are not installed, and with features, methods and lengths that take a moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zsh_jax.data.semantics.minilm.table.installed_model", lambda: None)
        patch.setattr(demo_settings, "_features", lambda: ("pixels", ()))
        patch.setattr(demo_settings, "METHODS", ("zsh",))
        patch.setattr(demo_settings, "BITS", (40,))
        yield patch


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("demo") / "pictures")


@pytest.fixture(scope="module")
def made(pictures, without_model):
    """The workdir of a demo, and what it said."""
    workdir, opened = pictures.parent / "run", []
    without_model.setattr(webbrowser, "open", opened.append)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert not _has_screen()  # so that nothing opens unasked
        assert main(["demo", str(pictures), "--workdir", str(workdir), "--open"]) == 0
    assert opened == [(workdir / "search.html").as_uri()]
    return workdir, said.getvalue()


def test_the_demo_says_what_it_chose_and_left_out(made):
    workdir, said = made
    assert "left out: 1 of 5 classes have no vector for their name; all names: pip install" in said
    assert re.search(r"unseen classes: (cat|dog|frog|horse)\n", said)
    assert f"search page: {workdir / 'search.html'} (36 images, 1 hash function" in said
    rows = rows_of(workdir / "results.jsonl")
    assert [(row["method"], row["bits"]) for row in rows] == [("zsh", 40)]
    assert all(0 < row["mean_average_precision"] <= 1 for row in rows)


def test_codes_labels_roles_and_thumbnails_are_those_of_the_sweep(made, pictures):
    workdir, _ = made
    held = data(workdir / "search.html")
    assert held["classes"] == list(KNOWN)
    assert held["ids"] == [f"{name}/{number}.png" for name in KNOWN for number in range(EACH)]
    assert held["labels"] == [[number] for number in range(4) for _ in range(EACH)]
    features = _features(pictures)
    (row,) = rows_of(workdir / "results.jsonl")
    (one,) = held["functions"]
    model = jax.tree.map(jnp.asarray, load(workdir / "models" / f"{row['cell_id']}.safetensors"))
    coded = np.unpackbits(np.asarray(encode(model, features)), axis=1)[:, :40]
    np.testing.assert_array_equal(bits(one["images"], 40), coded)
    vectors = minilm_vectors("pictures", KNOWN)
    named = np.unpackbits(np.asarray(encode_classes(model, vectors)), axis=1)[:, :40]
    np.testing.assert_array_equal(bits(one["names"], 40), named)
    assert (one["method"], one["bits"]) == ("zsh", 40)
    assert one["figures"]["mAP"] == f"{row['mean_average_precision']:.3f}"
    unseen = KNOWN.index(row["unseen"])
    assert held["unseen"] == [unseen]
    roles = np.array([int(role) for role in held["roles"]])
    labels = np.repeat(np.arange(4), EACH)
    assert (roles == 2).sum() == row["queries"] == 4
    assert (labels[roles == 2] == unseen).all()
    assert ((roles & 4 > 0) == (labels != unseen)).all()  # all seen images are for training
    assert ((roles & 1 > 0) == (roles != 2)).all()
    assert held["kind"] == "image/webp"
    assert len(held["thumbnails"]) == 36


def _features(folder):
    """Pixels of the images that have a class vector, as the sweep read them."""
    from zsh_jax.data.folder import load_folder
    from zsh_jax.features.pixels import pixels

    dataset = load_folder(folder)
    return np.asarray(pixels(dataset.images[: 4 * EACH]))


def test_the_same_page_is_made_again_from_the_workdir(made, tmp_path, capsys):
    workdir, _ = made
    assert main(["search-page", str(workdir), "--out", str(tmp_path / "again.html")]) == 0
    assert (tmp_path / "again.html").read_bytes() == (workdir / "search.html").read_bytes()
    capsys.readouterr()
    assert main(["search-page", str(workdir), "--out", str(tmp_path / "few.html"), "--images", "10"]) == 0
    assert "(10 of 36 images, 1 hash function" in capsys.readouterr().out
    few, whole = data(tmp_path / "few.html"), data(workdir / "search.html")
    rows = [whole["ids"].index(name) for name in few["ids"]]
    assert rows == sorted(set(rows))
    assert len(rows) == 10
    np.testing.assert_array_equal(
        bits(few["functions"][0]["images"], 40), bits(whole["functions"][0]["images"], 40)[rows]
    )
    assert few["thumbnails"] == [whole["thumbnails"][row] for row in rows]


def test_a_page_needs_nothing_else_and_runs_nothing_else(made):
    text = (made[0] / "search.html").read_text()
    assert not re.search(r"https?://|@import|innerHTML|eval\(", text)
    assert "default-src 'none'" in text
    assert "unsafe" not in text


@pytest.mark.slow
def test_in_a_real_browser_by_clicking_and_typing(made, tmp_path_factory):
    skip_without_browser()
    page = made[0] / "search.html"
    held = data(page)
    roles = np.array([int(role) for role in held["roles"]])
    database = np.flatnonzero(roles & 1)
    labels = np.array([one for (one,) in held["labels"]])
    (zsh,) = held["functions"]

    def check(seen, query, own, without=None):
        rows = database[database != without]
        expected, distances = oracle(zsh, query, rows, 24)
        assert seen["rows"] == expected
        assert seen["distances"] == distances
        right = [bool(labels[row] == own) for row in expected]
        assert seen["right"] == right
        assert seen["marks"] == ["✓" if one else "✗" for one in right]

    with visiting(tmp_path_factory.mktemp("browser"), 1280) as visit:
        visit.open(page)
        first = int(np.flatnonzero(roles == 2)[0])
        codes = bits(zsh["images"], 40)
        check(visit.run(STATE), codes[first], labels[first])
        # By mouse: an image of the list, then one of the results, which is in the database, then back.
        visit.run(
            "document.getElementById('shown').value = 'all';"
            "document.getElementById('shown').dispatchEvent(new Event('change'))"
        )
        visit.click('#images button[data-row="20"]')
        seen = visit.run(STATE)
        check(seen, codes[20], labels[20], without=20)
        other = seen["rows"][3]
        visit.click(f'#results button[data-row="{other}"]')
        check(visit.run(STATE), codes[other], labels[other], without=other)
        visit.back()
        check(visit.run(STATE), codes[20], labels[20], without=20)
        # By keyboard: a name in other letters, then an image by arrows.
        visit.click("#name")
        visit.keys(f"  FRO{ENTER}")
        names = bits(zsh["names"], 40)
        seen = visit.run(STATE)
        check(seen, names[2], 2)
        assert seen["focus"] == "found-title"
        assert visit.run("return document.getElementById('name').value") == "frog"
        visit.keys(DOWN)
        visit.keys(RIGHT)
        wanted = int(visit.run(STATE)["focus"])
        assert wanted == seen["rows"][1]
        visit.keys(ENTER)
        check(visit.run(STATE), codes[wanted], labels[wanted], without=wanted)
        # Names that mean nothing, or several classes.
        visit.run("document.getElementById('name').value = ''; document.getElementById('name').focus()")
        visit.keys(f"ewe{ENTER}")
        assert visit.run(STATE)["message"] == "there is no class “ewe”; fix: choose one of the list"
        visit.run("document.getElementById('name').value = ''; document.getElementById('name').focus()")
        visit.keys(f"o{ENTER}")
        assert "3 classes match “o”: dog, frog, horse" in visit.run(STATE)["message"]
        visit.open(page, "#image=99999&method=no&bits=-1&count=7")  # none of it is there
        check(visit.run(STATE), codes[first], labels[first])
        looked = visit.run(LOOK)
        assert (looked["broken"], looked["asked"], looked["wide"]) == (0, [], [])
        assert visit.run(
            "return [...document.querySelectorAll('#names option')].map((one) => one.value)"
        ) == [KNOWN[held["unseen"][0]], *(name for i, name in enumerate(KNOWN) if i != held["unseen"][0])]
        assert visit.console() == []


@pytest.fixture
def moved(made, pictures, tmp_path):
    """A copy of the demo's workdir, and of the images that it reads."""
    shutil.copytree(pictures, tmp_path / "pictures", copy_function=shutil.copy2)
    workdir = shutil.copytree(made[0], tmp_path / "run")
    config = json.loads((workdir / "config.json").read_text())
    config["dataset"]["path"] = str(tmp_path / "pictures")
    (workdir / "config.json").write_text(json.dumps(config))
    return workdir


def test_without_images_there_are_identifiers_and_without_class_vectors_no_names(moved, capsys, monkeypatch):
    monkeypatch.setattr("zsh_jax.report.search_page.make.load_images", lambda *_: None)
    monkeypatch.setattr("zsh_jax.report.search_page.make.NAMELESS", ("minilm",))
    assert main(["search-page", str(moved)]) == 0
    said = capsys.readouterr().out
    assert "the data set has no images: the page shows identifiers and classes" in said
    assert "no hash function has codes of class names" in said
    held = data(moved / "search.html")
    assert (held["kind"], held["thumbnails"], len(held["ids"])) == (None, [], 36)
    assert [one["names"] for one in held["functions"]] == [None]


def test_a_workdir_that_lacks_something_is_refused_in_one_line(moved, capsys, tmp_path):
    page = (moved / "search.html").read_bytes()
    (row,) = rows_of(moved / "results.jsonl")
    other = next(name for name in KNOWN if name != row["unseen"])

    def refused(said, *arguments):
        assert main(["search-page", *map(str, arguments)]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
        assert (moved / "search.html").read_bytes() == page

    refused("there is no workdir", tmp_path / "nowhere")
    refused(f"has the unseen classes {other!r}; fix: use {row['unseen']!r}", moved, f"--unseen={other}")
    refused("it needs a folder that exists", moved, "--out", tmp_path / "no" / "page.html")
    refused("--images: takes whole numbers", moved, "--images=0")
    Image.new("RGB", (30, 40)).save(tmp_path / "pictures" / "dog" / "3.png")
    refused("pictures/4-classes has other images or features than when", moved)
    shutil.rmtree(moved / "models")
    refused("has no saved hash functions; fix: rerun its sweep with --config.save_models", moved)
    (moved / "config.json").write_text("[]")
    refused("is not a configuration; fix: give the workdir of a finished sweep", moved)
