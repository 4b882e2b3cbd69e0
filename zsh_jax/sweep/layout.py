"""Prepare a sweep from its configuration: load the inputs, check every split, make the plan and describe it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jax.sharding import Mesh
from ml_collections import ConfigDict

from zsh_jax.byte_size import byte_size
from zsh_jax.data.auxiliary import shared_classes
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.seen_queries import draw_seen_queries
from zsh_jax.data.select import name_held_out
from zsh_jax.errors import InputError
from zsh_jax.inputs.fingerprint import id_order, split_checksum, split_fingerprint, take_fingerprints
from zsh_jax.inputs.load import Inputs, open_inputs
from zsh_jax.inputs.settings import input_settings
from zsh_jax.sweep.axes import DataSplit
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.grid import NO_CHOICES, Choices, Group, Points, groups, stackable
from zsh_jax.sweep.memory import sizes_of
from zsh_jax.sweep.mesh import devices_of_a_place, places, spans_processes, sweep_mesh
from zsh_jax.sweep.plan import Plan, make_plan
from zsh_jax.sweep.points import groups_of_points
from zsh_jax.sweep.searches import searching_of
from zsh_jax.sweep.shard import deal, shard_of
from zsh_jax.sweep.splits import split_of
from zsh_jax.sweep.tuning import tried_config, validation_config
from zsh_jax.sweep.whole_split import COUNTED, count_whole

MOST_LINES = 12
MOST_SPLITS = 3
LONGEST = 40  # letters of a set of unseen classes


def lay_out(
    config: ConfigDict, choices: Choices = NO_CHOICES, *, extract: bool = True
) -> tuple[Plan, Inputs]:
    """Load the inputs and plan the sweep. Find every input error before features are extracted.

    Args:
        config: of the sweep.
        choices: of tuning, see `groups`.
        extract: whether to extract features that are not cached; if not, only their shape is right.

    Returns:
        The plan and the inputs, with their fingerprints.

    Raises:
        InputError: if an axis, a file or the data set is not valid for the sweep, or for the tuning before it.
    """
    grids = [config]
    if config.tuning.axes and not choices:  # every setting that tuning tries or may choose must run too
        grids += [validation_config(config), tried_config(config)]
    kinds = [group.splits[0].semantics for one in grids for group in groups(*_axes(one))]
    inputs, extract_missing = open_inputs(input_settings(config), tuple(dict.fromkeys(kinds)))
    plan, splits, checksums = _fitting(groups(*_axes(config, inputs.dataset), choices), inputs, config)
    inputs = inputs._replace(checksums=checksums)
    for one in grids[1:]:
        try:
            _fitting(groups(*_axes(one, inputs.dataset)), inputs, one)
        except InputError as error:
            said = str(error).replace("--config.sweep.validation", "--config.tuning.validation")
            raise InputError(f"tuning: {said}") from None
    if extract and extract_missing is not None:
        inputs = inputs._replace(features=extract_missing())
    elif extract_missing is not None:
        return plan, inputs  # without fingerprints: there are no features yet
    found = take_fingerprints(inputs.dataset, inputs.features, inputs.semantics, splits)
    return plan, inputs._replace(fingerprints=found)


def lay_out_points(config: ConfigDict, inputs: Inputs, points: Points) -> tuple[Plan, Inputs]:
    """Plan the cells of given settings of a sweep that is laid out.

    Args:
        config: of the sweep.
        inputs: from `lay_out`, or from here.
        points: the settings.

    Returns:
        The plan, and the inputs with the fingerprints of its splits too.

    Raises:
        InputError: if a setting is not valid for the data, or one cell does not fit the memory.
    """
    assert inputs.fingerprints is not None
    every = groups_of_points(*_axes(config, inputs.dataset), points)
    plan, splits, checksums = _fitting(every, inputs, config)
    found = inputs.fingerprints._replace(splits={**inputs.fingerprints.splits, **splits})
    return plan, inputs._replace(fingerprints=found, checksums={**inputs.checksums, **checksums})


def _axes(config: ConfigDict, dataset: Dataset | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Axes and variants of a sweep; with a data set, "held-out" is replaced by names of classes."""
    axes, variants = config.sweep.to_dict(), config.variants.to_dict()
    if dataset is None:
        return axes, variants
    axes = name_held_out(axes, dataset)
    named = {name: name_held_out(overrides, dataset) for name, overrides in variants.items()}
    counted = {name: count_whole(axes | overrides, dataset) for name, overrides in named.items()}
    own = {name: {axis: counted[name][axis] for axis in named[name]} for name in named}
    for name, overrides in own.items():  # a variant with other unseen classes may have other numbers
        overrides |= {axis: counted[name][axis] for axis in COUNTED if counted[name][axis] != axes[axis]}
    return (axes if named else count_whole(axes, dataset)), own


def _fitting(
    every: list[Group], inputs: Inputs, config: ConfigDict
) -> tuple[Plan, dict[DataSplit, str], dict[DataSplit, str]]:
    """The plan of a grid that fits data and memory, and the fingerprints and checksums of its splits."""
    features = inputs.features.shape[1]
    mesh = sweep_mesh(config.mesh.sweep, config.mesh.data)
    sizes = sizes_of(inputs, devices_of_a_place(mesh), searching_of(config))
    budget = {"memory_gib": config.memory_gib, "samples": _samples(config, mesh)}
    whole = make_plan(every, sizes, **budget)  # check the memory before drawing thousands of splits
    if config.samples == "blocks" and not any(batch.in_blocks for batch in whole.batches):
        raise InputError(
            "samples: no cell of this sweep can train in blocks; fix: use zsh with "
            "--config.sweep.graph=\"('anchors',)\", or --config.samples=auto"
        )
    for group in every:
        _check_components(group, features)
    splits, checksums, database_sizes = {}, {}, {}
    order = id_order(inputs.dataset)
    for split in {split: None for group in every for split in group.splits}:
        if split.pca_dimensions > features:
            raise InputError(
                f"sweep.pca_dimensions: {split.pca_dimensions} principal directions are too many for {features} "
                "features; fix: lower --config.sweep.pca_dimensions"
            )
        indices = split_of(inputs, split)
        seen_queries = config.evaluation.seen_queries
        draw_seen_queries(inputs.dataset, indices, split.unseen, count=seen_queries, seed=split.seed)
        splits[split] = split_fingerprint(indices)
        checksums[split] = split_checksum(order, indices)
        database_sizes[split] = len(indices.database)
    every = stackable(every, database_sizes)
    own = deal(every, shard_of(config))
    plan = make_plan(own, sizes, **budget, places=places(mesh))
    return replace(plan, groups=tuple(every)), splits, checksums


def _samples(config: ConfigDict, mesh: Mesh | None) -> Any:
    """Where training samples are; blocks of them are read by one device of one process."""
    if devices_of_a_place(mesh) == 1 and not spans_processes(mesh):
        return config.samples
    if config.samples == "blocks":
        raise InputError(
            "samples: 'blocks' trains each cell on one device of one process; fix: --config.samples=auto, or without "
            "mesh.data and distributed"
        )
    return "memory"


def _check_components(group: Group, features: int) -> None:
    method, bits = group.program.of, group.program.bits
    if method.most_bits is None:
        return
    there = min(split.pca_dimensions or features for split in group.splits)
    if bits > method.most_bits(there):
        raise InputError(
            f"sweep.bits: {method.name} cannot make {bits} bits from {there} features: its bits are principal "
            f"components; fix: lower --config.sweep.bits, or remove {method.name}"
        )


def describe(
    plan: Plan, inputs: Inputs, is_done: Callable[[dict[str, Any]], bool], *, name: str, workdir: str
) -> str:
    """The plan as text.

    Args:
        plan: from `lay_out`.
        inputs: from `lay_out`.
        is_done: given a cell's identity, whether it is finished already.
        name: of the sweep.
        workdir: of the sweep.

    Returns:
        A few lines: cells, groups, data, estimated memory, finished cells.
    """
    dataset = inputs.dataset
    splits = {split for group in plan.groups for split in group.splits}
    whole = sum(map(len, plan.groups))
    semantics = ", ".join(f"{s.name} ({s.vectors.shape[1]} values)" for s in inputs.semantics.values())
    lines = [
        f"{name}: cells {whole}, groups {len(plan.groups)}, data splits {len(splits)}",
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
            f"training data: the first {np.count_nonzero(dataset.auxiliary):,} samples; queries and database: the "
            f"others; {len(shared)} classes are in both and so seen, unless held out{listed}"
        )
    lines.extend(_split_lines(inputs))
    lines.extend(_group_lines(plan.groups))
    if len(plan.groups) > MOST_LINES:
        lines.append(f"  and {len(plan.groups) - MOST_LINES} more")
    if len(plan) < whole:
        lines.append(f"this part: {len(plan)} of {whole} cells")
    streamed = sum(len(batch) for batch in plan.batches if batch.in_blocks)
    if streamed:
        lines.append(f"cells that train in blocks of samples: {streamed} of {len(plan)}")
    each = f" on each of {plan.devices} devices" if plan.devices > 1 else ""
    lines.append(f"batches: {len(plan.batches)}, of about {byte_size(plan.peak_bytes)} at most{each}")
    lines.append(f"results: {workdir}")
    done = sum(is_done(identity(cell, inputs)) for cell in plan.cells())
    if done:
        lines.append(f"finished cells, skipped: {done}; set another --config.workdir to run them again")
    return "\n".join(lines)


def _split_lines(inputs: Inputs) -> list[str]:
    """The checksums of the first splits."""
    found: dict[str, DataSplit] = {}
    for split, checksum in inputs.checksums.items():
        found.setdefault(checksum, split)
    if not found:
        return []
    shown = [f"{checksum} ({_name_of(split)})" for checksum, split in list(found.items())[:MOST_SPLITS]]
    more = f", and {len(found) - MOST_SPLITS} others" if len(found) > MOST_SPLITS else ""
    return [f"checksum{'s' if len(found) > 1 else ''} of splits: {', '.join(shown)}{more}"]


def _name_of(split: DataSplit) -> str:
    unseen = split.unseen if len(split.unseen) <= LONGEST else f"{split.unseen.count('+') + 1} classes"
    return f"unseen {unseen}, seed {split.seed}"


def _group_lines(every: Sequence[Group]) -> list[str]:
    """A line for each of the first groups: its method and bits, and the options in which groups of a method differ."""
    options = [{"method": g.program.method, "bits": g.program.bits} | vars(g.program.options) for g in every]
    values: dict[tuple[str, str], set[Any]] = {}
    for one in options:
        for axis, value in one.items():
            values.setdefault((one["method"], axis), set()).add(value)
    lines = []
    for group, one in zip(every[:MOST_LINES], options, strict=False):
        shown = [axis for axis in one if axis in ("method", "bits") or len(values[one["method"], axis]) > 1]
        lines.append(f"  {len(group):5} x {', '.join(f'{axis} {one[axis]}' for axis in shown)}")
    return lines
