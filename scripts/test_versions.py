"""Run the tests with the lowest and the newest versions of the libraries that `pyproject.toml` allows.

    python scripts/test_versions.py                        # both, all tests
    python scripts/test_versions.py lowest tests/test_s*   # one of them, with arguments for pytest

Each run has its own virtual environment in a temporary folder, which is deleted at the end. The lowest versions are
the lower bounds of `[project] dependencies` and of the `test` extra; dependencies of these libraries are the newest
that fit. Exit status: 0 if all tests of all environments passed.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("lowest", "newest")


def lowest_versions(project: dict) -> list[str]:
    """Each declared lower bound as a pin without extras, for a constraints file of pip."""
    declared = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    pins = []
    for requirement in declared:
        found = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*>=\s*([0-9][0-9.]*)", requirement)
        if found is None:
            sys.exit(f"pyproject.toml: {requirement!r} has no lower bound; fix: write it as name>=version")
        pins.append(f"{found[1]}=={found[2]}")
    return pins


def test_with(kind: str, arguments: list[str]) -> int:
    """Make the environment, print its packages, run pytest; returns the exit status of pytest or pip."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    with tempfile.TemporaryDirectory(prefix=f"zsh_jax-{kind}-") as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = Path(folder) / "bin" / "python"
        command = [python, "-m", "pip", "install", "--quiet", "-e", f"{ROOT}[test]"]
        if kind == "lowest":
            constraints = Path(folder) / "lowest.txt"
            constraints.write_text("\n".join(lowest_versions(project)))
            command += ["--constraint", constraints]
        installed = subprocess.run(command, check=False).returncode
        if installed:
            return installed
        print(f"{kind} versions:", flush=True)
        subprocess.run([python, "-m", "pip", "list", "--format", "freeze"], check=True)
        return subprocess.run([python, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode


def main(arguments: list[str]) -> int:
    """Exit status of the worst environment."""
    kinds = [argument for argument in arguments if argument in KINDS] or KINDS
    rest = [argument for argument in arguments if argument not in KINDS]
    ended = {kind: test_with(kind, rest) for kind in kinds}
    for kind, status in ended.items():
        print(f"{kind}: {'passed' if status == 0 else f'failed with status {status}'}")
    return max(ended.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
