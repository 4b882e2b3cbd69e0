"""Find the files of a data set: a file, a list of files, a pattern, or a folder; recognise the parts of a split."""

import glob
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from zsh_jax.data.feature_files.parts import IDS, LABELS
from zsh_jax.data.reading import written
from zsh_jax.errors import InputError

Places = str | Path | Sequence[str | Path]
FOLDER_KINDS = (".npz", ".parquet", ".npy", ".mat", ".arrow")
PART = re.compile(
    r"(?P<split>.*?)(?:[-_.]?(?P<word>part|shard|chunk)[-_.]?|[-_.])(?P<number>\d+)(?:-of-(?P<count>\d+))?"
)


class File(NamedTuple):
    """A file, and the split to which its samples belong."""

    path: Path
    split: str


def find_files(place: Places) -> list[File]:
    """Find the files of a data set, and what split each is of.

    Files whose names differ only in a number at the end (`train-2.npz`, `train-10.npz`,
    `train-00000-of-00004.parquet`) are parts of one split, in the order of these numbers. A file that has no such
    fellow is a split of its own, with its whole name.

    Args:
        place: a file; a pattern such as `features-*.npz`; a folder, whose files of one kind are taken; or a list of
            files and patterns, in this order.

    Returns:
        One or more files, each once.

    Raises:
        InputError: nothing is found, a file is given twice, a folder has files of several kinds, or a part of a number
            of parts is missing.
    """
    listed = isinstance(place, Sequence) and not isinstance(place, str)
    places: Iterable[str | Path] = place if listed else [place]  # type: ignore[list-item, assignment]
    found = [path for one in places for path in _expanded(written(one), listed=listed)]
    if not found:
        raise InputError("dataset.path lists no file; fix: give one or more files of features")
    known: set[Path] = set()
    for path in found:
        whole = path.resolve()
        if whole in known:
            raise InputError(f"dataset.path: {path} is given twice; fix: give each file once")
        known.add(whole)
    if found == [written(one) for one in places] and not listed:
        return [File(found[0], found[0].stem)]
    splits = split_names([path.stem for path in found])
    files = [File(path, split) for path, split in zip(found, splits, strict=True)]
    if not listed:
        _check_counts(files)
    return files


def split_names(stems: Sequence[str]) -> list[str]:
    """The split of each file by its name: without the number of a part, if other parts have the same name.

    Args:
        stems: names of files without their endings.

    Returns:
        As many names.
    """
    parts = [PART.fullmatch(stem) for stem in stems]
    names = [match["split"] or match["word"] if match else None for match in parts]
    return [
        name if name and match and (match["count"] or names.count(name) > 1) else stem
        for stem, name, match in zip(stems, names, parts, strict=True)
    ]


def natural_order(path: Path) -> list[tuple[int, int | str]]:
    """A key that sorts part 2 before part 10."""
    words = re.split(r"(\d+)", str(path))
    return [(0, int(word)) if word.isdecimal() else (1, word) for word in words]


def is_pattern(place: object) -> bool:
    """Whether a path is a pattern of files."""
    return bool(re.search(r"[*?[]", str(place)))


def _expanded(place: Path, *, listed: bool) -> list[Path]:
    if place.is_dir():
        if listed:
            raise InputError(f"dataset.path: {place} in the list is a folder; fix: give files or patterns")
        return _of_folder(place)
    if not is_pattern(place) or place.exists():
        return [place]
    found = [Path(path) for path in glob.glob(str(place), recursive=True)]
    files = _features_only([path for path in found if path.is_file()])
    if not files:
        raise InputError(f"dataset.path: no file matches {place}; fix: correct the pattern")
    return files


def _of_folder(folder: Path) -> list[Path]:
    kinds = {kind: _features_only(folder.glob(f"*{kind}")) for kind in FOLDER_KINDS}
    kinds = {kind: files for kind, files in kinds.items() if files}
    if not kinds:
        raise InputError(
            f"dataset.path: {folder} holds no {', '.join(FOLDER_KINDS[:-1])} or {FOLDER_KINDS[-1]} file; fix: give a "
            "file of features or a folder of them"
        )
    if {".npz", ".parquet"} <= set(kinds):
        raise InputError(
            f"dataset.path: {folder} holds .npz and .parquet files; fix: give a pattern, such as {folder}/*.npz"
        )
    return next(iter(kinds.values()))


def _features_only(paths: Iterable[Path]) -> list[Path]:
    """Files in natural order without the `.npy` files of labels and identifiers that stand beside them."""
    files = sorted(paths, key=natural_order)
    there = set(files)

    def is_companion(path: Path) -> bool:
        if path.suffix.lower() != ".npy":
            return False
        owner = path.with_name(f"{path.stem.rpartition('.')[0]}{path.suffix}")
        return owner in there or path.stem in (*LABELS, *IDS)

    return [path for path in files if not is_companion(path)]


def _check_counts(files: Sequence[File]) -> None:
    """Check that splits in a stated number of parts have them all."""
    numbers: dict[tuple[Path, str, int], set[int]] = {}
    for path, split in files:
        match = PART.fullmatch(path.stem)
        if match and match["count"]:
            key = (path.parent, split, int(match["count"]))
            numbers.setdefault(key, set()).add(int(match["number"]))
    for (folder, split, count), there in numbers.items():
        wanted = set(range(1, count + 1) if 0 not in there else range(count))
        if there != wanted:
            missing = sorted(wanted - there)
            what = f"lacks part {missing[0]}" if missing else f"has part {max(there)}"
            raise InputError(
                f"dataset.path: {folder / split} {what} of {count}; fix: fetch all parts, or give a list of files"
            )
