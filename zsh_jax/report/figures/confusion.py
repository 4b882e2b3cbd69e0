"""The classes among the nearest images of queries."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from zsh_jax.report.figures.style import WIDTH, folded, styled


@styled()
def confusion(
    shares: Float[np.ndarray, "r k"], rows: Sequence[str], columns: Sequence[str], title: str
) -> Figure:
    """Draw the share of the nearest images of each class, for queries of each class.

    Args:
        shares: from 0 to 1; NaN for none.
        rows: classes of the queries.
        columns: classes of the images.
        title: of the figure.
    """
    figure = Figure(figsize=(WIDTH, 1.7 + 0.36 * max(len(rows), 2)), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, vmin=0, vmax=1, aspect="auto", cmap="cividis")
    axes.grid(visible=False)
    axes.set_xticks(range(len(columns)), [folded(one, 16) for one in columns], rotation=45, ha="right")
    axes.set_yticks(range(len(rows)), [folded(one) for one in rows])
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    for y, x in np.argwhere(np.isfinite(shares)):
        ink = "white" if shares[y, x] < 0.5 else "black"
        axes.text(x, y, f"{shares[y, x]:.2f}", ha="center", va="center", color=ink, fontsize=8.5)
    bar = figure.colorbar(image, ax=axes, pad=0.02)
    bar.outline.set_visible(False)
    axes.set_xlabel("class of the nearest images")
    axes.set_ylabel("class of the query")
    axes.set_title(title)
    return figure
