"""Run a sweep from its plan to its report.

Of several processes all run the batches; the one that leads reads and writes the workdir, and tells the others what is
finished.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict
from rich.console import Console

from zsh_jax.commands.cells import run_cells
from zsh_jax.commands.configuration import complete
from zsh_jax.commands.disk import check_disk
from zsh_jax.commands.distributed import joined
from zsh_jax.commands.places import check_places
from zsh_jax.commands.program_cache import keep_programs
from zsh_jax.commands.record import Around, wandb_of
from zsh_jax.commands.resume import check_start
from zsh_jax.commands.study import run_study
from zsh_jax.commands.validate import validate
from zsh_jax.commands.widen import say_ends, widened
from zsh_jax.errors import InputError
from zsh_jax.inputs.load import Inputs
from zsh_jax.inputs.settings import input_settings
from zsh_jax.limits import check_limits
from zsh_jax.report.at_end import EndSettings, kept_for_gallery, write_end
from zsh_jax.report.code_tsne import check_tsne
from zsh_jax.report.means import means_of
from zsh_jax.report.printing import print_summary, say
from zsh_jax.report.tuned import as_tuned
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.grid import Choices
from zsh_jax.sweep.layout import lay_out
from zsh_jax.sweep.mesh import sweep_mesh
from zsh_jax.sweep.plan import Plan
from zsh_jax.sweep.processes import leads, told
from zsh_jax.sweep.settings import check_settings
from zsh_jax.sweep.tuning import choose, described, tried_axes, validation_config
from zsh_jax.tracking.lock import locked
from zsh_jax.tracking.tensorboard import check_tensorboard
from zsh_jax.tracking.wandb_runs import WandbSettings, check_wandb, log_sweep


def run_sweep(config: ConfigDict, console: Console | None = None, command: str = "") -> list[dict[str, Any]]:
    """Plan, run and record a sweep, and print its tables. Run it again to resume; finished cells are skipped.

    Args:
        config: from `zsh_jax.sweep.config.for_dataset`, with your changes. Without a `workdir` the results go to a
            folder below `runs`.
        console: where progress and tables are printed; nowhere if None.
        command: the command line, which is saved with the configuration.

    Returns:
        A row for each cell of the sweep, as in `results.jsonl`: its axes, data and metrics. A cell that was not finite
        has the status "non_finite". Empty with `config.validate_only`.

    Raises:
        InputError: if the configuration or its data are not valid; nothing has been written then.
        ProcessLost: if another of the processes that run it together (`config.distributed`) has ended.

    Examples:
        Features of one's own, with a class held out, after the example of `zsh_jax.fit`:

        >>> from zsh_jax.sweep import run_sweep
        >>> from zsh_jax.sweep.config import for_dataset
        >>> np.savez("features.npz", features=features.astype(np.float32), labels=np.array([*"abcd"])[labels])
        >>> config = for_dataset("features")
        >>> config.dataset.path, config.workdir, config.report = "features.npz", "sweep", False
        >>> config.wandb.mode = "disabled"
        >>> config.sweep.semantics, config.sweep.unseen = ("one-hot",), ("d",)
        >>> config.sweep.method, config.sweep.bits, config.sweep.seed = ("lsh",), (8,), (0, 1)
        >>> config.sweep.training_samples, config.sweep.queries, config.sweep.anchors = (30,), (10,), (10,)
        >>> [(row["method"], row["seed"]) for row in run_sweep(config)]
        [('lsh', 0), ('lsh', 1)]
    """
    console = Console(quiet=True) if console is None else console
    config = complete(config)
    # Set before any array is made; float64 stays on if the process has set it already.
    x64 = config.get("x64") is True or jnp.result_type(float) == jnp.float64
    if config.cache_programs:
        keep_programs()
    with joined(config) as processes:
        if not leads(processes):
            console = Console(quiet=True)
        _check_products(config)
        products = "highest" if config.products == "float32" else config.products
        with jax.enable_x64(x64), jax.default_matmul_precision(products):
            return _run(config, Around(console, command, lambda: None, processes))


def _run(config: ConfigDict, around: Around) -> list[dict[str, Any]]:
    if config.validate_only or not leads(around.processes):
        return _swept(config, around)
    check_places(config)  # before the lock, which is a file in the workdir
    with locked(config.workdir) as lock:
        try:
            rows = _swept(config, around._replace(check=lock.check))
        except OSError:
            lock.check()  # if the workdir is gone, report that instead
            raise
        lock.check()
    return rows


def _check_products(config: ConfigDict) -> None:
    if config.products != "float32" and jax.default_backend() == "cpu":
        raise InputError(
            f"products: {config.products} needs an accelerator; a CPU multiplies in float32; fix: "
            "--config.products=float32"
        )


def _swept(config: ConfigDict, around: Around) -> list[dict[str, Any]]:
    """The rows of the sweep's own cells."""
    console, processes = around.console, around.processes
    check_limits(int(config.memory_gib * 2**30))
    if leads(processes):
        _check_record(config)
    told(processes)  # the others begin when these checks are over
    if config.validate_only:
        if leads(processes):
            validate(config, console)
        return []
    plan, inputs, choices = _laid_out(config, around)
    end = EndSettings(
        workdir=config.workdir,
        source=input_settings(config).parts[-1].source,
        reference=config.reference,
        queries=config.gallery.queries,
        neighbours=config.gallery.neighbours,
        report=config.report,
        tsne=config.gallery.tsne,
    )
    shown = kept_for_gallery(end, plan, inputs)
    compiled = Compiled(sweep_mesh(config.mesh.sweep, config.mesh.data), processes)
    finished = run_cells(config, around, plan, inputs, compiled, choices=choices, shown=shown)
    if finished is None:
        return told(processes)
    plan, own = finished.plan, finished.rows
    own.sort(key=lambda row: row["variant"] != config.reference)  # stable: the reference first
    rows = as_tuned(own, config.tuning.axes.to_dict())
    print_summary(console, rows, tuple(config.evaluation.cutoffs), config.reference)
    _conclude(
        config,
        console,
        rows,
        finished.wandb,
        lambda: write_end(end, plan, inputs, partial(say, console), around.check),
    )
    _say_failed(console, own, finished.results)
    told(processes, own)
    return own


def _check_record(config: ConfigDict) -> None:
    """Check, before anything slow starts, that all that the sweep writes can be written."""
    check_start(config.workdir)
    check_wandb(wandb_of(config))
    if config.tensorboard:
        check_tensorboard()
    if config.gallery.tsne:
        check_tsne()
    check_places(config)


def _laid_out(config: ConfigDict, around: Around) -> tuple[Plan, Inputs, Choices]:
    """The plan, the inputs, and what tuning has chosen."""
    plan, inputs = lay_out(config)
    if leads(around.processes):
        check_disk(config, plan, inputs)
    if not config.tuning.axes:
        return plan, inputs, {}
    choices = run_study(config, around) if config.tuning.trials else _tune(config, around)
    return *lay_out(config, choices), choices


def _conclude(
    config: ConfigDict,
    console: Console,
    rows: Sequence[dict[str, Any]],
    wandb: WandbSettings,
    write: Callable[[], Mapping[str, bytes]],
) -> None:
    """Make the report of a whole sweep; of a part, say how the parts are joined."""
    if config.shard is None:
        log_sweep(wandb, config.to_dict(), rows, write(), partial(means_of, rows))
        return
    whole = Path(config.workdir).parent.parent
    say(console, f"part {config.shard} is finished; after all parts: zsh-jax merge {shlex.quote(str(whole))}")


def _say_failed(console: Console, rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    failed = sum(row["status"] == "non_finite" for row in rows)
    if failed:
        say(console, f"{failed} of {len(rows)} cells were not finite; see status in {path}")


def _tune(config: ConfigDict, around: Around) -> Choices:
    """Try settings on validation classes, as a sweep below the workdir, and choose the best."""
    config = widened(config, around)
    validation = validation_config(config)
    check_settings(validation)
    rows = _swept(validation, around)
    around.check()
    choices = choose(rows, tried_axes(config))
    say(around.console, f"chosen on validation classes:\n{described(choices)}")
    say_ends(config, around, choices)
    return choices
