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

from zsh_jax.core.loop import Solution, alternate, with_state
from zsh_jax.core.objective import objective
from zsh_jax.core.one_by_one import one_by_one_on_cpu
from zsh_jax.core.precision import full_precision
from zsh_jax.core.problem import Hyperparameters, Problem, State
from zsh_jax.core.semantic_basis import problem_in_basis, state_in_basis, state_out_of_basis
from zsh_jax.core.steps.regression import regression_step
from zsh_jax.core.steps.rotation import rotation_step
from zsh_jax.core.whitening import Whitened, fit_whitened, whiten

START = 0.5  # |A| at the start: tanh is neither linear nor flat there
SHARPEST = 10.0  # tau at the end; it is 1 at the start


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
    given = _Given(problem_in_basis(problem), hyper, whiten(problem, hyper), learning_rate)
    run = partial(
        _alternate, rotates=rotation == "procrustes", iterations=max_iterations, steps=gradient_steps
    )
    end = one_by_one_on_cpu(run)(given, state_in_basis(problem, state))
    return with_state(end, state_out_of_basis(problem, end.state, state.rotation))


class _Given(NamedTuple):
    """What is fixed during a solve."""

    problem: Problem
    hyper: Hyperparameters
    whitened: Whitened
    learning_rate: Float[Array, ""] | float


class _Relaxed(NamedTuple):
    state: State  # its codes are tanh(tau A)
    fitted: Float[Array, "n l"]  # Phi P: the gradient and J both read it
    logits: Float[Array, "n l"]
    optimiser: optax.OptState


@full_precision
def _alternate(given: _Given, state: State, *, rotates: bool, iterations: int, steps: int) -> Solution[State]:
    problem, hyper, whitened, learning_rate = given
    sharpness = optax.exponential_decay(1.0, max(iterations - 1, 1), SHARPEST)
    optimiser = optax.adam(optax.cosine_decay_schedule(1.0, iterations * steps))

    def fit(state: State) -> tuple[State, Float[Array, "n l"]]:
        projection, fitted = fit_whitened(whitened, state.codes)
        state = state._replace(projection=projection)
        if rotates:
            state = rotation_step(problem, hyper, state)
        return regression_step(problem, hyper, state), fitted

    def iterate(relaxed: _Relaxed, step: Int[Array, ""]) -> _Relaxed:
        tau = sharpness(step).astype(relaxed.logits.dtype)
        state, fitted = fit(relaxed.state._replace(codes=jnp.tanh(tau * relaxed.logits)))
        turned = problem.semantics @ state.rotation

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

        logits, memory = lax.fori_loop(0, steps, descend, (relaxed.logits, relaxed.optimiser))
        return _Relaxed(state._replace(codes=jnp.tanh(tau * logits)), fitted, logits, memory)

    logits = START * state.codes
    end = alternate(
        _Relaxed(
            state._replace(codes=jnp.tanh(logits)), jnp.zeros_like(logits), logits, optimiser.init(logits)
        ),
        iterate,
        lambda relaxed, step: objective(problem, hyper, relaxed.state, relaxed.fitted),
        lambda relaxed: relaxed.logits,
        max_iterations=iterations,
        until_rest=False,
    )
    signs = jnp.where(end.state.logits < 0, -1, 1).astype(logits.dtype)
    state, _ = fit(end.state.state._replace(codes=signs))
    return with_state(end, state)
