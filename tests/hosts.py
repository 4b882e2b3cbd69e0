"""Processes that run the tiny sweep of `fault_sweep` together, joined by gloo on this machine."""

import contextlib
import os
import socket

from fault_sweep import ROOT, START, arguments, ended
from forked import Forked

LIMIT = 300  # seconds, after which a test says that something hangs
LOST_SECONDS = 10


@contextlib.contextmanager
def free_port():
    """A port that nothing else has; it is held until the end."""
    with socket.create_server(("", 0)) as one:
        yield one.getsockname()[1]


@contextlib.contextmanager
def started(path, workdir, count, *, devices=1, patches=None, own=None, **changes):
    """The processes of one sweep; dead at the end.

    Args:
        path: of `write_features`.
        workdir: of the sweep.
        count: number of processes.
        devices: of each process.
        patches: Python that runs before the launcher does, by process.
        own: changes of single processes.
        changes: of settings, with two underscores for a dot.
    """
    with free_port() as port:
        pass
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}".strip()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
    environment |= {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT), "XLA_FLAGS": flags}
    together = {
        "distributed__coordinator": f"127.0.0.1:{port}",
        "distributed__processes": count,
        "distributed__lost_seconds": LOST_SECONDS,
    }

    def start(number):
        settings = changes | together | {"distributed__process": number} | (own or {}).get(number, {})
        patch = START.format(patch=(patches or {}).get(number, ""))
        given = arguments(settings.pop("path", path), workdir, **settings)
        return Forked(patch, given, environment=environment, folder=ROOT)

    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(ended(start(number))) for number in range(count)]


def results(processes):
    """Exit status, standard output and standard error of each process, once all have ended."""
    said = [process.communicate(timeout=LIMIT) for process in processes]
    return [(process.returncode, *texts) for process, texts in zip(processes, said, strict=True)]


def run_together(path, workdir, count, **options):
    with started(path, workdir, count, **options) as processes:
        return results(processes)
