"""Two commits side by side: the same rows, measured by this commit's benchmarks, in child processes that take turns."""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.launches import root
from benchmarks.row import Result
from benchmarks.table import aligned, amount, read, times

OWN = Path(__file__).resolve().parent
OWN_MODULE = ("-m", "benchmarks")


class Compared(NamedTuple):
    """One row of two commits; the median of the children's medians, None where none ended."""

    name: str
    here: float | None
    there: float | None
    unit: str

    @property
    def ratio(self) -> float | None:
        """How many times as long the other commit takes."""
        return None if self.here is None or self.there is None else self.there / self.here


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Path]:
    """A worktree of a revision of this repository, removed at the end."""
    tree = folder / "there"
    git = ["git", "-C", str(root()), "worktree"]
    subprocess.run([*git, "add", "--detach", "--quiet", str(tree), revision], check=True)
    try:
        yield tree
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def compare(
    revision: str, names: Sequence[str], options: Sequence[str], *, rounds: int, python: str = sys.executable
) -> list[Compared]:
    """Measure rows of this commit and of another in turns.

    Args:
        revision: of the other commit.
        names: of the rows.
        options: of the command, for every child.
        rounds: of both.
        python: interpreter for the other commit, which may need other libraries.

    Returns:
        Each result that either commit has.
    """
    compared = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "code").mkdir()
        (folder / "code" / "benchmarks").symlink_to(OWN)
        with checked_out(revision, folder) as there:
            for name in names:
                found: dict[str, list[list[Result]]] = {"here": [], "there": []}
                for _ in range(rounds):
                    found["here"].append(
                        _child(folder, root(), name, [sys.executable, *OWN_MODULE, *options])
                    )
                    found["there"].append(_child(folder, there, name, [python, *OWN_MODULE, *options]))
                compared += in_rows(found["here"], found["there"])
    return compared


def _child(folder: Path, tree: Path, name: str, command: Sequence[str]) -> list[Result]:
    """The results of one row of the package in `tree`; empty if it could not be measured."""
    out = folder / "results.json"
    out.unlink(missing_ok=True)
    # The benchmarks of this commit measure the package of either; `python -m` puts the working folder first.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder / "code"), str(tree)])}
    ended = subprocess.run(
        [*command, "--only", name, "--json", str(out), "--without-numpy"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ended.returncode or not out.exists():
        last = ended.stderr.strip().splitlines()[-1:]
        print(f"{name} of {tree.name}: not measured: {''.join(last)}", file=sys.stderr)
        return []
    return read(out)


def in_rows(here: Sequence[Sequence[Result]], there: Sequence[Sequence[Result]]) -> list[Compared]:
    """Medians of each result over the children of each side."""
    by_name = {result.name: result for results in (*here, *there) for result in results}

    def median(side: Sequence[Sequence[Result]], name: str) -> float | None:
        values = [result.value for results in side for result in results if result.name == name]
        return statistics.median(values) if values else None

    return [
        Compared(name, median(here, name), median(there, name), one.unit) for name, one in by_name.items()
    ]


def compared_table(rows: Sequence[Compared], revision: str) -> str:
    """One line a row."""
    cells = [
        (row.name, amount(row.here, row.unit), amount(row.there, row.unit), times(row.ratio)) for row in rows
    ]
    return aligned(("row", "this commit", revision, "ratio"), cells)
