"""Tables and charts of a whole sweep for Weights & Biases."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Line(NamedTuple):
    """A line of a chart.

    Attributes:
        x: places, from left to right.
        y: finite values, one at each.
    """

    x: Sequence[float]
    y: Sequence[float]


class Means(NamedTuple):
    """Means over seeds, as a table and as charts.

    Attributes:
        columns: of the table.
        data: its rows; None where there is no finite number.
        lines: mAP over code length, by setting; no chart without any.
        bars: mAP at one code length, by setting; no chart without any.
        bars_title: says which.
    """

    columns: Sequence[str] = ()
    data: Sequence[Sequence[Any]] = ()
    lines: Mapping[str, Line] = NOTHING
    bars: Mapping[str, float] = NOTHING
    bars_title: str = ""


def no_means() -> Means:
    """No table and no charts."""
    return Means()


def table_of(columns: Sequence[str], data: Sequence[Sequence[Any]]) -> Any:
    """A table of W&B."""
    import wandb

    return wandb.Table(
        columns=list[str | int](columns), data=[list(row) for row in data], allow_mixed_types=True
    )


def charts_of(means: Means) -> dict[str, Any]:
    """What `Run.log` takes: `means`, a table; `map_over_bits`, a chart of lines; `map_by_setting`, one of bars."""
    import wandb

    logged: dict[str, Any] = {}
    if means.columns:
        logged["means"] = table_of(means.columns, means.data)
    if means.lines:
        logged["map_over_bits"] = wandb.plot.line_series(
            xs=[list(line.x) for line in means.lines.values()],
            ys=[list(line.y) for line in means.lines.values()],
            keys=list(means.lines),
            title="mAP over code length, mean over seeds",
            xname="bits",
        )
    if means.bars:
        bars = table_of(("setting", "mAP"), list(means.bars.items()))
        logged["map_by_setting"] = wandb.plot.bar(bars, "setting", "mAP", title=means.bars_title)
    return logged
