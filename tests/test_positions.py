"""A long solve that was ended continues where it stood."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_sweeps import arguments, configured, write_features
from test_blocks import ZSH, both

from zsh_jax.commands.sweep import run_sweep
from zsh_jax.core.blocks.solver import Keeper, Running
from zsh_jax.core.blocks.stream import Mapped
from zsh_jax.interrupts import Interrupted
from zsh_jax.position_file import load_position, save_position
from zsh_jax.tracking.positions import POSITIONS

ROOT = Path(__file__).resolve().parent.parent
TIMES = {"date", "seconds", "prepare_seconds", "encode_seconds", "evaluate_seconds"}
SWEEP = {"sweep__method": "('zsh',)", "sweep__graph": "('anchors',)", "samples": "blocks"}
SWEEP |= {"checkpoint_seconds": 0.001, "sweep__zsh__alpha_growth": "(1.1,)", "sweep__zsh__alpha": "(0.1,)"}


class _Kept:
    """In the place of files: keeps positions by their start, and ends the process after so many."""

    def __init__(self, most):
        self.positions, self.writes, self.most = {}, 0, most

    def __call__(self, number):
        def write(position):
            self.positions[number] = position
            self.writes += 1
            if self.writes == self.most:
                raise Interrupted(signal.SIGTERM)

        return Keeper(lambda like: self.positions.get(number), write, 0.0)


@pytest.mark.parametrize("most", [1, 2, 9, 14])
def test_a_killed_solve_gives_what_it_gives_undisturbed(most):
    """In float32 too: nothing of it is computed in another order."""
    _, parts, stream = both(block=64)
    mapped = Mapped(stream, parts.preprocessing, parts.rbf)
    weights = jax.tree.map(jnp.asarray, ZSH.weights(alpha=0.1))
    options = ZSH.options(restarts=2)

    def fit(keeper):
        running = Running(block=64, at_once=1, keeper=keeper)
        return ZSH.fit_in_blocks(parts.start, mapped, parts.data, weights, options, bits=11, running=running)

    whole, kept = fit(None), _Kept(most)
    with pytest.raises(Interrupted):
        fit(kept)
    assert kept.writes == most + 1  # and once more on its way out
    resumed = fit(kept)
    jax.tree.map(np.testing.assert_array_equal, resumed, whole)
    assert int(whole.trace.iterations) > 2


@pytest.fixture
def position():
    """A tree with every type that a position has."""
    rng = np.random.default_rng(0)
    codes = jnp.asarray(rng.integers(0, 256, (5, 3)), jnp.uint8)
    return {"codes": codes, "sums": (jnp.asarray(rng.normal(size=(3, 2))), None), "running": jnp.array(True)}


def test_a_position_is_read_as_it_was_written(position, tmp_path):
    path, lines = tmp_path / "positions" / "one.safetensors", []
    assert load_position(path, position, "it", lines.append) is None
    save_position(path, position, "it")
    blank = jax.tree.map(jnp.zeros_like, position)
    found = load_position(path, blank, "it", lines.append)
    assert jax.tree.structure(found) == jax.tree.structure(position)
    jax.tree.map(np.testing.assert_array_equal, found, position)
    assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {
        leaf.dtype for leaf in jax.tree.leaves(position)
    }
    assert not lines


def test_a_damaged_or_foreign_position_is_not_used(position, tmp_path):
    path, lines = tmp_path / "one.safetensors", []
    save_position(path, position, "it")
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert load_position(path, position, "it", lines.append) is None
        assert len(lines) == 1
        assert "starts again" in lines.pop()
    for content in (b"", whole[:100], whole + b"x"):
        path.write_bytes(content)
        assert load_position(path, position, "it", lines.append) is None
        assert "is damaged" in lines.pop()
    path.write_bytes(whole)
    other = position | {"codes": jnp.zeros((6, 3), jnp.uint8)}
    for like, of in ((position, "another"), (other, "it"), ({"codes": position["codes"]}, "it")):
        assert load_position(path, like, of, lines.append) is None
        assert "is of other settings" in lines.pop()


def _results(features, workdir, **changes):
    rows = run_sweep(configured(features, workdir, **SWEEP | changes))
    return [{key: value for key, value in row.items() if key not in TIMES} for row in rows]


def test_a_sweep_continues_a_cell(monkeypatch, tmp_path):
    features, workdir = write_features(tmp_path / "six.npz"), tmp_path / "ended"
    whole = _results(features, tmp_path / "whole")
    assert not (tmp_path / "whole" / POSITIONS).exists()
    seen, ends = [], [True]

    def save_and_end(path, position, of):
        save_position(path, position, of)
        seen.append(int(position.iterations))
        if len(seen) == 4 and ends and ends.pop():
            raise Interrupted(signal.SIGTERM)

    monkeypatch.setattr("zsh_jax.tracking.positions.save_position", save_and_end)
    with pytest.raises(Interrupted):
        _results(features, workdir)
    (path,) = (workdir / POSITIONS).iterdir()
    assert seen[3] == seen[4] > 0  # the last one, once more on the way out
    before = len(seen)
    assert _results(features, workdir) == whole
    assert min(seen[before:]) > seen[4]  # the passes before were not done again
    assert not path.exists()


@pytest.mark.slow
def test_a_process_that_gets_sigterm_writes_where_it_stands(launch, tmp_path, capsys):
    features, workdir = write_features(tmp_path / "six.npz"), tmp_path / "ended"
    changes = SWEEP | {"checkpoint_seconds": 0.2, "sweep__zsh__max_iterations": "(1500,)"}
    changes |= {"sweep__zsh__alpha_growth": "(1.0001,)"}
    whole = _results(features, tmp_path / "whole", **changes)
    command = [sys.executable, str(ROOT / "launch.py"), *arguments(features, workdir, **changes)[1:]]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not (workdir / POSITIONS).exists():
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, said
    assert list((workdir / POSITIONS).glob("*.safetensors"))
    assert launch.main(command[1:]) == 0
    assert "continues after" in capsys.readouterr().out
    assert _results(features, workdir, **changes) == whole
