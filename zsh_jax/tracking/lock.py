"""One process at a time on a workdir: a lock that a live process holds, and a dead one does not.

The lock is `WORKDIR/.lock`. On one machine the kernel tells whether its owner lives (flock). Another machine's kernel
may know nothing of it, and some file systems have no flock. So the file also says who the owner is, with a beat that
the owner counts up. Whoever wants the lock watches the beat for a while: where it stands still, the owner is dead. The
clocks of two machines are never compared.
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
WATCHED = 12.0  # seconds that a beat stands still before its owner counts as dead
LENGTH = 512  # bytes: written in place, so that it needs no room on a disk that is full by then
NO_FLOCK = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


class Lock(NamedTuple):
    """A lock that this process holds.

    Attributes:
        path: the file.
        descriptor: of the file, open as long as the lock is held.
        token: written into it; another's token there means that the lock is lost.
    """

    path: Path
    descriptor: int
    token: str

    def check(self) -> None:
        """See to it, before something is written, that the workdir is still there and still ours.

        Raises:
            WorkdirGone: if it was deleted, moved or replaced, or another process took the lock over.
        """
        folder = self.path.parent
        try:
            there = os.stat(self.path)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise
            there = None
        if there is None or not os.path.samestat(there, os.fstat(self.descriptor)):
            raise WorkdirGone(f"{folder} was deleted, moved or replaced in mid-run; nothing more is written")
        owner = _read(self.descriptor)
        if owner.get("token", self.token) != self.token:
            raise WorkdirGone(f"{folder} was taken over by {_named(owner)}; nothing more is written")


@contextmanager
def locked(workdir: str | Path, *, beat: float = BEAT, watched: float = WATCHED) -> Iterator[Lock]:
    """Hold the lock of a workdir.

    Args:
        workdir: made if it is not there, and taken away again if nothing else is in it at the end.
        beat: seconds between two beats.
        watched: seconds after which a beat that stands still is that of a dead owner; a few beats.

    Yields:
        The lock.

    Raises:
        InputError: if another process holds it, or the workdir cannot be written to.
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
                lock.path.unlink()  # while it is held: who has opened it finds out that it is gone, and tries anew
            except OSError:
                made.clear()  # what stands there is another's
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
                os.close(descriptor)  # its owner has just ended and taken it away
                continue
            owner = _read(descriptor)
            if owner and not (alone and owner.get("machine") == _machine()):
                _watch(path, descriptor, owner, watched)
            try:
                _write(descriptor, token, 0)
            except OSError:
                if not owner:  # the disk is full: what was just made is of nobody
                    path.unlink(missing_ok=True)
                raise
            if not alone:
                # Two may have found it abandoned: the one who wrote last has it.
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
        with suppress(FileNotFoundError):  # who was refused has just taken the empty folder away
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def _flock(path: Path, descriptor: int) -> bool:
    """Whether the kernel gives us the lock; False where it cannot tell."""
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
        for _ in range(20):  # it may be taken, and not yet signed
            if owner := _read(descriptor):
                break
            time.sleep(0.05)
        raise _taken(path, owner) from None
    return True


def _watch(path: Path, descriptor: int, owner: dict[str, str], watched: float) -> None:
    """Wait until the owner is known to be dead.

    Raises:
        InputError: if it lives.
    """
    end = time.monotonic() + watched
    while time.monotonic() < end:
        time.sleep(watched / 20)
        # Opened anew: a network file system looks at what others wrote when a file is opened.
        with suppress(FileNotFoundError):
            again = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                now = _read(again)
            finally:
                os.close(again)
            if now != owner:
                raise _taken(path, now or owner)
    print(
        f"zsh_jax: {path} is of {_named(owner)}, which is dead; its lock is taken over",
        file=sys.stderr,
    )


def _taken(path: Path, owner: dict[str, str]) -> InputError:
    return InputError(
        f"{path.parent} is in use by {_named(owner)}; fix: wait until it has ended, or use another --config.workdir"
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
        # A beat that cannot be written is told of by whatever is written next.
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
    """What stands in the file; nothing where that cannot be read, as when it is being written."""
    try:
        found = json.loads(os.pread(descriptor, 4 * LENGTH, 0))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _machine() -> str:
    """Which kernel's locks hold here: those of another say nothing, nor do those of before a restart."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()
