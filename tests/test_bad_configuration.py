"""A table of bad settings: whatever is wrong with one key, status 2, one line that names it, nothing else."""

from pathlib import Path

import numpy as np
import pytest

from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.settings import leaves

ROOT = Path(__file__).resolve().parent.parent
EXPERIMENT = ROOT / "experiments" / "sweep_bits.py"
NAN, INF = float("nan"), float("inf")
HUGE = (2**63, 10**30, 10**5000)

# Values of no kind that any setting takes.
NEVER = (
    object(),
    b"16",
    1j,
    NAN,
    INF,
    -INF,
    {"a": 1},
    {1, 2},
    np.arange(3),
    ((1,), (2,)),
    [[1]],
    "\x00",
    "\ud800",
)
BY_KIND = {
    bool: (None, 0, 1, 1.0, "yes", "", ()),
    int: (None, True, 1.5, "7", "", -1, (1,), *HUGE),
    float: (None, True, "7", "", 0, -1.0, 1e-300, 1e300, (1.0,), *HUGE),
    str: (None, True, 7, 0.5, "", "two\nlines", ("a",)),
}
AXES = {
    "seed": (-1, 1.0, True, None, "0", 2**32, *HUGE),
    "bits": (-1, 16.0, True, None, "16", 10**9, *HUGE),
    **dict.fromkeys(
        ("training_samples", "queries", "anchors", "neighbours"), (0, -1, 2.0, True, None, 2**31, *HUGE)
    ),
    **dict.fromkeys(("seen_classes", "validation", "pca_dimensions"), (-1, 2.0, True, None, 2**31, *HUGE)),
    **dict.fromkeys(
        ("restarts", "max_iterations", "max_sweeps", "gradient_steps"), (0, -1, 2.0, True, None, 10**9, *HUGE)
    ),
    **dict.fromkeys(
        ("lam", "alpha", "beta", "bandwidth", "alpha_growth", "learning_rate", "multiple"),
        (0, 0.0, -0.0, -1.0, True, None, "1", 1e-300, 1e-40, 1e300, *HUGE),
    ),
    **dict.fromkeys(("gamma", "delta", "tolerance"), (-1.0, True, None, "1", 1e-300, 1e-40, 1e300, *HUGE)),
    **dict.fromkeys(
        (
            *("method", "semantics", "preprocessing", "graph", "edge_weights"),
            *("laplacian", "rotation", "locality", "codes"),
        ),
        (0, None, True, "", "nonesuch", "KNN ", "\u200b"),
    ),
    "unseen": (0, None, True, "", "+", "a+", "+a", " ", "two\nlines"),
}
OTHERS = {
    "name": (
        "../../esc",
        "/esc",
        ".",
        "..",
        ".hidden",
        "a/b",
        "a\\b",
        "a" * 121,
        "é" * 61,
        " a",
        "a ",
        "\u2028",
    ),
    "workdir": (" a", "a ", "\n", "a" * 5000, "~nobody-of-that-name/x"),
    "dataset.name": ("../esc", "/esc", "a//b", "a/../b", "cifar10/", ".", "a" * 121),
    "auxiliary.dataset.name": ("../esc", "/esc", "a//b"),
    "wandb.mode": ("onlne", "OFFLINE", "offline "),
    "wandb.project": ("a/b", "a#b", "a?b", "a%b", "a:b", "a" * 129),
    "wandb.entity": ("a/b", "a" * 129),
    "reference": ("zsh", "../x"),
    "evaluation.cutoffs": (
        0,
        1,
        (0,),
        (-1,),
        (True,),
        (1.0,),
        (100, 100),
        (1000, 100),
        ("100",),
        *((n,) for n in HUGE),
    ),
    "gallery.queries": (1001, 10**9),
    "gallery.neighbours": (0, 1001),
    "memory_gib": (1e-9, 1e7),
    "dataset.image_size": (0, 10**6),
    "dataset.classes": (0, 1),
    "dataset.held_out": (0,),
    "dataset.seed": (2**32,),
    "features.batch_size": (0, 10**6),
    "semantics.limit": (0,),
    "semantics.prompt": ("a photo", "{} {}", "{name}"),
    "semantics.synonyms": (("cat", "kitten"), (("cat",),), (("cat", 3),), (["cat", "kitten"],), "cat"),
    "tuning.validation": (0, -1),
    "tuning.bits": ((), (-1,), (True,), (16, 16), ("16",), 16),
    "tuning.seed": ((), (-1,), (2**32,), (0, 0), (0.0,), 0),
    **{
        f"{part}dataset.arrays.{key}": ((1,), ("",), ("a", "a"), "a")
        for part in ("", "auxiliary.")
        for key in ("features", "labels", "ids")
    },
}


def _kinds():
    """The type of each setting, and whether it may be None."""
    config = for_dataset("features")
    for key, default in leaves(config):
        parent, last = config, key
        if "." in key:
            *before, last = key.split(".")
            for one in before:
                parent = parent[one]
        yield key, parent.get_type(last), default is None


def _table():
    for key, kind, optional in _kinds():
        if key in ("variants", "tuning.axes"):
            continue
        axis = key.removeprefix("sweep.")
        if axis != key:
            values = [(value,) for value in (*NEVER, *AXES[axis])] + [()]
        else:
            values = [*NEVER, *BY_KIND.get(kind, (None, 0.5, {"a": 1})), *OTHERS.get(key, ())]
            values = [value for value in values if not (optional and value is None)]
        for number, value in enumerate(values):
            yield pytest.param(key, value, id=f"{key}-{number}")


@pytest.fixture(scope="module")
def refused(launch, tmp_path_factory):
    """What the launcher says of a configuration that an experiment makes."""
    folder = tmp_path_factory.mktemp("bad")
    np.savez(folder / "tiny.npz", features=np.zeros((4, 2)), labels=np.arange(4) % 2)

    def say(capsys, change, *flags):
        config = for_dataset("features")
        config.name = "bad"
        config.workdir = str(folder / "workdir")
        config.dataset.path = str(folder / "tiny.npz")
        config.sweep.semantics = ("one-hot",)
        change(config)
        experiment = folder / "experiment.py"
        experiment.write_text("import made\n\n\ndef get_config():\n    return made.config\n")
        import sys
        from types import ModuleType

        made = ModuleType("made")
        made.config = config
        sys.modules["made"] = made
        try:
            status = launch.main(["launch.py", f"--config={experiment}", *flags])
        finally:
            del sys.modules["made"]
        said = capsys.readouterr()
        assert status == 2, said.err
        assert not said.out
        assert said.err.count("\n") == 1
        assert said.err.startswith("launch.py: ")
        assert len(said.err) < 400
        assert "Traceback" not in said.err
        assert not (folder / "workdir").exists()
        assert sorted(path.name for path in folder.iterdir()) == ["experiment.py", "tiny.npz"]
        return said.err

    return say


def _put(key, value):
    def change(config):
        here = config
        *before, last = key.split(".")
        for one in before:
            here = here[one]
        with here.ignore_type():
            here[last] = value

    return change


@pytest.mark.parametrize(("key", "value"), _table())
def test_a_value_of_the_wrong_kind_or_range_is_named(refused, capsys, key, value):
    assert key in refused(capsys, _put(key, value))
