"""Why a library failed, fit to stand inside a line of our own."""

LONGEST = 120  # characters


def reason(problem: BaseException) -> str:
    """The first line of what an exception says, or its kind where it says nothing; never long, and printable."""
    said = str(problem).strip()
    line = said.splitlines()[0] if said else type(problem).__name__
    shown = "".join(letter if letter.isprintable() else "?" for letter in line)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."
