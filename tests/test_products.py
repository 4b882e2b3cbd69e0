"""The precision of matrix products: full unless the caller chooses another, and part of a cell's identity."""

import jax
import jax.numpy as jnp
import pytest
from bad_input import make_data, put, refusal, tiny_config
from fault_sweep import rows

from zsh_jax.core.kernel import rbf_features
from zsh_jax.core.precision import full_precision
from zsh_jax.sweep import run_sweep
from zsh_jax.sweep.ahead import ahead

X = jnp.ones((4, 3))


def _asked(function, *args):
    """Precisions that the products of a program ask for."""
    text = jax.jit(function).lower(*args).as_text()
    return {word for word in ("HIGHEST", "HIGH", "DEFAULT") if f"precision = [{word}, {word}]" in text}


def test_products_are_in_full_precision_unless_the_caller_chooses():
    rbf = (rbf_features, X, X, jnp.ones(()))
    assert _asked(*rbf) == {"HIGHEST"}
    with jax.default_matmul_precision("tensorfloat32"):
        assert _asked(*rbf) == {"HIGH"}
        # Traced in one precision, it is traced again in the other.
    assert _asked(*rbf) == {"HIGHEST"}
    with jax.default_matmul_precision("highest"):
        assert _asked(*rbf) == {"HIGHEST"}


def test_the_precision_of_an_outer_function_holds_inside():
    outer = full_precision(lambda a: full_precision(lambda b: b @ b.T)(a) @ a)
    assert _asked(outer, X) == {"HIGHEST"}
    assert jax.config.jax_default_matmul_precision is None


def test_a_program_that_is_compiled_ahead_has_the_precision_of_its_caller():
    found = []
    with (
        jax.default_matmul_precision("tensorfloat32"),
        ahead(lambda: found.append(_asked(lambda a: a @ a.T, X))),
    ):
        pass
    assert found == [{"HIGH"}]


@pytest.fixture
def config(tmp_path):
    make_data(tmp_path)
    config = put(tiny_config(tmp_path), {"products": "tensorfloat32", "report": False})
    config.workdir = str(tmp_path / "sweep")
    return config


def test_a_cell_with_other_products_is_another_cell(config, monkeypatch):
    monkeypatch.setattr("zsh_jax.commands.sweep._check_products", lambda config: None)
    (coarse,) = run_sweep(config)
    assert coarse["precision"] == "float32, products in tensorfloat32"
    config.products = "float32"
    (exact,) = run_sweep(config)
    assert exact["precision"] == "float32"
    assert exact["cell_id"] != coarse["cell_id"]
    assert len(rows(config.workdir)) == 2


def test_a_cpu_has_no_such_products(config, launch, tmp_path, capsys):
    assert refusal(launch, tmp_path, capsys, config).startswith(
        "products: tensorfloat32 needs an accelerator"
    )


def test_nor_has_double_precision(config, launch, tmp_path, capsys):
    config.x64 = True
    assert refusal(launch, tmp_path, capsys, config).startswith("products: float64 has no products in TF32")


@pytest.mark.parametrize("products", ["bfloat16", "TF32", "highest"])
def test_no_others_are_offered(config, launch, tmp_path, capsys, products):
    said = refusal(launch, tmp_path, capsys, put(config, {"products": products}))
    assert said.startswith("products: takes float32, tensorfloat32")
