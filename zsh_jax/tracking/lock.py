"""The lock of a workdir: one process at a time. The lock of a dead process is released.

The lock is `WORKDIR/.lock`. On one machine, flock shows whether its owner is alive. The kernel of another machine may
not see the lock, and some file systems have no flock. Therefore the file also names the owner and holds a heartbeat
counter. A process that wants the lock watches the counter: if it does not change, the owner is dead. Clocks of two
machines are never compared.
"""

import errno
import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from zsh_jax.atomic import cannot_write, remove_leftovers
from zsh_jax.errors import InputError, WorkdirGone

LOCK = ".lock"
BEAT = 2.0  # seconds
WATCHED = 12.0  # seconds without a heartbeat after which the owner counts as dead
LENGTH = 512  # bytes: overwritten in place, so that a full disk does not matter
NO_FLOCK = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


class Lock(NamedTuple):
    """A lock that this process holds.

    Attributes:
        path: the file.
        descriptor: of the file, open while the lock is held.
        token: random text in the file; another token means that the lock is lost.
    """

    path: Path
    descriptor: int
    token: str

    def check(self) -> None:
        """Check, before a write, that the workdir still exists and this process still holds its lock.

        Raises:
            WorkdirGone: if the workdir was deleted, moved or replaced, or another process has taken the lock.
        """
        folder = self.path.parent
        try:
            there = os.stat(self.path)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise
            there = None
        if there is None or not os.path.samestat(there, os.fstat(self.descriptor)):
            raise WorkdirGone(
                f"{folder} was deleted, moved or replaced during the run; nothing more is written"
            )
        owner = _read(self.descriptor)
        if owner.get("token", self.token) != self.token:
            raise WorkdirGone(f"{folder} was taken over by {_named(owner)}; nothing more is written")


@contextmanager
def locked(workdir: str | Path, *, beat: float = BEAT, watched: float = WATCHED) -> Iterator[Lock]:
    """Hold the lock of a workdir.

    Args:
        workdir: created if needed, and removed if it is empty at the end.
        beat: seconds between two heartbeats.
        watched: seconds without a heartbeat after which the owner counts as dead; a few beats.

    Yields:
        The lock.

    Raises:
        InputError: if another process holds it, or the workdir is not writable.
        OSError: if the disk failed.
    """
    folder = Path(workdir)
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        try:
            lock = _take(folder / LOCK, beat, watched)
        except OSError as error:
            raise cannot_write(folder, error) from None
        ended = threading.Event()
        beating = threading.Thread(target=_beat, args=(lock, beat, ended), name="lock", daemon=True)
        beating.start()
        try:
            remove_leftovers(folder, but={"wandb"})
            yield lock
        finally:
            ended.set()
            beating.join()
            try:
                lock.check()
                lock.path.unlink()  # while it is held: a process that has opened it sees this, and tries again
            except OSError:
                made.clear()  # the folder is another process's
            os.close(lock.descriptor)
    finally:
        with suppress(OSError):
            for one in made:
                one.rmdir()


def _take(path: Path, beat: float, watched: float) -> Lock:
    token = secrets.token_hex(8)
    while True:
        descriptor = _open(path)
        try:
            alone = _flock(path, descriptor)
            if not _is_at(path, descriptor):
                os.close(descriptor)  # its owner has just ended and removed it
                continue
            owner = _read(descriptor)
            if owner and not (alone and owner.get("machine") == _machine()):
                _watch(path, descriptor, owner, watched)
            try:
                _write(descriptor, token, 0)
            except OSError:
                if not owner:  # the disk is full: the new file has no owner
                    path.unlink(missing_ok=True)
                raise
            if not alone:
                # Two processes may have found it abandoned: the last one to write owns it.
                time.sleep(beat)
                if _read(descriptor).get("token") != token:
                    raise _taken(path, _read(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return Lock(path, descriptor, token)


def _open(path: Path) -> int:
    for _ in range(3):
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # a refused process has just removed the empty folder
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def _flock(path: Path, descriptor: int) -> bool:
    """Whether flock grants the lock; False if flock is not available."""
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in NO_FLOCK:
            return False
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        for _ in range(20):  # its owner may not have written its name yet
            if owner := _read(descriptor):
                break
            time.sleep(0.05)
        raise _taken(path, owner) from None
    return True


def _watch(path: Path, descriptor: int, owner: dict[str, str], watched: float) -> None:
    """Wait until the owner counts as dead.

    Raises:
        InputError: if it is alive.
    """
    end = time.monotonic() + watched
    while time.monotonic() < end:
        time.sleep(watched / 20)
        # Open the file again: a network file system fetches new content only on opening.
        with suppress(FileNotFoundError):
            again = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                now = _read(again)
            finally:
                os.close(again)
            if now != owner:
                raise _taken(path, now or owner)
    print(
        f"zsh_jax: {path} belongs to {_named(owner)}, which is dead; this process takes the lock",
        file=sys.stderr,
    )


def _taken(path: Path, owner: dict[str, str]) -> InputError:
    return InputError(
        f"{path.parent} is in use by {_named(owner)}; fix: wait until it ends, or choose another --config.workdir"
    )


def _named(owner: dict[str, str]) -> str:
    if not owner:
        return "another process"
    return f"process {owner.get('pid')} on host {owner.get('host')}"


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _beat(lock: Lock, beat: float, ended: threading.Event) -> None:
    number = 0
    while not ended.wait(beat):
        number += 1
        # If a heartbeat cannot be written, the next write of results reports the error.
        with suppress(OSError):
            if _read(lock.descriptor).get("token", lock.token) != lock.token:
                return
            _write(lock.descriptor, lock.token, number)


def _write(descriptor: int, token: str, number: int) -> None:
    owner = {"host": socket.gethostname(), "pid": str(os.getpid()), "machine": _machine(), "token": token}
    content = json.dumps(owner | {"beat": str(number)}).encode().ljust(LENGTH - 1) + b"\n"
    os.pwrite(descriptor, content, 0)
    os.fsync(descriptor)


def _read(descriptor: int) -> dict[str, str]:
    """The content of the file; empty if it cannot be parsed, for example while it is being written."""
    try:
        found = json.loads(os.pread(descriptor, 4 * LENGTH, 0))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _machine() -> str:
    """An id of this boot of this machine: flock is only conclusive for locks with the same id."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()
