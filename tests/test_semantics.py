"""Class vectors from files of three formats against hand computations, and the targets made of them."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zsh_jax.data.semantics import attribute_vectors, one_hot, semantic_targets, word_vectors
from zsh_jax.errors import InputError

SHARED = Path(__file__).parents[2] / "shared" / "data" / "word_vectors"
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

WORDS = {
    "cat": [3.0, 4.0, 0.0],
    "dog": [0.0, -2.0, 0.0],
    "hot": [0.0, 0.0, 5.0],
    "Paris": [1.0, 2.0, 2.0],
    "Siamese_cat": [0.0, 0.6, 0.8],
    "aquarium_fish": [0.25, 0.0, 0.0],
    "mini-skirt": [2.0, 0.5, 1.0],
    "7": [1.0, 0.0, -1.0],
}


def _binary(words):
    size = len(next(iter(words.values())))
    rows = [word.encode() + b" " + np.array(row, "<f4").tobytes() + b"\n" for word, row in words.items()]
    return f"{len(words)} {size}\n".encode() + b"".join(rows)


def _glove(words):
    return "".join(f"{word} {' '.join(map(repr, row))}\n" for word, row in words.items()).encode()


def _text(words):
    return f"{len(words)} {len(next(iter(words.values())))}\n".encode() + _glove(words)


FORMATS = {"word2vec binary": _binary, "word2vec text": _text, "GloVe text": _glove}


@pytest.fixture(params=FORMATS)
def written(request, tmp_path):
    """A file in each format, its name telling nothing."""
    path = tmp_path / "vectors.dat"
    path.write_bytes(FORMATS[request.param](WORDS))
    return path


def _unit(row):
    row = np.array(row, float)
    return row / np.sqrt((row**2).sum())


def test_rows_are_the_words_at_unit_length_whatever_the_format(written):
    rows = word_vectors(written, ("dog", "cat", "7"))
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, [[0, -1, 0], [0.6, 0.8, 0], [0.5**0.5, 0, -(0.5**0.5)]], atol=1e-7)


def test_the_suffix_is_not_believed_but_for_compression(tmp_path):
    for suffix, write in ((".bin", _text), (".txt", _binary), (".bin", _glove)):
        path = tmp_path / f"misnamed{suffix}"
        path.write_bytes(write(WORDS))
        np.testing.assert_allclose(word_vectors(path, ("cat",)), [[0.6, 0.8, 0]], atol=1e-7)
    packed = tmp_path / "packed.bin.gz"
    packed.write_bytes(gzip.compress(_binary(WORDS)))
    np.testing.assert_allclose(word_vectors(packed, ("cat",)), [[0.6, 0.8, 0]], atol=1e-7)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Cat", [0.6, 0.8, 0]),  # lower case
        ("paris", [1 / 3, 2 / 3, 2 / 3]),  # capitalised
        ("siamese cat", [0, 0.6, 0.8]),  # whole, as Google News writes it, before its words
        ("aquarium fish", [1, 0, 0]),
        ("aquarium_fish", [1, 0, 0]),
        ("mini-skirt", _unit([2, 0.5, 1])),
        # Words of unequal length count the same.
        ("hot dog", _unit([0, -1, 1])),
        ("Hot_Dog", _unit([0, -1, 1])),
        ("cat-dog hot", _unit([0.6, 0.8 - 1, 1])),
    ],
)
def test_names_are_found_whole_or_by_their_words(written, name, expected):
    np.testing.assert_allclose(word_vectors(written, (name,)), [expected], atol=1e-6)


def test_a_synonym_is_looked_up_in_the_place_of_its_class(written):
    names = ("feline", "cat", "striped circle")
    rows = word_vectors(written, names, synonyms={"feline": "cat", "striped circle": "hot dog", "cat": "dog"})
    np.testing.assert_allclose(rows, [[0.6, 0.8, 0], [0, -1, 0], _unit([0, -1, 1])], atol=1e-6)


def test_every_class_without_a_vector_is_listed_with_what_can_be_done(written):
    with pytest.raises(InputError) as caught:
        word_vectors(written, ("cat", "striped circle", "dog", "zebra"))
    said = str(caught.value)
    assert "no vector for 2 of 4 classes (striped circle, zebra)" in said
    assert "--config.semantics.synonyms=\"(('striped circle', 'WORDS'),)\"" in said
    assert "attributes" in said
    assert str(written) in said
    assert "\n" not in said


def test_one_missing_word_of_a_name_is_a_missing_vector(written):
    with pytest.raises(InputError, match=r"1 of 1 classes \(hot zebra\)"):
        word_vectors(written, ("hot zebra",))


def test_opposite_words_have_no_mean(tmp_path):
    path = tmp_path / "opposite"
    path.write_bytes(_glove({"up": [1.0, 2.0], "down": [-2.0, -4.0]}))
    with pytest.raises(InputError, match="no vector for 1 of 1"):
        word_vectors(path, ("up down",))


def test_a_synonym_for_no_class_is_named(written):
    with pytest.raises(InputError, match="no class 'doge'; nearest: dog"):
        word_vectors(written, ("cat", "dog"), synonyms={"doge": "dog"})


@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("kept", [0, 3, 7, 30, 100, 0.5, -40, -12])
def test_no_part_of_a_file_passes_for_the_whole(tmp_path, write, kept):
    """Cut anywhere: an error that names the file, or, where GloVe has no count to go by, the class that is gone."""
    whole = write(WORDS)
    path = tmp_path / "cut.vec"
    path.write_bytes(whole[: int(len(whole) * kept) if kept == 0.5 else kept])
    with pytest.raises(InputError, match=r"cut\.vec"):
        word_vectors(path, tuple(WORDS))


def test_a_row_cut_down_to_one_value_is_found_whoever_asks(tmp_path):
    path = tmp_path / "cut"
    path.write_bytes(_glove({"cat": [1.0, 2.0, 3.0], "bird": [1.0, 0.0, 0.0]}) + b"dog 0.25")
    with pytest.raises(InputError, match="row 3 is not a word and 3 numbers"):
        word_vectors(path, ("cat",))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10,
        b"PK\x03\x04 no words in here",
        b"<html><body>404</body></html>\n",
        b"0 300\n",
        b"99999999999 300\ncat 1 2 3\n",
        b"bird 1 2 three\n" * len(WORDS) + _glove(WORDS),
        _text(WORDS).replace(b"8 3", b"8 4"),
        _glove(WORDS).replace(b" ", b";"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path, content):
    path = tmp_path / "vectors.bin"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"vectors\.bin") as caught:
        word_vectors(path, ("cat",))
    assert "\n" not in str(caught.value)


def test_a_packed_file_cut_off_or_not_packed_is_refused(tmp_path):
    packed = gzip.compress(_text(WORDS))
    path = tmp_path / "vectors.txt.gz"
    for content in (
        packed[: len(packed) // 2],
        packed[:-4],
        packed[:30] + bytes(30) + packed[60:],
        _text(WORDS),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"vectors\.txt\.gz: truncated or damaged"):
            word_vectors(path, ("cat",))


def test_a_vector_that_is_not_finite_or_zero_is_named(tmp_path):
    path = tmp_path / "damaged"
    for row in ([np.nan, 1.0], [np.inf, 1.0], [0.0, 0.0]):
        path.write_bytes(_binary({"cat": [1.0, 2.0], "dog": row}))
        with pytest.raises(InputError, match="'dog' is damaged"):
            word_vectors(path, ("cat", "dog"))


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path, tmp_path / "none.txt"):
        with pytest.raises(InputError, match=r"there is no file .*give a word2vec or GloVe file"):
            word_vectors(path, ("cat",))


@pytest.mark.parametrize("file", ["googlenews_8001w_300d.bin", "huang2012_50d.txt", "glove_twitter_25d.txt"])
def test_real_files_know_cifar10(file):
    """Cats are like dogs, and cars like trucks or planes, in any of them."""
    if not (SHARED / file).exists():
        pytest.skip(f"no real word vectors: {SHARED / file} is missing")
    rows = word_vectors(SHARED / file, CIFAR10)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    cosine = rows @ rows.T - 2 * np.eye(10)
    nearest = {CIFAR10[i]: CIFAR10[j] for i, j in enumerate(cosine.argmax(axis=1))}
    assert (nearest["cat"], nearest["dog"]) == ("dog", "cat")
    assert nearest["automobile"] in ("truck", "airplane")


def test_the_real_binary_file_has_the_bytes_that_are_read():
    """Found by its bytes: word, space, 300 little-endian floats."""
    path = SHARED / "googlenews_8001w_300d.bin"
    if not path.exists():
        pytest.skip(f"no real word vectors: {path} is missing")
    content = path.read_bytes()
    start = content.index(b"airplane ") + len(b"airplane ")
    raw = np.frombuffer(content[start : start + 1200], "<f4")
    np.testing.assert_allclose(word_vectors(path, ("airplane",))[0], _unit(raw), rtol=1e-5)


def test_attributes_at_unit_length():
    rows = attribute_vectors(np.array([[1, 1, 0], [0, 0, 3], [-1, 2, 2]], np.float32))
    expected = [[0.5**0.5, 0.5**0.5, 0], [0, 0, 1], [-1 / 3, 2 / 3, 2 / 3]]
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, expected, atol=1e-7)


@pytest.mark.parametrize(
    ("row", "said"), [([0, 0], "attributes of class 1 "), ([np.nan, 1], r"1 of 2 classes .*class 1")]
)
def test_attributes_without_a_direction_are_named(row, said):
    with pytest.raises(InputError, match=said):
        attribute_vectors(np.array([[1, 0], row], np.float32))


def test_one_hot_keeps_all_classes_apart():
    np.testing.assert_array_equal(one_hot(4), np.eye(4, dtype=np.float32))
    assert one_hot(4).dtype == np.float32
    with pytest.raises(InputError, match="at least 1 class"):
        one_hot(0)


VECTORS = np.array([[1, 0], [0, 1], [-1, 0], [0.6, 0.8]], np.float32)


def test_a_target_is_the_row_of_its_class():
    labels = np.array([3, 0, 3, 1], np.int32)
    targets = semantic_targets(labels, VECTORS)
    np.testing.assert_array_equal(targets, [VECTORS[3], VECTORS[0], VECTORS[3], VECTORS[1]])
    np.testing.assert_allclose(semantic_targets(np.eye(4, dtype=bool)[labels], VECTORS), targets, atol=1e-7)


@given(hnp.arrays(bool, st.tuples(st.integers(1, 6), st.just(5))), st.integers(0, 2**32 - 1))
def test_several_labels_meet_in_the_middle(labels, seed):
    labels[:, 0] |= ~labels.any(axis=1)
    vectors = np.random.default_rng(seed).normal(size=(5, 7))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    targets = semantic_targets(labels, vectors.astype(np.float32))
    for row, target in zip(labels, targets, strict=True):
        np.testing.assert_allclose(target, _unit(vectors[np.flatnonzero(row)].mean(axis=0)), atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.array([0, 4], np.int32), "1 of 2 labels are out of range .*row 1, label 4"),
        (np.array([-1, 0], np.int32), "row 0, label -1"),
        (np.array([[1, 0, 0, 0], [0, 0, 0, 0]], bool), r"1 of 2 samples have no label \(first: row 1\)"),
        (np.array([[0, 1, 0, 0], [1, 0, 1, 0]], bool), "cancel out in row 1"),
        (np.ones((2, 3), bool), "3 columns and there are 4 class vectors"),
    ],
)
def test_a_sample_without_a_target_is_named(labels, said):
    with pytest.raises(InputError, match=said):
        semantic_targets(labels, VECTORS)
