"""Shape annotations of the core checked at run time, and float64 for the tests that ask for it."""

import jax
import jaxtyping
import pytest

# Before anything imports the package: the hook rewrites modules as they are loaded.
jaxtyping.install_import_hook(["zsh_jax.core"], "beartype.beartype")


@pytest.fixture
def float64():
    """Double precision inside one test; the default of the process stays float32."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def strict_ranks():
    """Adding a vector to a matrix must be spelt out: a silent broadcast hides a wrong shape."""
    with jax.numpy_rank_promotion("raise"):
        yield


@pytest.fixture
def unchecked_shapes():
    """No check of annotations inside one test: what then refuses a shape is the package itself."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
