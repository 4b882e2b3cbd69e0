"""Where nobody reads the output, as after `| head -1`, a command ends with the status of SIGPIPE, and no word."""

import os
import sys

import pytest
from rich.console import Console

from zsh_jax.exits import PIPE, end_as_status
from zsh_jax.report.printing import say


@pytest.mark.parametrize(
    "write",
    [lambda: print("line", flush=True), lambda: say(Console(file=sys.stdout), "line")],
    ids=["print", "rich"],
)
def test_the_status_is_that_of_a_pipe(monkeypatch, capsys, write):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as output:
        monkeypatch.setattr(sys, "stdout", output)

        def work():
            write()
            return 0

        assert end_as_status("test", work, kept="") == PIPE
        monkeypatch.undo()
    assert not capsys.readouterr().err
