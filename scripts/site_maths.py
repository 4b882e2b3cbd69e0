"""Formulas of the site as MathML, for MkDocs (`hooks` of mkdocs.yml): browsers show it without a script.

`$...$` and `$$...$$` in a page are LaTeX, as on GitHub. The extension `pymdownx.arithmatex` marks them in the HTML.
"""

import html
import re
from typing import Any

from latex2mathml.converter import convert

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
BLOCK = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)


def on_page_content(text: str, **_: Any) -> str:
    """Replace each formula in the HTML of a page."""
    text = INLINE.sub(lambda found: convert(html.unescape(found[1])), text)
    return BLOCK.sub(_block, text)


def _block(found: re.Match[str]) -> str:
    made = convert(html.unescape(found[1].strip()), display="block")
    return f'<div class="formula">{made}</div>'
