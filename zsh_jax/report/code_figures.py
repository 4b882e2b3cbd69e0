"""Figures of the codes of a sweep: maps, and the classes that they confuse."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from zsh_jax.report.chosen_figures import CaptionedFigure
from zsh_jax.report.code_pictures import (
    METHODS,
    NEAREST,
    QUERIES,
    SAMPLES,
    CodePicture,
    CodePictures,
    of_one_method,
)
from zsh_jax.report.figures.code_map import code_map_figure
from zsh_jax.report.figures.confusion import confusion

ROWS = 12  # classes of queries
OTHERS = 5  # further classes of images
OTHER = "other classes"


def code_figures(found: CodePictures) -> Iterator[CaptionedFigure]:
    """For each of the first methods, a map of its codes and the classes that it confuses.

    Args:
        found: from `load_code_pictures`.

    Yields:
        Figures, those of one method together.
    """
    methods = of_one_method(found.pictures)
    note = f" The first {METHODS} of {len(methods)} methods." if len(methods) > METHODS else ""
    for pictures in methods[:METHODS]:
        first = pictures[0]
        yield CaptionedFigure(
            f"code_map_{first.method}",
            f"Codes of {first.method} by principal component analysis: up to {SAMPLES} database images of each "
            "class of the queries, and, in grey, of the classes that they are confused with most. The larger a point, "
            f"the more images share its code.{note}",
            code_map_figure(first.mapped, found.names, first.unseen.tolist(), f"Codes of {first.method}"),
        )
        shares, rows, columns = confused(pictures, found.names)
        several = (
            " A class counts wherever an image has it." if np.nansum(shares, axis=1).max() > 1.001 else ""
        )
        yield CaptionedFigure(
            f"confusion_{first.method}",
            f"Classes of the {NEAREST} nearest images of up to {QUERIES} queries of each class, as shares, with "
            f"{first.method}. Images at equal distance count alike.{several}{note}",
            confusion(shares, rows, columns, f"Classes that {first.method} confuses"),
        )


def confused(
    pictures: Sequence[CodePicture], names: Sequence[str]
) -> tuple[Float[np.ndarray, "r k"], list[str], list[str]]:
    """The shares of one method, with the classes of queries first and rare classes added up.

    Args:
        pictures: of one method with several sets of unseen classes. Of a class in two sets, the first is used.
        names: of all classes.

    Returns:
        The shares, and names of their rows and columns.
    """
    by_class: dict[int, Float[np.ndarray, " c"]] = {}
    for one in pictures:
        for number, row in zip(one.unseen.tolist(), one.shares, strict=True):
            by_class.setdefault(number, row)
    rows = list(by_class)[:ROWS]
    shares = np.stack([by_class[number] for number in rows])
    rest = [number for number in range(len(names)) if number not in rows]
    rest.sort(key=lambda number: -np.nan_to_num(shares[:, number]).max())
    few = rest[: OTHERS if len(rest) > OTHERS + 1 else len(rest)]
    left = rest[len(few) :]
    columns = [str(names[number]) for number in (*rows, *few)] + ([OTHER] if left else [])
    parts = [shares[:, [*rows, *few]], *([shares[:, left].sum(1, keepdims=True)] if left else [])]
    return np.hstack(parts), [str(names[number]) for number in rows], columns
