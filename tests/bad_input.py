"""A tiny data set, a configuration of it, and what the launcher says of one that is bad."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from ml_collections import ConfigDict

from zsh_jax.sweep.config import for_dataset

EXPERIMENT = "import made\n\n\ndef get_config():\n    return made.config\n"
CLASSES = ("cat", "dog", "cow", "pig", "owl", "bee")


def make_data(folder: Path) -> None:
    """Twenty samples of six classes each, of eight features: read in a few milliseconds."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % len(CLASSES)
    features = rng.normal(size=(len(CLASSES), 8))[labels] + rng.normal(size=(120, 8))
    np.savez(folder / "tiny.npz", features=features.astype(np.float32), labels=labels)
    (folder / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    (folder / "experiment.py").write_text(EXPERIMENT)


def tiny_config(folder: Path) -> ConfigDict:
    """A sweep of one cell that would run."""
    config = for_dataset("features")
    config.name = "tiny"
    config.workdir = str(folder / "workdir")
    config.dataset.path = str(folder / "tiny.npz")
    config.wandb.mode = "disabled"
    config.evaluation.cutoffs = ()  # their program is the largest of all
    sweep = config.sweep
    sweep.semantics, sweep.unseen, sweep.seed, sweep.bits = ("one-hot",), ("cat",), (0,), (8,)
    sweep.training_samples, sweep.anchors, sweep.queries, sweep.neighbours = (40,), (10,), (5,), (3,)
    return config


def put(config: ConfigDict, changes: dict) -> ConfigDict:
    """Set values by dotted keys, of whatever type, as an experiment may."""
    for key, value in changes.items():
        here = config
        *before, last = key.split(".")
        for one in before:
            here = here[one]
        with here.ignore_type():
            here[last] = value
    return config


def launched(launch, folder: Path, config: ConfigDict, *flags: str) -> int:
    """The launcher's exit status for a configuration that an experiment makes."""
    made = ModuleType("made")
    made.config = config
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "made", made)
        patch.setattr("zsh_jax.exits.check_limits", lambda: None)  # starts 80 threads: tests/test_limits.py
        return launch.main(["launch.py", f"--config={folder / 'experiment.py'}", *flags])


def refusal(launch, folder: Path, capsys, config: ConfigDict, *flags: str) -> str:
    """The one line that a bad configuration ends in, without the program's name; nothing else has happened."""
    before = sorted(folder.rglob("*"))
    status = launched(launch, folder, config, *flags)
    said = capsys.readouterr()
    assert status == 2, said.err
    assert not said.out
    assert said.err.count("\n") == 1
    assert said.err.startswith("launch.py: ")
    assert len(said.err) < 400
    assert sorted(folder.rglob("*")) == before
    return said.err.removeprefix("launch.py: ")
