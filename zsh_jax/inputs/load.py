"""Load the inputs of a sweep: data set, features and class vectors."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Int

from zsh_jax.data.auxiliary import join_datasets
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.given_roles import held_out_of
from zsh_jax.data.nearest import nearest_names
from zsh_jax.data.reading import written
from zsh_jax.data.registry import load_dataset
from zsh_jax.data.select import draw_classes, select_classes
from zsh_jax.data.semantics import MissingVectors
from zsh_jax.data.split import AT_RANDOM, SplitRule
from zsh_jax.data.split_file import read_split_file
from zsh_jax.errors import InputError
from zsh_jax.inputs.class_vectors import DROP, Semantics, check_semantics, find_missing, load_semantics
from zsh_jax.inputs.features import extract_features, features_name, features_of_shape, read_features
from zsh_jax.inputs.fingerprint import Fingerprints
from zsh_jax.inputs.missing_vectors import leave_out, missing_names, refuse_missing
from zsh_jax.inputs.settings import FeatureSettings, InputSettings, PartSettings

Extract = Callable[[], Float32[np.ndarray, "n d"]]
BLOCK = 1 << 14  # rows checked at a time


class Inputs(NamedTuple):
    """The inputs of a sweep, on the host.

    Attributes:
        dataset: labels and class names; images are dropped after feature extraction.
        features_name: name of the features in results.
        features: raw features of all samples.
        semantics: class vectors for each kind of semantics on the sweep's axis.
        left_out: lines about classes that were left out because they have no vector.
        rule: how samples are drawn for a split.
        checksums: of each data split, see `split_checksum`, once the sweep is laid out.
        fingerprints: of all this and of the splits, once the sweep is laid out; part of each cell's identity.
    """

    dataset: Dataset
    features_name: str
    features: Float32[np.ndarray, "n d"]
    semantics: dict[str, Semantics]
    left_out: tuple[str, ...] = ()
    rule: SplitRule = AT_RANDOM
    checksums: Mapping[Any, str] = MappingProxyType({})
    fingerprints: Fingerprints | None = None


class _Part(NamedTuple):
    """A data set and the source of its features.

    If classes were left out, features are still those of all samples, as in precomputed files and in the cache: `rows`
    are the remaining rows of `whole`.
    """

    dataset: Dataset
    features: FeatureSettings
    whole: Dataset
    rows: Int[np.ndarray, " n"] | None = None
    left_out: str = ""


def load_inputs(settings: InputSettings, semantics: tuple[str, ...]) -> Inputs:
    """Load data set, features and semantics; cheap steps and likely failures come first.

    Args:
        settings: of the inputs.
        semantics: the kinds of semantics that the sweep needs.

    Returns:
        The inputs. The samples of an auxiliary data set come first.

    Raises:
        InputError: something is missing or inconsistent.
    """
    inputs, extract_missing = open_inputs(settings, semantics)
    return inputs if extract_missing is None else inputs._replace(features=extract_missing())


def open_inputs(settings: InputSettings, semantics: tuple[str, ...]) -> tuple[Inputs, Extract | None]:
    """Load everything except features that must be extracted, which can take hours.

    Args:
        settings: as for `load_inputs`.
        semantics: as for `load_inputs`.

    Returns:
        The inputs; and None, or the function that extracts the features. In the second case the features of the inputs
        have only the right shape.

    Raises:
        InputError: as for `load_inputs`.
    """
    check_semantics(settings.semantics, semantics)
    parts = [_load_part(part, settings, semantics) for part in reversed(settings.parts)][::-1]
    _check_auxiliary(parts)
    dataset = _join([part.dataset._replace(features=None) for part in parts])
    _check_synonyms(settings, parts)
    try:
        vectors = {kind: load_semantics(settings, kind, dataset) for kind in semantics}
    except MissingVectors:
        refuse_missing(settings.semantics, dataset, find_missing(settings, semantics, dataset))
        raise
    name = " to ".join(dict.fromkeys(features_name(part.features) for part in parts))
    found = [read_features(part.whole, part.features) for part in parts]
    missing = any(made is None for made in found)
    shapes = [
        features_of_shape(part.whole, part.features) if made is None else made
        for part, made in zip(parts, found, strict=True)
    ]
    features = _features(parts, shapes)
    if not missing:
        _check_varies(name, features)

    def extract_missing() -> Float32[np.ndarray, "n d"]:
        made = [
            extract_features(part.whole, part.features) if one is None else one
            for part, one in zip(parts, found, strict=True)
        ]
        whole = _features(parts, made)
        _check_varies(name, whole)
        return whole

    left_out = tuple(part.left_out for part in parts if part.left_out)
    inputs = Inputs(dataset._replace(images=None), name, features, vectors, left_out, settings.rule)
    return inputs, extract_missing if missing else None


def _features(parts: list[_Part], found: list[Float32[np.ndarray, "n d"]]) -> Float32[np.ndarray, "n d"]:
    """Features of the remaining samples, in the order of the joined data set."""
    used = [
        part.dataset._replace(features=made if part.rows is None else made[part.rows])
        for part, made in zip(parts, found, strict=True)
    ]
    whole = _join(used)
    assert whole.features is not None
    return whole.features


def _join(parts: list[Dataset]) -> Dataset:
    return parts[0] if len(parts) == 1 else join_datasets(*parts)


def _load_part(part_settings: PartSettings, settings: InputSettings, semantics: tuple[str, ...]) -> _Part:
    source, features = part_settings.source, part_settings.features
    _check_features(features)
    kind = features.name
    loaded = load_dataset(source, images=kind not in ("precomputed", "source"), features=kind == "source")
    if kind == "source" and loaded.features is None:
        raise InputError(
            f"features.name: {loaded.name} comes without features; fix: use gist, keras:... or precomputed"
        )
    if kind not in ("precomputed", "source") and loaded.images is None:
        raise InputError(f"features.name: {loaded.name} comes without images; fix: use source or precomputed")
    if part_settings.split_path is not None:
        loaded = loaded._replace(given=read_split_file(written(part_settings.split_path), loaded))
    drawn_too = part_settings.classes is not None
    _check_given(loaded, part_settings)
    found: tuple[MissingVectors, ...] = ()
    if drawn_too or settings.semantics.missing == DROP:
        found = find_missing(settings, semantics, loaded)
    part = _Part(loaded, features, loaded)
    if found and not drawn_too:
        left, rows, notice = leave_out(settings.semantics, loaded, found)
        part = part._replace(dataset=left, rows=rows, left_out=notice)
    lacking = missing_names(loaded, found)
    names = tuple(name for name in loaded.class_names if name not in lacking)
    if len(names) < 2:
        raise InputError(
            f"{loaded.name} has {len(names)} usable classes; fix: use data with at least one seen and one unseen class"
        )
    if loaded.given is not None:
        return part._replace(dataset=_with_held_out(part.dataset))
    drawn, held_out = draw_classes(
        names, classes=part_settings.classes, held_out=part_settings.held_out, seed=part_settings.seed
    )
    if drawn_too:
        name = f"{loaded.name}/{len(drawn)}-classes-seed{part_settings.seed}"
        loaded = select_classes(loaded, drawn)._replace(name=name)
        part = _Part(loaded, features, loaded)
    return part._replace(dataset=part.dataset._replace(held_out=held_out))


def _check_given(loaded: Dataset, settings: PartSettings) -> None:
    """Refuse to draw classes of a data set whose roles, and so whose unseen classes, are given."""
    for key, value in (("classes", settings.classes), ("held_out", settings.held_out)):
        if loaded.given is not None and value is not None:
            raise InputError(
                f"dataset.{key}: {value} contradicts {loaded.given.where}, which states the roles of all images; fix: "
                f"remove --config.dataset.{key}"
            )


def _check_auxiliary(parts: list[_Part]) -> None:
    """Refuse a given split beside an auxiliary data set: each says which samples are for training."""
    stated = [part.dataset for part in parts if part.dataset.given is not None]
    if len(parts) > 1 and stated:
        raise InputError(
            f"auxiliary.dataset: it contradicts the roles of images that {stated[0].name} states; fix: remove "
            "--config.auxiliary.dataset.name, or use feature files without a split"
        )


def _with_held_out(dataset: Dataset) -> Dataset:
    """The data set with the unseen classes that its given roles imply."""
    assert dataset.given is not None
    unseen = held_out_of(dataset.given, dataset.labels, len(dataset.class_names))
    return dataset._replace(held_out=tuple(dataset.class_names[index] for index in unseen))


def _check_synonyms(settings: InputSettings, parts: list[_Part]) -> None:
    """Check that every synonym names a class, which may be one that was left out."""
    if settings.semantics.missing != DROP or any(
        part.whole is not part.dataset and part.rows is None for part in parts
    ):
        return
    known = [name for part in parts for name in part.whole.class_names]
    for name, _ in settings.semantics.synonyms:
        if name not in known:
            raise InputError(f"semantics.synonyms: there is no class {name!r}; {nearest_names(name, known)}")


def _check_features(features: FeatureSettings) -> None:
    if features.name == "precomputed":
        if not features.path:
            raise InputError(
                "features.path is not set; fix: give the folder that holds {split}.npz with --config.features.path=PATH"
            )
        if not written(features.path).exists():
            raise InputError(
                f"features.path: there is no {features.path}; fix: give the folder that holds {{split}}.npz"
            )
    elif features.name != "source":
        from zsh_jax.features.extractors import feature_extractors

        feature_extractors(
            features.name,
            weights=features.weights,
            batch_size=features.batch_size,
            download=features.download,
        )


def _check_varies(name: str, features: Float32[np.ndarray, "n d"]) -> None:
    """Refuse equal rows: a dead network gives finite features too. Finiteness is checked on reading."""
    for start in range(0, len(features), BLOCK):  # the first block usually suffices
        if (features[start : start + BLOCK] != features[0]).any():
            return
    raise InputError(f"features {name}: all {len(features)} rows are equal; fix: extract them again")
