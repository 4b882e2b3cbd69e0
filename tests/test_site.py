"""The site: every public name has its entry, and the built pages ask no other host for anything."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest

import zsh_jax

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("mkdocs", "material", "mkdocstrings", "latex2mathml")
FETCHED = {  # by a browser that shows the page; `a` is a link that a reader may follow
    *(
        "audio",
        "base",
        "embed",
        "iframe",
        "image",
        "img",
        "input",
        "link",
        "object",
        "script",
        "source",
        "track",
    ),
    *("use", "video"),
}
ELSEWHERE = re.compile(r"\s*(?:[a-z]+:)?//", re.IGNORECASE)


def test_every_public_name_has_one_entry():
    page = (ROOT / "docs" / "api.md").read_text()
    assert sorted(re.findall(r"^::: zsh_jax\.(\w+)$", page, re.MULTILINE)) == sorted(zsh_jax.__all__)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        pytest.skip(f"{', '.join(lacking)} not installed; fix: pip install -e '.[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    made = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert made.returncode == 0, made.stderr
    assert "WARNING" not in made.stdout + made.stderr
    return folder


class _Fetched(HTMLParser):
    """Addresses that a browser fetches when it shows a page."""

    def __init__(self):
        super().__init__()
        self.addresses, self.in_style = [], False

    def handle_starttag(self, tag, attributes):
        given = {name: value or "" for name, value in attributes}
        self.in_style = tag == "style"
        self.addresses += _styled(given.get("style", ""))
        if tag in FETCHED:
            keys = ("src", "href", "xlink:href", "data", "poster")
            self.addresses += [given[key] for key in keys if key in given]
            self.addresses += [one.split()[0] for one in given.get("srcset", "").split(",") if one.strip()]

    def handle_data(self, text):
        if self.in_style:
            self.addresses += _styled(text)


def _styled(text):
    return [
        one.strip("'\" ")
        for one in re.findall(r"url\(([^)]*)\)|@import\s+([^;]+)", text)
        for one in one
        if one
    ]


@pytest.mark.slow
def test_no_page_asks_another_host(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        seen = _Fetched()
        text = page.read_text(encoding="utf-8")
        seen.feed(text)
        assert seen.addresses
        assert not list(filter(ELSEWHERE.match, seen.addresses)), page
        # Scripts of the theme fetch Mermaid, and figures of a repository, for pages that have them.
        assert 'class="mermaid"' not in text
        assert 'data-md-component="source"' not in text
    for style in site.rglob("*.css"):
        assert not list(filter(ELSEWHERE.match, _styled(style.read_text(encoding="utf-8")))), style


@pytest.mark.slow
def test_formulas_need_no_script_and_examples_are_shown_as_programs(site):
    pages = {page.name: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    assert "arithmatex" not in "".join(pages.values())
    method = (ROOT / "docs" / "method.md").read_text()
    assert pages["method.html"].count("<math") == len(re.findall(r"\$\$.+?\$\$|\$[^$]+\$", method, re.DOTALL))
    assert "<blockquote" not in pages["api.html"]  # what Markdown makes of >>> outside of a program
    for name in zsh_jax.__all__:
        assert f'id="zsh_jax.{name}"' in pages["api.html"]


def test_a_request_to_another_host_is_found():
    seen = _Fetched()
    seen.feed(
        '<a href="https://a.org">a</a><link href="//b.org/b.css"><img srcset="c.png 1x, http://c.org/c.png 2x">'
        '<p style="background: url(https://d.org/d.png)"><style>@import "https://e.org/e.css";</style>'
    )
    assert len(list(filter(ELSEWHERE.match, seen.addresses))) == 4
