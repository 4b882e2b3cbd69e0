"""What `zsh_jax.fit` refuses, it refuses in one line that names the argument."""

import jax
import numpy as np
import pytest
from method_data import toy

import zsh_jax as zsh
from zsh_jax.errors import InputError

DATA = toy()
BAD = {
    "method": ({"method": "zhs"}, "method: there is no 'zhs'.*zsh"),
    "setting": ({"alhpa": 1.0}, "zsh has no setting 'alhpa'.*alpha"),
    "setting of another method": ({"nu": 1.0}, "zsh has no setting 'nu'"),
    "a setting of a method without any": ({"method": "lsh", "alpha": 1.0}, "lsh has no setting 'alpha'"),
    "graph": ({"graph": "tree"}, "graph.*'tree'"),
    "laplacian": ({"laplacian": "odd"}, "laplacian.*'odd'"),
    "preprocessing": ({"preprocessing": "whiten"}, "preprocessing"),
    "edge weights": ({"edge_weights": "cold"}, "edge_weights"),
    "rotation": ({"rotation": "left"}, "rotation"),
    "locality": ({"locality": "far"}, "locality"),
    "no iteration": ({"max_iterations": 0}, "max_iterations"),
    "no start": ({"restarts": 0}, "restarts"),
    "half an iteration": ({"max_iterations": 2.5}, "max_iterations"),
    "weight below zero": ({"alpha": -1.0}, "alpha"),
    "weight that is no number": ({"alpha": float("nan")}, "alpha"),
    "weight that is a text": ({"alpha": "much"}, "alpha"),
    "bandwidth": ({"bandwidth": 0.0}, "bandwidth"),
    "too many anchors": ({"anchors": 121}, "anchors"),
    "no anchors": ({"anchors": 0}, "anchors"),
    "too many neighbours": ({"neighbours": 120}, "neighbours"),
    "directions of no pca": ({"preprocessing": "pca", "pca_dimensions": 13}, "pca_dimensions"),
    "no bits": ({"bits": 0}, "bits: zsh takes a whole number, 1 or more, not 0"),
    "bits as text": ({"bits": "16"}, "bits: zsh takes a whole number, 1 or more, not '16'"),
    "bits below none": ({"bits": -8}, "bits: zsh takes a whole number, 1 or more, not -8"),
    "half a bit": ({"bits": 8.5}, "bits: zsh takes"),
    "bits beyond pcah": ({"method": "pcah", "bits": 13}, "bits: pcah takes a whole number, 1 to 12,.*not 13"),
    "bits beyond itq": ({"method": "itq", "bits": 64}, "bits: itq takes a whole number, 1 to 12,.*not 64"),
    "bits beyond pca": (
        {"method": "pcah", "bits": 8, "preprocessing": "pca", "pca_dimensions": 5},
        "bits: pcah takes a whole number, 1 to 5,.*not 8",
    ),
    "one row": ({"features": np.zeros(12)}, r"features: must be \(n, d\) numbers; got shape \(12,\)"),
    "no rows": ({"features": np.zeros((0, 12)), "labels": np.zeros(0, int)}, "features"),
    "features that are texts": ({"features": np.full((120, 12), "a")}, "features"),
    "labels of other samples": ({"labels": np.zeros(7, int)}, r"labels: must be \(120,\) indices"),
    "labels in a block": ({"labels": np.zeros((120, 5, 2), int)}, "labels: must be"),
    "marks of other classes": ({"labels": np.ones((120, 4), bool)}, "labels"),
    "a sample of no class": ({"labels": np.zeros((120, 5), bool)}, "samples have no label"),
    "marks that are counts": ({"labels": np.full((120, 5), 2)}, "labels"),
    "float labels": ({"labels": np.zeros(120)}, "labels: must be whole numbers.*float64"),
    "float marks": ({"labels": np.ones((120, 5))}, "labels: must be whole numbers.*float64"),
    "labels that are texts": ({"labels": np.full(120, "cat")}, "labels: must be whole numbers"),
    "labels below the classes": ({"labels": np.full(120, -1)}, "labels"),
    "labels beyond the classes": ({"labels": np.full(120, 5)}, "labels"),
    "one class vector": ({"class_vectors": np.ones(7)}, "class vectors|class_vectors"),
    "a zero class vector": (
        {"class_vectors": np.eye(5, 7) * (np.arange(5) > 0)[:, None]},
        "class_vectors: a row",
    ),
    "an infinite class vector": (
        {"class_vectors": np.full((5, 7), np.inf)},
        r"class_vectors: 5 of 5 rows are not finite \(first: row 0\)",
    ),
    "class vectors that are texts": ({"class_vectors": np.full((5, 7), "a")}, "class_vectors: must be"),
    "vectors that cancel out": (
        {"class_vectors": np.array([[1.0, 0], [-1.0, 0]]), "labels": np.ones((120, 2), int)},
        "class vectors cancel out",
    ),
    "a weight for each of several": ({"alpha": np.ones(3)}, "alpha: takes numbers"),
    "features that are not finite": (
        {"features": np.where(np.arange(120)[:, None] == 7, np.nan, np.ones((120, 12)))},
        r"features: 1 of 120 rows are not finite \(first: row 7\)",
    ),
    "features that float32 cannot hold": (
        {"features": np.full((120, 12), 1e300)},
        "features: 120 of 120 rows are not finite",
    ),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD)
def test_a_bad_argument_is_told_in_one_line(changes, message, unchecked_shapes):
    given = {"features": DATA.raw, "class_vectors": DATA.vectors, "labels": DATA.labels, "bits": 8}
    with pytest.raises(InputError, match=message) as caught:
        zsh.fit(jax.random.key(0), **given | changes)
    assert "\n" not in str(caught.value)
