"""Output streams that cannot hold every sign: what they lack is escaped, columns stay aligned, and nothing ends."""

import io
import sys

import pytest
from rich.console import Console
from rich.table import Table

from zsh_jax.exits import end_as_status
from zsh_jax.report.printing import print_table, say


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_tables_and_names_in_any_encoding(monkeypatch, encoding):
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding, write_through=True))

    def work():
        console = Console(width=180)
        table = Table(title="names")
        table.add_column("class", overflow="fold")
        table.add_column("mAP", justify="right", no_wrap=True)
        for name in ("naïve café", "日本", "cat"):
            table.add_row(name, "0.5000 ± 0.1000")
        print_table(console, table)
        say(console, "data: 日本")
        print("report: é日")
        return 0

    assert end_as_status("test", work, kept="") == 0
    text = output.getvalue().decode(encoding)
    lines = [line for line in text.splitlines() if "0.5000" in line]
    assert len(lines) == 3
    assert len({line.index("0.5000") for line in lines if "日" not in line}) == 1
    assert all(("0.5000 ± 0.1000" if "±" in text else "0.5000 +- 0.1000") in line for line in lines)
    assert ("日本" if encoding == "utf-8" else "\\u65e5\\u672c") in text


def test_names_that_no_encoding_has(monkeypatch):
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, "utf-8", write_through=True))

    def work():
        print("results: runs/\udcff")  # of a folder whose name is not UTF-8
        return 0

    assert end_as_status("test", work, kept="") == 0
    assert output.getvalue() == b"results: runs/\\udcff\n"
