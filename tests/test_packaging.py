"""What is written about the package outside of it: versions, dependencies, containers, templates."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RECIPE = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text())
CONDA = {
    "importlib-resources": "importlib_resources",
    "matplotlib": "matplotlib-base",
}


def _bounds(requirements):
    """Lower bound of each package, by name."""
    parts = [re.fullmatch(r"([\w-]+)(?:\[[\w,]*\])?\s*>=\s*([\d.]+)", one) for one in requirements]
    return dict(part.groups() for part in parts)


def test_all_files_state_one_version():
    version = PROJECT["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert str(citation["version"]) == RECIPE["context"]["version"] == version
    heads = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert next(head for head in heads if head != "Unreleased") == version


def test_the_recipe_has_the_dependencies_of_the_package():
    wanted = _bounds(PROJECT["dependencies"])
    given = RECIPE["requirements"]["run"]
    assert given[0] == f"python {PROJECT['requires-python']}"
    assert _bounds(given[1:]) == {CONDA.get(name, name): bound for name, bound in wanted.items()}


def test_the_container_installs_extras_that_there_are():
    lines = (ROOT / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM .* AS (\w+)$", lines, re.MULTILINE)) >= {"cpu", "cuda"}
    extras = re.findall(r"\.\[(\w+)\]", lines)
    assert extras
    assert set(extras) <= set(PROJECT["optional-dependencies"])
    for name in re.findall(r"^COPY (.+) \./$", lines, re.MULTILINE):
        assert all((ROOT / one).exists() for one in name.split()), name


@pytest.mark.parametrize("path", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda path: path.stem)
def test_a_template_asks_questions(path):
    form = yaml.safe_load(path.read_text())
    if path.stem == "config":
        assert form["blank_issues_enabled"] is False
        return
    assert form["name"]
    assert form["description"]
    asked = [one for one in form["body"] if one["type"] != "markdown"]
    assert asked
    names = [one["id"] for one in asked]
    assert len(set(names)) == len(names)
    assert all(one["attributes"]["label"] for one in asked)
