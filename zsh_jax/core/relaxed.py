"""The relaxed form: no sign constraint while learning; signs are taken at the end.

It is a baseline for the discrete B-step. The codes are B = tanh(tau A) for real A. An Optax optimiser takes gradient
steps on J with respect to A, and tau grows over the iterations until tanh is nearly a sign (continuation, as in Cao et
al., "HashNet", ICCV 2017). P, R and W are fitted exactly to the real-valued codes.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Float, Int

from zsh_jax.core.loop import Solution, alternate
from zsh_jax.core.objective import Objective, objective
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem, State
from zsh_jax.core.steps.projection import projection_factor, projection_step
from zsh_jax.core.steps.regression import regression_step
from zsh_jax.core.steps.rotation import rotation_step

START = 0.5  # |A| at the start: tanh is neither linear nor flat there
SHARPEST = 10.0  # tau at the end; it is 1 at the start


class _Relaxed(NamedTuple):
    state: State  # its codes are tanh(tau A)
    logits: Float[Array, "n l"]
    optimiser: optax.OptState


@partial(jax.jit, static_argnames=("rotation", "max_iterations", "gradient_steps"))
@full_precision
def solve_relaxed(
    problem: Problem,
    hyper: Hyperparameters,
    state: State,
    *,
    rotation: str = "procrustes",
    max_iterations: int = 10,
    gradient_steps: int = 20,
    learning_rate: Float[Array, ""] | float = 0.1,
) -> Solution[State]:
    """Alternate exact P, R and W steps with gradient steps on continuous codes, then take signs.

    Adam (Kingma & Ba 2015) with a cosine decay of the learning rate over all gradient steps; tau grows exponentially
    over the iterations. All `max_iterations` are done.

    Args:
        problem: the training data.
        hyper: scalar weights of the terms; `alpha` positive.
        state: the start, from `init_state`; A starts with the signs of its codes.
        rotation: "procrustes", or "none" to keep the start's rotation.
        max_iterations: number of iterations; static.
        gradient_steps: gradient steps in each iteration; static.
        learning_rate: of the first gradient step; A is of order 1.

    Returns:
        The solution. Its traces are of the continuous codes, for which J may rise; flips are changes of sign. Its state
        has codes in {-1, +1}, and P, R and W fitted once more to them.

    Raises:
        ValueError: `rotation` is unknown or a count is not positive.
    """
    if rotation not in ("procrustes", "none"):
        raise ValueError(f"rotation must be procrustes or none; got {rotation!r}")
    if max_iterations < 1 or gradient_steps < 1:
        raise ValueError(
            f"max_iterations and gradient_steps must be at least 1; got {max_iterations},  {gradient_steps}"
        )
    factor = projection_factor(problem, hyper)
    sharpness = optax.exponential_decay(1.0, max(max_iterations - 1, 1), SHARPEST)
    optimiser = optax.adam(optax.cosine_decay_schedule(1.0, max_iterations * gradient_steps))

    def fit(state: State) -> State:
        state = projection_step(problem, hyper, state, factor)
        if rotation == "procrustes":
            state = rotation_step(problem, hyper, state)
        return regression_step(problem, hyper, state)

    def iterate(relaxed: _Relaxed, step: Int[Array, ""]) -> _Relaxed:
        tau = sharpness(step).astype(relaxed.logits.dtype)
        state = fit(relaxed.state._replace(codes=jnp.tanh(tau * relaxed.logits)))

        turned, fitted = problem.semantics @ state.rotation, problem.phi @ state.projection

        def loss(logits: Float[Array, "n l"]) -> Float[Array, ""]:
            """The terms of J that depend on the codes."""
            codes = jnp.tanh(tau * logits)
            semantic_fit = jnp.sum((turned - codes @ state.regression) ** 2)
            return semantic_fit + hyper.alpha * jnp.sum((codes - fitted) ** 2)

        def descend(
            _: Int[Array, ""], carry: tuple[Float[Array, "n l"], optax.OptState]
        ) -> tuple[Float[Array, "n l"], optax.OptState]:
            logits, memory = carry
            gradient = jax.grad(loss)(logits)
            with jax.numpy_dtype_promotion("standard"):  # Optax relies on it
                updates, memory = optimiser.update(gradient, memory)
            updates = jax.tree.map(lambda update: learning_rate * update, updates)
            return optax.apply_updates(logits, updates), memory

        logits, memory = lax.fori_loop(0, gradient_steps, descend, (relaxed.logits, relaxed.optimiser))
        return _Relaxed(state._replace(codes=jnp.tanh(tau * logits)), logits, memory)

    def value(relaxed: _Relaxed, step: Int[Array, ""]) -> Objective:
        del step
        return objective(problem, hyper, relaxed.state)

    logits = START * state.codes
    end = alternate(
        _Relaxed(state._replace(codes=jnp.tanh(logits)), logits, optimiser.init(logits)),
        iterate,
        value,
        lambda relaxed: relaxed.logits,
        max_iterations=max_iterations,
        until_rest=False,
    )
    signs = jnp.where(end.state.logits < 0, -1, 1).astype(logits.dtype)
    state = fit(end.state.state._replace(codes=signs))
    return Solution(state, end.objective, end.terms, end.iterations, end.flips, end.status)
