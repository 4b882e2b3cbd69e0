"""A gallery only illustrates: whatever has happened to its file, the report of the results is made without it."""

import pytest
from report_sweeps import drawn_gallery, identity, write_sweep

from zsh_jax.report.__main__ import main
from zsh_jax.report.gallery import GALLERY
from zsh_jax.report.read import read_sweeps


def _flipped(content):
    """A bit of packed data: zlib fails, or the checksum of the member."""
    place = content.index(b"PK\x03\x04") + 120
    return content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        _flipped,
        lambda content: content.replace(b"captions", b"kaptions"),
        lambda content: b"plain text",
    ],
    ids=["empty", "cut", "flipped", "renamed", "text"],
)
def test_the_results_are_read_without_it(tmp_path, damage):
    write_sweep(tmp_path, [identity(seed=seed) for seed in (0, 1)])
    drawn_gallery(tmp_path)
    path = tmp_path / GALLERY
    path.write_bytes(damage(path.read_bytes()))
    sweeps = read_sweeps([tmp_path])
    assert len(sweeps.rows) == 2
    assert not sweeps.galleries
    (line,) = sweeps.damaged
    assert line.startswith("gallery skipped: ")
    assert str(path) in line
    assert "\n" not in line


def test_the_command_makes_its_page_and_says_so(tmp_path, capsys):
    write_sweep(tmp_path, [identity()])
    (tmp_path / GALLERY).write_bytes(b"PK\x03\x04")
    assert main([str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("zsh_jax: gallery skipped: ")
    assert "gallery skipped" in (tmp_path / "out" / "index.html").read_text()
