"""The search page as HTML: markup, style, data and scripts in one file that asks no host for anything."""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from importlib.resources import files

from zsh_jax.report.search_page.payload import Contents, payload

SCRIPTS = ("search.js", "grid.js", "page.js")  # in this order


def search_page(contents: Contents) -> str:
    """The whole page. Names reach it as escaped text or as JSON; a policy lets its own scripts and style run alone.

    Args:
        contents: of the page.
    """
    here = files("zsh_jax.report.search_page")
    style = here.joinpath("page.css").read_text("utf-8")
    script = "".join(here.joinpath(name).read_text("utf-8") for name in SCRIPTS)
    title = escape(contents.title)
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n'
        f"<header>\n<h1>{title}</h1>\n{_facts(contents.facts)}</header>\n{MAIN}"
        f'<script type="application/json" id="data">{payload(contents)}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _facts(facts: Mapping[str, str]) -> str:
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" for name, value in facts.items())
    return f"<details>\n<summary>About these data</summary>\n<dl>\n{lines}</dl>\n</details>\n"


MAIN = """<main>
<noscript><p class="message">This page searches by JavaScript; allow it for this file.</p></noscript>
<form id="controls">
<div class="field wide"><label for="name">Class name</label>
<div class="pair"><input id="name" list="names" autocomplete="off" autocapitalize="none" spellcheck="false"
 enterkeyhint="search"><button type="submit">Search</button></div><datalist id="names"></datalist></div>
<div class="field"><label for="method">Method</label><select id="method"></select></div>
<div class="field"><label for="bits">Code length</label><select id="bits"></select></div>
<div class="field"><label for="count">Nearest</label><select id="count"><option value="12">12
<option value="24" selected>24<option value="60">60<option value="120">120</select></div>
</form>
<p id="message" class="message" role="alert" hidden></p>
<section id="found" aria-labelledby="found-title">
<div id="query"></div>
<div><h2 id="found-title" tabindex="-1">Nearest images</h2>
<p id="summary" role="status"></p>
<p id="figures" class="note"></p>
<p class="note legend"><span class="mark right" aria-hidden="true">✓</span> solid frame: of the query's class.
<span class="mark wrong" aria-hidden="true">✗</span> dashed frame: not. Numbers are Hamming distances.</p></div>
<ol id="results" class="grid" aria-labelledby="found-title"></ol>
</section>
<section aria-labelledby="images-title">
<h2 id="images-title">Choose an image</h2>
<div class="field"><label for="shown">Show</label><select id="shown"></select></div>
<p class="note">Click one to search with it. Keys: Tab to the images, arrows to move, Enter to search.</p>
<ul id="images" class="grid" aria-labelledby="images-title"></ul>
<p><button id="more" type="button">Show more</button> <span id="how-many" class="note"></span></p>
</section>
</main>
"""
