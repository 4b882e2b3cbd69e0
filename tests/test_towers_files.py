"""The files of CLIP and SigLIP models, without the libraries that run them: what is read, and what is refused."""

import json
import sys
import types

import numpy as np
import pytest
from bad_input import make_data, put, refusal, tiny_config
from PIL import Image
from safetensors.numpy import save_file

from zsh_jax.data.__main__ import main
from zsh_jax.data.towers import hub, library
from zsh_jax.data.towers.saved import find_towers, towers_digest
from zsh_jax.errors import InputError
from zsh_jax.features.count import count_values
from zsh_jax.features.extractors import feature_extractors

NAME = "openai/clip-vit-base-patch32"
TENSORS = {
    "clip": {"visual_projection.weight": (10, 4), "text_projection.weight": (10, 3)},
    "siglip": {"vision_model.post_layernorm.weight": (6,), "text_model.head.weight": (6, 6)},
}


def _arrays(kind, value=1.0):
    return {name: np.full(shape, value, np.float32) for name, shape in TENSORS[kind].items()}


def _save(folder, kind="clip"):
    """The files of a model that are looked at before the libraries are loaded."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    for name in ("preprocessor_config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    save_file(_arrays(kind), folder / "model.safetensors")
    return folder


def _shard(folder, kind="clip"):
    parts = {name: f"model-0000{place}-of-00002.safetensors" for place, name in enumerate(TENSORS[kind], 1)}
    for name, file in parts.items():
        save_file({name: _arrays(kind)[name]}, folder / file)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))


@pytest.mark.parametrize(("kind", "values"), [("clip", 10), ("siglip", 6)])
def test_the_header_says_how_long_an_embedding_is_in_one_file_or_several(tmp_path, kind, values, monkeypatch):
    model = _save(tmp_path / "model", kind)
    monkeypatch.setattr("zsh_jax.features.count.check_installed", lambda: None)
    assert count_values("towers+gist", 32, 32, weights=model) == values + 512
    _shard(model, kind)
    found = find_towers(model, setting="features.weights")
    assert (found.kind, found.values, len(found.weights)) == (kind, values, 2)


def test_content_identifies_a_model_and_neither_its_place_nor_its_tokenizer(tmp_path):
    models = [_save(tmp_path / name) for name in ("one", "copy", "words", "weights", "rules")]
    (models[2] / "tokenizer.json").write_text('{"version": "2.0"}')
    save_file(_arrays("clip", 2.0), models[3] / "model.safetensors")
    (models[4] / "preprocessor_config.json").write_text('{"do_resize": false}')
    digests = [towers_digest(find_towers(model, setting="features.weights")) for model in models]
    assert digests[0] == digests[1] == digests[2]
    assert len(set(digests)) == 3
    identities = [feature_extractors("towers", weights=model)[0].identity for model in models]
    assert [digest in identity for digest, identity in zip(digests, identities, strict=True)] == [True] * 5


def _write(name, text):
    return lambda folder: (folder / name).write_text(text)


def _remove(name):
    return lambda folder: (folder / name).unlink()


def _cut(folder):
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-1])


def _without(tensor):
    def save(folder):
        save_file(
            {name: one for name, one in _arrays("clip").items() if name != tensor},
            folder / "model.safetensors",
        )

    return save


def _pickled(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _part(name):
    def shard(folder):
        _shard(folder)
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))

    return shard


BAD = {
    "no config": (
        _remove("config.json"),
        "lacks config.json; fix: give the folder of a saved CLIP or SigLIP",
    ),
    "no JSON": (_write("config.json", "{"), "config.json is not JSON"),
    "no object": (_write("config.json", "[]"), "config.json is not a JSON object"),
    "another model": (_write("config.json", '{"model_type": "bert"}'), "holds a model of type 'bert'; fix"),
    "no model": (_write("config.json", "{}"), "holds a model of type 'None'"),
    "one tower by type": (
        _write("config.json", '{"model_type": "clip_vision_model"}'),
        "of type 'clip_vision_model' (one tower alone); fix: give the folder",
    ),
    "no text tower": (_without("text_projection.weight"), "the weights lack the text tower"),
    "no image tower": (_without("visual_projection.weight"), "the weights lack the image tower"),
    "no preprocessing": (_remove("preprocessor_config.json"), "lacks preprocessor_config.json; fix: save"),
    "no tokenizer": (
        _remove("tokenizer.json"),
        "lacks tokenizer.json and vocab.json; fix: save the tokenizer",
    ),
    "pickled weights": (_pickled, "lacks model.safetensors, and other weights are never read; fix: save"),
    "torn weights": (_cut, "model.safetensors is damaged"),
    "an empty list of parts": (_part(None), "does not list files of weights"),
    "a part elsewhere": (_part("../model.safetensors"), "does not list files of weights"),
    "a part missing": (_part("model-00003-of-00003.safetensors"), "is missing; fix: fetch"),
}


@pytest.mark.parametrize("change", BAD)
def test_what_is_no_whole_model_is_one_line(tmp_path, change):
    model, (spoil, said) = _save(tmp_path / "model"), BAD[change]
    spoil(model)
    with pytest.raises(InputError) as caught:
        find_towers(model, setting="semantics.model")
    assert said in str(caught.value)
    assert "; fix: " in str(caught.value)
    assert len(str(caught.value).replace(str(tmp_path), "")) < 200


@pytest.mark.parametrize(
    ("model", "said"), [("none", "none does not exist; fix"), ("file", "is not a folder")]
)
def test_what_is_no_folder_is_told_both_ways(tmp_path, model, said):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=said) as caught:
        find_towers(tmp_path / model, setting="features.weights")
    assert "give the folder of a saved CLIP or SigLIP model, or a name of the hub with" in str(caught.value)
    assert str(caught.value).endswith("--config.features.download=True")


@pytest.fixture
def client(monkeypatch):
    """The hub's client, which finds what `places` has; gives the places and what it was asked."""
    places, asked = {}, []

    def snapshot_download(name, *, allow_patterns, local_files_only):
        asked.append((name, local_files_only))
        assert not [pattern for pattern in allow_patterns if pattern.endswith((".bin", ".py", "*", ".pt"))]
        if name not in places or (local_files_only and len(asked) == 1):
            raise OSError("no connection\nand so on")
        return str(places[name])

    monkeypatch.setitem(
        sys.modules, "huggingface_hub", types.SimpleNamespace(snapshot_download=snapshot_download)
    )
    monkeypatch.setattr(hub, "check_installed", lambda: None)
    return places, asked


@pytest.mark.usefixtures("no_network")
def test_a_name_is_downloaded_only_where_that_is_asked_for(tmp_path, client):
    places, asked = client
    places[NAME] = _save(tmp_path / "snapshot")
    with pytest.raises(InputError) as caught:
        find_towers(NAME, setting="semantics.model")
    assert str(caught.value) == (
        f"semantics.model: {NAME} is no folder, and was not downloaded before; fix: give the folder of a saved CLIP or "
        "SigLIP model, or set --config.semantics.download=True"
    )
    assert find_towers(NAME, setting="semantics.model", download=True).folder == places[NAME]
    assert find_towers(NAME, setting="semantics.model").folder == places[NAME]  # it is there now
    with pytest.raises(InputError, match=r"cannot be downloaded \(no connection\); fix: check the name"):
        find_towers("a/b", setting="semantics.model", download=True)
    assert asked == [(NAME, True), (NAME, False), (NAME, True), ("a/b", False)]


@pytest.fixture
def folder(tmp_path):
    """A tiny data set, a folder of images, and a model."""
    make_data(tmp_path)
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(2):
            Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(
                tmp_path / "images" / name / f"{number}.png"
            )
    _save(tmp_path / "model")
    return tmp_path


def test_an_environment_without_the_extra_is_told_it_before_anything_starts(
    launch, folder, capsys, monkeypatch
):
    monkeypatch.setattr(library, "find_spec", lambda name: None)
    said = (
        "towers need transformers and PyTorch (transformers is missing); fix: pip install 'zsh_jax[towers]'\n"
    )
    model, config = str(folder / "model"), tiny_config(folder)
    put(config, {"sweep.semantics": ("towers",), "semantics.model": model})
    assert refusal(launch, folder, capsys, config) == said
    put(config, {"semantics.model": NAME})
    assert refusal(launch, folder, capsys, config) == said
    changes = {"dataset.name": "folder", "dataset.path": str(folder / "images"), "features.weights": model}
    changes |= {"features.name": "towers", "sweep.semantics": ("one-hot",)}
    assert refusal(launch, folder, capsys, put(config, changes), "--config.validate_only") == said


def test_a_model_that_is_not_named_is_asked_for(launch, folder, capsys):
    config = tiny_config(folder)
    put(config, {"sweep.semantics": ("towers",)})
    assert refusal(launch, folder, capsys, config).startswith(
        "semantics.model is not set; fix: give the folder"
    )
    put(config, {"sweep.semantics": ("sentences", "towers"), "semantics.model": str(folder / "model")})
    assert "both read semantics.model; fix: run them as two" in refusal(launch, folder, capsys, config)
    put(config, {"features.name": "gist+towers", "sweep.semantics": ("one-hot",)})
    assert "features.weights is not set; fix: give the folder" in refusal(launch, folder, capsys, config)
    put(config, {"features.name": "keras:VGG16+towers", "features.weights": str(folder / "model")})
    assert "names 2" in refusal(launch, folder, capsys, config)
    images = ["features", "folder", "towers", "--path", str(folder / "images")]
    assert main(images) == 2
    assert "with --weights=PATH" in capsys.readouterr().err
    assert main([*images, "--weights", "none"]) == 2
    assert capsys.readouterr().err.endswith("or a name of the hub with --download\n")
