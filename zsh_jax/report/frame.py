"""Results as a pandas DataFrame, for notebooks."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zsh_jax.errors import InputError
from zsh_jax.report.columns import COUNTS, is_missing, kind_of
from zsh_jax.report.read import read_sweeps
from zsh_jax.tracking.row import identity_of

if TYPE_CHECKING:
    import pandas as pd

DATE = "date"
TYPES = {str: "string", int: "Int64", bool: "boolean", float: "float64"}  # each has a missing value


def read_results(*workdirs: str | Path) -> "pd.DataFrame":
    """Read the results of sweeps as a pandas DataFrame with one row a cell.

    Axes come first, then `cell_id`, the metrics (`docs/metrics.md`) and the provenance. A method lacks the axes of
    others: texts, whole numbers and booleans have those types of pandas that allow a missing value. Metrics are
    float64, NaN where nothing was measured, and `date` is a time in UTC. Curves are lists. So are metrics at several
    N, which also have a column for each N: `precision@100`, `map@100`. A tuned axis has the value that tuning chose.
    Damaged lines, and results of an older version, give a warning.

    Args:
        *workdirs: folders of the sweeps, one or more. If several hold a cell, the last one is used.

    Returns:
        The cells in the order of the report. `attrs["commands"]` has the command lines of the sweeps.

    Raises:
        InputError: if pandas is not installed, no folder is given, or the results cannot be read.

    Examples:
        The sweep of the example of `zsh_jax.sweep.run_sweep`:

        >>> import zsh_jax
        >>> frame = zsh_jax.read_results("sweep")
        >>> frame[["method", "bits", "seed"]].to_dict("records")
        [{'method': 'lsh', 'bits': 8, 'seed': 0}, {'method': 'lsh', 'bits': 8, 'seed': 1}]
        >>> frame.groupby(["method", "bits"])["mean_average_precision"].agg(["mean", "std", "count"]).shape
        (1, 3)
    """
    try:
        import pandas as pd
    except ImportError:
        raise InputError("read_results needs pandas; fix: pip install -e '.[pandas]'") from None
    if not workdirs:
        raise InputError("read_results has no workdir; fix: name the folder of a sweep")
    sweeps = read_sweeps(workdirs, chosen=True)
    for line in (*([sweeps.old] if sweeps.old else []), *sweeps.damaged):
        warnings.warn(line, stacklevel=2)
    axes = [name for row in sweeps.rows for name in identity_of(row)]
    names = dict.fromkeys([*axes, *(name for row in sweeps.rows for name in row)])
    columns = {name: [row.get(name) for row in sweeps.rows] for name in names}
    frame = pd.DataFrame({name: _typed(pd, name, values) for name, values in columns.items()})
    frame.attrs["commands"] = list(sweeps.commands)
    return frame


def _typed(pd: Any, name: str, values: list[Any]) -> Any:
    """A column, in a type that depends on its name and not on which cells are there."""
    if any(isinstance(value, list) for value in values):
        return pd.Series(values, dtype=object)
    if name == DATE:
        return pd.to_datetime(pd.Series(values, dtype="string"), utc=True, errors="coerce")
    if name in COUNTS:  # a missing one was read as NaN
        values = [None if is_missing(value) else value for value in values]
    return pd.Series(values, dtype=TYPES[kind_of(name, values)])
