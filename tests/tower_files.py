"""Tiny CLIP and SigLIP models with random weights, saved as `save_pretrained` does, and their towers in NumPy."""

import io
import json
import math
import re

import numpy as np
from PIL import Image

SIDE, PATCH, HEADS, LENGTH, LETTERS = 16, 8, 2, 32, "abcdefghijklmnopqrstuvwxyz."
VISION = {"hidden_size": 16, "image_size": SIDE, "patch_size": PATCH}
TOWER = {
    "num_hidden_layers": 2,
    "num_attention_heads": HEADS,
    "intermediate_size": 24,
    "layer_norm_eps": 1e-5,
}
EPSILON = 1e-5  # of all normalisations
TEXT = {"max_position_embeddings": LENGTH}
START, END = "<|startoftext|>", "<|endoftext|>"
MEAN, DEVIATION = {"clip": 0.45, "siglip": 0.5}, {"clip": 0.27, "siglip": 0.5}  # of pixels


def save_model(folder, kind):
    """A model of a kind, in half precision as many are, with its preprocessing and its tokenizer."""
    import torch
    import transformers

    words = _save_tokenizer[kind](folder)
    torch.manual_seed(0)
    if kind == "clip":
        text = TEXT | TOWER | {"hidden_size": 12, "vocab_size": words, "bos_token_id": words - 2}
        text |= {"eos_token_id": words - 1, "pad_token_id": words - 1}
        config = transformers.CLIPConfig(text_config=text, vision_config=VISION | TOWER, projection_dim=10)
        model = transformers.CLIPModel(config)
    else:
        text = TEXT | TOWER | {"hidden_size": 16, "vocab_size": words, "projection_size": 16}
        text |= {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
        config = transformers.SiglipConfig(text_config=text, vision_config=VISION | TOWER)
        model = transformers.SiglipModel(config)
    for (
        name,
        parameter,
    ) in model.named_parameters():  # biases and scales too, which a new model has at 0 and 1
        scale = 4 if "token_embedding" in name else 0.7 if parameter.ndim > 1 else 0.3
        parameter.data = torch.randn_like(parameter) * scale
    model.half().save_pretrained(folder)
    rules = {"image_mean": [MEAN[kind]] * 3, "image_std": [DEVIATION[kind]] * 3}
    if kind == "clip":
        rules |= {"size": {"shortest_edge": SIDE}, "crop_size": SIDE, "do_center_crop": True}
    else:
        rules |= {"size": {"height": SIDE, "width": SIDE}}
    rules |= {"image_processor_type": f"{'CLIP' if kind == 'clip' else 'Siglip'}ImageProcessor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(rules))


def _save_clip_tokenizer(folder):
    """Letters, and letters that end a word; no merges."""
    words = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), START, END]
    (folder / "vocab.json").write_text(json.dumps({word: place for place, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "CLIPTokenizer"}))
    return len(words)


def _save_siglip_tokenizer(folder):
    import sentencepiece

    model = io.BytesIO()
    words = ["a photo of a cat", "the quick brown fox jumps over the lazy dog"]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(words), model_writer=model, vocab_size=31, model_type="char", minloglevel=2
    )
    (folder / "spiece.model").write_bytes(model.getvalue())
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "SiglipTokenizer"}))
    return 31


_save_tokenizer = {"clip": _save_clip_tokenizer, "siglip": _save_siglip_tokenizer}


def read_weights(folder):
    from safetensors.numpy import load_file

    return {
        name: tensor.astype(np.float64) for name, tensor in load_file(folder / "model.safetensors").items()
    }


def tokens(folder, kind, text):
    """The numbers of a text's tokens, padded with the last one."""
    if kind == "clip":
        words = {
            word: place for place, word in enumerate([*LETTERS, *(f"{a}</w>" for a in LETTERS), START, END])
        }
        parts = [
            f"{part[i]}{'</w>' if i == len(part) - 1 else ''}"
            for part in re.findall(r"[a-z]+|\.", text)
            for i in range(len(part))
        ]
        found, end = [words[START], *(words[part] for part in parts)], words[END]
    else:
        import sentencepiece

        known = sentencepiece.SentencePieceProcessor(model_proto=(folder / "spiece.model").read_bytes())
        found, end = known.encode(text.replace(".", "")), 2
    return [*found, end], [*found, *[end] * (LENGTH - len(found))]


def embed_image(weights, kind, image):
    """The image embedding of an RGB image."""
    height, width = image.shape[:2]
    scale = SIDE / min(height, width) if kind == "clip" else 0
    size = (int(width * scale), int(height * scale)) if kind == "clip" else (SIDE, SIDE)
    pixels = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC), np.float64)
    top, left = ((side - SIDE) // 2 for side in pixels.shape[:2])
    pixels = (pixels[top : top + SIDE, left : left + SIDE] / 255 - MEAN[kind]) / DEVIATION[kind]
    at = "vision_model"
    kernel = weights[f"{at}.embeddings.patch_embedding.weight"]
    patches = pixels.reshape(SIDE // PATCH, PATCH, SIDE // PATCH, PATCH, 3)
    x = np.einsum("rycxk,okyx->rco", patches, kernel).reshape(-1, len(kernel))
    if kind == "clip":
        x = np.vstack([weights[f"{at}.embeddings.class_embedding"], x])
        x = _normed(weights, f"{at}.pre_layrnorm", x + weights[f"{at}.embeddings.position_embedding.weight"])
    else:
        x = x + weights[f"{at}.embeddings.patch_embedding.bias"]
        x = x + weights[f"{at}.embeddings.position_embedding.weight"]
    x = _layers(weights, at, x, kind)
    if kind == "clip":
        return weights["visual_projection.weight"] @ _normed(weights, f"{at}.post_layernorm", x[0])
    x = _normed(weights, f"{at}.post_layernorm", x)
    head, width = f"{at}.head", x.shape[1]
    inward = np.split(weights[f"{head}.attention.in_proj_weight"], 3)
    shifts = np.split(weights[f"{head}.attention.in_proj_bias"], 3)
    asked = weights[f"{head}.probe"][0]
    q, k, v = (
        rows @ matrix.T + shift for rows, matrix, shift in zip((asked, x, x), inward, shifts, strict=True)
    )
    x = _linear(weights, f"{head}.attention.out_proj", _attention(q, k, v))
    return (x + _perceptron(weights, head, _normed(weights, f"{head}.layernorm", x), kind))[0]


def embed_text(weights, kind, folder, text):
    """The text embedding of a text."""
    whole, padded = tokens(folder, kind, text)
    at = "text_model"
    x = weights[f"{at}.embeddings.token_embedding.weight"][padded]
    x = x + weights[f"{at}.embeddings.position_embedding.weight"]
    x = _normed(weights, f"{at}.final_layer_norm", _layers(weights, at, x, kind, causal=kind == "clip"))
    if kind == "clip":
        return weights["text_projection.weight"] @ x[len(whole) - 1]
    return _linear(weights, f"{at}.head", x[-1])


def _layers(weights, at, x, kind, causal=False):
    for number in range(TOWER["num_hidden_layers"]):
        layer = f"{at}.encoder.layers.{number}"
        inner = _normed(weights, f"{layer}.layer_norm1", x)
        q, k, v = (_linear(weights, f"{layer}.self_attn.{name}_proj", inner) for name in "qkv")
        x = x + _linear(weights, f"{layer}.self_attn.out_proj", _attention(q, k, v, causal=causal))
        x = x + _perceptron(weights, layer, _normed(weights, f"{layer}.layer_norm2", x), kind)
    return x


def _linear(weights, name, x):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _normed(weights, name, x):
    centred = x - x.mean(-1, keepdims=True)
    return (
        centred / np.sqrt(x.var(-1, keepdims=True) + EPSILON) * weights[f"{name}.weight"]
        + weights[f"{name}.bias"]
    )


def _attention(q, k, v, causal=False):
    out = []
    for asked, keys, values in zip(*(np.split(x, HEADS, axis=1) for x in (q, k, v)), strict=True):
        scores = asked @ keys.T / math.sqrt(keys.shape[1])
        if causal:
            scores = np.where(np.tril(np.ones_like(scores)) > 0, scores, -np.inf)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        out.append(scores / scores.sum(-1, keepdims=True) @ values)
    return np.hstack(out)


def _perceptron(weights, at, x, kind):
    x = _linear(weights, f"{at}.mlp.fc1", x)
    if kind == "clip":
        x = x / (1 + np.exp(-1.702 * x))
    else:
        x = x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return _linear(weights, f"{at}.mlp.fc2", x)
