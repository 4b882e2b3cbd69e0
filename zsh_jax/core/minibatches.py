"""Minimise a loss on batches of samples with Adam."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Int, PRNGKeyArray

from zsh_jax.core.one_by_one import one_by_one_on_cpu
from zsh_jax.core.precision import full_precision


class Rates(NamedTuple):
    """Rates of the optimiser; traced, so that a sweep over them shares one program.

    Attributes:
        learning_rate: of the first step; it falls to zero along half a cosine.
        weight_decay: of matrices, decoupled from the gradient: the share of a weight that one step takes away is the
            learning rate times this.
    """

    learning_rate: Float[Array, ""] | float
    weight_decay: Float[Array, ""] | float


class Moment(NamedTuple):
    """What a loss may know of the step that it is evaluated in.

    Attributes:
        progress: share of the steps that are done, from 0 to below 1.
        key: for draws of this step.
    """

    progress: Float[Array, ""]
    key: PRNGKeyArray


Loss = Callable[[Any, Any, Any, Moment], Float[Array, ""]]
"""(parameters, rows of the batch, what all batches share, moment) -> loss."""


def minimise(
    key: PRNGKeyArray,
    parameters: Any,
    rows: Any,
    shared: Any,
    rates: Rates,
    *,
    loss: Loss,
    epochs: int,
    batch_size: int,
) -> Any:
    """Minimise a loss on batches with AdamW (Kingma & Ba, ICLR 2015; Loshchilov & Hutter, ICLR 2019).

    Each epoch goes through the samples in a new random order. If the batches do not divide them, the last batch is
    filled up with the first samples of that order, so that every epoch has every sample.

    Args:
        key: of the orders and of the draws of the loss.
        parameters: pytree of arrays of one type; the start.
        rows: pytree of arrays with a row for each sample.
        shared: pytree of arrays that every batch reads.
        rates: of the optimiser.
        loss: static; may not close over traced values. Its draws come from the key of its moment.
        epochs: static.
        batch_size: samples of a batch; all of them if that is less; static.

    Returns:
        The parameters after the last step. Under vmap on the CPU, cells run one after the other.
    """
    run = partial(_run, loss=loss, epochs=epochs, batch_size=batch_size)
    return one_by_one_on_cpu(run)(key, parameters, rows, shared, rates)


def batches_of(samples: int, batch_size: int) -> tuple[int, int]:
    """Number of batches of an epoch, and samples of each."""
    size = min(batch_size, samples)
    return -(-samples // size), size


@full_precision
def _run(
    key: PRNGKeyArray,
    parameters: Any,
    rows: Any,
    shared: Any,
    rates: Rates,
    *,
    loss: Loss,
    epochs: int,
    batch_size: int,
) -> Any:
    samples = len(jax.tree.leaves(rows)[0])
    dtype = jax.tree.leaves(parameters)[0].dtype
    count, size = batches_of(samples, batch_size)
    optimiser = _optimiser(rates.weight_decay, steps=epochs * count, dtype=dtype)
    learning_rate = jnp.asarray(rates.learning_rate, dtype)

    def step(carry: Any, given: tuple[Int[Array, " b"], Int[Array, ""], PRNGKeyArray]) -> tuple[Any, None]:
        parameters, memory = carry
        chosen, done, key = given
        batch = jax.tree.map(lambda leaf: leaf[chosen], rows)
        moment = Moment(done.astype(dtype) / (epochs * count), key)
        gradient = jax.grad(loss)(parameters, batch, shared, moment)
        with jax.numpy_dtype_promotion("standard"):  # Optax relies on it
            updates, memory = optimiser.update(gradient, memory, parameters)
        updates = jax.tree.map(lambda update: -learning_rate * update, updates)
        return (optax.apply_updates(parameters, updates), memory), None

    def epoch(carry: Any, given: tuple[PRNGKeyArray, Int[Array, ""]]) -> tuple[Any, None]:
        key, number = given
        of_order, of_loss = jax.random.split(key)
        order = jax.random.permutation(of_order, samples)
        order = jnp.concatenate([order, order[: count * size - samples]]).reshape(count, size)
        done = number * count + jnp.arange(count)
        carry, _ = lax.scan(step, carry, (order, done, jax.random.split(of_loss, count)))
        return carry, None

    start = (parameters, optimiser.init(parameters))
    (parameters, _), _ = lax.scan(epoch, start, (jax.random.split(key, epochs), jnp.arange(epochs)))
    return parameters


def _optimiser(weight_decay: ArrayLike, *, steps: int, dtype: Any) -> optax.GradientTransformation:
    """AdamW for a learning rate of 1, with its cosine decay."""

    def is_matrix(parameters: Any) -> Any:
        return jax.tree.map(lambda leaf: leaf.ndim > 1, parameters)

    return optax.chain(
        optax.scale_by_adam(),
        optax.add_decayed_weights(jnp.asarray(weight_decay, dtype), is_matrix),
        optax.scale_by_schedule(optax.cosine_decay_schedule(1.0, steps)),
    )
