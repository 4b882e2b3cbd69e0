"""The demo and its search page: codes and ranking against `encode` and brute force, in the file and in a browser."""

import base64
import contextlib
import io
import json
import re
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from browser import LOOK, missing, visiting
from PIL import Image
from rows import rows_of

from zsh_jax import encode, encode_classes, load
from zsh_jax.commands import demo_settings
from zsh_jax.commands.main import main
from zsh_jax.data.semantics.minilm import minilm_vectors
from zsh_jax.report.search_page.page import search_page
from zsh_jax.report.search_page.payload import Codes, Contents

CLASSES = ("cat", "dog", "frog", "horse", "zzyzx")
KNOWN = CLASSES[:4]  # in the bundled table
EACH = 9
FEATURES = demo_settings._features  # as it is, before a fixture replaces it
ENTER, TAB, RIGHT, DOWN = "\ue007", "\ue004", "\ue014", "\ue015"
HOSTILE = ("</script><img src=x onerror=window.hit=1>", "<!--<script>", "a 'quoted' \"name\" & more")
STATE = """return {rows: [...document.querySelectorAll("#results button")].map((one) => Number(one.dataset.row)),
  distances: [...document.querySelectorAll("#results button")].map((one) => Number(one.dataset.distance)),
  right: [...document.querySelectorAll("#results button")].map((one) => one.classList.contains("right")),
  marks: [...document.querySelectorAll("#results .mark")].map((one) => one.textContent[0]),
  message: document.getElementById("message").hidden ? "" : document.getElementById("message").textContent,
  focus: document.activeElement.dataset.row ?? document.activeElement.id}"""


@pytest.fixture(scope="module")
def without_model():
    """As where the extra packages are not installed, and with features, methods and lengths that take a moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zsh_jax.data.semantics.minilm.table.installed_model", lambda: None)
        patch.setattr(demo_settings, "_features", lambda: ("pixels", ()))
        patch.setattr(demo_settings, "METHODS", ("zsh", "lsh"))
        patch.setattr(demo_settings, "BITS", (40,))
        yield


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "pictures"
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        colour = rng.integers(40, 216, 3)
        for number in range(EACH):
            pixels = np.clip(rng.normal(colour, 40, (8, 6, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).resize((30, 40), Image.Resampling.NEAREST).save(
                folder / name / f"{number}.png"
            )
    return folder


@pytest.fixture(scope="module")
def made(pictures, without_model):
    """The workdir of a demo, and what it said."""
    workdir = pictures.parent / "run"
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert main(["demo", str(pictures), "--workdir", str(workdir)]) == 0
    return workdir, said.getvalue()


def _data(page):
    text = page.read_text()
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert len(found) == 1
    return json.loads(found[0])


def _bits(text, bits):
    """Codes of the page, one value a bit."""
    words = np.frombuffer(base64.b64decode(text), np.uint8)
    width = 32 * -(-bits // 32)
    whole = np.unpackbits(words).reshape(-1, width)
    assert not whole[:, bits:].any()
    return whole[:, :bits]


def _oracle(data, function, query, rows, count):
    """By the bits themselves; a stable sort keeps ties in the order of the rows."""
    bits = _bits(function["images"], function["bits"])
    distances = (bits[rows] != query).sum(axis=1)
    order = np.argsort(distances, kind="stable")[:count]
    return rows[order].tolist(), distances[order].tolist()


def test_the_demo_says_what_it_chose_and_left_out(made):
    workdir, said = made
    assert "left out: 1 of 5 classes have no vector for their name; all names: pip install" in said
    assert re.search(r"unseen classes: (cat|dog|frog|horse)\n", said)
    assert f"search page: {workdir / 'search.html'} (36 images, 2 hash functions" in said
    rows = rows_of(workdir / "results.jsonl")
    assert [(row["method"], row["bits"]) for row in rows] == [("zsh", 40), ("lsh", 40)]
    assert all(0 < row["mean_average_precision"] <= 1 for row in rows)


def test_codes_labels_roles_and_thumbnails_are_those_of_the_sweep(made, pictures):
    workdir, _ = made
    data = _data(workdir / "search.html")
    assert data["classes"] == list(KNOWN)
    assert data["ids"] == [f"{name}/{number}.png" for name in KNOWN for number in range(EACH)]
    assert data["labels"] == [[number] for number in range(4) for _ in range(EACH)]
    features = _features(pictures)
    rows = {(row["method"], row["bits"]): row for row in rows_of(workdir / "results.jsonl")}
    vectors = minilm_vectors("pictures", KNOWN)
    assert [(one["method"], one["bits"]) for one in data["functions"]] == [("zsh", 40), ("lsh", 40)]
    for one in data["functions"]:
        row = rows[one["method"], one["bits"]]
        model = jax.tree.map(jnp.asarray, load(workdir / "models" / f"{row['cell_id']}.safetensors"))
        expected = np.unpackbits(np.asarray(encode(model, features)), axis=1)[:, : one["bits"]]
        np.testing.assert_array_equal(_bits(one["images"], one["bits"]), expected)
        assert one["figures"]["mAP"] == f"{row['mean_average_precision']:.3f}"
        if one["method"] == "lsh":
            assert one["names"] is None
            continue
        named = np.unpackbits(np.asarray(encode_classes(model, vectors)), axis=1)[:, : one["bits"]]
        np.testing.assert_array_equal(_bits(one["names"], one["bits"]), named)
    unseen = KNOWN.index(rows["zsh", 40]["unseen"])
    assert data["unseen"] == [unseen]
    roles = np.array([int(role) for role in data["roles"]])
    labels = np.repeat(np.arange(4), EACH)
    assert (roles == 2).sum() == rows["zsh", 40]["queries"] == 4
    assert (labels[roles == 2] == unseen).all()
    assert ((roles & 4 > 0) == (labels != unseen)).all()  # all seen images are for training
    assert ((roles & 1 > 0) == (roles != 2)).all()
    assert data["kind"] == "image/webp"
    assert len(data["thumbnails"]) == 36


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
    assert "(10 of 36 images, 2 hash functions" in capsys.readouterr().out
    few, whole = _data(tmp_path / "few.html"), _data(workdir / "search.html")
    rows = [whole["ids"].index(name) for name in few["ids"]]
    assert rows == sorted(set(rows))
    assert len(rows) == 10
    np.testing.assert_array_equal(
        _bits(few["functions"][1]["images"], 40), _bits(whole["functions"][1]["images"], 40)[rows]
    )
    assert few["thumbnails"] == [whole["thumbnails"][row] for row in rows]


def test_a_page_needs_nothing_else_and_runs_nothing_else(made):
    text = (made[0] / "search.html").read_text()
    assert not re.search(r"https?://|@import|innerHTML|eval\(", text)
    assert "default-src 'none'" in text
    assert "unsafe" not in text


def _tiny():
    """A page by hand, without thumbnails: 40 images of three classes; at 35 bits many ties."""
    rng = np.random.default_rng(1)
    codes = np.packbits(rng.integers(0, 2, (6, 35)), axis=1)[rng.integers(0, 6, 40)]
    wide = rng.integers(0, 256, (40, 8), np.uint8)
    labels = np.arange(40, dtype=np.int32) % 3
    roles = np.where(np.arange(40) < 5, 2, 1).astype(np.uint8)
    made = [
        Codes("m", 35, codes, codes[:3], {}),
        Codes("m", 64, wide, None, {}),
        Codes("<b>n</b>", 35, codes, None, {}),
    ]
    return Contents(
        "<i>t</i>", {"f": "<b>"}, HOSTILE, (2,), [f"<u>{i}" for i in range(40)], labels, roles, made, None
    )


def test_names_are_text_and_never_markup():
    text = search_page(_tiny())
    assert text.count("<script") == 2
    assert "<img" not in text
    assert "<i>t" not in text
    found = re.search(r'id="data">(.*?)</script>', text)
    assert tuple(json.loads(found[1])["classes"]) == HOSTILE


@pytest.mark.slow
def test_in_a_real_browser_by_clicking_and_typing(made, tmp_path_factory):
    _skip_without_browser()
    page = made[0] / "search.html"
    data = _data(page)
    roles = np.array([int(role) for role in data["roles"]])
    database = np.flatnonzero(roles & 1)
    labels = np.array([one for (one,) in data["labels"]])
    functions = {(one["method"], one["bits"]): one for one in data["functions"]}

    def check(seen, function, query, own, count, without=None):
        rows = database[database != without]
        expected, distances = _oracle(data, function, query, rows, count)
        assert seen["rows"] == expected
        assert seen["distances"] == distances
        right = [bool(labels[row] == own) for row in expected]
        assert seen["right"] == right
        assert seen["marks"] == ["✓" if one else "✗" for one in right]

    with visiting(tmp_path_factory.mktemp("browser"), 1280) as visit:
        visit.open(page)
        first = int(np.flatnonzero(roles == 2)[0])
        zsh = functions["zsh", 40]
        codes = _bits(zsh["images"], 40)
        check(visit.run(STATE), zsh, codes[first], labels[first], 24)
        # By mouse: an image of the list, then one of the results, which is in the database, then back.
        visit.run(
            "document.getElementById('shown').value = 'all';"
            "document.getElementById('shown').dispatchEvent(new Event('change'))"
        )
        visit.click('#images button[data-row="20"]')
        seen = visit.run(STATE)
        check(seen, zsh, codes[20], labels[20], 24, without=20)
        other = seen["rows"][3]
        visit.click(f'#results button[data-row="{other}"]')
        check(visit.run(STATE), zsh, codes[other], labels[other], 24, without=other)
        visit.back()
        check(visit.run(STATE), zsh, codes[20], labels[20], 24, without=20)
        # By keyboard: a name in other letters, the length, then an image by arrows.
        visit.click("#name")
        visit.keys(f"  FRO{ENTER}")
        names = _bits(zsh["names"], 40)
        seen = visit.run(STATE)
        check(seen, zsh, names[2], 2, 24)
        assert seen["focus"] == "found-title"
        assert visit.run("return document.getElementById('name').value") == "frog"
        visit.keys(DOWN)
        visit.keys(RIGHT)
        wanted = int(visit.run(STATE)["focus"])
        assert wanted == seen["rows"][1]
        visit.keys(ENTER)
        check(visit.run(STATE), zsh, codes[wanted], labels[wanted], 24, without=wanted)
        visit.run("document.getElementById('method').focus()")
        visit.keys("l")
        lsh = functions["lsh", 40]
        check(visit.run(STATE), lsh, _bits(lsh["images"], 40)[wanted], labels[wanted], 24, without=wanted)
        # Names that mean nothing, or several classes; a method without codes of names.
        visit.run("document.getElementById('name').value = ''; document.getElementById('name').focus()")
        visit.keys(f"ewe{ENTER}")
        assert visit.run(STATE)["message"] == "there is no class “ewe”; fix: choose one of the list"
        visit.run("document.getElementById('name').value = ''; document.getElementById('name').focus()")
        visit.keys(f"o{ENTER}")
        assert "3 classes match “o”: dog, frog, horse" in visit.run(STATE)["message"]
        visit.open(page, "#name=1&method=lsh&bits=40&count=12")
        seen = visit.run(STATE)
        assert seen["message"].startswith("lsh has no codes of class names")
        assert seen["rows"] == []
        visit.open(page, "#image=99999&method=no&bits=-1&count=7")  # none of it is there
        check(visit.run(STATE), zsh, codes[first], labels[first], 24)
        looked = visit.run(LOOK)
        assert (looked["broken"], looked["asked"], looked["wide"]) == (0, [], [])
        assert visit.run(
            "return [...document.querySelectorAll('#names option')].map((one) => one.value)"
        ) == [KNOWN[data["unseen"][0]], *(name for i, name in enumerate(KNOWN) if i != data["unseen"][0])]
        assert visit.console() == []


@pytest.mark.slow
def test_on_a_phone_with_hostile_names_and_no_images(tmp_path_factory):
    _skip_without_browser()
    folder = tmp_path_factory.mktemp("phone")
    (folder / "page.html").write_text(search_page(_tiny()))
    data = _data(folder / "page.html")
    with visiting(tmp_path_factory.mktemp("browser"), 375) as visit:
        visit.open(folder / "page.html", "#bits=64")
        wide = data["functions"][1]
        expected = _oracle(data, wide, _bits(wide["images"], 64)[0], np.arange(5, 40), 24)
        assert visit.run(STATE)["rows"] == expected[0]
        visit.run("document.getElementById('bits').focus()")
        visit.keys("35")
        visit.click("#name")
        visit.keys(f"{HOSTILE[0]}{ENTER}")
        seen = visit.run(STATE)
        query = _bits(data["functions"][0]["names"], 35)[0]
        rows, distances = _oracle(data, data["functions"][0], query, np.arange(5, 40), 24)
        assert seen["rows"] == rows
        assert len(set(distances)) < 8  # so that ties are told apart by their order
        visit.click("#results button")
        assert visit.run(STATE)["rows"][0] != rows[0]  # an image does not find itself
        looked = visit.run(LOOK)
        assert looked["width"] == 375
        assert looked["scrolls"] <= 375
        assert (looked["images"], looked["asked"], looked["wide"]) == (0, [], [])
        assert visit.run("return window.hit ?? null") is None
        assert visit.console() == []


def _skip_without_browser():
    if missing():
        pytest.skip(
            f"no {', '.join(missing())} here; Debian has packages of these names, chromium-driver the second"
        )


@pytest.fixture
def moved(made, pictures, tmp_path):
    """A copy of the demo's workdir, and of the images that it reads."""
    shutil.copytree(pictures, tmp_path / "pictures", copy_function=shutil.copy2)
    workdir = shutil.copytree(made[0], tmp_path / "run")
    config = json.loads((workdir / "config.json").read_text())
    config["dataset"]["path"] = str(tmp_path / "pictures")
    (workdir / "config.json").write_text(json.dumps(config))
    return workdir


def test_without_images_there_are_identifiers_and_without_class_heads_no_names(moved, capsys, monkeypatch):
    (zsh, _) = rows_of(moved / "results.jsonl")
    (moved / "models" / f"{zsh['cell_id']}.safetensors").unlink()
    monkeypatch.setattr("zsh_jax.report.search_page.make.load_images", lambda *_: None)
    assert main(["search-page", str(moved)]) == 0
    said = capsys.readouterr().out
    assert "the data set has no images: the page shows identifiers and classes" in said
    assert "no hash function has codes of class names" in said
    data = _data(moved / "search.html")
    assert (data["kind"], data["thumbnails"], len(data["ids"])) == (None, [], 36)
    assert [one["method"] for one in data["functions"]] == ["lsh"]


def test_a_workdir_that_lacks_something_is_refused_in_one_line(moved, capsys, tmp_path):
    page = (moved / "search.html").read_bytes()
    (zsh, _) = rows_of(moved / "results.jsonl")
    other = next(name for name in KNOWN if name != zsh["unseen"])

    def refused(said, *arguments):
        assert main(["search-page", *map(str, arguments)]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
        assert (moved / "search.html").read_bytes() == page

    refused("there is no workdir", tmp_path / "nowhere")
    refused(f"has the unseen classes {other!r}; fix: use {zsh['unseen']!r}", moved, f"--unseen={other}")
    refused("it needs a folder that exists", moved, "--out", tmp_path / "no" / "page.html")
    refused("--images: takes whole numbers", moved, "--images=0")
    Image.new("RGB", (30, 40)).save(tmp_path / "pictures" / "dog" / "3.png")
    refused("pictures/4-classes has other images or features than when", moved)
    shutil.rmtree(moved / "models")
    refused("has no saved hash functions; fix: rerun its sweep with --config.save_models", moved)
    (moved / "config.json").write_text("[]")
    refused("is not a configuration; fix: give the workdir of a finished sweep", moved)


def test_the_demo_refuses_folders_that_cannot_be_learned_from(tmp_path, capsys, pictures, without_model):
    one, damaged = tmp_path / "one", tmp_path / "damaged"
    shutil.copytree(pictures / "cat", one / "cat")
    shutil.copytree(pictures, damaged)
    (damaged / "dog" / "3.png").write_bytes(b"GIF8")
    (tmp_path / "empty").mkdir()
    for folder, said in (
        (tmp_path / "nowhere", "there is no folder"),
        (tmp_path / "empty", "holds no sub-folder; fix: give a folder with one sub-folder of .jpg or .png"),
        (pictures / "cat", "holds 9 images and no sub-folder"),
        (one, "has 1 class, and the demo needs 3 or more"),
        (damaged, "dog/3.png: not an image, or damaged"),
    ):
        assert main(["demo", str(folder), "--workdir", str(tmp_path / "run")]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
        assert not (tmp_path / "run").exists()


def test_what_the_demo_chooses_where_names_or_packages_are_missing(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr("zsh_jax.data.semantics.minilm.table.installed_model", lambda: None)
    for name, number in (("aqqa", 2), ("bqqb", 3), ("cqqc", 40)):
        (tmp_path / name).mkdir()
        for one in range(number):
            shutil.copy(pictures / "cat" / "0.png", tmp_path / name / f"{one}.png")
    for seed in range(6):  # whichever class is unseen, a query leaves one image of it in the database
        config, notes = demo_settings.folder_demo(str(tmp_path), seed)
        assert config.sweep.semantics == ("one-hot",)
        assert any(
            "3 of 3 classes have no vector for their name, so all are one-hot" in note for note in notes
        )
        (unseen,) = (note.removeprefix("unseen classes: ") for note in notes if note.startswith("unseen"))
        held = {"aqqa": 2, "bqqb": 3, "cqqc": 40}
        assert config.sweep.queries == (held.pop(unseen) // 2,)
        assert config.sweep.training_samples == (sum(held.values()),)
        assert config.sweep.neighbours[0] < config.sweep.training_samples[0]
    monkeypatch.setattr(demo_settings, "find_spec", lambda _: None)
    assert FEATURES()[0] == "gist"
    monkeypatch.setattr(demo_settings, "find_spec", lambda _: object())
    assert FEATURES() == (demo_settings.NETWORK, ())
