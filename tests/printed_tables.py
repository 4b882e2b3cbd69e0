"""What commands print, read back."""

import csv
import io
import itertools
import re

from report_sweeps import CLASSES, SEEDS, identity, result

from zsh_jax.commands.main import main

MAP = "mean_average_precision"


def grid(**changes):
    """Cells at two code lengths, of each seed and class."""
    places = itertools.product((16, 32), SEEDS, CLASSES)
    return [identity(bits=bits, seed=seed, unseen=unseen, **changes) for bits, seed, unseen in places]


def printed(capsys, *arguments):
    """What a command prints."""
    assert main([str(one) for one in arguments]) == 0
    return capsys.readouterr().out


def printed_lines(text):
    """Cells of the lines of a printed table; the first has the heads."""
    rows = [line for line in text.splitlines() if line[:1] in "┃│"]
    return [[cell.strip() for cell in re.split("[┃│]", row)[1:-1]] for row in rows]


def csv_lines(text):
    """The lines of a CSV."""
    return list(csv.DictReader(io.StringIO(text)))


def refused(capsys, *arguments):
    """The one line of a command that refuses its arguments."""
    assert main([str(one) for one in arguments]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err.count("\n") == 1
    assert len(said.err) < 260
    return said.err


def value_of_cell(cell, metric=MAP):
    """A metric that the made-up result of a cell has."""
    return result(cell).metrics[metric]
