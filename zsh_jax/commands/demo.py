"""From a folder of images to a search page: `zsh-jax demo [FOLDER]`."""

import argparse
import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from zsh_jax.command_line import read_arguments
from zsh_jax.data.reading import written
from zsh_jax.errors import InputError
from zsh_jax.exits import NOT_FINITE, end_as_status
from zsh_jax.takes import SEED, path, whole

TAKES = {"folder": path(), "workdir": path(), "seed": whole(0, SEED)}


def main(arguments: Sequence[str]) -> int:
    """Run the command on arguments without the program's name.

    Returns:
        Exit status: 0; 1 if the disk failed, 2 for bad input, 3 if a solve was not finite, 130 after Ctrl-C, 143 after
        SIGTERM.
    """
    return end_as_status("zsh-jax demo", lambda: _demo(arguments), kept="rerun the same command to resume")


def _demo(arguments: Sequence[str]) -> int:
    options = read_arguments(_parser(), arguments, TAKES)
    # Imported here: this takes seconds, and signals must be handled meanwhile.
    from absl import logging
    from rich.console import Console

    from zsh_jax.commands.demo_settings import folder_demo, shapes_demo
    from zsh_jax.commands.launch import WIDTH
    from zsh_jax.commands.search_page import PAGE, write_page
    from zsh_jax.commands.sweep import run_sweep
    from zsh_jax.report.search_page.make import IMAGES

    logging.set_verbosity(logging.ERROR)  # silence TFDS warnings about missing packages
    workdir = Path(options.workdir or default_workdir(options.folder, options.seed))
    if options.folder is not None:
        _check_outside(workdir, Path(options.folder))
    demo = shapes_demo(options.seed) if options.folder is None else folder_demo(options.folder, options.seed)
    demo.config.workdir = str(workdir)
    for note in demo.notes:
        print(note, flush=True)
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    rows = run_sweep(demo.config.lock(), console, shlex.join(["zsh-jax", "demo", *arguments]))
    page = workdir / PAGE
    write_page(workdir, page, images=IMAGES, cells={row["cell_id"] for row in rows})
    if options.open if options.open is not None else _has_screen():
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
    return NOT_FINITE if any(row["status"] == "non_finite" for row in rows) else 0


def default_workdir(folder: str | None, seed: int) -> str:
    """The workdir of a demo: one for each name of a folder and seed."""
    name = "shapes" if folder is None else written(folder).resolve().name
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "images"
    return f"runs/demo-{plain[:100]}" + (f"-seed{seed}" if seed else "")


def _check_outside(workdir: Path, folder: Path) -> None:
    """Refuse a workdir among the images: it would be a class of the next run."""
    if workdir.absolute().resolve().is_relative_to(written(folder).resolve()):
        raise InputError(
            f"the workdir {workdir} is inside {folder}, where it would be a class; fix: run the command in another "
            "folder, or set --workdir"
        )


def _has_screen() -> bool:
    """Whether someone sits before a terminal of a machine with a screen."""
    if not sys.stdout.isatty():
        return False
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zsh-jax demo",
        description="Learn hash codes of the images of a folder, evaluate them on unseen classes, and make a page that "
        "searches the images in the browser.",
    )
    parser.add_argument(
        "folder",
        nargs="?",
        help="one sub-folder of .jpg or .png images for each class (default: drawn shapes)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="draws unseen classes, training images and queries"
    )
    parser.add_argument("--workdir", help="folder of the results (default: runs/demo-FOLDER)")
    parser.add_argument(
        "--open",
        action=argparse.BooleanOptionalAction,
        help="open the page in a browser, or do not (default: if the machine has a screen)",
    )
    return parser
