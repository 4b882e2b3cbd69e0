"""A real browser without a screen, driven through ChromeDriver with the standard library alone."""

import base64
import contextlib
import json
import re
import shutil
import subprocess
import urllib.request
from typing import NamedTuple

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
LOOK = """
const root = document.documentElement;
const wide = [...document.querySelectorAll("body *")].filter(
  (one) => one.getBoundingClientRect().right > root.clientWidth + 1 && !one.closest(".scroll"));
return {
  width: root.clientWidth, scrolls: root.scrollWidth, images: document.images.length,
  broken: [...document.images].filter((one) => !one.complete || !one.naturalWidth).length,
  wide: wide.map((one) => one.outerHTML.slice(0, 80)),
  asked: performance.getEntriesByType("resource").map((one) => one.name).filter((name) => !name.startsWith("data:")),
};
"""


def missing():
    """What of the browser is not there, or nothing."""
    return [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]


class Visit(NamedTuple):
    """A reader with a mouse and a keyboard, before one page."""

    session: str

    def open(self, page, after=""):
        """Open a file, at an address after #."""
        _ask(f"{self.session}/url", {"url": page.resolve().as_uri() + after})

    def run(self, script, *arguments):
        """The value that a script returns."""
        return _ask(f"{self.session}/execute/sync", {"script": script, "args": list(arguments)})

    def click(self, selector):
        """Click, or tap, what a selector of CSS finds first."""
        _ask(f"{self._element(selector)}/click", {})

    def keys(self, text):
        """Type into what has the focus."""
        active = _ask(f"{self.session}/element/active", method="GET")
        _ask(f"{self._at(active)}/value", {"text": text})

    def back(self):
        """The browser's Back."""
        _ask(f"{self.session}/back", {})

    def console(self):
        """What the page wrote to the console since the last time, errors and refusals of its policy too."""
        return [entry["message"] for entry in _ask(f"{self.session}/se/log", {"type": "browser"})]

    def picture(self, path):
        """Put a picture of the whole page into a file."""
        shot = _cdp(self.session, "Page.captureScreenshot", {"captureBeyondViewport": True})
        path.write_bytes(base64.b64decode(shot["data"]))

    def _element(self, selector):
        return self._at(_ask(f"{self.session}/element", {"using": "css selector", "value": selector}))

    def _at(self, element):
        return f"{self.session}/element/{next(iter(element.values()))}"


@contextlib.contextmanager
def visiting(folder, width, *, dark=False):
    """A visit with a browser; its arguments are those of `browser`."""
    driver = subprocess.Popen(
        [shutil.which("chromedriver"), "--port=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    session = None
    try:
        port = next(
            found[1] for line in driver.stdout if (found := re.search(r"successfully on port (\d+)", line))
        )
        root = f"http://127.0.0.1:{port}/session"
        emulated = {"deviceMetrics": {"width": width, "height": 800, "pixelRatio": 1, "mobile": width < 600}}
        options = {
            "binary": shutil.which("chromium"),
            "args": [*FLAGS, f"--user-data-dir={folder}"],
            "mobileEmulation": emulated,
        }
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = f"{root}/{_ask(root, {'capabilities': {'alwaysMatch': wanted}})['sessionId']}"
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        _cdp(session, "Emulation.setEmulatedMedia", {"features": [scheme]})
        yield Visit(session)
    finally:
        if session is not None:
            _ask(session, method="DELETE")
        driver.terminate()
        driver.wait(20)
        driver.stdout.close()


@contextlib.contextmanager
def browser(folder, width, *, dark=False):
    """A function that opens a file and tells what the browser saw of it.

    The first argument is an empty folder for the browser; the last whether the reader wants dark pages. The function
    takes the page, where to put a picture of it, and a script of what a reader does first, whose value is `acted`.
    """
    with visiting(folder, width, dark=dark) as visit:

        def look(page, picture=None, act="return null;"):
            visit.open(page)
            acted = visit.run(act)
            seen = visit.run(LOOK) | {"acted": acted}
            seen["console"] = visit.console()
            if picture is not None:
                visit.picture(picture)
            return seen

        yield look


def _cdp(session, command, parameters):
    return _ask(f"{session}/goog/cdp/execute", {"cmd": command, "params": parameters})


def _ask(address, body=None, *, method="POST"):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is this machine that is asked
    with direct.open(request, timeout=60) as answer:
        return json.load(answer)["value"]
