"""Error for classes that have no vector in a kind of semantics."""

from collections.abc import Sequence

from zsh_jax.errors import InputError

EXAMPLES = 3


class MissingVectors(InputError):
    """Some classes have no vector.

    Attributes:
        what: the file, the number of missing classes, and examples.
        fix: how to get vectors for them.
        names: all missing classes, in the order of the data set.
    """

    def __init__(self, what: str, fix: str, names: Sequence[str]) -> None:
        super().__init__(f"{what}; fix: {fix}")
        self.what, self.fix, self.names = what, fix, tuple(names)


def examples(names: Sequence[str]) -> str:
    """A few names, as examples."""
    return ", ".join(names[:EXAMPLES]) + (", ..." if len(names) > EXAMPLES else "")
