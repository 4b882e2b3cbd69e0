"""Searches beside the one by Hamming distance: an option of all methods with codes.

To add a search, add an entry here; nothing else changes. `zsh_jax.sweep.evaluate_searches` computes them.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from jaxtyping import Array, Float, Shaped, UInt8
from ml_collections import ConfigDict

from zsh_jax.core.metrics.search import (
    SearchCost,
    asymmetric_average_precision,
    rabitq_average_precision,
    rescored_average_precision,
    search_costs,
)
from zsh_jax.core.rabitq import RaBitQ, quantise
from zsh_jax.errors import InputError
from zsh_jax.methods.protocol import Method
from zsh_jax.methods.table import METHODS

HAMMING = "hamming"
MAP = "mean_average_precision"


class Searching(NamedTuple):
    """The searches that a sweep evaluates beside Hamming distance.

    Attributes:
        names: keys of `SEARCHES`, in its order.
        first: number of nearest items that are rescored.
    """

    names: tuple[str, ...] = ()
    first: int = 100


NO_OTHERS = Searching()
"""Hamming distance alone."""


class Asked(NamedTuple):
    """What a search may read of one cell.

    Attributes:
        projections: of the queries.
        query_codes: packed.
        queries: preprocessed features.
        query_labels: class indices, or multi-hot.
        codes: of the database, packed.
        items: preprocessed features of the database.
        labels: of the database.
        quantiser: of the method; None if it has none.
        bits: code length l.
        first: number of nearest items that are rescored.
    """

    projections: Float[Array, "q l"]
    query_codes: UInt8[Array, "q bytes"]
    queries: Float[Array, "q p"]
    query_labels: Shaped[Array, "q *c"]
    codes: UInt8[Array, "n bytes"]
    items: Float[Array, "n p"]
    labels: Shaped[Array, "n *c"]
    quantiser: RaBitQ | None
    bits: int
    first: int


class Search(NamedTuple):
    """One search.

    Attributes:
        name: in `evaluation.search`, and at the end of its columns in the results.
        head: of its column in the table printed at the end.
        words: in tables of the report.
        average_precision: of each query.
        of: whether it is defined for a method, for a code length and a number of preprocessed features.
        copies: of the preprocessed features of all samples that it holds.
    """

    name: str
    head: str
    words: str
    average_precision: Callable[[Asked], Float[Array, " q"]]
    of: Callable[[Method, int, float], bool] = lambda method, bits, dimensions: method.has_codes
    copies: int = 0


def _asymmetric(asked: Asked) -> Float[Array, " q"]:
    return asymmetric_average_precision(
        asked.projections, asked.query_labels, asked.codes, asked.labels, bits=asked.bits
    )


def _rescored(asked: Asked) -> Float[Array, " q"]:
    query = asked.query_codes, asked.queries, asked.query_labels
    return rescored_average_precision(*query, asked.codes, asked.items, asked.labels, first=asked.first)


def _rabitq(asked: Asked) -> Float[Array, " q"]:
    assert asked.quantiser is not None
    held = quantise(asked.quantiser, asked.items)
    return rabitq_average_precision(asked.quantiser, asked.queries, asked.query_labels, held, asked.labels)


def _has_random_frame(method: Method, bits: int, dimensions: float) -> bool:
    return method.quantiser is not None and bits <= dimensions


_ENTRIES = (
    Search("asymmetric", "mAP asymmetric", "asymmetric", _asymmetric),
    Search("rescored", "mAP rescored", "rescored", _rescored, copies=3),
    Search("rabitq", "mAP RaBitQ", "RaBitQ", _rabitq, _has_random_frame, copies=3),
)
SEARCHES: Mapping[str, Search] = MappingProxyType({search.name: search for search in _ENTRIES})
"""Every search by its name, in the order of the results."""


def map_of(search: str) -> str:
    """The name of the mAP of a search in the results."""
    return MAP if search == HAMMING else f"{MAP}_{search}"


def searching_of(config: ConfigDict) -> Searching:
    """The searches of a configuration."""
    asked = config.evaluation
    return Searching(tuple(name for name in SEARCHES if name in asked.search), asked.rescored)


def check_searches(names: Iterable[str], methods: Iterable[Method]) -> None:
    """Refuse a search that is defined for no method of a sweep.

    Args:
        names: keys of `SEARCHES`.
        methods: of the sweep.

    Raises:
        InputError: names the search.
    """
    swept = tuple(methods)
    for name in names:
        have = [method for method in METHODS.values() if SEARCHES[name].of(method, 1, math.inf)]
        if not set(have) & set(swept):
            some = ", ".join(method.name for method in have[:3])
            raise InputError(
                f"evaluation.search: no method of this sweep has the search {name!r}; fix: remove it, or add one that "
                f"has it to --config.sweep.method, such as {some}"
            )


def costs_of(searching: Searching, method: Method, bits: int, dimensions: int) -> dict[str, float]:
    """The costs of each search as columns of the results.

    Args:
        searching: of the sweep.
        method: of the cell.
        bits: code length.
        dimensions: length of a vector of preprocessed features.

    Returns:
        Fields of `SearchCost`, each with the name of the search, for Hamming distance too; NaN where a search is not
        defined. Empty if there are no other searches.
    """
    if not searching.names:
        return {}
    known = search_costs(bits=bits, dimensions=dimensions, first=searching.first)
    defined = {HAMMING: method.has_codes}
    defined |= {name: SEARCHES[name].of(method, bits, dimensions) for name in searching.names}
    return {
        f"{field}_{name}": getattr(known[name], field) if is_defined else math.nan
        for name, is_defined in defined.items()
        for field in SearchCost._fields
    }
