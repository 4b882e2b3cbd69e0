"""A real browser without a screen, driven through ChromeDriver with the standard library alone."""

import base64
import contextlib
import json
import re
import shutil
import subprocess
import urllib.request

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


@contextlib.contextmanager
def browser(folder, width, *, dark=False):
    """A function that opens a file and tells what the browser saw of it.

    The first argument is an empty folder for the browser; the last whether the reader wants dark pages. The function
    takes the page, where to put a picture of it, and a script of what a reader does first, whose value is `acted`.
    """
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

        def look(page, picture=None, act="return null;"):
            _ask(f"{session}/url", {"url": page.resolve().as_uri()})
            acted = _ask(f"{session}/execute/sync", {"script": act, "args": []})
            seen = _ask(f"{session}/execute/sync", {"script": LOOK, "args": []})
            seen["acted"] = acted
            seen["console"] = [entry["message"] for entry in _ask(f"{session}/se/log", {"type": "browser"})]
            if picture is not None:
                shot = _cdp(session, "Page.captureScreenshot", {"captureBeyondViewport": True})
                picture.write_bytes(base64.b64decode(shot["data"]))
            return seen

        yield look
    finally:
        if session is not None:
            _ask(session, method="DELETE")
        driver.terminate()
        driver.wait(20)
        driver.stdout.close()


def _cdp(session, command, parameters):
    return _ask(f"{session}/goog/cdp/execute", {"cmd": command, "params": parameters})


def _ask(address, body=None, *, method="POST"):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is this machine that is asked
    with direct.open(request, timeout=60) as answer:
        return json.load(answer)["value"]
