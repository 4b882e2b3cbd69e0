"""Galleries: what is stored, what is refused, and how right and wrong are told."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from report_sweeps import CLASSES, drawn_gallery

from zsh_jax.errors import InputError
from zsh_jax.report.gallery import GALLERY, Retrieved, gallery_html, load_gallery, save_gallery


def test_pictures_are_stored_once_and_found_again(tmp_path):
    images, captions, queries, retrieved = drawn_gallery(tmp_path)
    gallery = load_gallery(tmp_path / GALLERY)
    shown = {*queries, *np.concatenate([one.neighbours.ravel() for one in retrieved])}
    shown |= set(retrieved[0].named_neighbours.ravel())
    assert len(gallery.images) == len(shown)
    np.testing.assert_array_equal(gallery.images[gallery.queries], images[queries])
    for i, one in enumerate(retrieved):
        np.testing.assert_array_equal(gallery.images[gallery.neighbours[i]], images[one.neighbours])
        np.testing.assert_array_equal(gallery.correct[i], one.correct)
        assert gallery.captions[gallery.neighbours[i]].tolist() == np.array(captions)[one.neighbours].tolist()
    np.testing.assert_array_equal(
        gallery.images[gallery.named_neighbours[0]], images[retrieved[0].named_neighbours]
    )
    assert (gallery.named_neighbours[1] == -1).all()
    assert not gallery.named_correct[1].any()


def test_large_pictures_become_thumbnails_and_only_those_shown_are_asked_for(tmp_path):
    asked = []

    class Stored:
        def __getitem__(self, rows):
            asked.extend(rows.tolist())
            return np.full((len(rows), 100, 200, 3), 7, np.uint8)

    one = Retrieved("m", np.array([[5, 9]]), np.array([[True, False]]))
    save_gallery(
        tmp_path / "g.npz", images=Stored(), captions=["c"] * 1000, queries=np.array([900]), retrieved=[one]
    )
    assert asked == [5, 9, 900]
    gallery = load_gallery(tmp_path / "g.npz")
    assert gallery.images.shape == (3, 32, 64, 3)
    assert (gallery.images == 7).all()


def test_the_page_shows_every_neighbour_with_its_verdict(tmp_path):
    images, _, queries, retrieved = drawn_gallery(tmp_path)
    page = gallery_html(load_gallery(tmp_path / GALLERY))
    hits = re.findall(r'class="hit (\w+)"><img src="data:image/png;base64,([^"]+)" alt="(\w+): [^"]*"', page)
    verdicts, rows = [], []
    for i in range(len(queries)):
        for one in retrieved:
            verdicts += one.correct[i].tolist()
            rows += one.neighbours[i].tolist()
    for i in range(2):
        verdicts += retrieved[0].named_correct[i].tolist()
        rows += retrieved[0].named_neighbours[i].tolist()
    assert [kind for kind, *_ in hits] == ["right" if right else "wrong" for right in verdicts]
    assert all(kind == said for kind, _, said in hits)
    for row, (_, data, _) in zip(rows, hits, strict=True):
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
        np.testing.assert_array_equal(image, images[row])
    assert page.count("✓") == sum(verdicts)
    assert page.count("✗") == len(verdicts) - sum(verdicts)
    assert "coupled &lt;ours&gt;" in page
    assert "<ours>" not in page
    assert page.count("query by class name") == 2
    for name in ("cat &amp; dog", "striped_circle+100% &lt;star&gt;"):
        assert name in page


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("queries", lambda array: array + 1000),
        ("neighbours", lambda array: array[:, :, :-1]),
        ("neighbours", lambda array: array.astype(float)),
        ("images", lambda array: array.astype(np.float32)),
        ("captions", lambda array: array[1:]),
        ("methods", lambda array: array[:1]),
        ("named_neighbours", lambda array: array - 5),
        ("captions", lambda array: array.astype(object)),
        ("images", None),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(tmp_path, name, change):
    drawn_gallery(tmp_path)
    path = tmp_path / GALLERY
    with np.load(path) as file:
        arrays = dict(file)
    arrays[name] = None if change is None else change(arrays[name])
    with path.open("wb") as file:
        np.savez(
            file, allow_pickle=True, **{key: array for key, array in arrays.items() if array is not None}
        )
    with pytest.raises(InputError, match=r"gallery\.npz") as error:
        load_gallery(path)
    assert "\n" not in str(error.value)


def test_bytes_that_are_no_archive(tmp_path):
    for content in (b"", b"PK\x03\x04 cut short", b"plain"):
        (tmp_path / GALLERY).write_bytes(content)
        with pytest.raises(InputError, match="not a gallery"):
            load_gallery(tmp_path / GALLERY)


def test_methods_that_disagree(tmp_path):
    one = Retrieved("m", np.array([[0, 1]]), np.array([[True, False]]))
    with pytest.raises(ValueError, match="2 queries"):
        save_gallery(
            tmp_path / "g.npz",
            images=np.zeros((2, 4, 4, 3), np.uint8),
            captions=CLASSES[:2],
            queries=np.array([0, 1]),
            retrieved=[one],
        )
    assert not list(tmp_path.iterdir())
