"""Write runs through the service process of W&B, and handle its failures."""

import contextlib
import logging
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from zsh_jax.atomic import check_disk
from zsh_jax.tracking.wandb_file import wait_until_finished
from zsh_jax.tracking.wandb_groups import LONGEST_GROUP

Mode = Literal["offline", "online", "disabled"]
PATIENCE = 8.0  # seconds: time limit of a run for the service or the server
UPLOAD = 60.0  # seconds: time limit for the upload of the sweep's figures
PROBE = 3.0  # seconds: time limit for the server to answer at all


class WandbSettings(NamedTuple):
    """Settings of W&B.

    Attributes:
        directory: the sweep's workdir; files go below its `wandb` folder.
        group: the sweep that the runs belong to; `zsh_jax.tracking.wandb_groups` says how they are grouped within it.
        project: in W&B.
        entity: user or team in W&B; the account's default if None.
        mode: "offline" (files only), "online", or "disabled" (nothing is written, wandb is not imported).
        run_id: of a run that gets the means over all cells, in place of runs of cells; None for runs of cells.
        provenance: from `run_provenance`: the `provenance` entry of each run's config.
        check: called before each write; raises OSError if the directory no longer exists.
    """

    directory: str | Path
    group: str
    project: str = "zsh_jax"
    entity: str | None = None
    mode: Mode = "offline"
    run_id: str | None = None
    provenance: Mapping[str, Any] = MappingProxyType({})
    check: Callable[[], None] = lambda: None


class Run(NamedTuple):
    """The contents of one run."""

    digest: str  # of its contents: 16 hexadecimal digits
    name: str
    kind: str
    config: Mapping[str, Any]
    fill: Callable[[Any], None]  # logs into the open run
    group: str = ""  # the sweep's if empty
    job: str = ""  # shown as its type; its kind if empty
    tags: tuple[str, ...] = ()


def write_run(settings: WandbSettings, run: Run) -> WandbSettings:
    """Write one run; offline if online fails, and not at all if that fails too.

    A dead service is restarted once. A server that does not answer is not tried again.

    Args:
        settings: of W&B.
        run: to write.

    Returns:
        The settings for the next call. A failure prints a line on standard error.

    Raises:
        OSError: if the disk failed, or the folder is gone.
    """
    with _no_word_of_logs():
        return _tried(settings, run)


def _tried(settings: WandbSettings, run: Run) -> WandbSettings:
    again = True
    while settings.mode != "disabled":
        settings.check()
        check_disk(Path(settings.directory))
        try:
            if settings.mode == "online":
                check_server()
            _write(settings, run)
        except Exception as error:  # no failure of W&B may end the sweep
            _end_service()
            settings.check()
            check_disk(Path(settings.directory))
            if again and not _is_network(error):
                again = False
                continue
            again = True
            settings = settings._replace(mode="offline" if settings.mode == "online" else "disabled")
            message = f"zsh_jax: W&B failed ({one_line(error)}); it is {settings.mode} from now on"
            print(message, file=sys.stderr)
        else:
            break
    return settings


@contextlib.contextmanager
def _no_word_of_logs() -> Iterator[None]:
    """Silence the tracebacks that Python prints for each line of W&B's own logs that cannot be written."""
    before, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        yield
    finally:
        logging.raiseExceptions = before


def check_server(patience: float = PROBE) -> None:
    """Check that the server answers within `patience` seconds: W&B itself waits a minute for a dead one.

    Raises:
        TimeoutError: if it does not answer.
    """
    import wandb

    url = os.environ.get("WANDB_BASE_URL") or str(wandb.setup().settings.base_url)
    answers: SimpleQueue[bool] = SimpleQueue()
    # In a thread: the lookup of a host name has no time limit.
    worker = threading.Thread(target=lambda: answers.put(_answers(url, patience)), daemon=True)
    worker.start()
    try:
        there = answers.get(timeout=patience)
    except Empty:
        there = False
    if not there:
        raise TimeoutError(f"{url} does not answer")


def _answers(url: str, patience: float) -> bool:
    import ssl
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=patience):
            return True
    except HTTPError as error:
        error.close()
        return True
    except URLError as error:
        return isinstance(error.reason, ssl.SSLError)  # W&B has its own certificates
    except (OSError, ValueError, HTTPException):
        return False


def _is_network(error: Exception) -> bool:
    import wandb

    return isinstance(error, TimeoutError | wandb.errors.CommError)


def _end_service() -> None:
    """End the service process: otherwise it holds a failed run, and its id, until the program ends."""
    import wandb

    def end() -> None:
        with contextlib.suppress(Exception):  # the service may be dead already
            wandb.teardown(exit_code=1)

    # In a thread: this can wait forever for a service that has lost its connection.
    ending = threading.Thread(target=end, daemon=True)
    ending.start()
    ending.join(PATIENCE / 2)


def _write(settings: WandbSettings, run: Run) -> None:
    group = re.sub(r"[^\w-]+", "-", settings.group)[:64]
    run_id = f"{group}-{run.digest}" if settings.run_id is None else settings.run_id
    # Under an agent, W&B itself takes project, entity and id from the environment, and warns of others.
    by_agent = settings.run_id is not None and bool(os.environ.get("WANDB_SWEEP_ID"))
    place = {"project": settings.project, "entity": settings.entity, "id": run_id, "name": run.name[:128]}
    pattern = re.compile(rf"offline-run-\d+_\d+-{re.escape(run_id)}(-[^-]+)?")
    folder = Path(settings.directory) / "wandb"
    earlier = [path for path in folder.glob("offline-run-*") if pattern.fullmatch(path.name)]
    with wandb_with(settings, finish=PATIENCE if run.kind == "cell" else UPLOAD) as (wandb, options):
        opened = wandb.init(
            **({} if by_agent else place),
            group=run.group or settings.group[:LONGEST_GROUP],
            job_type=run.job or run.kind,
            tags=run.tags or None,
            config=dict(run.config),
            # Offline runs cannot be resumed; the new folder replaces the earlier one.
            resume="allow" if settings.mode == "online" else None,
            allow_val_change=True,
            settings=options,
        )
        # Not as a context manager: that prints a traceback for each error, and waits for a lost run.
        run.fill(opened)
        opened.finish()
        if settings.mode == "offline":
            wait_until_finished(Path(opened.settings.sync_file), PATIENCE)
    for path in earlier:
        if path != Path(opened.settings.sync_file).parent:
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def wandb_with(settings: WandbSettings, finish: float = PATIENCE) -> Iterator[tuple[Any, Any]]:
    """The wandb library and minimal settings, with caches below the workdir and without error reports.

    Args:
        settings: of W&B; the folder exists.
        finish: seconds: time limit for a run to end.

    Yields:
        `wandb`, and the settings of a run.
    """
    folder = Path(settings.directory).absolute()
    home = {
        "WANDB_CACHE_DIR": str(folder / "wandb" / "cache"),
        "WANDB_DATA_DIR": str(folder / "wandb" / "data"),
        "WANDB_ERROR_REPORTING": "false",
    }
    added = {key: value for key, value in home.items() if key not in os.environ}
    os.environ.update(added)
    try:
        import wandb

        options = wandb.Settings(
            mode=settings.mode,
            root_dir=str(folder),
            use_dot_wandb=False,
            symlink=False,
            silent=True,
            console="off",
            reinit="create_new",
            disable_git=True,
            disable_code=True,
            save_code=False,
            sagemaker_disable=True,
            label_disable=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_disable_machine_info=True,
            x_save_requirements=False,
            init_timeout=PATIENCE,
            finish_timeout=finish,
            finish_timeout_raises=True,
        )
        wandb.setup(options)
        yield wandb, options
    finally:
        for key in added:
            os.environ.pop(key, None)


def one_line(error: BaseException) -> str:
    """The message of an error on one line."""
    return " ".join(str(error).split()) or type(error).__name__
