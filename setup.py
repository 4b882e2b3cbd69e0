"""What pyproject.toml cannot say: the experiments are installed as `zsh_jax.experiments`."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["zsh_jax*"]), "zsh_jax.experiments"],
    package_dir={"zsh_jax.experiments": "experiments"},
)
