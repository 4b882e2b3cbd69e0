"""Split files: samples by number or by name, what they may not say, and the sweep that follows them."""

import json

import numpy as np
import pytest
from small_sweeps import NAMES, configured, write_features

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.split import split_dataset
from zsh_jax.data.split_file import read_split_file
from zsh_jax.errors import InputError
from zsh_jax.sweep.layout import lay_out
from zsh_jax.sweep.splits import split_of

LABELS = np.repeat(np.arange(4, dtype=np.int32), 6)
DATASET = Dataset(
    "made-up",
    np.array([f"im {row}.jpg" for row in range(24)]),
    np.repeat(("train", "test"), (16, 8)),
    LABELS,
    ("ant", "bee", "cow", "dog"),
)
TRAINING, QUERY = [0, 1, 2, 6, 7, 8], [12, 13, 18]
DATABASE = [3, 4, 9, 14, 15, 19, 20]
CHECKSUM = "e306bf3252aea681"
"""Of the sweep on six classes, two of them unseen."""
ROLES = {"training": TRAINING, "query": QUERY, "database": DATABASE}


def _names(rows):
    return [str(DATASET.ids[row]) for row in rows]


def _write(path, roles):
    if path.suffix == ".npz":
        np.savez(path, **{role: np.asarray(samples) for role, samples in roles.items()})
    elif path.suffix == ".json":
        path.write_text(json.dumps(roles))
    else:
        path.write_text("".join(f"{role} {one}\n" for role, samples in roles.items() for one in samples))
    return path


@pytest.mark.parametrize("kind", ["npz", "json", "txt"])
@pytest.mark.parametrize("by_name", [False, True])
def test_every_form_says_the_same(tmp_path, kind, by_name):
    roles = {role: _names(rows) if by_name else rows for role, rows in ROLES.items()}
    given = read_split_file(_write(tmp_path / f"split.{kind}", roles), DATASET)
    for marks, rows in zip(given[1:4], ROLES.values(), strict=True):
        assert np.flatnonzero(marks).tolist() == rows
    assert not given.seen_queries.any()
    split = split_dataset(DATASET._replace(given=given), "cow+dog", training_samples=6, queries=3, seed=5)
    assert (split.training.tolist(), split.queries.tolist(), split.database.tolist()) == tuple(ROLES.values())


def test_without_a_database_it_is_all_that_are_not_queries(tmp_path):
    path = _write(tmp_path / "split.json", {"training": TRAINING, "query": QUERY, "seen_query": [3]})
    given = read_split_file(path, DATASET)
    assert np.flatnonzero(~given.database).tolist() == QUERY
    assert np.flatnonzero(given.seen_queries).tolist() == [3]


def test_splits_of_one_identifier_are_told_apart_by_their_names(tmp_path):
    twice = DATASET._replace(ids=np.array([f"{row % 16}" for row in range(24)]))
    names = [f"{twice.source_splits[row]}/{twice.ids[row]}" for row in QUERY]
    path = _write(tmp_path / "split.json", {"training": TRAINING, "query": names})
    assert np.flatnonzero(read_split_file(path, twice).queries).tolist() == QUERY
    path = _write(tmp_path / "other.json", {"training": ["1"], "query": ["12"]})
    with pytest.raises(InputError, match="two of its splits share"):
        read_split_file(path, twice)


def test_numbers_in_a_text_file_are_identifiers_where_there_are_such(tmp_path):
    numbered = DATASET._replace(ids=np.array([f"{100 + row}" for row in range(24)]))
    path = _write(tmp_path / "split.txt", {"training": [100, 101], "query": [112]})
    assert np.flatnonzero(read_split_file(path, numbered).training).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ({"training": TRAINING, "query": [12, 0]}, r"1 queries are training samples too \(im 0\.jpg\)"),
        (
            {"training": TRAINING, "query": QUERY, "database": [12, 13, 9]},
            "2 queries are in the database too",
        ),
        (
            {"training": TRAINING, "query": QUERY, "seen_query": [0]},
            "1 queries of seen classes are training samples",
        ),
        (
            {"training": [0, 0], "query": QUERY},
            r"training: 1 samples are listed more than once \(first: im 0\.jpg\)",
        ),
        (
            {"training": [0, 24], "query": QUERY},
            "training: sample 24 is out of range; made-up has samples 0 to 23",
        ),
        ({"training": [0, -1], "query": QUERY}, "training: sample -1 is out of range"),
        (
            {"training": ["im 0.jpg", "im 99.jpg"], "query": QUERY},
            r"1 of 2 samples are not in made-up.*'im 99\.jpg'",
        ),
        ({"training": TRAINING}, "lists no query"),
        ({"train": TRAINING, "query": QUERY}, "there is no role 'train'; nearest: training"),
    ],
)
@pytest.mark.parametrize("kind", ["npz", "json"])
def test_what_is_wrong_is_named_in_one_line(tmp_path, kind, roles, said):
    with pytest.raises(InputError, match=said) as caught:
        read_split_file(_write(tmp_path / f"split.{kind}", roles), DATASET)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("split.json", b"[1, 2]", "is not an object of lists"),
        ("split.json", b'{"training": [1.5], "query": [2]}', "must be a list of names or of whole numbers"),
        ("split.json", b'{"training": [true], "query": [2]}', "must be a list of names or of whole numbers"),
        (
            "split.json",
            b'{"training": [1, "a"], "query": [2]}',
            "must be a list of names or of whole numbers",
        ),
        ("split.json", b'{"training": [99999999999999999999], "query": [2]}', "numbers that are too large"),
        ("split.json", b'{"training": [1', "is not JSON"),
        ("split.json", b"[" * 100_000, "is not JSON"),
        ("split.txt", b"training 1\nsomething 2\n", "line 2: 'something 2' is not a role"),
        ("split.txt", b"training\n", "line 1: 'training' is not a role"),
        ("split.txt", b"training 99999999999999999999\nquery 1\n", "is out of range"),
        ("split.npz", b"nothing", "is truncated or not an .npz file"),
        ("split.csv", b"", r"is not one of \.npz, \.json, \.txt"),
        ("absent.npz", None, "split.path: there is no file"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_split_file(tmp_path / name, DATASET)
    assert "\n" not in str(caught.value)


def test_objects_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "split.npz", training=np.array([{}], object), query=np.array([1]))
    with pytest.raises(InputError, match="never unpickled"):
        read_split_file(tmp_path / "split.npz", DATASET)


def _files(tmp_path, *, unseen=(4, 5), leak=False, mixed=False):
    """Features of six classes, and a split file with two of them unseen."""
    path = write_features(tmp_path / "features.npz")
    labels = np.repeat(np.arange(len(NAMES)), 30)
    hidden = np.isin(labels, unseen)
    queries = np.flatnonzero(hidden)[::3]
    training = np.flatnonzero(~hidden)[::2]
    if leak:
        training = np.append(training, np.setdiff1d(np.flatnonzero(hidden), queries)[:1])
    if mixed:
        queries = np.append(queries, np.setdiff1d(np.flatnonzero(~hidden), training)[:4])
    return path, _write(tmp_path / "split.npz", {"training": training, "query": queries}), training, queries


def _config(tmp_path, path, split, **changes):
    settings = {"split__path": split, "sweep__training_samples": 0, "sweep__queries": 0}
    return configured(path, tmp_path / "out", **settings | {"sweep__unseen": "('held-out',)"} | changes)


def test_a_sweep_uses_the_split_as_it_is_and_finds_its_unseen_classes(tmp_path):
    path, file, training, queries = _files(tmp_path)
    plan, inputs = lay_out(_config(tmp_path, path, file, sweep__seed="(0, 1)"))
    for split in plan.groups[0].splits:
        assert (split.unseen, split.training_samples, split.queries) == ("elk+red fox", 60, 20)
        found = split_of(inputs, split)
        np.testing.assert_array_equal(found.training, training)
        np.testing.assert_array_equal(found.queries, queries)
        np.testing.assert_array_equal(found.database, np.setdiff1d(np.arange(180), queries))
    assert set(inputs.checksums.values()) == {CHECKSUM}
    assert len(set(inputs.fingerprints.splits.values())) == 1
    _, other, *_ = _files(tmp_path, unseen=(3, 5))
    plan, moved = lay_out(_config(tmp_path, path, other))
    assert plan.groups[0].splits[0].unseen == "dog+red fox"
    assert not set(moved.fingerprints.splits.values()) & set(inputs.fingerprints.splits.values())


def test_parts_of_it_are_drawn_where_numbers_ask_for_it(tmp_path):
    path, file, training, queries = _files(tmp_path)
    plan, inputs = lay_out(_config(tmp_path, path, file, sweep__training_samples=30, sweep__queries=5))
    found = split_of(inputs, plan.groups[0].splits[0])
    assert set(found.training) < set(training)
    assert set(found.queries) < set(queries)
    assert not set(found.database) & set(queries)


@pytest.mark.parametrize(
    ("how", "changes", "said"),
    [
        (
            {"leak": True},
            {},
            r"holds out no class, as some queries of .*split\.npz have classes that are in training",
        ),
        ({"mixed": True}, {}, "holds out no class, as some queries"),
        (
            {"leak": True},
            {"sweep__unseen": "('elk+red fox',)"},
            "sweep.unseen: 'elk' is unseen, but 1 training samples of",
        ),
        ({}, {"sweep__unseen": "('none',)"}, "20 queries have no class that is in training"),
        ({}, {"sweep__queries": 21}, "21 queries cannot be drawn from 20"),
        ({}, {"sweep__unseen": "('dog',)"}, "'dog' is unseen, but 15 training samples"),
        ({}, {"dataset__held_out": 2}, "dataset.held_out: 2 contradicts"),
        (
            {},
            {"sweep__validation": "(0, 1)"},
            "sweep.training_samples: 0, for all, means 45 to 60 in this sweep",
        ),
        (
            {},
            {"split__path": None},
            "0 stands for all that a data set or a split file states, and there is neither",
        ),
        (
            {},
            {"auxiliary__dataset__name": "shapes"},
            "split.path: a split file contradicts auxiliary.dataset",
        ),
    ],
)
def test_a_sweep_that_contradicts_its_split_is_refused(tmp_path, how, changes, said):
    path, file, *_ = _files(tmp_path, **how)
    with pytest.raises(InputError, match=said) as caught:
        lay_out(_config(tmp_path, path, file, **changes))
    assert "\n" not in str(caught.value)


def test_a_supervised_split_says_so(tmp_path):
    path = write_features(tmp_path / "features.npz")
    file = _write(tmp_path / "split.json", {"training": [*range(0, 180, 2)], "query": [*range(1, 180, 6)]})
    with pytest.raises(InputError, match=r"--config\.sweep\.unseen=\"\('none',\)\""):
        lay_out(_config(tmp_path, path, file))
    plan, inputs = lay_out(_config(tmp_path, path, file, sweep__unseen="('none',)"))
    found = split_of(inputs, plan.groups[0].splits[0])
    assert (len(found.training), len(found.queries), len(found.database)) == (90, 30, 150)


def test_all_with_validation_classes_is_what_is_left_whichever_are_drawn(tmp_path):
    path, file, training, _ = _files(tmp_path)
    plan, inputs = lay_out(_config(tmp_path, path, file, sweep__validation=2, sweep__seed="(0, 1, 2)"))
    for split in plan.groups[0].splits:
        found = split_of(inputs, split)
        assert (len(found.training), len(found.queries)) == (30, 15)
        everyone = {*found.training, *found.queries, *found.database}
        assert everyone <= set(training.tolist())  # no test sample takes part
