"""Check every setting of a configuration before anything is read or run."""

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from ml_collections import ConfigDict

from zsh_jax import takes
from zsh_jax.data.nearest import nearest_names
from zsh_jax.data.registry import LARGEST_SIDE, states_roles
from zsh_jax.data.split import DATABASES
from zsh_jax.errors import InputError
from zsh_jax.inputs.class_vectors import DROP
from zsh_jax.methods.protocol import Method
from zsh_jax.methods.ranges import own_takes
from zsh_jax.methods.table import METHODS
from zsh_jax.sweep.axes import SHARED_AXES, TAKES
from zsh_jax.sweep.config import defaults
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.searches import SEARCHES, check_searches
from zsh_jax.sweep.shard import parse_shard
from zsh_jax.sweep.tuning import check_tuning
from zsh_jax.takes import Takes, check, shown

OPEN = ("variants", "tuning.axes")  # the user chooses the keys below these
MODES = ("offline", "online", "disabled")  # of Weights & Biases
_ARRAYS = takes.several(takes.text(200))
_PLACEHOLDER = takes.optional(takes.path())
_SOURCE: dict[str, Takes] = {
    "data_dir": _PLACEHOLDER,
    "path": takes.optional(takes.one_or_several(takes.path())),
    "root": _PLACEHOLDER,
    "image_size": takes.whole(1, LARGEST_SIDE),
    "classes": takes.optional(takes.whole(2)),
    "held_out": takes.optional(takes.whole(1)),
    "seed": takes.whole(0, takes.SEED),
    "arrays.features": _ARRAYS,
    "arrays.labels": _ARRAYS,
    "arrays.ids": _ARRAYS,
    "first_label": takes.optional(takes.whole(0, 1)),
}


def _synonyms(value: object) -> bool:
    word = takes.text(1000)
    return isinstance(value, tuple | list) and all(
        isinstance(pair, tuple) and len(pair) == 2 and all(word.test(one) for one in pair) for pair in value
    )


def _is_address(value: object) -> bool:
    found = re.fullmatch(r"[^\s/]+:(\d{1,5})", value, re.ASCII) if isinstance(value, str) else None
    return found is not None and takes.text(300).test(value) and 0 < int(found[1]) < 1 << 16


SETTINGS: dict[str, Takes] = {
    "name": takes.file_name(),
    "workdir": _PLACEHOLDER,
    "memory_gib": takes.number(1e-6, 1e6),
    "samples": takes.one_of("auto", "memory", "blocks"),
    "checkpoint_seconds": takes.number(1e-3, 1e6),
    "products": takes.one_of("float32", "tensorfloat32"),
    "mesh.sweep": takes.optional(takes.whole(1, 1 << 20)),
    "mesh.data": takes.whole(1, 1 << 20),
    "distributed.coordinator": takes.optional(Takes("HOST:PORT, such as 10.0.0.1:1234", _is_address)),
    "distributed.processes": takes.optional(takes.whole(1, 1 << 20)),
    "distributed.process": takes.optional(takes.whole(0, 1 << 20)),
    "distributed.start_seconds": takes.whole(1, 86_400),
    "distributed.lost_seconds": takes.whole(2, 86_400),
    "shard": takes.optional(
        Takes("I/N with I from 1 to N, such as 3/16", lambda value: parse_shard(value) is not None)
    ),
    "gallery.queries": takes.whole(0, 100),
    "gallery.neighbours": takes.whole(1, 100),
    "dataset.name": takes.dataset_name(),
    **{f"dataset.{key}": value for key, value in _SOURCE.items()},
    "features.name": takes.text(1000),
    "features.path": _PLACEHOLDER,
    "features.weights": _PLACEHOLDER,
    "features.cache": _PLACEHOLDER,
    "features.batch_size": takes.whole(1, 65_536),
    "auxiliary.dataset.name": takes.optional(takes.dataset_name()),
    **{f"auxiliary.dataset.{key}": value for key, value in _SOURCE.items()},
    "auxiliary.features.name": takes.optional(takes.text(1000)),
    "auxiliary.features.path": _PLACEHOLDER,
    "semantics.path": _PLACEHOLDER,
    "semantics.limit": takes.optional(takes.whole(1)),
    "semantics.attributes": _PLACEHOLDER,
    "semantics.model": _PLACEHOLDER,
    "semantics.prompt": takes.optional(
        Takes(
            "text with {} once, where the class name goes, such as 'a photo of a {}'",
            lambda value: takes.text().test(value) and value.count("{}") == 1,
        )
    ),
    "semantics.missing": takes.one_of("refuse", DROP),
    "semantics.missing_to": _PLACEHOLDER,
    "semantics.synonyms": Takes(
        "a tuple of pairs of a class name and words, such as (('cat', 'kitten'),)", _synonyms
    ),
    "split.path": _PLACEHOLDER,
    "split.database": takes.one_of(*DATABASES),
    "evaluation.cutoffs": takes.ascending(takes.whole(1)),
    "evaluation.seen_queries": takes.whole(0),
    "evaluation.search": takes.several(takes.one_of(*SEARCHES)),
    "evaluation.rescored": takes.whole(1),
    "wandb.mode": takes.one_of(*MODES),
    "wandb.project": takes.wandb_name(),
    "wandb.entity": takes.optional(takes.wandb_name()),
    "wandb.run_id": takes.optional(takes.run_id()),
    "reference": takes.optional(takes.file_name()),
    "tuning.validation": takes.whole(1),
    "tuning.bits": takes.several(TAKES["bits"], least=1),
    "tuning.seed": takes.several(TAKES["seed"], least=1),
    "tuning.widen": takes.whole(0, 100),
    "tuning.trials": takes.whole(0, 100_000),
    "tuning.batch": takes.whole(1, 10_000),
    "tuning.sampler_seed": TAKES["seed"],
}
"""What each setting takes, unless it is an axis or its default shows it."""


def check_settings(config: ConfigDict) -> None:
    """Refuse an invalid configuration, without reading any file.

    Args:
        config: of an experiment, with the changes of the command line.

    Raises:
        InputError: a setting is unknown, missing, of the wrong type or out of range, or two contradict each other.
    """
    given, known = dict(leaves(config)), _known(tuple(METHODS.items()))
    for key in given:
        if not _is_open(key) and key not in known:
            raise InputError(f"{key}: there is no such setting; {meant(key, known)}")
    for key, default in known.items():
        if key not in given and not key.startswith("sweep.") and key not in OPEN:
            raise InputError(f"{key} is missing; fix: start from zsh_jax.sweep.config.for_dataset")
        takes_ = SETTINGS.get(key) or _by_type(default)
        if takes_ is not None and not key.startswith("sweep."):
            check(takes_, key, given[key])
    for key in OPEN:
        if not isinstance(_at(config, key), ConfigDict):
            raise InputError(
                f"{key}: takes a ConfigDict by names of variants, not {shown(_at(config, key))}; fix: set {key}.NAME"
            )
    _check_variants(config)
    every = groups(config.sweep.to_dict(), config.variants.to_dict())
    check_searches(config.evaluation.search, dict.fromkeys(group.program.of for group in every))
    check_tuning(config)
    _check_whole(config)
    if config.x64 and config.products != "float32":
        raise InputError(
            "products: float64 has no products in TF32; fix: remove --config.x64, or --config.products"
        )
    _check_distributed(config)
    if config.shard is not None and config.tuning.axes:
        raise InputError(
            "shard: a sweep with tuning cannot be cut, since each choice needs all validation cells; fix: remove "
            "--config.shard, or the tuning.axes"
        )


def _check_distributed(config: ConfigDict) -> None:
    """Refuse processes that cannot find each other."""
    several = config.distributed
    given = {name: several[name] for name in ("coordinator", "processes", "process")}
    missing = [name for name, value in given.items() if value is None]
    if several.auto and len(missing) < len(given):
        raise InputError(
            "distributed.auto: JAX finds coordinator, processes and process itself; fix: remove "
            f"--config.distributed.{next(name for name in given if name not in missing)}, or .auto"
        )
    if 0 < len(missing) < len(given):
        raise InputError(
            f"distributed.{missing[0]} is missing; fix: give --config.distributed.coordinator, .processes and .process"
        )
    if not missing and several.process >= several.processes:
        raise InputError(
            f"distributed.process: {several.processes} processes have the numbers 0 to {several.processes - 1}, not "
            f"{several.process}; fix: --config.distributed.process"
        )
    if config.shard is not None and (several.auto or not missing):
        raise InputError(
            "shard: parts run in processes of their own, those of distributed run one sweep together; fix: remove "
            "--config.shard, or the settings of distributed"
        )


def meant(key: str, known: Collection[str] = ()) -> str:
    """A hint for an unknown setting.

    Args:
        key: such as `sweep.alpha`.
        known: all settings; empty to consider only axes of methods.

    Returns:
        The methods whose own axis it is, or the setting with the nearest name; "" for neither.
    """
    axis = key.rpartition(".")[2]
    owners = [method for method in METHODS if axis in own_takes(method)]
    if key == f"sweep.{axis}" and owners:
        return f"it is an axis of {', '.join(owners)}; fix: --config.sweep.{owners[0]}.{axis}='(...)'"
    return nearest_names(key, tuple(known), at_most=1) if known else ""


def _by_type(default: object) -> Takes | None:
    """What a setting without an entry in SETTINGS takes: values of the type of its default."""
    if default is None:
        return None
    kinds = {bool: takes.flag(), int: takes.whole(0), float: takes.number(zero=True), str: takes.text()}
    return kinds.get(type(default))


def _check_whole(config: ConfigDict) -> None:
    """Refuse 0 training samples or queries, which stands for all, where nothing states how many there are."""
    if config.split.path is not None and config.auxiliary.dataset.name:
        raise InputError(
            "split.path: a split file contradicts auxiliary.dataset; fix: remove --config.split.path, or "
            "--config.auxiliary.dataset.name"
        )
    if config.split.path is not None or (config.dataset.name and states_roles(config.dataset.name)):
        return
    for where, axes in {
        "sweep": config.sweep,
        **{f"variants.{name}": axes for name, axes in config.variants.items()},
        **{f"tuning.axes.{name}": axes for name, axes in config.tuning.axes.items()},
    }.items():
        for axis in ("training_samples", "queries"):
            values = axes.get(axis, ())
            if 0 in (values if isinstance(values, tuple | list) else (values,)):
                raise InputError(
                    f"{where}.{axis}: 0 stands for all that a data set or a split file states, and there is neither; "
                    f"fix: use 1 or more, or set --config.split.path"
                )


def _check_variants(config: ConfigDict) -> None:
    for name, axes in config.variants.items():
        check(takes.file_name(), "variants", name, "fix: rename it")
        if not isinstance(axes, ConfigDict):
            raise InputError(
                f"variants.{name}: takes a ConfigDict of axes, not {shown(axes)}; fix: set variants.{name}.AXIS"
            )
    reference = config.reference
    if reference is None:
        return
    if not config.variants:
        raise InputError(
            f"reference: there are no variants to compare with {reference!r}; fix: --config.reference=None"
        )
    if reference not in config.variants:
        raise InputError(
            f"reference: there is no variant {reference!r}; {nearest_names(reference, config.variants.keys())}; "
            "fix: --config.reference"
        )


def leaves(config: ConfigDict, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting of a configuration.

    Args:
        config: a configuration or a part of one.
        before: prefix of its keys.

    Yields:
        Dotted keys and values; each of `OPEN` is one setting.
    """
    for key, value in config.items():
        path = f"{before}{key}"
        if isinstance(value, ConfigDict) and path not in OPEN:
            yield from leaves(value, f"{path}.")
        else:
            yield path, value


@cache
def _known(methods: tuple[tuple[str, Method], ...]) -> dict[str, Any]:
    """The default of every setting with these methods; an axis of all methods has none."""
    del methods
    return dict(leaves(defaults())) | {f"sweep.{axis}": () for axis in SHARED_AXES}


def _is_open(key: str) -> bool:
    return any(key == known or key.startswith(f"{known}.") for known in OPEN)


def _at(config: ConfigDict, path: str) -> Any:
    here: Any = config
    for key in path.split("."):
        here = here[key]
    return here
