"""Silence TFDS warnings about downloads and decoders."""

import contextlib
import io
from collections.abc import Iterator


@contextlib.contextmanager
def quiet(*, streams: bool = False) -> Iterator[None]:
    """Silence TFDS warnings; exceptions pass through.

    Args:
        streams: whether to silence progress bars too.

    Yields:
        Nothing.
    """
    from absl import logging

    level = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    silence = io.StringIO()
    try:
        with contextlib.ExitStack() as stack:
            if streams:
                stack.enter_context(contextlib.redirect_stdout(silence))
                stack.enter_context(contextlib.redirect_stderr(silence))
            yield
    finally:
        logging.set_verbosity(level)
