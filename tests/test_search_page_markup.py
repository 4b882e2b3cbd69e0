"""The search page as a file: no name in it is markup, also in a browser of a phone's width."""

import json
import re

import numpy as np
import pytest
from browser import LOOK, visiting
from search_pages import ENTER, HOME, STATE, bits, data, oracle, skip_without_browser

from zsh_jax.report.search_page.page import search_page
from zsh_jax.report.search_page.payload import Codes, Contents

HOSTILE = ("</script><img src=x onerror=window.hit=1>", "<!--<script>", "a 'quoted' \"name\" & more")


def tiny():
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
    text = search_page(tiny())
    assert text.count("<script") == 2
    assert "<img" not in text
    assert "<i>t" not in text
    found = re.search(r'id="data">(.*?)</script>', text)
    assert tuple(json.loads(found[1])["classes"]) == HOSTILE


@pytest.mark.slow
def test_on_a_phone_with_hostile_names_and_no_images(tmp_path_factory):
    skip_without_browser()
    folder = tmp_path_factory.mktemp("phone")
    (folder / "page.html").write_text(search_page(tiny()))
    held = data(folder / "page.html")
    with visiting(tmp_path_factory.mktemp("browser"), 375) as visit:
        visit.open(folder / "page.html", "#bits=64")
        wide = held["functions"][1]
        expected = oracle(wide, bits(wide["images"], 64)[0], np.arange(5, 40), 24)
        assert visit.run(STATE)["rows"] == expected[0]
        visit.run("document.getElementById('bits').focus()")
        visit.keys("35")
        visit.click("#name")
        visit.keys(f"{HOSTILE[0]}{ENTER}")
        seen = visit.run(STATE)
        query = bits(held["functions"][0]["names"], 35)[0]
        rows, distances = oracle(held["functions"][0], query, np.arange(5, 40), 24)
        assert seen["rows"] == rows
        assert len(set(distances)) < 8  # so that ties are told apart by their order
        visit.run("document.getElementById('method').focus()")
        visit.keys("<")
        seen = visit.run(STATE)
        assert seen["message"].startswith("<b>n</b> has no codes of class names; fix: click an image")
        assert seen["rows"] == []
        visit.keys(HOME)
        visit.click("#results button")
        assert visit.run(STATE)["rows"][0] != rows[0]  # an image does not find itself
        looked = visit.run(LOOK)
        assert looked["width"] == 375
        assert looked["scrolls"] <= 375
        assert (looked["images"], looked["asked"], looked["wide"]) == (0, [], [])
        assert visit.run("return window.hit ?? null") is None
        assert visit.console() == []
