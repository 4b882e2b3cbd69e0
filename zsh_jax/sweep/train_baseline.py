"""The compiled program that fits a baseline to many cells at once."""

from functools import partial

import jax
import jax.numpy as jnp

from zsh_jax.baselines.catalogue import BASELINES
from zsh_jax.core.joint import Joint, encode_class_joint
from zsh_jax.core.loop import Status
from zsh_jax.core.objective import Objective
from zsh_jax.core.packing import pack_codes
from zsh_jax.sweep.axes import Program
from zsh_jax.sweep.prepare import Prepared
from zsh_jax.sweep.train import Traced, Trained, over_cells


@partial(jax.jit, static_argnames=("program", "one_label"))
def train_baseline(
    prepared: Prepared, weights: Traced, *, program: Program, one_label: bool = False
) -> Trained:
    """Fit every data split with every multiple of what the method may tune, as one program.

    Args:
        prepared: data splits with their samples, stacked on a leading axis.
        weights: of which `multiple` is read.
        program: of which `method` and `bits` are read; static.
        one_label: whether each sample has one label; static.

    Returns:
        Leaves with leading axes (splits, ratios, lams). There is no objective and no iteration to report.
    """
    baseline = BASELINES[program.method]
    known = {"one_label": one_label} if baseline.may_know_one_label else {}

    def one_cell(split: Prepared, weights: Traced) -> Trained:
        data = split.training_data
        hash_map = baseline.fit(
            split.start, data, baseline.options(weights.multiple), bits=program.bits, **known
        )
        class_codes = None
        if isinstance(hash_map, Joint):
            class_codes = pack_codes(encode_class_joint(hash_map, split.vectors))
        finite = jnp.all(jnp.stack([jnp.isfinite(leaf).all() for leaf in hash_map]))
        nothing = jnp.full(1, jnp.nan, data.x.dtype)
        return Trained(
            hash_map=hash_map,
            class_codes=class_codes,
            objective=nothing[0],
            start_objectives=nothing,
            terms=Objective(*[nothing] * len(Objective._fields)),
            flips=jnp.full(1, -1, jnp.int32),
            iterations=jnp.array(0, jnp.int32),
            status=jnp.where(finite, Status.CONVERGED, Status.NON_FINITE).astype(jnp.int32),
        )

    return over_cells(one_cell)(prepared, weights)
