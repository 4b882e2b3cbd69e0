"""The command `python -m zsh_jax.data`."""

import argparse
import re
import sys
from importlib.util import find_spec

import numpy as np

from zsh_jax import takes
from zsh_jax.data.catalogue import DATASETS
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files.parts import Keys
from zsh_jax.data.inventory import data_folder, kept_features, prepared_versions, states
from zsh_jax.data.library_errors import reason
from zsh_jax.data.notices import counted_classes
from zsh_jax.data.reading import written
from zsh_jax.data.registry import LARGEST_SIDE, base_name, load_dataset
from zsh_jax.data.spec import Source
from zsh_jax.errors import InputError
from zsh_jax.features.cache import default_cache

EXAMPLES = """examples:
  python -m zsh_jax.data list
  python -m zsh_jax.data prepare shapes
  python -m zsh_jax.data prepare mirflickr --path ARCHIVES
  python -m zsh_jax.data features cifar10 keras:VGG16:fc2
  python -m zsh_jax.data features folder gist+colour --path IMAGES"""

TAKES = {
    **dict.fromkeys(("data_dir", "path", "root", "weights", "cache"), takes.path()),
    "name": takes.dataset_name(),
    "features": takes.text(1000),
    "image_size": takes.whole(1, LARGEST_SIDE),
    "batch_size": takes.whole(1, 65_536),
    "first_label": takes.whole(0, 1),
    **dict.fromkeys(("array_features", "array_labels", "array_ids"), takes.text(200)),
}
"""What each argument takes."""

NAMES = {
    "--config.dataset.arrays.features, .labels and .ids": "--array-features, --array-labels and --array-ids",
    "--config.dataset.arrays.": "--array-",
    "--config.dataset.data_dir": "--data-dir",
    "--config.dataset.path": "--path",
    "--config.dataset.root": "--root",
    "--config.dataset.first_label=": "--first-label=",
    "--config.features.weights": "--weights",
    "--config.features.download=True": "--download",
    ", or use --config.features.name=precomputed": "",
}
"""What messages call a setting, and what it is called here."""


def run(options: argparse.Namespace) -> int:
    """Run the command on arguments of `parser`; returns the exit status.

    Raises:
        InputError: with this command's names of the arguments.
    """
    try:
        if options.verb == "list":
            _list(options.data_dir, options.cache)
        elif options.verb == "prepare":
            print(_describe(_prepared(options)))
        else:
            print(_features(options))
        sys.stdout.flush()
    except InputError as error:
        raise InputError(_in_these_names(str(error))) from None
    return 0


def _in_these_names(said: str) -> str:
    """A message that names settings of a sweep, with the names that this command has for them."""
    said = re.sub(r"""--config\.dataset\.path="\('(.*?)', '(.*?)'\)\"""", r"--path \1 \2", said)
    for sweep, here in NAMES.items():
        said = said.replace(sweep, here)
    return said


def parser() -> argparse.ArgumentParser:
    """The parser of the command's arguments."""
    made = argparse.ArgumentParser(
        prog="python -m zsh_jax.data",
        description="Show, prepare and describe data sets.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = made.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="list data sets and cached features")
    prepare = verbs.add_parser("prepare", help="prepare a data set, or check its files")
    features = verbs.add_parser("features", help="extract features of its images and cache them on disk")
    for verb in (listing, prepare, features):
        verb.add_argument("--data-dir", help="folder of TFDS data sets (default: the TFDS default)")
    for verb in (prepare, features):
        verb.add_argument("name", help=f"{', '.join(DATASETS)}, or a data set of TFDS")
        verb.add_argument(
            "--path",
            nargs="+",
            help="file or folder of a data set that is not in TFDS; or several files of features",
        )
        verb.add_argument("--root", help="folder that the image paths of lists start from")
        verb.add_argument(
            "--image-size",
            type=int,
            default=224,
            help="images of different sizes are resized to squares of this side (default: 224)",
        )
        verb.add_argument("--first-label", type=int, help="0 or 1: the first label of a feature file")
        for kind in Keys._fields:
            what = f"names of the arrays of {kind} in a feature file (default: usual names)"
            verb.add_argument(f"--array-{kind}", nargs="+", metavar="NAME", default=[], help=what)
    features.add_argument("features", help="such as gist, gist+colour or keras:VGG16:fc2")
    features.add_argument(
        "--weights", help="file of network weights (default: those of Keras), or model of towers"
    )
    features.add_argument("--download", action="store_true", help="download the model of towers if needed")
    features.add_argument("--batch-size", type=int, default=64, help="images that a network takes at once")
    for verb in (listing, features):
        verb.add_argument("--cache", help="folder of features (default: ~/.cache/zsh_jax/features)")
    return made


def _list(data_dir: str | None, cache: str | None) -> None:
    for state in states(data_dir):
        print(f"{state.name:17} {state.state:8} {state.what}")
    folder = written(cache) if cache else default_cache()
    kept = list(kept_features(folder))
    print(f"\nfeatures in {folder}:" + ("".join(f"\n  {line}" for line in kept) if kept else " none"))


def _source(options: argparse.Namespace) -> Source:
    path = (
        options.path[0] if options.path and len(options.path) == 1 else options.path and tuple(options.path)
    )
    return Source(
        options.name,
        options.data_dir,
        path,
        options.image_size,
        Keys(tuple(options.array_features), tuple(options.array_labels), tuple(options.array_ids)),
        options.first_label,
        root=options.root,
    )


def _prepared(options: argparse.Namespace) -> Dataset:
    base = base_name(options.name)
    spec = DATASETS.get(base)
    ours = spec is not None and bool(spec.stored_as or spec.path)
    if not ours and not prepared_versions(data_folder(options.data_dir) / base):
        _prepare_tfds(options.name, options.data_dir)
    if base.startswith("imagenet"):
        _index(options.name, options.data_dir)
    images = base in ("folder", "lists")  # check each of its files
    return load_dataset(_source(options), images=images)


def _prepare_tfds(name: str, data_dir: str | None) -> None:
    import tensorflow_datasets as tfds

    from zsh_jax.data.nearest import nearest_names
    from zsh_jax.data.tfds_source import preparing

    known = tfds.list_builders(with_community_datasets=False)
    if base_name(name) not in known:
        raise InputError(
            f"there is no data set {name!r}; {nearest_names(base_name(name), [*DATASETS, *known])}"
        )
    if find_spec("tensorflow") is None:
        raise InputError(
            f"TFDS needs TensorFlow to prepare {name}, and it is not installed; fix: {preparing(name, data_dir)}"
        )
    try:
        tfds.builder(name, data_dir=data_dir, file_format="array_record").download_and_prepare()
    except Exception as problem:  # of the network, of the archives placed by hand, of TensorFlow
        raise InputError(f"{name} cannot be prepared: {reason(problem)}") from problem


def _index(name: str, data_dir: str | None) -> None:
    """Index an ImageNet data set: sweeps draw its classes, and need all labels before any image."""
    from zsh_jax.data.rows import index_rows
    from zsh_jax.data.tfds_source import open_tfds

    builder = open_tfds(name, data_dir)
    for split, info in builder.info.splits.items():
        if info.num_examples:
            index_rows(builder, split)


def _describe(dataset: Dataset) -> str:
    labels = dataset.labels
    held = labels.sum(axis=0) if labels.ndim == 2 else np.bincount(labels, minlength=len(dataset.class_names))
    splits, counts = np.unique(dataset.source_splits, return_counts=True)
    lines = [
        f"{dataset.name}: {len(dataset.ids):,} samples of {counted_classes(len(dataset.class_names))}",
        "splits: " + ", ".join(f"{split} {count:,}" for split, count in zip(splits, counts, strict=True)),
        f"samples a class: {held.min():,} to {held.max():,}",
    ]
    if labels.ndim == 2:
        per_sample = labels.sum(axis=1)
        lines.append(
            f"labels a sample: {per_sample.mean():.2f} on average, {np.count_nonzero(per_sample == 0):,} have none"
        )
    if dataset.given is not None:
        roles = zip(dataset.given._fields[1:], dataset.given[1:], strict=True)
        numbers = [f"{role.replace('_', ' ')} {np.count_nonzero(marks):,}" for role, marks in roles]
        lines.append("roles: " + ", ".join(numbers))
    if dataset.features is not None:
        lines.append(f"features: {dataset.features.shape[1]} values")
    return "\n".join(lines)


def _features(options: argparse.Namespace) -> str:
    from zsh_jax.features.extract import extract, is_extracted
    from zsh_jax.features.extractors import feature_extractors

    source = {"weights": options.weights, "download": options.download}
    # Find errors before anything slow starts.
    feature_extractors(options.features, batch_size=options.batch_size, **source)
    cache = options.cache or default_cache()
    dataset = load_dataset(_source(options), features=False)
    if dataset.images is None:
        raise InputError(f"{dataset.name} has no images to extract features from; fix: use its own features")
    there = is_extracted(dataset, options.features, cache=cache, version=dataset.version, **source)
    made = extract(
        dataset,
        options.features,
        cache=cache,
        batch_size=options.batch_size,
        version=dataset.version,
        **source,
    )
    state = "already cached" if there else "extracted"
    return f"features {options.features} of {dataset.name}, {made.shape[0]:,} x {made.shape[1]}, {state}, in {cache}"
