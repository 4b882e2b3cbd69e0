"""Shape annotations of the core and the baselines checked at run time, and float64 for the tests that ask for it."""

import gc
import importlib.util
import socket
from pathlib import Path

import jax
import jaxtyping
import pytest

# Before anything imports the package: the hook rewrites modules as they are loaded.
jaxtyping.install_import_hook(["zsh_jax.core", "zsh_jax.baselines"], "beartype.beartype")


@pytest.fixture(autouse=True, scope="session")
def caches_of_their_own(tmp_path_factory):
    """Features that tests extract stay out of the cache of whoever runs them."""
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="module")
def programs_of_a_module_go_with_it():
    """Each compiled program holds maps of memory, of which a process has 65,530: beyond, XLA's compiler crashes."""
    yield
    jax.clear_caches()
    gc.collect()


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


@pytest.fixture(scope="session")
def shapes_folder(tmp_path_factory):
    """A folder of TFDS in which the drawn shapes are prepared."""
    from zsh_jax.data.shapes import load_shapes

    folder = tmp_path_factory.mktemp("shapes")
    load_shapes(str(folder), images=False)
    return folder


@pytest.fixture(scope="session")
def launch():
    """`launch.py` as a module."""
    path = Path(__file__).resolve().parent.parent / "launch.py"
    spec = importlib.util.spec_from_file_location("launch", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def no_network(monkeypatch):
    """Whoever reaches for the network fails at once, and is found out."""

    def refuse(*args, **kwargs):
        raise AssertionError(f"the network was reached for: {args}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
