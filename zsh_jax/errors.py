"""The exceptions that end a command in one line."""

LONGEST = 1000  # characters of a line; beyond it, a file has put a name into it that is none
ENDS = 450


class InputError(ValueError):
    """Something the user gave is wrong: one line that says what, and how to mend it.

    `launch.py` and the command-line tools print the line alone and exit with a status that is not 0. What a file or a
    command line brings into it is made printable, so that it stays one line wherever it is shown.
    """

    def __init__(self, line: str) -> None:
        if len(line) > LONGEST:
            line = f"{line[:ENDS]} ... {line[-ENDS:]}"
        super().__init__("".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line))


class WorkdirGone(OSError):
    """The workdir is not the one in which the sweep began: what has ended may be gone with it."""
