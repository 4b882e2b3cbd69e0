"""A sweep whose cells train in blocks of samples: the rows are those of cells trained in memory."""

import numpy as np
import pytest
from small_sweeps import configured

from zsh_jax.commands.sweep import run_sweep
from zsh_jax.core.blocks.stream import BLOCK
from zsh_jax.errors import InputError

ANCHORS = {"sweep__method": "('zsh',)", "sweep__graph": "('anchors',)", "x64": True}
ANCHORS |= {"evaluation__search": "('asymmetric',)"}
STAGES = ("", "prepare_", "encode_", "evaluate_", "search_")
TIMES = {"date", "training_block", *(f"{stage}seconds" for stage in STAGES)}


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """So many samples that several blocks are much smaller than all."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(6), 2000)
    rows = (2 * rng.normal(size=(6, 5))[labels] + rng.normal(size=(12_000, 5))).astype(np.float32)
    path = tmp_path_factory.mktemp("many") / "many.npz"
    np.savez(path, features=rows, labels=np.array(["ant", "bee", "cow", "dog", "elk", "red fox"])[labels])
    return path


def _rows(features, workdir, **changes):
    rows = run_sweep(configured(features, workdir, **ANCHORS | changes))
    return {row["cell_id"]: row for row in rows}


def _same(one, other):
    """But for times, and up to rounding."""
    assert one.keys() == other.keys()
    for cell, row in one.items():
        assert {key for key in row if key not in TIMES} == {key for key in other[cell] if key not in TIMES}
        for key in row.keys() - TIMES:
            if isinstance(row[key], float | list):
                a, b = (np.array(value[key], float) for value in (row, other[cell]))
                np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-9, err_msg=key)
            else:
                assert other[cell][key] == row[key], key


def test_cells_that_do_not_fit_the_memory_train_in_blocks(many, tmp_path):
    size = {"sweep__training_samples": 7000, "sweep__anchors": 200, "sweep__bits": "(11,)"}
    size |= {"sweep__zsh__alpha": "(1e-5, 0.1)", "sweep__seed": "(0, 1)"}
    held = _rows(many, tmp_path / "memory", **size)
    read = _rows(many, tmp_path / "auto", memory_gib=0.03, **size)
    assert len(held) == 4
    assert {row["training_block"] for row in read.values()} == {BLOCK}
    assert not any("training_block" in row for row in held.values())
    _same(held, read)
    for settings, said in {
        ("('zsh',)", "('knn',)"): "or train in blocks of samples: sweep.graph='anchors'",
        ("('ksh',)", "('anchors',)"): r"zsh with sweep.graph='anchors' \(ksh cannot\)",
    }.items():
        changes = size | {"sweep__method": settings[0], "sweep__graph": settings[1]}
        with pytest.raises(InputError, match=f"one cell needs about .*memory_gib = 0.03; .*{said}"):
            _rows(many, tmp_path / "refused", memory_gib=0.03, **changes)
    with pytest.raises(InputError, match=r"one cell needs about .*memory_gib = 0\.03"):
        _rows(many, tmp_path / "refused", memory_gib=0.03, samples="memory", **size)
    with pytest.raises(
        InputError, match=r"samples: no cell of this sweep can train in blocks; fix: use zsh with"
    ):
        _rows(many, tmp_path / "refused", samples="blocks", **size | {"sweep__graph": "('knn',)"})
    assert not (tmp_path / "refused").exists()
