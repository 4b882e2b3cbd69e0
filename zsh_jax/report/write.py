"""Write a report to disk."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from zsh_jax.atomic import cannot_write, write_whole
from zsh_jax.errors import InputError
from zsh_jax.report.contents import contents
from zsh_jax.report.figures.style import pdf, png
from zsh_jax.report.page import page
from zsh_jax.report.read import read_sweeps
from zsh_jax.report.tables.csv import comma_separated
from zsh_jax.report.tables.html import html
from zsh_jax.report.tables.latex import latex
from zsh_jax.report.tables.markdown import markdown


def write_report(workdirs: Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Make a report of some sweeps from their results alone.

    Writes `figures/NAME.png` and `.pdf`, `tables/NAME.html`, `.csv`, `.tex` and `.md`, then `index.html` below `out`.
    Each write is atomic; the same results give the same bytes.

    Args:
        workdirs: folders of the sweeps, one or more.
        out: folder of the report; `report` in the first workdir if None.

    Returns:
        Path of `index.html`.

    Raises:
        InputError: if the results cannot be read, or the report cannot be written.
    """
    folder = Path(out) if out is not None else Path(workdirs[0]) / "report"
    for path in (folder, folder / "figures", folder / "tables"):
        if path.exists() and not path.is_dir():  # checked before any figure is drawn
            raise InputError(
                f"{path} is a file, but the report needs a folder there; fix: choose another --out"
            )
    there = next((path for path in (folder.absolute(), *folder.absolute().parents) if path.exists()), folder)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{folder} cannot be written: no permission in {there}; fix: choose another --out")
    return write_files(folder, report_files(workdirs))


def report_files(workdirs: Sequence[str | Path]) -> dict[str, bytes]:
    """The files of a report. Lines that fail their checksum are skipped and reported on standard error.

    Args:
        workdirs: folders of the sweeps, one or more.

    Returns:
        Contents by name below the report's folder; `index.html` last.

    Raises:
        InputError: if the results cannot be read.
    """
    sweeps = read_sweeps(workdirs)
    for line in sweeps.damaged:
        print(f"zsh_jax: {line}", file=sys.stderr)
    if sweeps.old:
        print(sweeps.old)
    parts = contents(sweeps)
    images = {}
    files: dict[str, bytes] = {}
    for part in parts:
        for figure in part.figures:
            images[figure.name] = files[f"figures/{figure.name}.png"] = png(figure.figure)
            files[f"figures/{figure.name}.pdf"] = pdf(figure.figure)
        for table in part.tables:
            for ending, text in (
                ("html", html(table)),
                ("csv", comma_separated(table)),
                ("tex", latex(table)),
                ("md", markdown(table)),
            ):
                files[f"tables/{table.name}.{ending}"] = text.encode()
    files["index.html"] = page(sweeps, parts, images).encode()
    return files


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files of a report, each atomically.

    Args:
        folder: of the report; created if needed.
        files: from `report_files`.

    Returns:
        Path of `index.html`.

    Raises:
        InputError: if they cannot be written.
        OSError: if the disk is full or gone.
    """
    try:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_whole(folder / name, content)
    except OSError as error:
        raise cannot_write(folder, error, "choose another --out") from None
    return folder / "index.html"
