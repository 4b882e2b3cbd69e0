"""A page that ranks methods on each data set, with the provenance of each row."""

import re
from collections.abc import Sequence
from pathlib import Path

from zsh_jax.inputs.fingerprint import KINDS
from zsh_jax.report.provenance import as_typed, provenance_facts
from zsh_jax.report.read import Sweeps, read_sweeps
from zsh_jax.report.series import MAP, Row, Series, series, unfinished
from zsh_jax.report.tables.comparison import metric_table
from zsh_jax.report.tables.markdown import markdown
from zsh_jax.report.tables.table import Entry, Line, Table

ORIGIN = ("zsh_jax", "commit", "device", "precision", "dates")
SPLITS = f"{KINDS['split']}: "  # their number, and one hash of all
FOLDERS = r"(?<![\w.])/(?:[^\s'\"/]+/)+(?=[^\s'\"/])"  # of an absolute path
SAME_DATA = ("dataset", "features", "fingerprint_labels", "fingerprint_features")


def leaderboard(workdirs: Sequence[str | Path]) -> str:
    """Rank the methods of some sweeps, in Markdown.

    Methods share a table if they were run on the same labels and features, by content. Its lines are sorted by mean
    rank over unseen classes, seeds and code lengths, computed from the cells that all of them have.

    Args:
        workdirs: folders of the sweeps, one or more.

    Returns:
        The page.

    Raises:
        InputError: if the results cannot be read.
    """
    sweeps = read_sweeps(workdirs)
    by_data: dict[tuple[object, ...], list[Row]] = {}
    for row in sweeps.rows:
        by_data.setdefault(tuple(row.get(key) for key in SAME_DATA), []).append(row)
    parts = ["# Leaderboard", *([sweeps.old] if sweeps.old else [])]
    for rows in by_data.values():
        parts += _part(rows)
    return "\n\n".join([*parts, _commands(sweeps), ""])


def _part(rows: Sequence[Row]) -> list[str]:
    """One data set: mAP, then provenance, both in the order of the ranks."""
    ranked = _by_rank(metric_table(rows, MAP, "mAP", name="leaderboard", rank=True))
    settings = {one.label: one for one in series(rows)}
    order = [line.head[0] for line in ranked.lines if line.head[0] in settings]
    origin = [_origin(settings[label]) for label in order]
    heads = ("cells", "seeds", "unseen sets", *ORIGIN, "splits")
    lines = [Line((label,), tuple(facts)) for label, facts in zip(order, origin, strict=True)]
    stated = Table("provenance", "Provenance of each row.", ("setting",), heads, tuple(lines))
    first = rows[0]
    title = f"## {first.get('dataset')}, features {first.get('features')}"
    return [title, *unfinished(rows), markdown(ranked).strip(), markdown(stated).strip()]


def _by_rank(table: Table) -> Table:
    """The lines from the best mean rank to the worst; those without a rank stay behind, in their order."""
    if table.columns[-1] != "rank":
        return table

    def rank(line: Line) -> float:
        entry = line.entries[-1]
        return float("inf") if entry is None else entry.numbers["mean"]

    return table._replace(lines=tuple(sorted(table.lines, key=rank)))


def _origin(setting: Series) -> list[Entry]:
    rows = setting.rows
    facts = provenance_facts(rows, ())
    counts = (len(rows), len({row["seed"] for row in rows}), len({row["unseen"] for row in rows}))
    splits = next((fact for fact in facts.get("fingerprints", "").split("; ") if fact.startswith(SPLITS)), "")
    words = [*(f"{count:,}" for count in counts), *(facts.get(name, "-") for name in ORIGIN)]
    return [Entry(word, {}) for word in (*words, splits.removeprefix(SPLITS) or "-")]


def _commands(sweeps: Sweeps) -> str:
    """The commands, without the folders of the machine."""
    listed = "\n".join(f"    {re.sub(FOLDERS, '', as_typed(command))}" for command in sweeps.commands)
    return f"## Commands\n\n{listed}" if listed else "The sweeps did not state their commands."
