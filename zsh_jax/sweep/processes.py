"""Several processes of one sweep: what they tell each other besides arrays, through JAX's coordination service."""

import json
import time
from contextlib import suppress
from typing import Any

from zsh_jax.errors import InputError, ProcessLost

PIECE = 1 << 20  # characters of a value that is sent at once
PATIENCE = 500  # milliseconds: between them Python handles signals
LEAVING = 10.0  # seconds for the others to hear of an error
INTERRUPTED = 2.0  # seconds for them to hear of a signal
ENDED, HEARD = "zsh_jax/ended", "zsh_jax/heard"


class Processes:
    """The processes of one sweep. All make the same calls in the same order, from the thread that runs the sweep."""

    def __init__(self, client: Any, index: int, count: int) -> None:
        """Take part.

        Args:
            client: of the coordination service.
            index: of this process.
            count: number of processes.
        """
        self.index = index
        self.count = count
        self._client = client
        self._calls = 0

    def told(self, value: Any = None) -> Any:
        """A value of process 0, in every process.

        Args:
            value: of JSON; read in process 0 alone.

        Returns:
            The value as JSON gives it back: a tuple has become a list.
        """
        key = f"zsh_jax/{self._calls}"
        self._calls += 1
        if self.index == 0:
            text = json.dumps(value)
            pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
            for number, piece in enumerate(pieces):
                self._client.key_value_set(f"{key}/{number}", piece)
            self._client.key_value_set(key, str(len(pieces)))
        else:
            text = "".join(self._waited(f"{key}/{number}") for number in range(int(self._waited(key))))
        return json.loads(text)

    def check_same(self, value: str, what: str) -> None:
        """Check that all processes have the same value.

        Args:
            value: a short text.
            what: it stands for, in the plural.

        Raises:
            InputError: in all of them, if one has another.
        """
        key = f"zsh_jax/{self._calls}"
        self._calls += 1
        self._client.key_value_set(f"{key}/{self.index}", value)
        every = [self._waited(f"{key}/{number}") for number in range(self.count)]
        others = [number for number, one in enumerate(every) if one != every[0]]
        if others:
            raise InputError(
                f"process {others[0]} and process 0 of the sweep have different {what}; fix: give all processes the "
                "same command, data and version"
            )

    def leave(self, error: BaseException) -> None:
        """Tell the others of an error that ends this process, as far as they are waiting to be told something.

        Process 0 leaves last if it can: with it goes the service by which they hear of errors.

        Args:
            error: that ends it.
        """
        if not isinstance(error, ProcessLost):
            said = " ".join(str(error).split()) or type(error).__name__
            with suppress(RuntimeError):  # another has ended before
                self._client.key_value_set(ENDED, f"process {self.index} of the sweep has ended ({said})")
        elif self.index != 0:
            self._hear()
            return
        self._hear()
        end = time.monotonic() + (INTERRUPTED if isinstance(error, KeyboardInterrupt) else LEAVING)
        with suppress(RuntimeError):
            while len(self._client.key_value_dir_get(HEARD)) < self.count and time.monotonic() < end:
                time.sleep(0.05)
            if self.index == 0:
                time.sleep(0.2)  # until they have left

    def _hear(self) -> None:
        with suppress(RuntimeError):
            self._client.key_value_set(f"{HEARD}/{self.index}", "", allow_overwrite=True)

    def _waited(self, key: str) -> str:
        """The text of a key, once it is there.

        Raises:
            ProcessLost: if a process has ended meanwhile.
        """
        while True:
            try:
                return str(self._client.blocking_key_value_get(key, PATIENCE))
            except RuntimeError as error:
                if "DEADLINE_EXCEEDED" not in str(error):
                    said = str(error).partition("\n")[0]
                    raise ProcessLost(f"process 0 of the sweep cannot be reached ({said})") from None
            self._check_all_there()

    def _check_all_there(self) -> None:
        try:
            said = self._client.key_value_try_get(ENDED)
        except RuntimeError:  # no process has ended
            return
        raise ProcessLost(str(said))


def told(processes: Processes | None, value: Any = None) -> Any:
    """`Processes.told`; of one process, the value itself."""
    return value if processes is None else processes.told(value)


def leads(processes: Processes | None) -> bool:
    """Whether this process writes the results."""
    return processes is None or processes.index == 0
