"""What importing the package loads, and which room may import which."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import zsh_jax

ROOT = Path(zsh_jax.__file__).parent
HEAVY = ("tensorflow", "tensorflow_datasets", "wandb", "gensim", "PIL", "ml_collections", "absl.app", "keras")
HEAVY += (
    "matplotlib",
    "faiss",
    "onnx",
    "qdrant_client",
    "pymilvus",
    "usearch",
    "transformers",
    "torch",
    "optuna",
)
ENDS = ("exits", "interrupts")  # of commands
FILES = {"atomic", "errors", "model_file", "position_file"}  # beside the rooms, above the core alone
ROOMS = {
    "core": {"core"},
    "methods": {"core", "methods"},
    "data": {"atomic", "data", "errors"},
    "features": {"atomic", "core", "data", "features", "errors"},
    "inputs": {"core", "data", "features", "inputs", "digest", "errors"},
    "training": {"core", "methods", "data", "training", "errors"},
    "sweep": {"core", "methods", "data", "inputs", "training", "sweep", "errors"},
    "tracking": {"core", "methods", "inputs", "sweep", "tracking", *FILES},
    "export": {"core", "data", "export", *FILES, *ENDS},
    "report": {"core", "data", "inputs", "sweep", "tracking", "report", *FILES, *ENDS},
    "commands": {
        *(
            "core",
            "methods",
            "data",
            "features",
            "inputs",
            "training",
            "sweep",
            "tracking",
            "report",
            "export",
        ),
        "commands",
        *FILES,
        *ENDS,
    },
    "model_file.py": {"atomic", "core", "digest", "errors"},
    "position_file.py": {"atomic", "digest", "errors"},
    "digest.py": set(),
    "takes.py": {"errors"},
    "api.py": {"core", "methods", "training", "model_file"},
    "estimator.py": {"core", "methods", "training", "errors"},
}
SMALL = {
    "byte_size",
    "cache_folder",
    "command_line",
    "limits",
    "progress_bar",
    "takes",
    "version",
}  # files of their own that import nothing but the standard library
CORE_LIBRARIES = {"jax", "numpy", "chex", "optax", "jaxtyping", "zsh_jax"} | set(sys.stdlib_module_names)


# Doors to what stands above: `run_sweep`, when it is asked for, and `python -m zsh_jax.data`.
DOORS = (ROOT / "sweep" / "__init__.py", ROOT / "data" / "__main__.py")


def _modules():
    return sorted(ROOT.rglob("*.py"))


def _imports(path):
    """Full names of all that a file imports, at its top or inside its functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_core_loads_no_data_logging_or_plotting_library_and_draws_on_no_device():
    # A constant array at import time would start a backend, and take a device's memory with it.
    report = "import sys, jax._src.xla_bridge as b, zsh_jax; zsh_jax.solve; "
    report += "print(b.backends_are_initialized(), *sys.modules)"
    output = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    started, *modules = output.stdout.split()
    assert started == "False"
    loaded = set(modules)
    assert "zsh_jax.core.solver" in loaded
    assert not loaded & set(HEAVY)
    rooms = {name.split(".")[1] for name in loaded if name.startswith("zsh_jax.")}
    assert rooms <= {"api", "core", "methods", "training", "data", *FILES, *SMALL, *ENDS, "digest"}
    of_data = {name.split(".")[2] for name in loaded if name.startswith("zsh_jax.data.")}
    assert of_data <= {
        "encodings",
        "nearest",
        "notices",
        "semantics",
        "text",
        "reading",
        "library_errors",
    }  # and no data set
    assert "safetensors" not in loaded  # before a model is read or written


def test_the_package_loads_no_library_before_it_is_asked_for_something():
    report = (
        "import sys; before = set(sys.modules); from zsh_jax import exits; print(*set(sys.modules) - before)"
    )
    output = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    tops = {name.split(".")[0] for name in output.stdout.split()}
    assert tops - set(sys.stdlib_module_names) == {"zsh_jax"}
    assert {"solve", "encode"} <= set(dir(zsh_jax)) & set(zsh_jax.__all__)


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_imports_only_those_below_it(room):
    paths = [path for path in _modules() if path.relative_to(ROOT).parts[0] == room and path not in DOORS]
    assert paths
    for path in paths:
        for name in _imports(path):
            top, *rest = name.split(".")
            if top == "zsh_jax":
                assert rest[0] in ROOMS[room] | SMALL, f"{path.relative_to(ROOT)} imports {name}"


def test_the_core_and_what_learns_need_arrays_and_small_helpers_only():
    for path in (path for room in ("core", "methods", "training") for path in (ROOT / room).rglob("*.py")):
        for name in _imports(path):
            assert name.split(".")[0] in CORE_LIBRARIES, f"{path.relative_to(ROOT)} imports {name}"


def test_every_method_is_a_row_of_the_table():
    files = {
        path.stem for path in (ROOT / "methods").glob("*.py") if "\nMETHOD = Method(" in path.read_text()
    }
    assert len(files) >= 17
    assert {import_module(f"zsh_jax.methods.{file}").METHOD for file in files} == set(
        zsh_jax.METHODS.values()
    )
    assert len(zsh_jax.METHODS) == len(files)


def test_nothing_imports_the_launcher():
    for path in _modules():
        assert not {name for name in _imports(path) if name.split(".")[0] == "launch"}, path


def test_the_door_to_run_sweep_loads_nothing_before_it_is_opened_and_then_nothing_that_draws():
    report = "import sys, zsh_jax.sweep; print(*sys.modules); zsh_jax.sweep.run_sweep; print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    before, after = (set(line.split()) for line in output.stdout.splitlines())
    assert {name for name in before if name.startswith("zsh_jax")} == {"zsh_jax", "zsh_jax.sweep"}
    assert "zsh_jax.commands.sweep" in after
    assert not after & (set(HEAVY) - {"ml_collections"})  # settings are read with it
