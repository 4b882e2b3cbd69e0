"""Names of classes: read from any UTF-8, refused where they cannot be read, seen or told apart."""

import codecs
import os

import numpy as np
import pytest
from PIL import Image

from zsh_jax.data.checked import checked
from zsh_jax.data.dataset import Dataset
from zsh_jax.data.feature_files import load_features
from zsh_jax.data.registry import load_dataset
from zsh_jax.data.spec import Source
from zsh_jax.data.text import read_names
from zsh_jax.errors import InputError

NAMES = ("狐狸", "pâté", "sea lion")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_encoding_that_can_be_told_is_read(tmp_path, encoding, end):
    path = tmp_path / "classes.txt"
    path.write_bytes((end.join(NAMES) + end + end).encode(encoding))
    assert read_names(path) == NAMES
    np.savez(tmp_path / "set.npz", features=np.eye(3), labels=[0, 1, 2])
    assert load_features(tmp_path / "set.npz").class_names == NAMES


@pytest.mark.parametrize(
    ("content", "said"),
    [
        # Each syllable may be a Chinese letter.
        (
            "고양이\n개\n".encode("euc_kr"),
            r"line 1: byte 0xb0 .* may be GB18030 or BIG5 or EUC_KR; .*iconv -f gb18030",
        ),
        ("cat\nжизнь\n".encode("cp1251"), r"line 2: byte 0xe6 is not UTF-8; .*iconv -f ENCODING -t UTF-8"),
        (b"cat\0\0\0dog", r"line 1: byte 0x00 is not UTF-8"),
        (b"\xff\xfec\0a\0t", r"byte 6 is not UTF-16-LE"),
        (b"", r"the file is empty"),
        (b"\n \n", r"the file is empty"),
        (b"cat\ndog\ncat\n", r"'cat' is in lines 1 and 3"),
        ("cat\nd\ufeffog\n".encode(), r"line 2: .* holds U\+FEFF"),
        (b"cat\nd\x1bog\n", r"line 2: .* holds U\+001B"),
    ],
)
def test_names_that_cannot_be_read_are_refused_by_file_and_line(tmp_path, content, said):
    path = tmp_path / "classes.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_names(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("gbk", ("狐狸", "象", "马")),
        ("big5", ("狐狸", "大象", "馬")),
        ("shift_jis", ("キツネ", "象", "うま")),
        ("latin-1", ("cat", "pâté", "Gänse")),
        ("cp1252", ("cat", "œuf")),
        ("utf-16-le", ("cat", "sea lion")),
        ("utf-16-be", ("cat", "pâté")),
    ],
)
def test_an_encoding_that_the_bytes_tell_is_read_and_said(tmp_path, capsys, encoding, names):
    path = tmp_path / "classes.txt"
    path.write_bytes(("\n".join(names) + "\n").encode(encoding))
    assert read_names(path) == names
    said = capsys.readouterr().err
    assert codecs.lookup(said.partition("is read as ")[2].partition(",")[0]) == codecs.lookup(
        "gb18030" if encoding == "gbk" else encoding
    )


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("1 ant\n2 bee\n", ("ant", "bee")),
        (
            "1 001.Black_footed_Albatross\n2 002.Laysan_Albatross\n",
            ("Black_footed_Albatross", "Laysan_Albatross"),
        ),
        ("      1\tant\n      2\tred fox\n", ("ant", "red fox")),
        ("0: ant\n1: bee\n", ("ant", "bee")),
        ("2,bee\n1,ant\n", ("ant", "bee")),  # in the order of the numbers
        ("1\n2\n", ("1", "2")),
        ("3 doors\n5 doors\n", ("3 doors", "5 doors")),
        ("1 ton\n2 ton\n", ("1 ton", "2 ton")),
        ("1 ant\nbee\n", ("1 ant", "bee")),
    ],
)
def test_numbers_of_classes_are_no_part_of_their_names(tmp_path, content, names):
    (tmp_path / "classes.txt").write_text(content)
    assert read_names(tmp_path / "classes.txt") == names


def test_lines_end_where_lines_end_and_nowhere_else(tmp_path):
    (tmp_path / "classes.txt").write_text("a\u2028b\nc\u3000d\n", encoding="utf-8")
    assert read_names(tmp_path / "classes.txt") == ("a\u2028b", "c\u3000d")


def _dataset(names, labels=(0, 1)):
    return Dataset("set", np.array(["a", "b"]), np.array(["s", "s"]), np.array(labels), tuple(names))


def test_a_plus_which_joins_names_is_read_as_a_blank():
    assert checked(_dataset(["killer+whale", "zebra"])).class_names == ("killer whale", "zebra")
    with pytest.raises(
        InputError, match=r"'killer whale' and 'killer\+whale' are both called 'killer whale'"
    ):
        checked(_dataset(["killer whale", "killer+whale"]))


@pytest.mark.parametrize(
    ("names", "labels", "said"),
    [
        (["cat", "cat"], (0, 1), "are both called 'cat'"),
        (["cat", ""], (0, 1), "the name of class '' is empty"),
        (["cat", "d\udcc1g"], (0, 1), "holds bytes that are not UTF-8"),
        (["cat", "dog"], (0, 2), "label 2 of row 1 is not one of 2 classes"),
        (["cat", "dog"], (-1, 1), "label -1 of row 0 is not one of 2 classes"),
    ],
)
def test_what_no_sweep_can_use_is_refused(names, labels, said):
    with pytest.raises(InputError, match=said):
        checked(_dataset(names, labels))


def test_a_string_without_letters_is_no_class(tmp_path):
    np.savez(tmp_path / "set.npz", features=np.eye(3), labels=["cat", "", "cat"])
    with pytest.raises(InputError, match=r"the name of class '' is empty"):
        load_dataset(Source("features", path=str(tmp_path / "set.npz")))


def test_folders_that_are_not_utf8_are_named(tmp_path):
    for name in ("cat", os.fsdecode(b"\xc1\xe7")):
        (tmp_path / name).mkdir()
        for number in range(2):
            Image.new("RGB", (4, 4), (number, 0, 0)).save(tmp_path / name / f"{number}.png")
    with pytest.raises(InputError, match=r"the name '\\udcc1\\udce7' holds bytes that are not UTF-8"):
        load_dataset(Source("folder", path=str(tmp_path)))
    (tmp_path / os.fsdecode(b"\xc1\xe7")).rename(tmp_path / "horse")
    (tmp_path / "horse" / "1.png").rename(tmp_path / "horse" / os.fsdecode(b"\xe7.png"))
    with pytest.raises(InputError, match=r"holds bytes that are not UTF-8"):
        load_dataset(Source("folder", path=str(tmp_path)))
