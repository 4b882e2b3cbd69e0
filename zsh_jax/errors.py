"""The one exception for bad input."""


class InputError(ValueError):
    """Something the user gave is wrong: one line that says what, and how to mend it.

    `launch.py` and the command-line tools print the line alone and exit with a status that is not 0.
    """
