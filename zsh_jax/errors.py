"""The exceptions that end a command in one line."""

LONGEST = 1000  # characters of a line; longer lines contain garbage from a file
ENDS = 450


class InputError(ValueError):
    """An error in the user's input: one line that says what is wrong and how to fix it.

    `launch.py` and the command-line tools print only this line and exit with a nonzero status. Unprintable characters
    of a file or a command line are escaped, so that the message is always one line.
    """

    def __init__(self, line: str) -> None:
        if len(line) > LONGEST:
            line = f"{line[:ENDS]} ... {line[-ENDS:]}"
        super().__init__("".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line))


class ProcessLost(RuntimeError):
    """Another process of the sweep has ended, and this one cannot go on alone."""


class WorkdirGone(OSError):
    """The workdir was deleted, moved or replaced during a sweep: finished cells may be lost."""
