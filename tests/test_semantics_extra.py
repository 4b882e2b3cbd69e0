"""Class vectors from attribute files in their shipped layouts, options of word vectors, and a sentence encoder."""

import sys
import types

import numpy as np
import pytest
from scipy.io import savemat

from zsh_jax.data.semantics.attribute_files import attribute_file_vectors
from zsh_jax.data.semantics.sentences import sentence_vectors
from zsh_jax.data.semantics.words import word_vectors
from zsh_jax.errors import InputError


def _unit(rows):
    rows = np.asarray(rows, float)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def _cell(strings):
    cells = np.empty((len(strings), 1), object)
    cells[:, 0] = strings
    return cells


@pytest.fixture
def awa(tmp_path):
    (tmp_path / "predicate-matrix-continuous.txt").write_text(
        "  -1.00    -1.00  12.34\n  39.25     1.39   0.00\n  83.40    64.79   0.00\n"
    )
    (tmp_path / "classes.txt").write_text("      1\tantelope\n      2\tgrizzly+bear\n      3\tkiller+whale\n")
    (tmp_path / "predicates.txt").write_text("      1\tblack\n      2\twhite\n      3\tblue\n")
    return tmp_path


def test_animals_with_attributes(awa):
    unknown = [(39.25 + 83.40) / 2, (1.39 + 64.79) / 2, 12.34]
    expected = _unit([[83.40, 64.79, 0], unknown])
    for path in (awa, awa / "predicate-matrix-continuous.txt"):
        rows = attribute_file_vectors(path, ("killer whale", "antelope"))
        assert rows.dtype == np.float32
        np.testing.assert_allclose(rows, expected, rtol=1e-6)


def test_birds(tmp_path):
    (tmp_path / "attributes").mkdir()
    (tmp_path / "attributes" / "class_attribute_labels_continuous.txt").write_text("0 30 40\n5 12 0\n")
    (tmp_path / "classes.txt").write_text("1 001.Black_footed_Albatross\n2 002.Laysan_Albatross\n")
    names = ("002.Laysan_Albatross", "Black-footed albatross")
    rows = attribute_file_vectors(tmp_path, names)
    np.testing.assert_allclose(rows, [[5 / 13, 12 / 13, 0], [0, 0.6, 0.8]], rtol=1e-6)


def test_scenes_are_the_means_of_their_images(tmp_path):
    images = ["a/abbey/sun_1.jpg", "a/apse/indoor/sun_2.jpg", "a/abbey/sun_3.jpg"]
    savemat(tmp_path / "images.mat", {"images": _cell(images)})
    savemat(tmp_path / "attributeLabels_continuous.mat", {"labels_cv": [[1.0, 0], [0, 2 / 3], [0.0, 1]]})
    rows = attribute_file_vectors(tmp_path, ("apse_indoor", "abbey"))
    np.testing.assert_allclose(rows, [[0, 1], [0.5**0.5, 0.5**0.5]], rtol=1e-6)
    (tmp_path / "images.mat").unlink()
    with pytest.raises(InputError, match=r"images\.mat is missing"):
        attribute_file_vectors(tmp_path, ("abbey",))


def test_attributes_of_the_good_the_bad_and_the_ugly(tmp_path):
    path = tmp_path / "att_splits.mat"
    savemat(path, {"att": [[3.0, 0], [4, 2]], "allclasses_names": _cell(["antelope", "grizzly+bear"])})
    np.testing.assert_allclose(
        attribute_file_vectors(path, ("grizzly bear", "antelope")), [[0, 1], [0.6, 0.8]]
    )
    savemat(path, {"features": np.eye(2)})
    with pytest.raises(InputError, match="lacks att; it has features"):
        attribute_file_vectors(path, ("antelope",))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "class,fur,size\nhot_dog,3,4\ncat,0,1\n"),
        ("t.csv", "hot dog, 3, 4\ncat, 0, 1\n"),
        ("t.csv", '"hot-dog",3,4\nCat,0,1\n'),
        ("t.txt", "hot_dog 3 4\ncat 0 1\n"),
        ("t.txt", "3 4\n0 1\n"),
        ("t.csv", "fur,size\n3,4\n0,1\n"),
    ],
)
def test_plain_tables(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    rows = attribute_file_vectors(tmp_path / name, ("hot dog", "cat"))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 1]], rtol=1e-6)


def test_a_table_without_names_goes_by_the_list_beside_it(tmp_path):
    np.save(tmp_path / "t.npy", np.array([[3, 4], [0, 1]], np.int16))
    np.testing.assert_allclose(attribute_file_vectors(tmp_path / "t.npy", ("b", "a")), [[0.6, 0.8], [0, 1]])
    (tmp_path / "classes.txt").write_text("a\nb\n")
    np.testing.assert_allclose(attribute_file_vectors(tmp_path / "t.npy", ("b", "a")), [[0, 1], [0.6, 0.8]])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", "cat,1,2\ndog,1\n", "row 2 has 1 values, of which 1 are numbers, and the first has 2"),
        ("t.csv", "cat,1,2\ndog,1,big\n", "row 2 has 2 values, of which 1 are numbers"),
        ("t.csv", "cat,1,2\ndog,1,nan\n", r"1 of 2 rows are not finite \(first: row 2\)"),
        ("t.csv", "cat,1,2\ndoge,1,1\n", r"no attributes for 1 of 2 classes \(dog; nearest: doge\)"),
        ("t.csv", "", "holds no attributes"),
        ("t.csv", "cat,1,2\ndog,0,0\n", "zero"),
        ("t.txt", "1 2\n", "has 1 rows and no names, but there are 2 classes"),
        ("t.txt", b"\xff\xfe\x00", "byte 2 is not UTF-16-LE"),
        ("t.npy", b"no array", r"t\.npy "),
        ("t.mat", b"no matlab", r"t\.mat is truncated or not a \.mat file"),
        ("t.pkl", b"", r"is not a folder that holds .*AwA"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError, match=said) as caught:
        attribute_file_vectors(tmp_path / name, ("cat", "dog"))
    assert "\n" not in str(caught.value)


def test_missing_files_and_other_folders_are_named(tmp_path, awa):
    with pytest.raises(InputError, match=r"there is no .*none"):
        attribute_file_vectors(tmp_path / "none", ("cat",))
    (awa / "classes.txt").write_text("1\tantelope\n")
    with pytest.raises(InputError, match="has 3 rows, but its names list 1 classes"):
        attribute_file_vectors(awa, ("antelope",))
    (awa / "predicate-matrix-continuous.txt").unlink()
    with pytest.raises(InputError, match="is not a folder that holds"):
        attribute_file_vectors(awa, ("antelope",))


def test_objects_in_a_table_are_never_unpickled(tmp_path):
    np.save(tmp_path / "t.npy", np.array([{}, {}], object), allow_pickle=True)
    with pytest.raises(InputError, match="Python objects"):
        attribute_file_vectors(tmp_path / "t.npy", ("a", "b"))


@pytest.fixture
def frequent_first(tmp_path):
    path = tmp_path / "vectors"
    words = {"the": [1, 0], "Turkey": [3, 4], "apple": [4, 3], "turkey": [0, 1], "hot": [1, 0], "Dog": [0, 1]}
    lines = [f"{word} {' '.join(map(str, row))}\n" for word, row in words.items()]
    path.write_text(f"{len(words)} 2\n{''.join(lines)}")
    return path


def test_a_limit_knows_the_first_words_only(frequent_first):
    np.testing.assert_allclose(word_vectors(frequent_first, ("apple",), limit=3), [[0.8, 0.6]], rtol=1e-6)
    with pytest.raises(InputError, match=r"1 of 2 classes among the first 3 words \(hot\)"):
        word_vectors(frequent_first, ("apple", "hot"), limit=3)
    with pytest.raises(InputError, match="1 or more words; got 0"):
        word_vectors(frequent_first, ("apple",), limit=0)


def test_lower_case_finds_the_bird_and_not_the_country(frequent_first):
    np.testing.assert_allclose(word_vectors(frequent_first, ("Turkey",)), [[0.6, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(word_vectors(frequent_first, ("Turkey",), lower_case=True), [[0, 1]])
    np.testing.assert_allclose(
        word_vectors(frequent_first, ("Hot Turkey",), lower_case=True), [_unit([1, 1])], rtol=1e-6
    )
    with pytest.raises(InputError, match=r"\(Dog\)"):
        word_vectors(frequent_first, ("Dog",), lower_case=True)


@pytest.fixture
def encoder(monkeypatch):
    """A sentence encoder that counts letters, in the place of the library; gives what it was told."""
    told = []

    class Encoder:
        def __init__(self, model, trust_remote_code, local_files_only):
            told.append((model, trust_remote_code, local_files_only))
            if model != "letters":
                raise OSError(f"{model} is not a local folder\nand so on")

        def encode(self, phrases, show_progress_bar):
            return np.array([[phrase.count(letter) for letter in "abcdefgh o"] for phrase in phrases])

    library = types.ModuleType("sentence_transformers")
    library.SentenceTransformer = Encoder
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    return told


def test_phrases_are_embedded_at_unit_length(encoder):
    rows = sentence_vectors(("hot_dog", "feline"), model="letters", prompt="{}", synonyms={"feline": "a cab"})
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows[0], _unit([0, 0, 0, 1, 0, 0, 1, 1, 1, 2]), rtol=1e-6)
    np.testing.assert_allclose(rows[1], _unit([2, 1, 1, 0, 0, 0, 0, 0, 1, 0]), rtol=1e-6)
    photo = sentence_vectors(("dog",), model="letters")
    text = "a photo of a dog"
    np.testing.assert_allclose(photo[0], _unit([text.count(letter) for letter in "abcdefgh o"]), rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model": "none"}, r"semantics\.model: none cannot be loaded \(none is not a local folder\)"),
        ({"model": "letters", "prompt": "a photo"}, "needs one {} where the class name goes"),
        ({"model": "letters", "synonyms": {"cot": "bed"}}, "no class 'cot'; nearest: cat"),
    ],
)
def test_what_cannot_be_embedded_is_said(encoder, settings, said):
    with pytest.raises(InputError, match=said) as caught:
        sentence_vectors(("cat",), **settings)
    assert "\n" not in str(caught.value)


def test_the_hub_is_asked_only_where_that_is_wanted_and_its_code_never_runs(encoder):
    sentence_vectors(("cab",), model="letters")
    sentence_vectors(("cab",), model="letters", download=True)
    assert encoder == [("letters", False, True), ("letters", False, False)]


def test_an_environment_without_the_encoder_is_told_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(InputError, match=r"pip install 'zsh_jax\[sentences\]', or use the bundled minilm"):
        sentence_vectors(("cat",), model="any")
