"""The grid, its groups and the plan: every cell once, whatever fits where."""

from dataclasses import asdict
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_engine import _inputs, _plan

from zsh_jax.errors import InputError
from zsh_jax.methods.protocol import Reads
from zsh_jax.methods.ranges import own_takes
from zsh_jax.methods.table import METHODS
from zsh_jax.sweep import engine
from zsh_jax.sweep.axes import SHARED_AXES, SPLIT_AXES, own_axes, own_defaults
from zsh_jax.sweep.config import defaults, for_dataset
from zsh_jax.sweep.grid import even_chunks, groups
from zsh_jax.sweep.memory import Sizes
from zsh_jax.sweep.plan import make_plan
from zsh_jax.tracking.provenance import PROVENANCE

SIZES = {kind: Sizes(9000, 512, 11) for kind in ("attributes", "one-hot")}


def _axes(**changes):
    return for_dataset("shapes").sweep.to_dict() | changes


MANY = {
    "bits": (16, 32),
    "seed": (0, 1, 2),
    "zsh": {"lam": (0.01, 1.0), "alpha": (1e-5, 1e-3, 1e-1), "rotation": ("procrustes", "none")},
    "semantics": ("attributes", "one-hot"),
    "anchors": (100, 200),
}


def _identities(cells):
    return [tuple(sorted(cell.axes().items())) for cell in cells]


def test_groups_hold_each_point_of_the_grid_once():
    every = _axes(**MANY)
    found = [identity for group in groups(every) for identity in _identities(group.cells())]
    axes = {axis: every[axis] for axis in SHARED_AXES}
    axes |= {axis: (value,) for axis, value in METHODS["zsh"].weights()._asdict().items()}
    axes |= {axis: (value,) for axis, value in asdict(METHODS["zsh"].options()).items()} | MANY["zsh"]
    expected = [tuple(sorted(zip(axes, values, strict=True))) for values in product(*axes.values())]
    assert len(found) == len(set(found)) == 2 * 3 * 2 * 3 * 2 * 2 * 2
    assert set(found) == set(expected)


def test_a_group_shares_shapes_and_static_axes():
    for group in groups(_axes(**MANY)):
        assert len({split.shape for split in group.splits}) == 1
        assert len({(cell.program, cell.split.anchors) for cell in group.cells()}) == 1
    assert len(groups(_axes(**MANY))) == 2 * 2 * 2 * 2  # bits, rotation, semantics, anchors


@pytest.mark.parametrize("memory_gib", [0.1, 0.15, 2.0])
def test_batches_hold_each_cell_once_and_fit(memory_gib):
    axes = _axes(**MANY)
    plan = make_plan(groups(axes), SIZES, memory_gib=memory_gib)
    found = [identity for batch in plan.batches for identity in _identities(batch.cells())]
    assert len(found) == len(set(found)) == len(plan) == sum(len(batch) for batch in plan.batches)
    assert set(found) == {identity for group in groups(axes) for identity in _identities(group.cells())}
    assert plan.peak_bytes <= memory_gib * 2**30


def test_less_memory_makes_more_batches():
    counts = [
        len(make_plan(groups(_axes(**MANY)), SIZES, memory_gib=gib).batches) for gib in (0.1, 0.15, 2.0)
    ]
    assert counts[0] > counts[1] > counts[2]


def test_batches_of_one_data_split_follow_each_other():
    plan = make_plan(groups(_axes(**MANY)), SIZES, memory_gib=0.15)
    order = [batch.splits for batch in plan.batches]
    changes = sum(one != other for one, other in pairwise(order)) + 1
    assert changes == len(set(order))


def test_no_graph_where_no_cell_has_a_locality_term():
    for method in ("zsh", "zsh_relaxed", "zsh_coupled"):
        for gamma, reads_graph in (((0.0,), False), ((0.0, 1e-6), True)):
            axes = _axes(**{"method": (method,), method: {"gamma": gamma}})
            plan = make_plan(groups(axes), SIZES, memory_gib=2.0)
            assert {Reads.GRAPH in batch.reads for batch in plan.batches} == {reads_graph}
    for locality, delta, reads_graph in (
        ("semantics", 0.0, False),
        ("semantics", 0.1, True),
        ("none", 0.1, False),
    ):
        axes = _axes(zsh={"locality": (locality,), "delta": (delta,)})
        plan = make_plan(groups(axes), SIZES, memory_gib=2.0)
        assert {Reads.GRAPH in batch.reads for batch in plan.batches} == {reads_graph}


def test_a_cell_that_does_not_fit_is_named_before_it_runs():
    with pytest.raises(InputError, match="memory_gib"):
        make_plan(groups(_axes()), SIZES, memory_gib=0.01)


@given(st.integers(1, 200), st.integers(1, 50))
def test_chunks_are_in_order_no_longer_than_asked_and_not_twice_too_many(n, most):
    chunks = even_chunks(range(n), most)
    assert [item for chunk in chunks for item in chunk] == list(range(n))
    lengths = [len(chunk) for chunk in chunks]
    assert max(lengths) <= most
    assert len(set(lengths[:-1])) <= 1
    assert lengths[-1] <= lengths[0]
    assert len(lengths) < 2 * -(-n // most)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bits": ()}, "sweep.bits is empty"),
        ({"bits": (16, 16)}, "repeats"),
        ({"bits": (0,)}, "sweep.bits"),
        ({"bits": (16.0,)}, "sweep.bits"),
        ({"bits": (True,)}, "sweep.bits"),
        ({"zsh": {"lam": (0.0,)}}, "sweep.zsh.lam"),
        ({"zsh": {"lam": ()}}, "sweep.zsh.lam is empty"),
        ({"zsh": {"lam": (1.0, 1)}}, "sweep.zsh.lam repeats"),
        ({"zsh": {"alpha": (-1.0,)}}, "sweep.zsh.alpha"),
        ({"zsh": {"beta": ("much",)}}, "sweep.zsh.beta"),
        ({"zsh": {"gamma": (float("nan"),)}}, "sweep.zsh.gamma"),
        ({"zsh": {"gamma": (float("inf"),)}}, "sweep.zsh.gamma"),
        ({"zsh": {"rotation": ("cayley",)}}, "sweep.zsh.rotation"),
        ({"zsh": {"max_iterations": (1.5,)}}, "sweep.zsh.max_iterations"),
        ({"zsh": ("none",)}, "sweep.zsh: takes a dict of axes of zsh"),
        ({"zsh": {"nu": (1.0,)}}, "sweep.zsh: unknown axis 'nu'"),
        ({"lam": (0.1,)}, r"sweep: unknown axis 'lam'; it is an axis of zsh.*sweep\.zsh\.lam"),
        ({"sdh": {"nu": (-1.0,)}}, "sweep.sdh.nu"),  # wrong where it stands, though sdh does not run
        ({"semantics": ("runes",)}, "sweep.semantics"),
        ({"seed": (-1,)}, "sweep.seed"),
        ({"method": ("magic",)}, "sweep.method"),
        ({"unseen": (3,)}, "sweep.unseen"),
        ({"anchors": (6000,)}, "anchors cannot be drawn from 5000"),
        ({"neighbours": (5000,)}, "5000 neighbours are too many for"),
        ({"depth": (3,)}, "unknown axis 'depth'"),
    ],
)
def test_a_value_that_no_run_can_take_is_one_line(changes, words):
    with pytest.raises(InputError, match=words) as caught:
        groups(_axes(**changes))
    assert "\n" not in str(caught.value)


def test_a_missing_axis_is_named():
    axes = _axes()
    del axes["neighbours"]
    with pytest.raises(InputError, match="'neighbours' is missing"):
        groups(axes)


def test_a_method_s_own_axes_that_are_not_given_have_the_paper_s_values():
    axes = _axes(zsh={"alpha": (0.5,)})
    for method in METHODS:
        if method != "zsh":
            del axes[method]
    every = ("zsh", "joint", "sdh")
    cells = [cell for group in groups(axes | {"method": every}) for cell in group.cells()]
    own = {cell.program.method: (cell.weights, cell.program.options) for cell in cells}
    assert own == {
        name: (
            METHODS[name].weights(**({"alpha": 0.5} if name == "zsh" else {})),
            METHODS[name].options(),
        )
        for name in every
    }


def test_a_bare_value_is_an_axis_of_one():
    assert [cell.program.bits for group in groups(_axes(bits=24)) for cell in group.cells()] == [24] * 3


def test_every_axis_of_its_method_is_in_a_cell_s_identity():
    cell = next(groups(_axes())[0].cells())
    assert set(cell.axes()) == {*SHARED_AXES, *own_axes(METHODS["zsh"])}


def test_each_variant_has_a_grid_of_its_own():
    axes = _axes(bits=(16, 32))
    found = groups(
        axes,
        {
            "full": {},
            "plain": {"zsh": {"rotation": ("none",)}},
            "slow": {"bits": (8,), "zsh": {"lam": (1.0, 2.0)}},
        },
    )
    cells = [cell for group in found for cell in group.cells()]
    count = {name: sum(cell.variant == name for cell in cells) for name in ("full", "plain", "slow")}
    assert count == {"full": 6, "plain": 6, "slow": 6}
    for cell in cells:
        assert cell.program.options.rotation == ("none" if cell.variant == "plain" else "procrustes")
        assert (cell.program.bits == 8) == (cell.variant == "slow")
    plan = make_plan(found, SIZES, memory_gib=2.0)
    assert sorted(map(repr, cells)) == sorted(repr(c) for batch in plan.batches for c in batch.cells())


def test_variants_of_one_data_split_are_prepared_together():
    axes = _axes()
    plan = make_plan(
        groups(axes, {"a": {}, "b": {"semantics": ("one-hot",)}, "c": {"zsh": {"lam": (1.0,)}}}),
        SIZES,
        memory_gib=2,
    )
    assert [batch.variant for batch in plan.batches] == ["a", "c", "b"]


def test_a_misspelt_axis_of_a_variant_is_named():
    with pytest.raises(InputError, match=r"variants\.full\.zsh: unknown axis 'rotatoin'.*rotation"):
        groups(_axes(), {"full": {"zsh": {"rotatoin": ("none",)}}})
    with pytest.raises(InputError, match=r"variants\.full: unknown axis 'bist'.*bits"):
        groups(_axes(), {"full": {"bist": (8,)}})


UNREAD_BY_LSH = ("semantics", "anchors", "bandwidth", "graph", "neighbours", "edge_weights", "laplacian")
TWO = {
    "semantics": ("attributes", "one-hot"),
    "anchors": (100, 200),
    "bandwidth": (1.0, 2.0),
    "graph": ("knn", "anchors"),
    "neighbours": (5, 6),
    "edge_weights": ("heat", "binary"),
    "laplacian": ("plain", "normalised"),
}


def test_a_cell_has_no_axis_that_its_method_does_not_read():
    (lsh, *_) = groups(_axes(method=("lsh",)))
    axes = next(lsh.cells()).axes()
    assert set(axes) == {*SHARED_AXES} - {*UNREAD_BY_LSH}
    assert not axes.keys() & {*own_axes(METHODS["zsh"])}
    (sdh, *_) = groups(_axes(method=("sdh",)))  # it reads RBF features and labels
    without = {"semantics", "graph", "neighbours", "edge_weights", "laplacian"}
    own = {"lam", "nu", "ridge", "max_iterations", "max_sweeps"}
    assert set(next(sdh.cells()).axes()) == {*SHARED_AXES} - without | own
    (bound, *_) = groups(_axes(method=("cosine_features",), bits=(0,)))  # on raw features
    both = {"preprocessing", "pca_dimensions"}
    assert set(next(bound.cells()).axes()) == {*SHARED_AXES} - {*UNREAD_BY_LSH} - both


@pytest.mark.parametrize("axis", UNREAD_BY_LSH)
def test_two_values_of_an_axis_that_is_not_read_make_one_cell(axis):
    axes = _axes(method=("lsh", "zsh"), seed=(0,), unseen=("striped circle",), **{axis: TWO[axis]})
    found = {"lsh": [], "zsh": []}
    for group in groups(axes):
        found[group.program.method] += _identities(group.cells())
    assert len(found["lsh"]) == 1
    assert len(set(found["zsh"])) == len(found["zsh"]) == 2
    plan = make_plan(groups(axes), SIZES, memory_gib=2.0)
    assert sum(len(batch) for batch in plan.batches) == len(plan) == 3


def test_options_that_a_method_does_not_have_make_no_new_programs():
    axes = _axes(
        method=("lsh", "zsh", "itq"),
        zsh={"rotation": ("procrustes", "none"), "max_iterations": (2, 3, 4), "lam": (0.1, 1.0)},
        joint={"turns": (0, 20)},
    )
    found = [group.program for group in groups(axes)]
    counts = {name: sum(one.method == name for one in found) for name in METHODS}
    assert {name: count for name, count in counts.items() if count} == {"lsh": 1, "zsh": 6, "itq": 1}
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("method", METHODS)
def test_every_own_axis_of_a_method_is_in_the_defaults_at_the_paper_s_value(method):
    paper = own_defaults(METHODS[method])
    assert defaults().sweep[method].to_dict() == {axis: (value,) for axis, value in paper.items()}
    assert set(paper) == {*own_axes(METHODS[method])} == {*own_takes(method)}
    for axis, value in paper.items():
        assert own_takes(method)[axis].test(value), axis


def test_no_own_axis_is_called_as_a_shared_one_a_method_or_a_column_of_the_results():
    inputs = _inputs()
    plan = _plan(inputs, method=("zsh", "lsh"), unseen=("bee",), seed=(0,))
    columns = {*SHARED_AXES, *METHODS, *PROVENANCE, "cell_id", "checksum", "choices", "validation"}
    for result in (one for batch in engine.run(plan, inputs, cutoffs=(5,), seen_queries=3) for one in batch):
        own = {*own_axes(METHODS[result.cell["method"]])}
        columns |= {*result.metrics} | ({*result.cell} - own)
    assert {"status", "iterations", "seconds", "dataset", "variant"} <= columns
    types = {}
    for name, method in METHODS.items():
        assert not columns & {*own_axes(method)}, name
        for axis, value in own_defaults(method).items():  # and of one type in a table of several methods
            types.setdefault(axis, set()).add(type(value))
    assert all(len(kinds) == 1 for kinds in types.values()), types
    assert set(TWO) <= set(SPLIT_AXES)
