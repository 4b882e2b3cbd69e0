"""Signals to the commands: one line and a status of its own, whatever the main thread is at."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# A process that was started in the background of a shell is told to ignore Ctrl-C.
DEFAULT = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}
COMMANDS = {
    "launch.py": "launch.py --config=experiments/sweep_bits.py",
    "zsh_jax.report": "-m zsh_jax.report nowhere",
    "zsh_jax.data": "-m zsh_jax.data list",
    "zsh_jax.export": "-m zsh_jax.export model --features=x.npy --out=nowhere",
}

# What a library is at while it is loaded. The last two never come back to Python, or let nobody end them.
READY = "from pathlib import Path\nimport os, sys, time\nPath(os.environ['READY']).touch()\n"
WAITS = READY + "time.sleep(600)\n"
COMPILED = READY + (
    "import ctypes\n"
    "lock, library = ctypes.create_string_buffer(256), ctypes.CDLL(None)\n"
    "library.pthread_mutex_lock(lock)\n"
    "library.pthread_mutex_lock(lock)\n"
)
SWALLOWS = READY + "while True:\n    try:\n        time.sleep(600)\n    except BaseException:\n        pass\n"


def _signalled(tmp_path, arguments, library, number, again=False):
    """Start a command in which a library (numpy: all load it) does something at its import, and send it a signal."""
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text(library)
    ready = tmp_path / "ready"
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "READY": str(ready)}
    with subprocess.Popen(
        [sys.executable, "-c", DEFAULT, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not ready.exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        while again and process.poll() is None:
            time.sleep(0.05)
            process.send_signal(number)
        said, error = process.communicate(timeout=60)
    return process.returncode, said, error


def _with_grace(seconds):
    """A command whose main thread has so many seconds to react."""
    return [
        "-c",
        f"import runpy, sys; from zsh_jax import interrupts; interrupts.GRACE = {seconds}; "
        "sys.argv = ['launch.py', '--config=experiments/sweep_bits.py']; "
        "runpy.run_path('launch.py', run_name='__main__')",
    ]


@pytest.mark.parametrize("number", STATUS)
@pytest.mark.parametrize("program", COMMANDS)
def test_a_signal_during_the_imports_is_one_line_and_its_status(tmp_path, program, number):
    status, said, error = _signalled(tmp_path, COMMANDS[program].split(), WAITS, number)
    assert status == STATUS[number], error
    assert error.startswith(f"{program}: interrupted; ")
    assert error.count("\n") == 1
    assert not said


@pytest.mark.parametrize("number", STATUS)
@pytest.mark.parametrize("library", [COMPILED, SWALLOWS], ids=["compiled", "swallows"])
def test_a_main_thread_that_does_not_react_is_ended_all_the_same(tmp_path, library, number):
    status, _, error = _signalled(tmp_path, _with_grace(0.3), library, number)
    assert status == STATUS[number], error
    assert error.startswith("launch.py: interrupted; ")
    assert error.count("\n") == 1


def test_a_second_interruption_ends_at_once(tmp_path):
    status, _, error = _signalled(tmp_path, _with_grace(600), COMPILED, signal.SIGINT, again=True)
    assert status == 130
    assert error.count("\n") == 1


WRITES = READY.replace("Path(os", "ready = lambda: Path(os") + (
    "import ctypes, threading\n"
    "from zsh_jax.interrupts import unbroken\n"
    "lock, library = ctypes.create_string_buffer(256), ctypes.CDLL(None)\n"
    "library.pthread_mutex_lock(lock)\n"
    "with unbroken:\n"
    "    threading.Timer(2, library.pthread_mutex_unlock, [lock]).start()\n"
    "    try:\n"
    "        ready()\n"
    "        library.pthread_mutex_lock(lock)\n"
    "        time.sleep(600)\n"
    "    finally:\n"
    "        os.write(1, b'whole')\n"
)


def test_a_file_that_is_being_written_is_not_cut_off(tmp_path):
    status, said, _ = _signalled(tmp_path, _with_grace(0.3), WRITES, signal.SIGTERM)
    assert (status, said) == (143, "whole")


def test_a_signal_that_is_ignored_stays_ignored(tmp_path):
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    line, *rest = _with_grace(0.3)
    library = READY + "time.sleep(1)\nos._exit(77)\n"
    status, _, error = _signalled(tmp_path, [line, ignored + rest[0]], library, signal.SIGINT)
    assert (status, error) == (77, "")


def test_handlers_are_as_before_when_a_command_has_ended(launch, capsys):
    before = [signal.getsignal(number) for number in STATUS]
    assert launch.main(["launch.py"]) == 2
    assert [signal.getsignal(number) for number in STATUS] == before
    assert signal.set_wakeup_fd(-1) == -1
    assert "no experiment given" in capsys.readouterr().err
