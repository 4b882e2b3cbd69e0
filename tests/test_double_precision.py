"""Double precision from the features to the figures: every program takes it, and gives it back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_engine import CUTOFFS, _inputs, _plan

from zsh_jax import METHODS
from zsh_jax.data.dataset import Dataset
from zsh_jax.inputs.features import extract_features
from zsh_jax.inputs.settings import FeatureSettings
from zsh_jax.sweep import engine
from zsh_jax.sweep.load import bytes_of

FEW = {"unseen": ("ant",), "seed": (0,)}


CASES = {
    name: {"method": (name,), "bits": (7 if method.has_codes else 0,)} for name, method in METHODS.items()
} | {
    "random rotation, several starts": {"zsh": {"rotation": ("random",), "restarts": (2,)}},
    "locality on the semantics, a growing alpha": {
        "zsh": {"locality": ("semantics",), "alpha_growth": (1.5,)},
        "graph": ("anchors",),
    },
    "several relaxed starts": {"method": ("zsh_relaxed",), "zsh_relaxed": {"restarts": (2,)}},
    "a turned joint frame": {"method": ("joint_fixed",), "joint_fixed": {"turned": ("all",), "rank": (4,)}},
    "pca": {"preprocessing": ("pca",), "pca_dimensions": (5,)},
    "unit length": {"preprocessing": ("unit",), "laplacian": ("normalised",)},
}


class Traced:
    """In the place of `Compiled`: traces a program, and returns the shapes of what it gives."""

    mesh = None

    def __init__(self):
        self.widths = {}

    def shapes(self, function, *args, use, whole=(), lies=None, **static):
        returned = jax.eval_shape(lambda *args: function(*args, **static), *args)
        leaves = [
            leaf for leaf in jax.tree.leaves((args, returned)) if jnp.issubdtype(leaf.dtype, jnp.inexact)
        ]
        self.widths[function.__name__] = {leaf.dtype.itemsize for leaf in leaves}
        return returned, bytes_of(returned)


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_every_program_is_of_double_precision_throughout(changes, float64):
    """In single precision JAX makes no array of doubles."""
    inputs = _inputs()
    (batch,) = _plan(inputs, **FEW | changes).batches
    traced = Traced()
    engine.footprint(batch, inputs, traced, cutoffs=CUTOFFS, seen_queries=20)
    assert traced.widths
    for name, widths in traced.widths.items():
        assert widths <= {8}, name


def test_features_are_the_same_in_both_precisions(tmp_path):
    """The cache is shared."""
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    ids, labels = np.array(["a", "b", "c"]), np.arange(3, dtype=np.int32)
    dataset = Dataset("noise", ids, np.full(3, "train"), labels, ("x", "y", "z"), images=images)
    made = []
    for x64 in (False, True):
        features = FeatureSettings("gist", cache=str(tmp_path / str(x64)))
        with jax.enable_x64(x64):
            made.append(extract_features(dataset, features))
    assert made[0].dtype == made[1].dtype == np.float32
    np.testing.assert_array_equal(made[0], made[1])
