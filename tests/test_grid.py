"""The grid, its groups and the plan: every cell once, whatever fits where."""

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsh_jax.errors import InputError
from zsh_jax.sweep.axes import AXES
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.grid import even_chunks, groups
from zsh_jax.sweep.memory import Sizes
from zsh_jax.sweep.plan import make_plan

SIZES = {kind: Sizes(9000, 512, 11) for kind in ("attributes", "one-hot")}


def _axes(**changes):
    return for_dataset("shapes").sweep.to_dict() | changes


MANY = {
    "bits": (16, 32),
    "seed": (0, 1, 2),
    "lam": (0.01, 1.0),
    "alpha": (1e-5, 1e-3, 1e-1),
    "rotation": ("procrustes", "none"),
    "semantics": ("attributes", "one-hot"),
    "anchors": (100, 200),
}


def _identities(cells):
    return [tuple(sorted(cell.axes().items())) for cell in cells]


def test_groups_hold_each_point_of_the_grid_once():
    axes = _axes(**MANY)
    found = [identity for group in groups(axes) for identity in _identities(group.cells())]
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
    plan = make_plan(groups(_axes(gamma=(0.0,))), SIZES, memory_gib=2.0)
    assert not any(batch.has_locality for batch in plan.batches)
    plan = make_plan(groups(_axes(gamma=(0.0, 1e-6))), SIZES, memory_gib=2.0)
    assert all(batch.has_locality for batch in plan.batches)


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
        ({"lam": (0.0,)}, "sweep.lam"),
        ({"alpha": (-1.0,)}, "sweep.alpha"),
        ({"beta": ("much",)}, "sweep.beta"),
        ({"gamma": (float("nan"),)}, "sweep.gamma"),
        ({"gamma": (float("inf"),)}, "sweep.gamma"),
        ({"rotation": ("cayley",)}, "sweep.rotation"),
        ({"semantics": ("runes",)}, "sweep.semantics"),
        ({"seed": (-1,)}, "sweep.seed"),
        ({"method": ("magic",)}, "sweep.method"),
        ({"unseen": (3,)}, "sweep.unseen"),
        ({"anchors": (6000,)}, "anchors cannot be drawn from 5000"),
        ({"neighbours": (5000,)}, "neighbours cannot be found"),
        ({"depth": (3,)}, "unknown axis 'depth'"),
    ],
)
def test_a_value_that_no_run_can_take_is_one_line(changes, words):
    with pytest.raises(InputError, match=words) as caught:
        groups(_axes(**changes))
    assert "\n" not in str(caught.value)


def test_a_missing_axis_is_named():
    axes = _axes()
    del axes["lam"]
    with pytest.raises(InputError, match="'lam' is missing"):
        groups(axes)


def test_a_bare_value_is_an_axis_of_one():
    assert [cell.program.bits for group in groups(_axes(bits=24)) for cell in group.cells()] == [24] * 3


def test_every_axis_is_in_a_cell_s_identity():
    cell = next(groups(_axes())[0].cells())
    assert set(cell.axes()) == set(AXES)


def test_each_variant_has_a_grid_of_its_own():
    axes = _axes(bits=(16, 32))
    found = groups(
        axes, {"full": {}, "plain": {"rotation": ("none",)}, "slow": {"bits": (8,), "lam": (1.0, 2.0)}}
    )
    cells = [cell for group in found for cell in group.cells()]
    count = {name: sum(cell.variant == name for cell in cells) for name in ("full", "plain", "slow")}
    assert count == {"full": 6, "plain": 6, "slow": 6}
    for cell in cells:
        assert cell.program.rotation == ("none" if cell.variant == "plain" else "procrustes")
        assert (cell.program.bits == 8) == (cell.variant == "slow")
    plan = make_plan(found, SIZES, memory_gib=2.0)
    assert sorted(map(repr, cells)) == sorted(repr(c) for batch in plan.batches for c in batch.cells())


def test_variants_of_one_data_split_are_prepared_together():
    axes = _axes()
    plan = make_plan(
        groups(axes, {"a": {}, "b": {"semantics": ("one-hot",)}, "c": {"lam": (1.0,)}}), SIZES, memory_gib=2
    )
    assert [batch.variant for batch in plan.batches] == ["a", "c", "b"]


def test_a_misspelt_axis_of_a_variant_is_named():
    with pytest.raises(InputError, match="unknown axis 'rotatoin'"):
        groups(_axes(), {"full": {"rotatoin": ("none",)}})
