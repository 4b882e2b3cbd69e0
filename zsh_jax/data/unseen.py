"""Convert names of held-out classes to indices."""

from collections.abc import Sequence

from zsh_jax.data.nearest import nearest_names
from zsh_jax.errors import InputError

NONE = "none"  # no class is unseen: a supervised protocol


def parse_unseen(unseen: str, class_names: Sequence[str]) -> tuple[int, ...]:
    """Class indices of names joined by "+".

    Args:
        unseen: such as "cat+dog"; or "none", for no class.
        class_names: all c names, in the order of their indices.

    Returns:
        Indices, in the order of the names in `unseen`; none for "none".

    Raises:
        InputError: a name is unknown or repeated, there is none, or a class has the name "none".
    """
    if unseen.strip() == NONE:
        if NONE in class_names:
            raise InputError(
                f"sweep.unseen: {NONE!r} stands for no class, but there is a class of this name; fix: rename it"
            )
        return ()
    names = [name.strip() for name in unseen.split("+")]
    if not any(names):
        raise InputError(
            "sweep.unseen names no class; fix: hold out at least one, such as 'cat' or 'cat+dog'"
        )
    index = {name: i for i, name in enumerate(class_names)}
    for place, name in enumerate(names):
        if name not in index:
            raise InputError(
                f"sweep.unseen: there is no class {name!r} in {unseen!r}; {nearest_names(name, class_names)}"
            )
        if name in names[:place]:
            raise InputError(f"sweep.unseen: class {name!r} occurs twice in {unseen!r}; fix: name it once")
    return tuple(index[name] for name in names)
