"""The axes of the ablations, through the engine."""

import numpy as np
import pytest
from test_engine import _axes, _inputs, _plan

from zsh_jax.data.dataset import Dataset
from zsh_jax.errors import InputError
from zsh_jax.inputs.class_vectors import Semantics
from zsh_jax.inputs.load import Inputs
from zsh_jax.methods.table import METHODS
from zsh_jax.sweep import engine
from zsh_jax.sweep.axes import SHARED_AXES, own_axes
from zsh_jax.sweep.grid import groups
from zsh_jax.sweep.memory import Sizes
from zsh_jax.sweep.plan import make_plan

pytestmark = pytest.mark.usefixtures("float64")

FEW = {"seed": (0,), "unseen": ("bee",)}


def _run(plan, inputs):
    return [result for batch in engine.run(plan, inputs) for result in batch]


def _metrics(result):
    """All that came out, but for times."""
    return {key: value for key, value in result.metrics.items() if not key.endswith("seconds")}


@pytest.mark.slow
def test_all_figures_of_a_batch_are_those_of_cells_run_alone():
    """That other variants learn alike alone and in a batch stands in `test_grids.py`."""
    inputs = _inputs()
    own = {"restarts": (3,), "lam": (0.01, 1.0)}
    together = _run(_plan(inputs, seed=(0, 3), unseen=("bee",), zsh=own), inputs)
    assert len(together) == 4
    for result in (together[0], together[-1]):  # of another seed and weight
        values = {
            axis: (result.cell[axis],)
            for axis in SHARED_AXES
            if axis in result.cell and axis not in ("semantics", "method")
        }
        its = {axis: (result.cell[axis],) for axis in own_axes(METHODS["zsh"])}
        (alone,) = _run(_plan(inputs, **values, zsh=its), inputs)
        assert alone.cell == result.cell
        for key, value in _metrics(alone).items():
            if isinstance(value, str):
                assert result.metrics[key] == value
            else:
                np.testing.assert_allclose(result.metrics[key], value, rtol=1e-9, atol=1e-12, err_msg=key)


def test_the_three_rotations_of_the_published_form_have_equal_metrics():
    inputs = _inputs()
    own = {"rotation": ("procrustes", "none", "random"), "alpha": (1e-5, 0.1)}
    results = _run(_plan(inputs, seed=(0, 3), zsh=own), inputs)
    by_rotation = {kind: [] for kind in own["rotation"]}
    for result in results:
        metrics = _metrics(result)
        # J is taken with the rounding of R; what was not asked for is NaN, which equals nothing.
        metrics = {key: value for key, value in metrics.items() if "objective" not in key and value == value}
        by_rotation[result.cell["rotation"]].append(metrics)
    assert by_rotation["none"] == by_rotation["procrustes"] == by_rotation["random"]


def test_of_several_starts_the_lowest_is_kept_and_all_are_told():
    inputs = _inputs()
    (one,) = _run(_plan(inputs, **FEW, bits=(3,)), inputs)
    (many,) = _run(_plan(inputs, **FEW, bits=(3,), zsh={"restarts": (6,)}), inputs)
    values = many.metrics["start_objectives"]
    assert len(values) == 6
    assert len(set(np.round(values, 5))) > 1
    assert many.metrics["objective"] == min(values)
    assert values[0] == pytest.approx(one.metrics["objective"], rel=1e-9)  # that of one start alone


def test_few_seen_classes_and_a_wider_kernel_are_other_problems():
    inputs = _inputs()
    plain, few, wide = (
        _run(_plan(inputs, **FEW, training_samples=(60,), **changes), inputs)[0].metrics
        for changes in ({}, {"seen_classes": (1,)}, {"bandwidth": (30.0,)})
    )
    assert len({one["objective"] for one in (plain, few, wide)}) == 3


def _by_meaning(classes=30, per_class=20):
    """Images whose features are their class's vector, turned into another space and blurred."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(classes, 4))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    labels = np.repeat(np.arange(classes), per_class).astype(np.int32)
    features = vectors[labels] @ rng.normal(size=(4, 10)) + 0.1 * rng.normal(size=(len(labels), 10))
    names = tuple(f"class{i}" for i in range(classes))
    ids = np.array([f"{i:03d}" for i in range(len(labels))])
    dataset = Dataset("meant", ids, np.full(len(ids), "train"), labels, names)
    own = Semantics("own", vectors)
    semantics = {"attributes": own, "shuffled": own._replace(name="shuffled own")}
    return Inputs(dataset, "made-up", features.astype(np.float32), semantics)


def test_shuffled_semantics_find_images_by_name_far_worse_than_true_ones():
    inputs = _by_meaning()
    axes = _axes(
        semantics=("attributes", "shuffled"),
        method=("zsh_coupled",),
        seed=(0, 1, 2, 3, 4, 5),
        unseen=("class0+class1+class2",),
        training_samples=(400,),
        queries=(30,),
        bits=(16,),
        anchors=(40,),
    )
    sizes = {kind: Sizes(*inputs.features.shape, 4) for kind in ("attributes", "shuffled")}
    results = _run(make_plan(groups(axes), sizes, memory_gib=1.0), inputs)
    own, shuffled = (
        np.array(
            [r.metrics["mean_average_precision_by_name"] for r in results if r.cell["semantics"] == name]
        )
        for name in ("own", "shuffled own")
    )
    assert len(own) == len(shuffled) == 6
    # By a class's name, that is: for images as queries any distinct vectors may serve, and the sweep says so.
    assert own.mean() > 3 * shuffled.mean()
    assert (own > shuffled).all()  # the same split, anchors and start


@pytest.mark.parametrize(
    "changes",
    [
        {"zsh_coupled": {"rotation": ("random",)}},  # it has a rotation of its own
        {"zsh_relaxed": {"alpha_growth": (2.0,)}},
        {"zsh_coupled": {"lam": (0.1,)}},
        {"zsh": {"locality": ("everywhere",)}},
        {"graph": ("anchors",), "neighbours": (15,)},
        {"zsh": {"restarts": (0,)}},
        {"zsh": {"alpha_growth": (1e20,), "max_iterations": (10,)}},
        {"bandwidth": (0.0,)},
    ],
)
def test_what_does_not_go_together_is_refused(changes):
    with pytest.raises(InputError, match=r"sweep|neighbours"):
        groups(_axes(**changes))
