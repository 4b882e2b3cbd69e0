"""Files that no accident makes: archives with a password, pickles, promises of terabytes, bombs, links elsewhere."""

import io
import json
import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from damaged_files import little_memory
from PIL import Image

from zsh_jax.data.__main__ import main
from zsh_jax.data.feature_files.arrays import open_arrays
from zsh_jax.data.folder import load_folder
from zsh_jax.data.images import check_whole, square
from zsh_jax.data.inventory import kept_features
from zsh_jax.data.numpy_files import read_npy, read_npz
from zsh_jax.data.registry import LARGEST_SIDE, load_dataset
from zsh_jax.data.semantics import word_vectors
from zsh_jax.data.spec import Source
from zsh_jax.errors import InputError
from zsh_jax.features.cache import read_block

FEATURES = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def _npy(array, **kwargs):
    file = io.BytesIO()
    np.save(file, array, **kwargs)
    return file.getvalue()


def _promise(descr, shape, held=b""):
    """An `.npy` file whose header says so."""
    header = str({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + held


class _Bomb:
    """What unpickling would write."""

    def __reduce__(self):
        return os.mkdir, ("unpickled",)


NPY = {
    "terabytes": (
        _promise("<f4", (10**9, 10**6)),
        r"states float32 \(1000000000, 1000000\), 4,000,000,000,000,000 bytes",
    ),
    "more than 64 bits": (_promise("<f4", (2**40, 2**40)), "is truncated: its header states"),
    "negative": (_promise("<f4", (-1, 3)), r"header that states float32 \(-1, 3\)"),
    "long strings": (_promise("<U100000000", (7,)), "is truncated: its header states"),
    "strings of nothing": (_promise("<U0", (10**12,)), r"states <U0 \(1000000000000,\)"),
    "objects": (
        _npy(np.array([_Bomb()], object), allow_pickle=True),
        "holds Python objects, which are never unpickled",
    ),
    "objects in records": (_promise([("a", "O")], (3,)), "holds Python objects"),
    "a pickle": (pickle.dumps(_Bomb()), "holds Python objects"),
    "two arrays": (_npy(FEATURES) + _npy(FEATURES), "is garbled: its header states"),
    "another version": (_npy(FEATURES).replace(b"NUMPY\x01", b"NUMPY\x03", 1), "of a newer format"),
    "code for a shape": (_promise("<f4", (1,)).replace(b"(1,)", b"f()?"), "is truncated or not an .npy file"),
}


@pytest.mark.parametrize(("content", "said"), NPY.values(), ids=NPY)
def test_arrays_are_no_larger_than_their_file_and_hold_no_objects(tmp_path, content, said, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", content)
    with little_memory():
        with pytest.raises(InputError, match=rf"a\.npy.*{said}"):
            read_npy(tmp_path / "a.npy")
        with pytest.raises(InputError, match=r"a\.npz"):
            read_npz(tmp_path / "a.npz", "a")
    assert not (tmp_path / "unpickled").exists()


def _encrypted(content):
    """The flag alone, in both places: zipfile asks for the password by it."""
    content = bytearray(content)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + place] |= 1
            at = content.find(mark, at + 1)
    return bytes(content)


def test_an_encrypted_archive_is_told_as_such(tmp_path):
    np.savez(tmp_path / "a.npz", features=FEATURES, labels=[0, 1, 0, 1])
    (tmp_path / "a.npz").write_bytes(_encrypted((tmp_path / "a.npz").read_bytes()))
    with pytest.raises(InputError, match=r"a\.npz is encrypted; fix: save it without a password"):
        load_dataset(Source("features", path=str(tmp_path / "a.npz")))


def test_an_archive_that_unpacks_to_more_than_it_can_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", _npy(FEATURES))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    at = content.find(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 2**32 - 2)
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npz, a cannot unpack to 4,294,967,294 bytes"):
        read_npz(tmp_path / "a.npz", "a")
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", _npy(FEATURES))
    with pytest.raises(InputError, match="uses a compression that NumPy does not write"):
        read_npz(tmp_path / "b.npz", "a")


def test_hdf5_files_promise_no_more_than_they_hold_and_lead_nowhere(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.mat"
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = FEATURES
    with h5py.File(path, "w") as file:
        file.create_dataset("huge", (10**6, 10**6), "f8", chunks=(100, 100))
        file.create_dataset("words", data="text", dtype=h5py.string_dtype())
        file["link"] = h5py.ExternalLink("other.h5", "secret")
        file.create_dataset("raw", (4,), "f4", external=[(str(tmp_path / "other.h5"), 0, 16)])
        layout = h5py.VirtualLayout((4, 3), "f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "secret", (4, 3))
        file.create_virtual_dataset("virtual", layout)
    arrays = open_arrays(path)
    assert "link" not in arrays.names
    for name, said in (
        ("huge", "states"),
        ("words", "fix: save plain arrays"),
        ("raw", "in another file"),
        ("virtual", "in another file"),
    ):
        with little_memory(), pytest.raises(InputError, match=rf"a\.mat: {name} .*{said}"):
            arrays.read(name)


def _png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")


IMAGES = {
    "nothing": (b"", "an empty file"),
    "a page": (b"<html>404 not found</html>", r"begins with b'<html>404 no'"),
    "a bomb of a gigapixel": (_png(32_000, 32_000), "decompression bomb"),
    "a bomb of 100 megapixels": (_png(10_000, 10_000), "decompression bomb"),
    "a program for a printer": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nquit\n",
        "begins with b'%!PS",
    ),
    "fewer rows than promised": (_png(4000, 4000), "truncated|damaged"),
}


def _look(path):
    check_whole(path)
    square(path, 8)


@pytest.mark.parametrize(("content", "said"), IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_pictures_that_are_none_or_too_large_are_named(tmp_path, content, said, suffix):
    path = tmp_path / f"late.{suffix}"
    path.write_bytes(content)
    with (
        little_memory(),
        pytest.raises(InputError, match=rf"late\.{suffix}: not an image, or damaged \(.*({said})"),
    ):
        _look(path)


def test_a_picture_of_another_suffix_is_read_by_its_content(tmp_path):
    Image.new("RGB", (9, 9), (255, 0, 0)).save(tmp_path / "a.gif")
    (tmp_path / "a.gif").rename(tmp_path / "a.jpg")
    assert square(tmp_path / "a.jpg", 4)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("size", [0, -1, LARGEST_SIDE + 1, 10**9, 2**63])
def test_absurd_sizes_are_refused_before_memory_is_asked_for(tmp_path, size, capsys):
    with pytest.raises(InputError, match=rf"image_size must be 1 to {LARGEST_SIDE} pixels; got {size}"):
        load_dataset(Source("folder", path=str(tmp_path), image_size=size))
    assert main(["prepare", "folder", "--path", str(tmp_path), "--image-size", str(size)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


WORDS = {
    "a header of billions": (b"4000000000 300\ncat 1 2\n", "truncated, its header states 4000000000 words"),
    "values without number": (b"1 99999999\ncat 1 2\n", "its header states 1 words of 99999999 values"),
    "fewer words than promised": (b"3 2\ncat 1.00000 2.00000\ndog 1 2\n", "states 3 words, but it has 2"),
    "other length than promised": (
        b"2 3\ncat 1 2 3\ndog 1.0 2.0\n",
        "1 of 2 rows are not a word and 3 numbers .first: row 2.; fix",
    ),
    "not a number": (b"cat 1 nan\ndog 1 2\n", "vector of 'cat' is damaged"),
    "infinite": (b"cat 1 inf\ndog 1 2\n", "vector of 'cat' is damaged"),
    "beyond single precision": (b"cat 1 1e39\ndog 1 2\n", "vector of 'cat' is damaged"),
    "zero": (b"cat 0 0\ndog 1 2\n", "vector of 'cat' is damaged"),
    "UTF-16": ("cat 1 2\n".encode("utf-16"), r"is UTF-16-LE text; fix: .*iconv -f utf-16"),
    "one endless line": (
        b"cat " + b"1 " * (1 << 20),
        "truncated or damaged|not a file of word vectors|no vector",
    ),
    "binary with more behind it": (
        b"1 2\ncat " + bytes(range(1, 9)) + b"\n\x01\x02\x03",
        "continues after the 1 words",
    ),
}


@pytest.mark.parametrize(("content", "said"), WORDS.values(), ids=WORDS)
def test_word_vectors_that_lie_are_refused(tmp_path, content, said):
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with little_memory(), pytest.raises(InputError, match=rf"words\.txt.*({said})"):
        word_vectors(path, ("cat",))


def test_words_with_blanks_a_mark_and_tabs_are_read(tmp_path):
    """The last fields are the vector, the rest is the word; files of later Windows begin with a mark."""
    rows = b"killer whale 1 2\nnew york city 3 4\n7 5 6\ncat\t7\t8\n"
    for content in (rows, b"\xef\xbb\xbf" + rows, b"\xef\xbb\xbf4 2\n" + rows, b"4 2\n" + rows):
        (tmp_path / "words.txt").write_bytes(content)
        vectors = word_vectors(tmp_path / "words.txt", ("killer whale", "new york city", "7", "cat"))
        wanted = np.arange(1.0, 9).reshape(4, 2)
        np.testing.assert_allclose(vectors, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-6)


def test_odd_rows_are_skipped_and_counted_and_a_header_may_count_too_few(tmp_path, capsys):
    """Shipped files have rows without a word, of too few values, of text: none of them is a vector of anything."""
    rows = b"emu 9\n. . . 1 2\n\t3 4\ncat 5 6\ndog 1 two\nkiller whale 7 8\nhen 1 1\nox 2 1\n"
    path = tmp_path / "words.txt"
    for content in (rows, b"3 2\n" + rows):
        path.write_bytes(content)
        vectors = word_vectors(path, ("killer whale", ". . .", "cat"))
        wanted = np.array([[7, 8], [1, 2], [5, 6]])
        np.testing.assert_allclose(vectors, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-6)
        said = capsys.readouterr().err
        assert f"{path}: 3 of 8 rows are not a word and 2 numbers (first: row 1); they are skipped\n" in said
        assert ("its header states 3 words, but 8 are read" in said) == (content != rows)
        with pytest.raises(InputError, match=r"no vector for 2 of 3 classes \(emu, dog\)"):
            word_vectors(path, ("emu", "cat", "dog"))
    for late in (b"cow 1", b"cow 1 tw"):  # cut off, not odd
        path.write_bytes(rows + late)
        with pytest.raises(InputError, match="truncated or damaged as GloVe text: row 9"):
            word_vectors(path, ("cat",))


def test_a_cache_with_a_key_that_is_none_is_listed_without_it(tmp_path):
    for number, content in enumerate((b"[" * 100_000, b"\xff", b"{}", json.dumps({"dataset": 1}).encode())):
        (tmp_path / "a" / "b" / str(number)).mkdir(parents=True)
        (tmp_path / "a" / "b" / str(number) / "key.json").write_bytes(content)
    assert list(kept_features(tmp_path)) == []


def test_a_block_of_values_that_are_no_features_is_made_anew(tmp_path, capsys):
    from safetensors.numpy import save_file

    from zsh_jax.features.cache import digest

    for number, array in enumerate(
        (np.full((3, 2), np.nan, np.float32), np.ones((3, 2)), np.ones(3, np.float32))
    ):
        path = tmp_path / f"{number}.safetensors"
        save_file({"features": array}, path, {"features": digest(array)})
        assert read_block(path, 3, None) is None
        assert f"{path} is damaged" in capsys.readouterr().err


def test_a_home_that_is_none_is_a_path_that_is_not_there(capsys):
    assert main(["prepare", "features", "--path", "~no such user/x.npz"]) == 2
    assert "there is no file ~no such user/x.npz" in capsys.readouterr().err
    assert main(["prepare", "folder", "--path", "~no such user/x"]) == 2


def test_a_folder_of_pipes_and_devices_is_no_set_of_pictures(tmp_path):
    (tmp_path / "cat").mkdir()
    os.mkfifo(tmp_path / "cat" / "a.jpg")
    Path(tmp_path / "cat" / "b.jpg").symlink_to("/dev/zero")
    Path(tmp_path / "cat" / "c.jpg").symlink_to(tmp_path / "cat" / "c.jpg")
    with pytest.raises(InputError, match=r"class 'cat' has 0 images \(\.jpg, \.png"):
        load_folder(tmp_path)
