"""Figures that are made but not drawn: to draw them takes most of a report's time."""

import base64

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAABJRU5ErkJggg=="
)
"""A picture of one dot, as PNG."""

# Python that does the same in another process.
PATCH = f"import zsh_jax.report.write as write; write.png = write.pdf = lambda figure: {DOT!r}"


def undraw(patch):
    """Save every figure as a dot, under a `pytest.MonkeyPatch`."""
    for name in ("png", "pdf"):
        patch.setattr(f"zsh_jax.report.write.{name}", lambda figure: DOT)
