"""Estimates of the time left, against a sweep whose compile times and run times are known."""

import io
from itertools import product

import pytest
from rich.console import Console

from zsh_jax.sweep.result import CellResult
from zsh_jax.tracking.progress import duration, progress
from zsh_jax.tracking.time_left import TimeLeft, Work

COMPILE, START, SAVE, PREPARE = 6.0, 9.0, 0.2, 0.7  # seconds; the first also starts the device
CELL = {16: 0.1, 64: 0.5, 128: 2.5}
CHUNKS, SPLITS, CELLS = 4, 5, 10


def _work(chunks=CHUNKS):
    return [
        Work(("zsh", bits), ("zsh", bits, SPLITS), "zsh", bits, chunk, SPLITS, CELLS)
        for chunk, bits in product(range(chunks), CELL)
    ]


def _seconds(work, number, compiled, splits):
    run = work.cells * CELL[work.bits]
    prepare = SPLITS * PREPARE * (work.splits != splits)
    return run + prepare + SAVE + COMPILE * (work.programs not in compiled) + START * (number == 0)


def _metrics(work):
    each = CELL[work.bits]
    one = {"seconds": each / 2, "encode_seconds": each / 4, "evaluate_seconds": each / 4}
    return [one | {"prepare_seconds": PREPARE}] * work.cells


def _run(todo):
    """What each batch takes."""
    compiled, splits, taken = set(), None, []
    for number, work in enumerate(todo):
        taken.append(_seconds(work, number, compiled, splits))
        compiled.add(work.programs)
        splits = work.splits
    return taken


def test_estimates_are_near_once_each_kind_of_cells_has_run_twice():
    todo = _work()
    taken = _run(todo)
    estimate = TimeLeft(todo)
    assert estimate.left() is None
    for number, (work, seconds) in enumerate(zip(todo, taken, strict=True), 1):
        estimate.ended(_metrics(work), seconds)
        left = sum(taken[number:])
        if number == len(todo):
            assert estimate.left() == 0
        elif number >= 2 * len(CELL):
            assert left / 1.5 <= estimate.left() <= 1.5 * left
        elif number >= 2:  # some lengths have not run: their cost follows from the bits
            assert left / 3 <= estimate.left() <= 3 * left


def test_one_batch_of_each_kind_does_not_count_compilation_as_cells():
    """As in the README's first command, where the first estimates were five times too long."""
    todo = _work(chunks=40)[: 3 * 40]
    taken = _run(todo)
    estimate = TimeLeft(todo)
    for work, seconds in zip(todo[:3], taken[:3], strict=True):
        estimate.ended(_metrics(work), seconds)
    left = sum(taken[3:])
    by_mean_of_all = sum(taken[:3]) / 30 * 10 * (len(todo) - 3)
    assert by_mean_of_all > 1.4 * left
    assert left / 1.1 <= estimate.left() <= 1.1 * left


def test_a_bound_without_bits_does_not_say_that_codes_take_as_many_times_as_long_as_they_have_bits():
    bound = Work("bound", "bound", "cosine_features", 0, "split", 1, 1)
    coded = [
        Work((name, bits), (name, bits), name, bits, "split", 1, 1)
        for name, bits in (("lsh", 16), ("itq", 64))
    ]
    left = TimeLeft([bound, *coded])
    left.ended([{"seconds": 10.0}], 10.0)
    assert left.left() == 2 * 10.0
    left.ended([{"seconds": 1.0}], 1.0)  # codes are more like codes
    assert left.left() == 64 / 16 * 1.0


def test_a_batch_that_comes_in_parts_is_taken_off_once():
    todo = _work()
    estimate = TimeLeft(todo)
    metrics = _metrics(todo[0])
    estimate.ended(metrics[:4], COMPILE + 4 * CELL[16])
    half = estimate.left()
    estimate.ended(metrics[4:], 6 * CELL[16])
    assert estimate.left() == pytest.approx(half - 6 * CELL[16])


@pytest.mark.parametrize("is_terminal", [False, True])
def test_what_is_shown(is_terminal):
    todo = _work()
    now = [100.0]
    out = io.StringIO()
    console = Console(file=out, force_terminal=is_terminal, width=100)
    with progress(console, todo, clock=lambda: now[0]) as advance:
        for work, seconds in zip(todo, _run(todo), strict=True):
            now[0] += seconds
            advance([CellResult({}, metrics, {}) for metrics in _metrics(work)])
    shown = out.getvalue()
    assert "about 0 s left" in shown
    if is_terminal:
        assert "120/120" in shown
    else:
        first = shown.splitlines()[0]
        assert first.startswith(f"10/120 cells, {_run(todo)[0]:.0f} s elapsed, about ")
        assert len(shown.splitlines()) == len(todo)


def test_before_anything_has_run_it_says_so():
    out = io.StringIO()
    with progress(Console(file=out, force_terminal=True, width=100), _work()):
        pass
    assert "estimating" in out.getvalue()


def test_durations_in_words():
    assert [duration(s) for s in (0.4, 75, 700, 12_000)] == ["0 s", "75 s", "12 min", "3 h 20 min"]
