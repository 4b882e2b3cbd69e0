"""The notebooks of `examples/` run from their first cell to their last, which asserts what they say."""

import json
import sys
from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def _programs(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def test_there_are_notebooks_and_each_ends_in_an_assertion():
    assert len(NOTEBOOKS) == 4
    for path in NOTEBOOKS:
        assert "assert" in _programs(path)[-1]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.usefixtures("unchecked_shapes")  # readers pass NumPy arrays
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    double = jax.config.jax_enable_x64
    try:
        exec(compile("\n".join(_programs(path)), path.name, "exec"), {"__name__": "__main__"})
    finally:
        jax.config.update("jax_enable_x64", double)
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
