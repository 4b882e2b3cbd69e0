"""Zero-shot hashing by transferring supervised knowledge (Yang et al., ACM MM 2016), in JAX.

Your own program needs `fit`, `encode`, `encode_classes`, `evaluate`, `save` and `load`, and a notebook `read_results`.
The steps and solvers are pure functions of arrays. Data sources, the sweep engine, tracking and reports are subpackages
imported by name.

Names are imported on first use, so that a command handles signals while its libraries load.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zsh_jax.api import *  # noqa: F403
    from zsh_jax.report.frame import read_results as read_results

    __version__: str

DOORS = {"read_results": "zsh_jax.report.frame"}  # to what stands above the numerical parts


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from zsh_jax.version import package_version

        return package_version()
    if name in DOORS:
        return getattr(import_module(DOORS[name]), name)
    # Python also looks up its own names here, such as __path__, and modules that are not loaded yet.
    if name == "__all__" or not (name.startswith("__") or find_spec(f"{__name__}.{name}")):
        api = import_module(f"{__name__}.api")
        if name == "__all__":
            return [*api.__all__, *DOORS]
        if name in api.__all__:
            return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *import_module(f"{__name__}.api").__all__, *DOORS})
