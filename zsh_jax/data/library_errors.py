"""The reason of a library error, short enough for one line of ours."""

LONGEST = 120  # characters


def reason(problem: BaseException) -> str:
    """The first line of an exception's message, or its type if the message is empty; short and printable."""
    said = str(problem).strip()
    line = said.splitlines()[0] if said else type(problem).__name__
    shown = "".join(letter if letter.isprintable() else "?" for letter in line)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."
