"""What a configuration says of the inputs, as types: read from it once, and passed on as these."""

from typing import Any, NamedTuple

from ml_collections import ConfigDict

from zsh_jax.data.feature_files.parts import Keys
from zsh_jax.data.spec import Source
from zsh_jax.data.split import AT_RANDOM, SplitRule
from zsh_jax.errors import InputError


class FeatureSettings(NamedTuple):
    """Which features; see `config.features`."""

    name: str
    path: str | None = None
    weights: str | None = None
    cache: str | None = None
    batch_size: int = 64
    download: bool = False


class PartSettings(NamedTuple):
    """One data set, the classes that are drawn from it, its features and its split file; see `config.dataset`."""

    source: Source
    classes: int | None
    held_out: int | None
    seed: int
    features: FeatureSettings
    split_path: str | None = None


class SemanticsSettings(NamedTuple):
    """Where class vectors come from; see `config.semantics`."""

    path: str | None
    limit: int | None
    lower_case: bool
    attributes: str | None
    model: str | None
    prompt: str | None
    download: bool
    missing: str
    missing_to: str | None
    synonyms: tuple[tuple[str, str], ...]


class InputSettings(NamedTuple):
    """All inputs of a sweep.

    Attributes:
        parts: the data set that gives queries and database, last; an auxiliary one to learn from, first.
        semantics: of all classes.
        rule: how samples are drawn for a split.
    """

    parts: tuple[PartSettings, ...]
    semantics: SemanticsSettings
    rule: SplitRule = AT_RANDOM

    @property
    def draws_classes(self) -> bool:
        """Whether seeds draw the classes, so that a class may be absent."""
        return any(part.classes is not None for part in self.parts)


def input_settings(config: ConfigDict) -> InputSettings:
    """Read the settings of the inputs from a configuration.

    Args:
        config: with `dataset`, `features`, `semantics` and `auxiliary`.

    Returns:
        The settings.

    Raises:
        InputError: names of arrays or synonyms are malformed.
    """
    own = FeatureSettings(**config.features.to_dict())
    parts = [_part(config.dataset, own)._replace(split_path=config.split.path)]
    if config.auxiliary.dataset.name:
        learnt = config.auxiliary.features
        parts.insert(
            0, _part(config.auxiliary.dataset, own._replace(name=learnt.name or own.name, path=learnt.path))
        )
    semantics = SemanticsSettings(**config.semantics.to_dict())
    pairs = semantics.synonyms
    if not all(isinstance(pair, tuple) and [type(word) for word in pair] == [str, str] for pair in pairs):
        raise InputError(f"semantics.synonyms must be pairs, such as (('cat', 'kitten'),); got {pairs!r}")
    rule = SplitRule(config.split.of_each_class, config.split.database)
    return InputSettings(tuple(parts), semantics, rule)


def _part(dataset: ConfigDict, features: FeatureSettings) -> PartSettings:
    keys = Keys(*(_names(dataset.arrays, array) for array in Keys._fields))
    places: dict[str, Any] = {
        key: dataset[key] for key in ("name", "data_dir", "path", "root", "image_size", "first_label")
    }
    if isinstance(places["path"], list):
        places["path"] = tuple(places["path"])
    source = Source(keys=keys, **places)
    return PartSettings(source, dataset.classes, dataset.held_out, dataset.seed, features)


def _names(keys: ConfigDict, array: str) -> tuple[str, ...]:
    names = keys[array]
    names = (names,) if isinstance(names, str) else tuple(names)
    if not all(isinstance(name, str) for name in names):
        raise InputError(f"dataset.arrays.{array} must be names of arrays, such as ('X',); got {names!r}")
    return names
