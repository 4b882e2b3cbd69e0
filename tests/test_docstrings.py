"""The examples in docstrings of the public functions and in docs/api.md, run in order, as a reader would type them."""

import doctest
from pathlib import Path

import pytest

import zsh_jax
from zsh_jax.core.metrics.in_blocks import evaluate_in_blocks
from zsh_jax.export.encode_files import encode_files
from zsh_jax.sweep import run_sweep

FUNCTIONS = (
    zsh_jax.evaluate,
    zsh_jax.fit,
    zsh_jax.fit_with_trace,
    zsh_jax.encode,
    zsh_jax.fit_in_blocks,
    zsh_jax.project,
    zsh_jax.evaluate_searches,
    zsh_jax.encode_classes,
    zsh_jax.save,
    zsh_jax.load,
    encode_files,
    evaluate_in_blocks,
    run_sweep,
    zsh_jax.read_results,
)


@pytest.mark.usefixtures("unchecked_shapes")  # readers pass NumPy arrays
def test_examples_of_the_public_functions_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for function in FUNCTIONS:
        test = doctest.DocTestParser().get_doctest(
            function.__doc__, names, function.__name__, function.__module__, 0
        )
        assert test.examples, f"{function.__name__} has no example"
        report = []
        result = doctest.DocTestRunner().run(test, out=report.append, clear_globs=False)
        assert not result.failed, "".join(report)
        names = test.globs


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked_shapes")
def test_examples_of_the_page_run():
    page = Path(__file__).resolve().parent.parent / "docs" / "api.md"
    test = doctest.DocTestParser().get_doctest(page.read_text("utf-8"), {}, page.name, str(page), 0)
    assert len(test.examples) > 20
    report = []
    result = doctest.DocTestRunner().run(test, out=report.append)
    assert not result.failed, "".join(report)
