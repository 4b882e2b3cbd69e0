"""Make the search page of a finished sweep: `zsh-jax search-page WORKDIR [--out FILE]`."""

import argparse
from collections.abc import Container, Sequence
from pathlib import Path

from zsh_jax.command_line import read_arguments
from zsh_jax.errors import InputError
from zsh_jax.exits import end_as_status
from zsh_jax.takes import path, text, whole

PAGE = "search.html"
MOST = 200_000  # images on a page
TAKES = {"workdir": path(), "out": path(), "images": whole(1, MOST), "unseen": text(100_000)}


def main(arguments: Sequence[str]) -> int:
    """Run the command on arguments without the program's name.

    Returns:
        Exit status: 0; 1 if the disk failed, 2 for bad input, 130 after Ctrl-C, 143 after SIGTERM.
    """
    return end_as_status("zsh-jax search-page", lambda: _make(arguments), kept="rerun the same command")


def _make(arguments: Sequence[str]) -> int:
    options = read_arguments(_parser(), arguments, TAKES)
    workdir = Path(options.workdir)
    if not workdir.is_dir():
        raise InputError(f"there is no workdir {workdir}; fix: give the workdir of a finished sweep")
    out = workdir / PAGE if options.out is None else Path(options.out)
    write_page(workdir, out, images=options.images, unseen=options.unseen)
    return 0


def write_page(
    workdir: Path,
    out: Path,
    *,
    images: int,
    unseen: str | None = None,
    cells: Container[str] | None = None,
) -> None:
    """Write the search page of a workdir with `make_search_page`, and print where it is and what it lacks.

    Raises:
        InputError: as `make_search_page`.
        OSError: if the disk is full or gone.
    """
    check_out(out)
    from absl import logging

    from zsh_jax.report.search_page.make import make_search_page

    logging.set_verbosity(logging.ERROR)  # silence TFDS warnings about missing packages
    made = make_search_page(workdir, out, images=images, unseen=unseen, cells=cells)
    if not made.has_images:
        print("the data set has no images: the page shows identifiers and classes")
    if not made.has_names:
        print("no hash function has codes of class names: the page searches with images alone")
    some = f"{made.images:,} of {made.whole:,}" if made.images < made.whole else f"{made.images:,}"
    functions = "1 hash function" if made.functions == 1 else f"{made.functions} hash functions"
    print(f"search page: {out} ({some} images, {functions}, {made.size / 1e6:.1f} MB)")
    print("open it in a browser: it needs no server and no network", flush=True)


def check_out(out: Path) -> None:
    """Check the place of a page before anything long starts.

    Raises:
        InputError: it is a folder, or its folder does not exist.
    """
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise InputError(f"{out} cannot be written: it needs a folder that exists; fix: choose another --out")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zsh-jax search-page",
        description="Make one HTML file that searches the images of a finished sweep by their codes, in the browser.",
    )
    parser.add_argument("workdir", help="folder of a sweep, run with --config.save_models")
    parser.add_argument("--out", help=f"HTML file to write (default: WORKDIR/{PAGE})")
    parser.add_argument(
        "--images", type=int, default=10_000, help="most images on the page; of more, some are drawn (10000)"
    )
    parser.add_argument("--unseen", help="unseen classes, as CAT+DOG, where the sweep has several sets")
    return parser
