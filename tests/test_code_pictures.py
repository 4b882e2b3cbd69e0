"""Pictures of codes: maps against scikit-learn, shares against every order of ties, and the file that holds them."""

import itertools

import numpy as np
import pytest
from report_sweeps import identity, write_sweep
from sklearn.decomposition import PCA

from zsh_jax.data.dataset import Dataset
from zsh_jax.data.split import Split
from zsh_jax.errors import InputError
from zsh_jax.report import code_tsne
from zsh_jax.report.code_figures import OTHER, OTHERS, confused
from zsh_jax.report.code_map import code_map
from zsh_jax.report.code_pictures import (
    CODES,
    CodePictures,
    code_picture,
    load_code_pictures,
    save_code_pictures,
)
from zsh_jax.report.code_tsne import tsne_map
from zsh_jax.report.contents import contents
from zsh_jax.report.neighbour_classes import class_shares
from zsh_jax.report.read import read_sweeps


def _codes(number, bits, seed=0):
    signs = np.random.default_rng(seed).random((number, bits)) < 0.4
    return signs, np.packbits(signs, axis=1)


@pytest.mark.parametrize("bits", [1, 5, 12])
def test_the_map_is_that_of_scikit_learn(bits):
    signs, packed = _codes(60, bits)
    classes = np.arange(60) % 3
    found = code_map(packed, classes, bits)
    directions = min(2, bits)
    fitted = PCA(directions).fit(2.0 * signs - 1)
    expected = fitted.transform(2.0 * signs - 1)
    np.testing.assert_allclose(found.explained[:directions], fitted.explained_variance_ratio_, atol=1e-12)
    assert found.counts.sum() == 60
    # A direction may point either way: compare distances between points, each as often as it was found.
    whole = np.repeat(found.points, found.counts, axis=0)[:, :directions]
    kinds = np.repeat(found.classes, found.counts)
    for kind in range(3):
        own, other = whole[kinds == kind], expected[classes == kind]
        assert np.sort(np.abs(own), 0) == pytest.approx(np.sort(np.abs(other), 0), abs=1e-9)
    assert not found.points[:, directions:].any()


def test_equal_codes_are_one_point():
    packed = np.zeros((7, 1), np.uint8)
    found = code_map(packed, np.array([0, 0, 0, 1, 1, 1, 1]), 8)
    assert found.classes.tolist() == [0, 1]
    assert found.counts.tolist() == [3, 4]
    assert not found.points.any()
    assert not found.explained.any()


def test_t_sne_puts_codes_beside_those_that_differ_in_few_bits():
    rng = np.random.default_rng(3)
    centres = rng.random((3, 32)) < 0.5
    classes = np.repeat(np.arange(3), 12)
    signs = centres[classes] ^ (rng.random((36, 32)) < 0.05)
    packed = np.packbits(signs, axis=1)
    found = tsne_map(packed, classes, 32)
    again = tsne_map(packed, classes, 32)
    np.testing.assert_array_equal(found.points, again.points)
    assert sorted(np.repeat(found.classes, found.counts)) == classes.tolist()
    between = np.linalg.norm(found.points[:, None] - found.points, axis=2)
    np.fill_diagonal(between, np.inf)
    assert (found.classes[between.argmin(1)] == found.classes).all()
    few = tsne_map(packed[[0, 0, 0, 12]], classes[[0, 0, 0, 12]], 32)
    assert few is None, "of two distinct codes there is no layout"


def test_t_sne_takes_no_more_than_its_limit(monkeypatch):
    monkeypatch.setattr(code_tsne, "MOST", 20)
    _, packed = _codes(60, 16)
    found, every = tsne_map(packed, np.arange(60) % 3, 16), code_map(packed, np.arange(60) % 3, 16)
    assert len(found.counts) == 20 < len(every.counts)
    assert {*found.classes.tolist()} == {0, 1, 2}


def test_without_scikit_learn_it_is_told(monkeypatch):
    monkeypatch.setattr(code_tsne, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"gallery.tsne: scikit-learn is not installed; fix: pip install"):
        code_tsne.check_tsne()


@pytest.mark.parametrize("several", [False, True])
def test_shares_are_means_over_every_order_of_ties(several):
    _, database = _codes(6, 3, seed=1)  # few distances: many ties
    _, queries = _codes(3, 3, seed=2)
    labels = np.array([0, 1, 2, 0, 1, 1])
    if several:
        labels = (labels[:, None] == np.arange(3)) | (np.arange(6)[:, None] == np.arange(3))
    has = labels if several else labels[:, None] == np.arange(3)
    of = np.array([[True, False], [True, False], [False, several]])
    nearest = 4
    found = class_shares(queries, of, database, labels, classes=3, nearest=nearest)
    distances = np.unpackbits(queries[:, None] ^ database[None], axis=2).sum(2)
    expected = np.zeros((3, 3))
    for query in range(3):
        orders = [
            order
            for order in itertools.permutations(range(6))
            if (np.diff(distances[query][list(order)].astype(int)) >= 0).all()
        ]
        expected[query] = np.mean([has[list(order[:nearest])].mean(0) for order in orders], axis=0)
    np.testing.assert_allclose(found[0], expected[:2].mean(0), atol=1e-12)
    if several:
        np.testing.assert_allclose(found[1], expected[2], atol=1e-12)
    else:
        assert np.isnan(found[1]).all()


def _pictures():
    labels = np.tile(np.arange(12), 30)
    ids = np.arange(360).astype(str)
    names = tuple(f"class {number} <{number}>" for number in range(12))
    dataset = Dataset("shapes", ids, np.full(360, "train"), labels, names)
    found = []
    for method, unseen in itertools.product(("zsh, 16 bits", "itq/16"), ((1, 2), (7,))):
        is_query = np.isin(labels, unseen) & (np.arange(360) < 120)
        rows = [
            np.flatnonzero(part).astype(np.int32) for part in (~np.isin(labels, unseen), is_query, ~is_query)
        ]
        _, codes = _codes(360, 16, seed=len(found))
        split = Split(*rows, np.array(unseen, np.int32))
        found.append(code_picture(method, codes, 16, dataset, split))
    few = np.arange(0, 360, 5)  # t-SNE of a few codes takes a moment
    tsne = tsne_map(codes[few], labels[few], 16)
    found[0] = found[0]._replace(tsne=tsne)  # one with such a map, the others without
    return CodePictures("shapes", names, tuple(found))


@pytest.fixture(scope="module")
def pictures():
    return _pictures()


def test_rare_classes_are_added_up_and_rows_come_first(pictures):
    shares, rows, columns = confused(pictures.pictures[:2], pictures.names)
    assert rows == columns[:3] == [pictures.names[number] for number in (1, 2, 7)]
    assert len(columns) == 3 + OTHERS + 1
    assert columns[-1] == OTHER
    np.testing.assert_allclose(shares.sum(1), 1)
    for line, (one, place) in zip(shares, ((0, 0), (0, 1), (1, 0)), strict=True):
        whole = dict(zip(pictures.names, pictures.pictures[one].shares[place], strict=True))
        assert line[:-1].tolist() == [whole[name] for name in columns[:-1]]


def test_the_map_has_unseen_classes_and_those_they_are_confused_with(pictures):
    for one in pictures.pictures:
        drawn = set(one.mapped.classes.tolist())
        assert set(one.unseen.tolist()) <= drawn
        seen = [number for number in range(12) if number not in one.unseen]
        most = sorted(seen, key=lambda number: -one.shares[:, number].mean())[:4]
        assert drawn - set(one.unseen.tolist()) == set(most)


def test_a_report_shows_them_and_does_without_a_damaged_file(pictures, tmp_path):
    write_sweep(tmp_path, [identity(seed=seed) for seed in (0, 1)])
    path = tmp_path / CODES
    save_code_pictures(path, pictures)
    loaded = load_code_pictures(path)
    for one, other in zip(loaded.pictures, pictures.pictures, strict=True):
        assert (one.method, one.unseen.tolist()) == (other.method, other.unseen.tolist())
        assert (one.tsne is None) == (other.tsne is None)
        parts, befores = (
            (*each.mapped, each.shares, *(each.tsne if each.tsne is not None else ()))
            for each in (one, other)
        )
        for part, before in zip(parts, befores, strict=True):
            np.testing.assert_array_equal(part, before)
    sweeps = read_sweeps([tmp_path])
    (part,) = contents(sweeps)
    drawn = {figure.name for figure in part.figures}
    assert {name for name in drawn if "tsne" in name} == {"code_tsne_zsh-16-bits"}
    assert {"code_map_zsh-16-bits", "confusion_zsh-16-bits", "code_map_itq-16", "confusion_itq-16"} <= drawn
    content = path.read_bytes()
    arrays = dict(np.load(path))
    for damaged in (
        b"",
        content[: len(content) // 2],
        arrays | {"classes_0": arrays["classes_0"] + 99},
        arrays | {"shares_1": arrays["shares_1"][:, :3]},
        arrays | {"counts_2": arrays["counts_2"].astype(str)},
        {name: array for name, array in arrays.items() if name != "points_3"},
        arrays | {"names": np.array(3)},
        arrays | {"tsne_classes_0": arrays["tsne_classes_0"] + 99},
        {name: array for name, array in arrays.items() if name != "tsne_counts_0"},
        arrays | {"classes_1": np.array(3)},
    ):
        if isinstance(damaged, bytes):
            path.write_bytes(damaged)
        else:
            np.savez(path, **damaged)
        sweeps = read_sweeps([tmp_path])
        assert len(sweeps.rows) == 2
        assert not sweeps.codes
        (line,) = sweeps.damaged
        assert line.startswith("pictures of codes skipped: ")
        assert str(path) in line
