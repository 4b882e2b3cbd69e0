"""Search pages for tests: images to make one from, what is in one, what a browser shows of one, and an oracle."""

import base64
import json
import re

import numpy as np
import pytest
from browser import missing
from PIL import Image

CLASSES = ("cat", "dog", "frog", "horse", "zzyzx")
KNOWN = CLASSES[:4]  # in the bundled table
EACH = 9
ENTER, HOME, RIGHT, DOWN = "\ue007", "\ue011", "\ue014", "\ue015"
STATE = """return {rows: [...document.querySelectorAll("#results button")].map((one) => Number(one.dataset.row)),
  distances: [...document.querySelectorAll("#results button")].map((one) => Number(one.dataset.distance)),
  right: [...document.querySelectorAll("#results button")].map((one) => one.classList.contains("right")),
  marks: [...document.querySelectorAll("#results .mark")].map((one) => one.textContent[0]),
  message: document.getElementById("message").hidden ? "" : document.getElementById("message").textContent,
  focus: document.activeElement.dataset.row ?? document.activeElement.id}"""


def write_pictures(folder):
    """A folder with a few images of each of `CLASSES`, each class of a colour."""
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        colour = rng.integers(40, 216, 3)
        for number in range(EACH):
            pixels = np.clip(rng.normal(colour, 40, (8, 6, 3)), 0, 255).astype(np.uint8)
            image = Image.fromarray(pixels).resize((30, 40), Image.Resampling.NEAREST)
            image.save(folder / name / f"{number}.png")
    return folder


def data(page):
    text = page.read_text()
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert len(found) == 1
    return json.loads(found[0])


def bits(text, bits):
    """Codes of the page, one value a bit."""
    words = np.frombuffer(base64.b64decode(text), np.uint8)
    width = 32 * -(-bits // 32)
    whole = np.unpackbits(words).reshape(-1, width)
    assert not whole[:, bits:].any()
    return whole[:, :bits]


def oracle(function, query, rows, count):
    """By the bits themselves; a stable sort keeps ties in the order of the rows."""
    distances = (bits(function["images"], function["bits"])[rows] != query).sum(axis=1)
    order = np.argsort(distances, kind="stable")[:count]
    return rows[order].tolist(), distances[order].tolist()


def skip_without_browser():
    if missing():
        pytest.skip(
            f"no {', '.join(missing())} here; Debian has packages of these names, chromium-driver the second"
        )
