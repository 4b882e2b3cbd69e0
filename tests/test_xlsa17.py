"""AwA2, CUB, SUN and aPY from small files in the layout of xlsa17, beside SciPy's reader."""

import numpy as np
import pytest
from scipy.io import loadmat
from xlsa17_files import PLAIN, SAMPLES, UNSEEN, contents, write

from zsh_jax.data.catalogue import PROTOCOLS
from zsh_jax.data.registry import load_dataset
from zsh_jax.data.seen_queries import draw_seen_queries
from zsh_jax.data.spec import Source
from zsh_jax.data.split import split_dataset
from zsh_jax.data.xlsa17 import SETS, load_xlsa17
from zsh_jax.errors import InputError
from zsh_jax.inputs.fingerprint import id_order, split_checksum
from zsh_jax.inputs.settings import input_settings
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.layout import describe, lay_out
from zsh_jax.sweep.splits import split_of
from zsh_jax.sweep.tuning import validation_config

CHECKSUMS = {
    "awa2": "77aed7a2b0e336ac",
    "cub": "f41a3ac3de1bd1bd",
    "sun": "76a612332491d204",
    "apy": "5780b1868362481d",
}


@pytest.fixture(params=SETS)
def name(request):
    return request.param


@pytest.fixture
def folder(tmp_path, name):
    write(tmp_path / "data" / SETS[name].folder, SETS[name].folder)
    return tmp_path


def _loaded(folder, name):
    return load_dataset(Source(name, path=str(folder)))


def test_arrays_are_those_that_scipy_reads_one_sample_a_row(folder, name):
    dataset, place = _loaded(folder, name), folder / "data" / SETS[name].folder
    features, splits = loadmat(place / "res101.mat"), loadmat(place / "att_splits.mat")
    np.testing.assert_array_equal(dataset.features, features["features"].T.astype(np.float32))
    np.testing.assert_array_equal(dataset.labels, features["labels"].ravel() - 1)
    np.testing.assert_array_equal(dataset.attributes, splits["att"].T.astype(np.float32))
    for marks, locations in (
        (dataset.given.training, "trainval_loc"),
        (dataset.given.queries, "test_unseen_loc"),
        (dataset.given.seen_queries, "test_seen_loc"),
    ):
        assert set(np.flatnonzero(marks) + 1) == set(splits[locations].ravel().tolist())


def test_names_are_words_and_ids_tell_samples_apart(folder, name):
    dataset = _loaded(folder, name)
    assert dataset.class_names == PLAIN[SETS[name].folder]
    assert len(set(dataset.ids.tolist())) == SAMPLES
    assert dataset.ids[1] == "JPEGImages/2008_000000.jpg#2" if name == "apy" else "/" in dataset.ids[1]


def test_the_folder_itself_will_do_and_features_may_come_from_elsewhere(folder, name):
    inner = load_xlsa17(folder / "data" / SETS[name].folder, name, features=False)
    assert inner.features is None
    np.testing.assert_array_equal(inner.labels, _loaded(folder, name).labels)


def test_the_protocol_trains_on_trainval_and_asks_with_unseen_images(folder, name):
    dataset = _loaded(folder, name)
    training = int(dataset.given.training.sum())
    unseen = "+".join(dataset.class_names[number] for number in UNSEEN)
    for seed in range(3):
        split = split_dataset(dataset, unseen, training_samples=training, queries=6, seed=seed)
        np.testing.assert_array_equal(split.training, np.flatnonzero(dataset.given.training))
        assert dataset.given.queries[split.queries].all()
        assert split.query_classes.tolist() == list(UNSEEN)
        both = np.concatenate([split.queries, split.database])
        np.testing.assert_array_equal(np.sort(both), np.arange(SAMPLES))  # the database is all others
        seen = draw_seen_queries(dataset, split, unseen, count=6, seed=seed)
        np.testing.assert_array_equal(seen, np.flatnonzero(dataset.given.seen_queries))


def test_validation_classes_see_training_samples_alone(folder, name):
    dataset = _loaded(folder, name)
    unseen = "+".join(dataset.class_names[number] for number in UNSEEN)
    split = split_dataset(dataset, unseen, training_samples=12, queries=3, seed=0, validation=1)
    assert set(split.query_classes) < {0, 2, 3}
    assert set(dataset.labels[split.queries]) <= set(split.query_classes.tolist())
    assert not set(dataset.labels[split.training]) & set(split.query_classes.tolist())
    taking_part = np.concatenate([split.training, split.queries, split.database])
    assert dataset.given.training[taking_part].all()


def _config(folder, name, **axes):
    config = for_dataset(name)
    config.dataset.path = str(folder)
    small = {"queries": (6,), "anchors": (10,), "neighbours": (3,), "seed": (0,), "method": ("lsh",)}
    config.sweep.update(small | axes)
    return config


def test_a_sweep_takes_all_of_trainval_and_the_checksum_of_its_split_is_known(folder, name):
    plan, inputs = lay_out(_config(folder, name))
    (split,) = {split for group in plan.groups for split in group.splits}
    assert split.training_samples == int(inputs.dataset.given.training.sum())
    assert split.unseen == "+".join(PLAIN[SETS[name].folder][number] for number in UNSEEN)
    assert inputs.checksums == {split: CHECKSUMS[name]}
    assert CHECKSUMS[name] in describe(plan, inputs, lambda cell: False, name="a", workdir="b")


def test_the_checksum_is_of_names_and_roles_not_of_their_order(tmp_path):
    write(tmp_path)
    plan, inputs = lay_out(_config(tmp_path, "awa2"))
    dataset, split = inputs.dataset, split_of(inputs, plan.groups[0].splits[0])
    order = np.random.default_rng(0).permutation(SAMPLES)
    shuffled = dataset._replace(ids=dataset.ids[order], labels=dataset.labels[order])
    places = np.argsort(order)
    moved = split._replace(
        **{role: places[getattr(split, role)] for role in ("training", "queries", "database")}
    )
    expected = split_checksum(id_order(dataset), split)
    assert split_checksum(id_order(shuffled), moved) == expected
    swapped = split._replace(queries=np.append(split.queries[1:], split.training[0]))
    assert split_checksum(id_order(dataset), swapped) != expected
    renamed = dataset._replace(ids=np.array([*dataset.ids[:-1], "another"]))
    assert split_checksum(id_order(renamed), split) != expected


def test_settings_that_the_files_decide_are_refused(tmp_path):
    write(tmp_path)
    for key, said in (
        ("classes", "dataset.classes: 3 contradicts"),
        ("held_out", "dataset.held_out: 3 contradicts"),
    ):
        config = _config(tmp_path, "awa2")
        config.dataset[key] = 3
        with pytest.raises(InputError, match=said):
            lay_out(config)
    with pytest.raises(InputError, match=r"'beaver' is unseen, but 6 training samples of .*att_splits\.mat"):
        lay_out(_config(tmp_path, "awa2", unseen=("beaver",)))
    with pytest.raises(InputError, match="16 queries have no class that is in training"):
        lay_out(_config(tmp_path, "awa2", unseen=("none",)))


def test_an_auxiliary_data_set_contradicts_stated_roles(tmp_path):
    write(tmp_path)
    config = _config(tmp_path, "awa2")
    config.auxiliary.dataset.name, config.auxiliary.dataset.path = "cub", str(tmp_path / "cub")
    write(tmp_path / "cub", "CUB")
    with pytest.raises(
        InputError, match=r"auxiliary\.dataset: it contradicts the roles of images that cub states"
    ):
        lay_out(config)


def test_tuning_takes_training_samples_alone_and_all_that_any_draw_leaves(tmp_path):
    write(tmp_path)
    config = _config(tmp_path, "awa2", queries=(3,), method=("zsh",))
    config.variants.a = {"method": ("zsh",)}
    config.tuning.axes.a = {"zsh": {"alpha": (1e-5, 1.0)}}
    config.tuning.validation, config.tuning.bits = 1, (8,)
    plan, inputs = lay_out(config)
    assert {split.training_samples for group in plan.groups for split in group.splits} == {18}
    tried, found = lay_out(validation_config(config))
    (split,) = {split for group in tried.groups for split in group.splits}
    assert (split.validation, split.training_samples) == (1, 12)
    drawn = split_of(found, split)
    assert inputs.dataset.given.training[[*drawn.training, *drawn.queries, *drawn.database]].all()


def test_one_of_the_unseen_classes_may_be_asked_for_alone(tmp_path):
    write(tmp_path)
    plan, inputs = lay_out(_config(tmp_path, "awa2", unseen=("dalmatian",)))
    split = split_of(inputs, plan.groups[0].splits[0])
    assert set(inputs.dataset.labels[split.queries]) == {4}
    assert not set(inputs.dataset.labels[split.training]) & set(UNSEEN)


FEATURES, SPLITS, LABELS = contents()


def _swapped(name):
    """Class names in another order than the labels."""
    cells = SPLITS[name].copy()
    cells[[0, 1]] = cells[[1, 0]]
    return cells


@pytest.mark.parametrize(
    ("features", "splits", "said"),
    [
        ({}, {"test_seen_loc": None}, r"att_splits\.mat has no array test_seen_loc; it has .*att"),
        ({"labels": None}, {}, r"res101\.mat has no array labels"),
        ({"features": None}, {}, r"res101\.mat has no array features"),
        ({"features": FEATURES["features"][:, :-1]}, {}, r"features must be \(d, 40\) numbers"),
        ({"features": np.where(FEATURES["features"] > 2, np.nan, FEATURES["features"])}, {}, "are not finite"),
        ({"labels": FEATURES["labels"] + 1}, {}, r"8 of 40 labels are out of range .* names classes 1 to 5"),
        ({"labels": FEATURES["labels"] + 0.5}, {}, "labels has numbers that are not whole"),
        ({"image_files": FEATURES["image_files"][:-1]}, {}, "image_files has 39 entries, but there are 40 labels"),
        ({}, {"allclasses_names": SPLITS["allclasses_names"][:-1]}, "has 4 names, but att has 5 columns"),
        ({}, {"allclasses_names": _swapped("allclasses_names")}, r"image .* has label \d, which att_splits\.mat calls"),
        ({}, {"test_unseen_loc": np.array([[0], [3]])}, "test_unseen_loc has location 0, but .* samples 1 to 40"),
        ({}, {"trainval_loc": np.array([[41.0]])}, r"trainval_loc has location 41"),
        ({}, {"trainval_loc": SPLITS["trainval_loc"][[0, 0, 1]]}, "trainval_loc repeats location"),
        ({}, {"test_seen_loc": SPLITS["trainval_loc"][:2]}, "2 samples are in both trainval_loc and test_seen_loc"),
        (
            {},
            {"trainval_loc": np.append(SPLITS["trainval_loc"], SPLITS["test_unseen_loc"][0])[:, None],
             "test_unseen_loc": SPLITS["test_unseen_loc"][1:]},
            "test_unseen_loc has a sample of class .*, which trainval_loc has too",
        ),
        ({}, {"att": SPLITS["att"][0, 0]}, "allclasses_names has 5 names, but att has 1 columns"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_in_one_line(tmp_path, features, splits, said):
    write(tmp_path, features=features, splits=splits)
    with pytest.raises(InputError, match=said) as caught:
        load_xlsa17(tmp_path, "awa2")
    assert "\n" not in str(caught.value)
    assert "; fix: " in str(caught.value)


def test_a_set_that_the_archive_lacks_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no 'awa2/2'; fix: use awa2, cub, sun, apy"):
        load_dataset(Source("awa2/2", path=str(tmp_path)))


def test_a_cut_or_missing_file_is_named(tmp_path):
    write(tmp_path)
    file = tmp_path / "res101.mat"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"res101\.mat is truncated"):
        load_xlsa17(tmp_path, "awa2")
    file.unlink()
    with pytest.raises(InputError, match=r"res101\.mat is missing"):
        load_xlsa17(tmp_path, "awa2")
    (tmp_path / "att_splits.mat").unlink()
    with pytest.raises(
        InputError, match=r"holds neither res101\.mat nor att_splits\.mat; fix: give the folder"
    ):
        load_xlsa17(tmp_path, "awa2")


def test_every_protocol_reads_its_attributes_and_all_training_samples():
    for name in SETS:
        protocol = PROTOCOLS[name]
        assert (protocol.features, protocol.semantics, protocol.training_samples) == (
            "source",
            "attributes",
            0,
        )
        assert 5000 in protocol.cutoffs
        assert input_settings(for_dataset(name)).parts[0].source.name == name
