"""The compiled program that evaluates other searches than the one by Hamming distance, with the codes of many cells.

A sweep that asks for none neither compiles nor runs it.
"""

from functools import partial

import jax
from jax import lax
from jaxtyping import Array, Float, Shaped, UInt8

from zsh_jax.core.feature_maps import RBF
from zsh_jax.core.heads import Head
from zsh_jax.core.precision import full_precision
from zsh_jax.core.preprocessing import Preprocessing, apply_preprocessing
from zsh_jax.core.sharding import first_rows, rows_together, take_rows
from zsh_jax.methods.protocol import Method
from zsh_jax.sweep.evaluate import Scores
from zsh_jax.sweep.roles import Roles
from zsh_jax.sweep.searches import SEARCHES, Asked, Searching, map_of
from zsh_jax.training.fit import mapped_by


@partial(jax.jit, static_argnames=("method", "bits", "samples", "searching"))
@full_precision
def evaluate_searches(  # noqa: PLR0917  the arrays of a batch
    preprocessing: Preprocessing,
    rbf: RBF | None,
    heads: Head,
    codes: UInt8[Array, "s cells n_all bytes"],
    trained_on: Float[Array, "s n p"] | None,
    features: Float[Array, "n_even d"],
    labels: Shaped[Array, "n_all *c"],
    roles: Roles,
    *,
    method: Method,
    bits: int,
    samples: int,
    searching: Searching,
) -> Scores:
    """Mean average precision of each search that is defined for a method, of queries of unseen classes.

    Args:
        preprocessing: of data splits, stacked.
        rbf: of data splits, stacked; None if the feature map has none.
        heads: of each cell; leaves (splits, cells, ...).
        codes: packed codes of all samples.
        trained_on: preprocessed training features; None if the method has no quantiser.
        features: raw features of all samples.
        labels: of all samples.
        roles: of samples in each split.
        method: of the cells; static.
        bits: code length; static.
        samples: number of training samples; static. Rows after them only fill up devices.
        searching: the searches; static.

    Returns:
        Leaves (splits, cells), by the name in the results.
    """
    Split = tuple[
        Preprocessing, RBF | None, Head, UInt8[Array, "cells n_all b"], Float[Array, "n p"] | None, Roles
    ]

    def of_split(args: Split) -> Scores:
        fitted, anchors, cells, cell_codes, learnt, role = args
        # A search that reads no items leaves their features out of the program.
        items = apply_preprocessing(fitted, take_rows(features, role.database))
        queries = apply_preprocessing(fitted, rows_together(take_rows(features, role.queries)))
        mapped = mapped_by(method.feature_map, anchors)(queries, None)
        learnt = None if learnt is None else first_rows(learnt, samples)

        def of_cell(args: tuple[Head, UInt8[Array, "n_all b"]]) -> Scores:
            head, code = args
            quantiser = None if method.quantiser is None or learnt is None else method.quantiser(head, learnt)
            asked = Asked(
                projections=head(mapped),
                query_codes=rows_together(take_rows(code, role.queries)),
                queries=queries,
                query_labels=labels[role.queries],
                codes=take_rows(code, role.database),
                items=items,
                labels=labels[role.database],
                quantiser=quantiser,
                bits=bits,
                first=searching.first,
            )
            return {
                map_of(name): SEARCHES[name].average_precision(asked).mean()
                for name in searching.names
                if SEARCHES[name].of(method, bits, items.shape[1])
            }

        return lax.map(of_cell, (cells, cell_codes))

    return lax.map(of_split, (preprocessing, rbf, heads, codes, trained_on, roles))
