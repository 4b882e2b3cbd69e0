"""Processes that begin with all imports made: forks of a server, in milliseconds where a start takes seconds."""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path


class Forked:
    """A process that runs Python, with what tests need of `subprocess.Popen`; standard output and error are kept."""

    def __init__(self, code, arguments, *, environment, folder):
        """Start it.

        Args:
            code: to be run as the main program.
            arguments: its `sys.argv[1:]`.
            environment: its variables.
            folder: its working directory.
        """
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["preloaded"])
        self._kept = tempfile.TemporaryDirectory()
        self._said = [Path(self._kept.name, name) for name in ("out", "error")]
        given = (code, list(map(str, arguments)), dict(environment), str(folder), list(map(str, self._said)))
        self._process = context.Process(target=_run, args=given)
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self):
        return self._process.exitcode

    def poll(self):
        return self._process.exitcode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def communicate(self, timeout=None):
        """Wait for its end: standard output and error."""
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout)
        return tuple(path.read_text() if path.exists() else "" for path in self._said)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self._process.join()
        self._kept.cleanup()


def _run(code, arguments, environment, folder, said):
    """In the fork."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for descriptor, path in enumerate(said, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.argv = ["-c", *arguments]
    exec(compile(code, "<forked>", "exec"), {"__name__": "__main__"})
