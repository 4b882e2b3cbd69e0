"""The progress of long work: one rewritten line on a terminal, lines now and then in a file, nothing in the way."""

import io

import pytest

from zsh_jax.progress_bar import counting


class _Stream(io.StringIO):
    def __init__(self, is_terminal):
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self):
        return self.is_terminal


def _shown(*, is_terminal, seconds, steps, total=1000, unit="rows", fails=False):
    """What work of equal steps writes."""
    stream, now = _Stream(is_terminal), [0.0]
    try:
        with counting("encoding", total, unit=unit, stream=stream, clock=lambda: now[0]) as advance:
            for _ in range(steps):
                now[0] += seconds / steps
                advance(total // steps)
            if fails:
                raise ValueError
    except ValueError:
        assert fails
    return stream.getvalue()


def _on_screen(written):
    """What a terminal shows in the end: text after a carriage return overwrites."""
    line = ""
    for part in written.split("\r"):
        line = part + line[len(part) :]
    return line


@pytest.mark.parametrize("is_terminal", [True, False])
def test_work_that_ends_soon_shows_nothing(is_terminal):
    assert _shown(is_terminal=is_terminal, seconds=0.9, steps=10) == ""


@pytest.mark.parametrize("fails", [False, True])
def test_a_terminal_has_one_line_that_is_erased_at_the_end(fails, monkeypatch):
    monkeypatch.setattr(
        "shutil.get_terminal_size", lambda *_, **__: __import__("os").terminal_size((100, 20))
    )
    written = _shown(is_terminal=True, seconds=10, steps=20, fails=fails)
    states = [part.rstrip() for part in written.split("\r") if part.strip()]
    assert len(states) == 19  # from the first second on
    assert states[9] == f"encoding [{'#' * 13}{'.' * 11}] 55%, 100 rows/s, about 4 s left"
    assert "\n" not in written
    assert not _on_screen(written).strip()
    assert max(map(len, written.split("\r"))) < 100


def test_a_narrow_terminal_cuts_the_line(monkeypatch):
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_, **__: __import__("os").terminal_size((20, 20)))
    assert max(map(len, _shown(is_terminal=True, seconds=10, steps=5).split("\r"))) < 20


def test_cached_work_is_done_but_makes_no_rate():
    stream, now = _Stream(False), [0.0]
    with counting("extracting", 1000, unit="images", stream=stream, clock=lambda: now[0]) as advance:
        advance(500, free=True)
        now[0] = 10.0
        advance(100)
    assert stream.getvalue() == "extracting: 60%, 10 images/s, about 40 s left\n"


def test_a_file_has_a_line_now_and_then():
    written = _shown(is_terminal=False, seconds=100, steps=100, total=100 << 20, unit="bytes")
    assert written.splitlines() == [
        f"encoding: {share}%, 1.00 MiB/s, about {100 - share} s left" for share in (10, 40, 70, 100)
    ]
