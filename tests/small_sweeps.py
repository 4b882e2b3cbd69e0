"""A sweep that takes a moment: features of six classes in a file, and the settings that fit them."""

from pathlib import Path

import numpy as np

from zsh_jax.commands.configuration import read_config

EXPERIMENT = Path(__file__).resolve().parent.parent / "experiments" / "sweep_bits.py"
NAMES = ("ant", "bee", "cow", "dog", "elk", "red fox")
PER_CLASS = 30


def write_features(path, *, seed=0, labels_seed=None, **arrays):
    """A file of features; another seed makes other features of the same labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(NAMES), dtype=np.int32), PER_CLASS)
    if labels_seed is not None:
        labels = np.random.default_rng(labels_seed).permutation(labels)
    features = 2 * rng.normal(size=(len(NAMES), 7))[labels] + rng.normal(size=(len(labels), 7))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{"features": features.astype(np.float32), "labels": np.array(NAMES)[labels]} | arrays)
    return path


def write_vectors(path, *, seed=0):
    """A GloVe file; its last word is the whole name of a class that else is the mean of its words."""
    rng = np.random.default_rng(seed)
    words = (*NAMES[:-1], "red", "fox", "red_fox")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{word} {' '.join(map(str, rng.normal(size=4)))}\n" for word in words))
    return path


def arguments(path, workdir, experiment=f"{EXPERIMENT}:features", **changes):
    """The command line of a small sweep on a file of features; None takes a setting out."""
    settings = {
        "workdir": workdir,
        "dataset.path": path,
        "wandb.mode": "disabled",
        "report": False,
        "evaluation.cutoffs": "()",  # their program is the largest of all
        "sweep.semantics": "('one-hot',)",
        "sweep.unseen": "('cow+dog',)",
        "sweep.method": "('lsh',)",
        "sweep.bits": "(8,)",
        "sweep.seed": "(0,)",
        "sweep.training_samples": 60,
        "sweep.queries": 20,
        "sweep.anchors": 10,
        "sweep.neighbours": 4,
    } | {key.replace("__", "."): value for key, value in changes.items()}
    flags = [f"--config.{key}={value}" for key, value in settings.items() if value is not None]
    return ["launch.py", f"--config={experiment}", *flags]


def configured(path, workdir, **changes):
    """The configuration that this command line asks for."""
    return read_config(arguments(path, workdir, **changes))
