"""Suggestions for a misspelt name."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest_names(name: str, names: Iterable[str], *, at_most: int = 3) -> str:
    """The known names most similar to an unknown one; case is ignored.

    Args:
        name: the unknown name.
        names: the known names.
        at_most: number of suggestions.

    Returns:
        The nearest names, or the first few if none is near, as part of an error message.
    """
    known = {known.lower(): known for known in names}
    close = get_close_matches(name.lower(), known, n=at_most)
    if close:
        return f"nearest: {', '.join(known[match] for match in close)}"
    few = list(known.values())[:10]
    return f"there are {', '.join(few)}{', ...' if len(known) > len(few) else ''}"
