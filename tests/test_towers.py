"""CLIP and SigLIP models with random weights: embeddings against NumPy, a sweep of both towers, and what is refused."""

import json
from importlib.util import find_spec

import numpy as np
import pytest
from bad_input import launched, put, refusal, tiny_config
from PIL import Image
from safetensors.numpy import load_file, save_file
from tower_files import embed_image, embed_text, read_weights, save_model

from zsh_jax.data.semantics.towers import tower_vectors
from zsh_jax.errors import InputError
from zsh_jax.features.extractors import feature_extractors

pytestmark = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("transformers", "torch", "sentencepiece")),
    reason="the towers need the extra: pip install 'zsh_jax[towers]'",
)
KINDS = ("clip", "siglip")
CLASSES = ("cat", "dog", "lazy_fox", "quick_ox")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    found = {kind: tmp_path_factory.mktemp("models") / kind for kind in KINDS}
    for kind, folder in found.items():
        folder.mkdir()
        save_model(folder, kind)
    return found


def _images(count, size=(24, 40)):
    return np.random.default_rng(0).integers(0, 256, (count, *size, 3), np.uint8)


def _texts(folder, kind, phrases):
    weights = read_weights(folder)
    rows = np.stack([embed_text(weights, kind, folder, phrase) for phrase in phrases])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_the_image_embeddings_of_a_plain_network(models, kind):
    images, weights = _images(5), read_weights(models[kind])
    (extractor,) = feature_extractors("towers", weights=models[kind], batch_size=3)
    describe = extractor.load()
    found = describe(images)
    expected = np.stack([embed_image(weights, kind, image) for image in images])
    assert (found.dtype, found.shape) == (np.float32, (5, {"clip": 10, "siglip": 16}[kind]))
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    assert np.ptp(expected, axis=0).max() > 0.1 * np.abs(expected).max()
    np.testing.assert_array_equal(describe(images[3:]), describe(images)[3:])


@pytest.mark.parametrize("kind", KINDS)
def test_class_vectors_are_the_text_embeddings_of_a_plain_network(models, kind):
    found = tower_vectors(CLASSES, model=models[kind])
    phrases = [f"a photo of a {name.replace('_', ' ')}." for name in CLASSES]
    expected = _texts(models[kind], kind, phrases)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert np.ptp(expected, axis=0).max() > 0.03
    other = tower_vectors(CLASSES[:2], model=models[kind], prompt="the {}", synonyms={"dog": "brown ox"})
    np.testing.assert_allclose(other, _texts(models[kind], kind, ["the cat", "the brown ox"]), atol=2e-6)


@pytest.fixture
def folder(tmp_path, models):
    """Images of four classes, and a sweep with both towers of one model."""
    for number, image in enumerate(_images(48)):
        place = tmp_path / "images" / CLASSES[number % 4]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number:02d}.png")
    (tmp_path / "experiment.py").write_text("import made\n\n\ndef get_config():\n    return made.config\n")
    return tmp_path


def _config(folder, model):
    changes = {"dataset.name": "folder", "dataset.path": str(folder / "images"), "dataset.image_size": 20}
    changes |= {
        "features.name": "towers",
        "features.weights": str(model),
        "features.cache": str(folder / "cache"),
    }
    changes |= {"sweep.semantics": ("towers",), "semantics.model": str(model), "gallery.queries": 0}
    return put(tiny_config(folder), changes | {"sweep.training_samples": (24,), "report": False})


@pytest.mark.slow
@pytest.mark.usefixtures("no_network")
def test_a_sweep_has_images_and_class_names_in_one_space(launch, folder, models, capsys):
    config = _config(folder, models["clip"])
    assert launched(launch, folder, config) == 0
    said = capsys.readouterr()
    assert "features: towers:clip (10 values); semantics: clip (10 values)" in said.out
    (row,) = [json.loads(line) for line in (folder / "workdir" / "results.jsonl").read_text().splitlines()]
    assert (row["features"], row["semantics"]) == ("towers:clip", "clip")
    (path,) = (folder / "workdir" / "semantics").glob("*.safetensors")
    names = sorted(CLASSES)
    expected = _texts(models["clip"], "clip", [f"a photo of a {name.replace('_', ' ')}." for name in names])
    assert any(
        array.shape == expected.shape and np.allclose(array, expected, atol=2e-6)
        for array in load_file(path).values()
    )
    (block,) = (folder / "cache").rglob("*.safetensors")
    assert load_file(block)["features"].shape == (48, 10)
    written = block.stat().st_mtime_ns
    assert launched(launch, folder, put(config, {"workdir": str(folder / "again")})) == 0
    assert block.stat().st_mtime_ns == written  # and were not extracted again


def _drop(folder):
    weights = load_file(folder / "model.safetensors")
    del weights["text_model.final_layer_norm.bias"], weights["vision_model.post_layernorm.bias"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def _many_words(folder):
    words = json.loads((folder / "vocab.json").read_text())
    (folder / "vocab.json").write_text(json.dumps(words | {"c": 10**6}))


BAD = {
    "tensors lack": (
        _drop,
        "the weights lack text_model.final_layer_norm.bias and 1 other tensors; fix: fetch",
    ),
    "a torn tokenizer": (lambda folder: (folder / "vocab.json").write_text("{"), "cannot be loaded ("),
    "words beyond the model": (_many_words, "cannot embed class names ("),
}


@pytest.mark.parametrize("change", BAD)
def test_a_model_that_does_not_hold_together_is_one_line(launch, folder, models, capsys, change):
    model, (spoil, said) = folder / "model", BAD[change]
    model.mkdir()
    for path in models["clip"].iterdir():
        (model / path.name).write_bytes(path.read_bytes())
    spoil(model)
    assert said in refusal(launch, folder, capsys, _config(folder, model), "--config.validate_only")


def test_preprocessing_of_another_size_is_said(models, tmp_path):
    for path in models["siglip"].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    rules = json.loads((tmp_path / "preprocessor_config.json").read_text())
    rules["size"] = {"height": 24, "width": 24}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(rules))
    (extractor,) = feature_extractors("towers", weights=tmp_path)
    with pytest.raises(InputError, match=r"does not fit its own preprocessing \(.*; fix: "):
        extractor.load()(_images(1))
