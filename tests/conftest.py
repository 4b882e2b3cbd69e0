"""What all tests share: checked shapes, fixed random draws, one folder of compiled programs, and common fixtures."""

import gc
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from functools import partialmethod
from pathlib import Path

import filelock
import hypothesis
import jax
import jaxtyping
import pytest
from undrawn import undraw

# Before anything imports the package: the hook rewrites modules as they are loaded.
jaxtyping.install_import_hook(["zsh_jax.core", "zsh_jax.methods"], "beartype.beartype")

# The same cases in every run, so that a change is what breaks a test. By hand: pytest --hypothesis-profile=long
hypothesis.settings.register_profile("fixed", max_examples=50, derandomize=True, database=None, deadline=None)
hypothesis.settings.register_profile("long", max_examples=2000, database=None, deadline=None, print_blob=True)
hypothesis.settings.load_profile("fixed")

PROGRAMS = "JAX_COMPILATION_CACHE_DIR"
WORTH_KEEPING = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"
UNOPTIMISED = "JAX_DISABLE_MOST_OPTIMIZATIONS"
LOCATIONS = "JAX_TRACEBACK_IN_LOCATIONS_LIMIT"
EMITTERS = "xla_cpu_use_fusion_emitters"  # they make faster programs and take twice as long for it
ALIASES = tuple(  # what LLVM is told for the sake of faster programs: a tenth of its time
    f"xla_llvm_enable_{kind}_metadata" for kind in ("alias_scope", "noalias", "invariant_load")
)
PARTS = (
    "xla_cpu_parallel_codegen_split_count"  # a program in one part compiles in four fifths of the CPU time
)


def pytest_configure(config):
    """One folder of compiled programs for the run: the workers and the processes that tests start inherit it."""
    if PROGRAMS not in os.environ:
        folder = tempfile.mkdtemp(prefix="zsh_jax-tests-programs-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        config.add_cleanup(lambda: os.environ.pop(PROGRAMS, None))
        os.environ[PROGRAMS] = folder
    # Programs that compile in less are quicker to compile again than to write.
    os.environ.setdefault(WORTH_KEEPING, "0.2")
    # Or each of hundreds of processes compiles all modules anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # Tests compile thousands of small programs and run each a few times: most of their time is LLVM's.
    os.environ.setdefault(UNOPTIMISED, "1")
    if os.environ[UNOPTIMISED] == "1":
        quick = (*(f"--{flag}=false" for flag in (EMITTERS, *ALIASES)), f"--{PARTS}=1")
        if not _add_flags(*quick):  # at once, where both are known
            for flag in quick:
                _add_flags(flag)
    # Where in the source each operation stands, which nobody reads here, takes a tenth of the time of tracing.
    os.environ.setdefault(LOCATIONS, "0")
    jax.config.update("jax_traceback_in_locations_limit", int(os.environ[LOCATIONS]))
    jax.config.update("jax_disable_most_optimizations", os.environ[UNOPTIMISED] == "1")
    jax.config.update("jax_compilation_cache_dir", os.environ[PROGRAMS])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", float(os.environ[WORTH_KEEPING]))


def _add_flags(*asked):
    """Add flags of XLA's, if this version knows them, and say so: an unknown one ends the process."""
    given = os.environ.get("XLA_FLAGS", "")
    new = [flag for flag in asked if flag not in given]
    if not new:
        return True
    flags = " ".join([given, *new]).strip()
    command = [sys.executable, "-c", "import jax; jax.devices('cpu')"]
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    known = subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
    if known:
        os.environ["XLA_FLAGS"] = flags
    return known


def pytest_xdist_auto_num_workers(config):
    """One worker a core of this process, but four at most: each holds about a gigabyte and XLA threads of its own."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(4, cores or 1)


def pytest_collection_modifyitems(items):
    """Files with slow tests first, so that no worker is left with one at the end; lines count in the quick ones."""
    slow = {}
    for item in items:
        is_slow = item.get_closest_marker("slow") is not None
        slow[item.path] = slow.get(item.path, 0) + is_slow
        if is_slow:
            item.add_marker("no_cover")
    items.sort(key=lambda item: -slow[item.path])


def pytest_collection_finish():
    """The garbage collector passes over what is imported, and looks less often: it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


@pytest.fixture(autouse=True, scope="session")
def caches_of_their_own(tmp_path_factory):
    """Features that tests extract stay out of the cache of whoever runs them; the workers share them."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(folder))
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="module")
def programs_are_let_go_of_before_there_are_too_many():
    """Each compiled program holds maps of memory, of which a process has 65,530: beyond, XLA's compiler crashes."""
    yield
    if _holds_much():
        _let_go()


def _holds_much(maps=20_000):
    """Whether this process has more maps than that, or two gigabytes."""
    here = Path("/proc/self")
    if not (here / "maps").exists():
        return True
    pages = int((here / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") > 2e9 or (here / "maps").read_bytes().count(b"\n") > maps


def _let_go():
    from zsh_jax.sweep.compiled import _give_back_memory

    jax.clear_caches()
    gc.collect()
    _give_back_memory()


@pytest.fixture(autouse=True)
def slow_tests_count_no_lines(request, monkeypatch):
    """Nor do the processes that they start: counting takes a quarter of their time."""
    if request.node.get_closest_marker("slow") is not None:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture(autouse=True, scope="module")
def sweeps_of_a_module_share_their_programs(request):
    """Many tests of a module run the same small sweep in this process: what it traces and compiles is made once.

    Nor does a sweep empty JAX's caches at its end, from which the next one would have to trace and load all anew.
    A module in which programs are counted says `COMPILES_ANEW = True`.
    """
    from zsh_jax.sweep import compiled

    if getattr(request.module, "COMPILES_ANEW", False):
        yield
        return

    make, made = compiled.compile_program, {}

    def compile_once(function, args, static, *, on_mesh):
        if on_mesh:
            return make(function, args, static, on_mesh=on_mesh)
        leaves, structure = jax.tree.flatten(args)
        shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        modes = (
            jax.config.jax_enable_x64,
            jax.config.jax_default_matmul_precision,
            jax.config.read("jax_disable_most_optimizations"),
        )
        key = (function, structure, shapes, tuple(sorted(static.items())), modes)
        if key not in made:
            if len(made) % 16 == 15 and _holds_much(maps=30_000):
                made.clear()
                _let_go()
            made[key] = make(function, args, static, on_mesh=False)
        return made[key]

    most = compiled.MOST_DROPPED
    compiled.compile_program, compiled.MOST_DROPPED = compile_once, 10**9
    yield
    compiled.compile_program, compiled.MOST_DROPPED = make, most


@pytest.fixture(autouse=True)
def optimised_where_it_matters(request, monkeypatch):
    """Tests marked `optimised` compile as users do, in this process and in those that they start."""
    if request.node.get_closest_marker("optimised") is None:
        yield
        return
    before = os.environ[UNOPTIMISED] == "1"
    monkeypatch.setenv(UNOPTIMISED, "0")
    if before:
        flags = os.environ["XLA_FLAGS"].split()
        off = [flag for flag in (EMITTERS, *ALIASES) if f"--{flag}=false" in flags]
        kept = [flag for flag in flags if flag.removeprefix("--").removesuffix("=false") not in off]
        monkeypatch.setenv("XLA_FLAGS", " ".join(kept))
        # This process has read its flags.
        on = dict.fromkeys(off, True)
        as_users_do = partialmethod(jax.stages.Lowered.compile, compiler_options=on)
        monkeypatch.setattr(jax.stages.Lowered, "compile", as_users_do)
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture
def float64():
    """Double precision inside one test; the default of the process stays float32."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def strict_promotion():
    """No rank or type changes silently: a broadcast can hide a wrong shape, a promotion a doubled array."""
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        yield


@pytest.fixture
def unchecked_shapes():
    """No check of annotations inside one test: what then refuses a shape is the package itself."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def shapes_folder(tmp_path_factory):
    """A folder of TFDS in which the drawn shapes are prepared, by the first worker that wants them."""
    from zsh_jax.data.shapes import load_shapes

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shapes"
    with filelock.FileLock(f"{folder}.lock"):
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


@pytest.fixture(autouse=True, scope="module")
def figures_are_drawn_where_they_are_looked_at(request):
    """Elsewhere they are saved as a dot. A module that looks at them says `DRAWS_FIGURES = True`."""
    if getattr(request.module, "DRAWS_FIGURES", False):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        undraw(patch)
        yield


@pytest.fixture
def no_network(monkeypatch):
    """Whoever reaches for the network fails at once, and is found out."""

    def refuse(*args, **kwargs):
        raise AssertionError(f"the network was reached for: {args}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
