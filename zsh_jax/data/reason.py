"""Why a library failed, fit to stand inside a line of our own."""


def reason(problem: BaseException) -> str:
    """The first line of what an exception says, or its kind where it says nothing."""
    said = str(problem).strip()
    return said.splitlines()[0] if said else type(problem).__name__
