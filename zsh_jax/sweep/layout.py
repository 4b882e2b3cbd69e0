"""A sweep laid out from its configuration: inputs loaded, every split tried, the plan in words."""

from collections.abc import Callable
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from zsh_jax.baselines.catalogue import BASELINES
from zsh_jax.byte_size import byte_size
from zsh_jax.data.auxiliary import shared_classes
from zsh_jax.data.seen_queries import draw_seen_queries
from zsh_jax.data.select import name_held_out
from zsh_jax.errors import InputError
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.engine import split_of
from zsh_jax.sweep.grid import NO_CHOICES, Choices, Group, groups
from zsh_jax.sweep.inputs import Inputs, load_inputs
from zsh_jax.sweep.memory import Sizes
from zsh_jax.sweep.plan import Plan, make_plan

MOST_LINES = 12


def lay_out(config: ConfigDict, choices: Choices = NO_CHOICES) -> tuple[Plan, Inputs]:
    """Load the inputs and plan the sweep; everything that can be wrong is found here.

    Args:
        config: of the sweep.
        choices: what was tuned, see `groups`.

    Returns:
        The plan and the inputs.

    Raises:
        InputError: if an axis, a file or the data set does not permit the sweep.
    """
    every = groups(config.sweep.to_dict(), config.variants.to_dict())
    semantics = tuple(dict.fromkeys(group.splits[0].semantics for group in every))
    seen_queries = config.evaluation.seen_queries
    inputs = load_inputs(config, semantics)
    variants = {name: name_held_out(axes, inputs.dataset) for name, axes in config.variants.to_dict().items()}
    named = name_held_out(config.sweep.to_dict(), inputs.dataset)
    every = groups(named, variants, choices)  # by the names of classes
    samples, features = inputs.features.shape
    sizes = {
        kind: Sizes(samples, features, found.vectors.shape[1]) for kind, found in inputs.semantics.items()
    }
    plan = make_plan(every, sizes, memory_gib=config.memory_gib)
    for group in every:
        _check_components(group, features)
    for split in {split: None for group in plan.groups for split in group.splits}:
        if split.pca_dimensions > features:
            raise InputError(
                f"{split.pca_dimensions} principal directions cannot be found among {features} features; lower "
                f"--config.sweep.pca_dimensions"
            )
        indices = split_of(inputs, split)
        draw_seen_queries(inputs.dataset, indices, split.unseen, count=seen_queries, seed=split.seed)
    return plan, inputs


def _check_components(group: Group, features: int) -> None:
    method, bits = group.program.method, group.program.bits
    there = min(split.pca_dimensions or features for split in group.splits)
    if method in BASELINES and BASELINES[method].components and bits > there:
        raise InputError(
            f"{method} has no {bits} bits from {there} features, its bits are principal components; lower "
            f"--config.sweep.bits, or leave {method} out"
        )


def describe(
    plan: Plan, inputs: Inputs, config: ConfigDict, is_done: Callable[[dict[str, Any]], bool]
) -> str:
    """The plan in words.

    Args:
        plan: from `lay_out`.
        inputs: from `lay_out`.
        config: of the sweep.
        is_done: tells of a cell's identity whether its result is at hand already.

    Returns:
        A few lines: cells, groups, data, estimated memory, and what is there already.
    """
    dataset = inputs.dataset
    splits = {split for group in plan.groups for split in group.splits}
    semantics = ", ".join(f"{s.name} ({s.vectors.shape[1]} values)" for s in inputs.semantics.values())
    lines = [
        f"{config.name}: cells {len(plan)}, groups {len(plan.groups)}, data splits {len(splits)}",
        f"data: {dataset.name}, {len(dataset.ids):,} samples of {len(dataset.class_names)} classes",
        f"features: {inputs.features_name} ({inputs.features.shape[1]} values); semantics: {semantics}",
    ]
    lines.extend(inputs.left_out)
    shared = shared_classes(dataset)
    if dataset.auxiliary is not None:
        listed = (
            f" ({', '.join(shared[:MOST_LINES])}{', ...' if len(shared) > MOST_LINES else ''})"
            if shared
            else ""
        )
        lines.append(
            f"learnt from the first {np.count_nonzero(dataset.auxiliary):,} samples, queried and searched in the "
            f"others; {len(shared)} classes are in both and so seen, unless held out{listed}"
        )
    programs = [vars(group.program) for group in plan.groups]
    told = [
        axis
        for axis in programs[0]
        if axis in ("method", "bits") or len({program[axis] for program in programs}) > 1
    ]
    for group in plan.groups[:MOST_LINES]:
        program = ", ".join(f"{axis} {getattr(group.program, axis)}" for axis in told)
        lines.append(f"  {len(group):5} x {program}")
    if len(plan.groups) > MOST_LINES:
        lines.append(f"  and {len(plan.groups) - MOST_LINES} more")
    lines.append(f"batches: {len(plan.batches)}, of about {byte_size(plan.peak_bytes)} at most")
    lines.append(f"results: {config.workdir}")
    done = sum(is_done(identity(cell, inputs)) for group in plan.groups for cell in group.cells())
    if done:
        lines.append(f"done already: {done}; another --config.workdir runs them anew")
    return "\n".join(lines)
