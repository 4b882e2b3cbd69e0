"""Pages of the site whose text stands at the root of the repository, for MkDocs (`hooks` of mkdocs.yml).

GitHub shows README.md, CHANGELOG.md and CONTRIBUTING.md where they are; the site shows the same text. Links from and to
them work in both places.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
FROM_ROOT = re.compile(r"\]\((?!https?:)([^)#\s]+)")
TO_ROOT = re.compile(rf"\]\((?:\.\./)+({'|'.join(map(re.escape, PAGES))})")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages to those of the folder docs."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=FROM_ROOT.sub(_inside, text)))
    return files


def on_page_markdown(text: str, page: Page, **_: Any) -> str:
    """Lead links to the pages from those of the folder docs."""
    up = "../" * page.file.src_uri.count("/")
    return TO_ROOT.sub(lambda found: f"]({up}{PAGES[found[1]]}", text)


def _inside(found: re.Match[str]) -> str:
    return f"]({PAGES.get(found[1], found[1].removeprefix('docs/'))}"
