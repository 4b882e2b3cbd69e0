"""What a misspelt name may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest_names(name: str, names: Iterable[str], *, at_most: int = 3) -> str:
    """Say which known names are like an unknown one, whatever the case of the letters.

    Args:
        name: the unknown one.
        names: the known ones.
        at_most: how many to give.

    Returns:
        The nearest names, or where none is near the first few, fit to stand in an error message.
    """
    known = {known.lower(): known for known in names}
    close = get_close_matches(name.lower(), known, n=at_most)
    if close:
        return f"nearest: {', '.join(known[match] for match in close)}"
    few = list(known.values())[:10]
    return f"there are {', '.join(few)}{', ...' if len(known) > len(few) else ''}"
