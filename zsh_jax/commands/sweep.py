"""Run a sweep from its plan to its report."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict
from rich.console import Console

from zsh_jax.commands.configuration import complete
from zsh_jax.commands.disk import check_disk
from zsh_jax.commands.places import check_places
from zsh_jax.commands.program_cache import keep_programs
from zsh_jax.commands.resume import cells_done, check_start, told_other_data
from zsh_jax.commands.validate import validate
from zsh_jax.errors import InputError
from zsh_jax.inputs.settings import input_settings
from zsh_jax.limits import check_limits
from zsh_jax.model_file import save
from zsh_jax.report.at_end import EndSettings, kept_for_gallery, write_end
from zsh_jax.report.printing import print_summary, say
from zsh_jax.report.tuned import as_tuned
from zsh_jax.sweep.collect import identity
from zsh_jax.sweep.compiled import Compiled
from zsh_jax.sweep.engine import run
from zsh_jax.sweep.fit import fit_plan
from zsh_jax.sweep.grid import Choices
from zsh_jax.sweep.layout import describe, lay_out
from zsh_jax.sweep.mesh import sweep_mesh
from zsh_jax.sweep.plan import Batch
from zsh_jax.sweep.result import CellResult
from zsh_jax.sweep.settings import check_settings
from zsh_jax.sweep.tuning import choose, described, tried_axes, validation_config
from zsh_jax.tracking.history import append_history
from zsh_jax.tracking.lock import locked
from zsh_jax.tracking.models import model_path
from zsh_jax.tracking.progress import progress
from zsh_jax.tracking.provenance import provenance, run_provenance
from zsh_jax.tracking.results import (
    Results,
    append_results,
    cell_id,
    check_evaluation,
    open_results,
    read_results,
)
from zsh_jax.tracking.splits import save_splits
from zsh_jax.tracking.time_left import work_of
from zsh_jax.tracking.vectors import save_vectors
from zsh_jax.tracking.wandb_runs import WandbSettings, check_wandb, log_cells, log_missing, log_sweep


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

    Example:
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
    _check_products(config)
    products = "highest" if config.products == "float32" else config.products
    with jax.enable_x64(x64), jax.default_matmul_precision(products):
        if config.validate_only:
            return _swept(config, console, command, lambda: None)
        check_places(config)  # before the lock, which is a file in the workdir
        with locked(config.workdir) as lock:
            try:
                rows = _swept(config, console, command, lock.check)
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


def _swept(
    config: ConfigDict, console: Console, command: str, check: Callable[[], None]
) -> list[dict[str, Any]]:
    """The rows of the sweep's own cells; `check` raises if the workdir no longer exists."""
    check_limits(int(config.memory_gib * 2**30))
    check_start(config.workdir)
    group = f"{config.name}-{config.dataset.name}"
    wandb = WandbSettings(config.workdir, group, config.wandb.project, config.wandb.entity, config.wandb.mode)
    check_wandb(wandb)
    check_places(config)
    if config.validate_only:
        validate(config, console)
        return []
    plan, inputs = lay_out(config)
    check_disk(config, plan, inputs)
    choices = _tune(config, console, command, check) if config.tuning.axes else {}
    if choices:
        plan, inputs = lay_out(config, choices)
    cutoffs = tuple(config.evaluation.cutoffs)
    identities = [identity(cell, inputs) for cell in plan.cells()]
    cells = set(map(cell_id, identities))
    evaluation = {"cutoffs": cutoffs, "seen_queries": config.evaluation.seen_queries}
    check_evaluation(config.workdir, cells, **evaluation)
    kept = config.to_dict() | ({"choices": choices} if choices else {})
    results = open_results(config.workdir, kept | ({"command": command} if command else {}))
    save_vectors(config.workdir, inputs)
    save_splits(config.workdir, inputs)
    end = EndSettings(
        workdir=config.workdir,
        source=input_settings(config).parts[-1].source,
        reference=config.reference,
        queries=config.gallery.queries,
        neighbours=config.gallery.neighbours,
        report=config.report,
    )
    shown = kept_for_gallery(end, plan, inputs)
    done = cells_done(config.workdir, results, identities, save_models=config.save_models, shown=shown)
    made_by = provenance()
    wandb = wandb._replace(provenance=run_provenance(made_by), check=check)

    def is_done(cell: dict[str, Any]) -> bool:
        return cell_id(cell) in done

    def todo(batch: Batch) -> int:
        return sum(not is_done(identity(cell, inputs)) for cell in batch.cells())

    def keeps_model(cell: dict[str, Any]) -> bool:
        return config.save_models or cell_id(cell) in shown

    memory = {"memory_gib": config.memory_gib, "compiled": Compiled(sweep_mesh(config.mesh.sweep))}
    plan = fit_plan(plan, inputs, **memory, **evaluation, is_done=is_done)
    say(console, describe(plan, inputs, is_done, name=config.name, workdir=config.workdir))
    if other_data := told_other_data(results, identities):
        say(console, other_data)
    wandb = log_missing(wandb, done, partial(say, console))
    with progress(console, work_of(plan.batches, todo)) as advance:
        batches = run(
            plan,
            inputs,
            **memory,
            **evaluation,
            keeps_model=keeps_model,
            is_done=is_done,
            tell=partial(say, console),
        )
        results, wandb = _saved(
            config.workdir, batches, results, wandb, made_by=made_by, check=check, advance=advance
        )

    own = [row for row in read_results(results.path) if row["cell_id"] in cells]
    own.sort(key=lambda row: row["variant"] != config.reference)  # stable: the reference first
    rows = as_tuned(own, config.tuning.axes.to_dict())
    print_summary(console, rows, cutoffs, config.reference)
    _conclude(
        config, console, rows, wandb, lambda: write_end(end, plan, inputs, partial(say, console), check)
    )
    _say_failed(console, own, results.path)
    return own


def _saved(
    workdir: str,
    batches: Iterable[Sequence[CellResult]],
    results: Results,
    wandb: WandbSettings,
    *,
    made_by: Mapping[str, str | None],
    check: Callable[[], None],
    advance: Callable[[Sequence[CellResult]], object],
) -> tuple[Results, WandbSettings]:
    """Save each batch as it ends; W&B writes its runs in a second thread, while the next batch runs."""
    with ThreadPoolExecutor(1) as behind:
        logged = behind.submit(lambda: wandb)
        for batch in batches:
            check()
            _save_models(workdir, batch)
            append_history(workdir, batch)
            results = append_results(results, batch, made_by)
            logged = behind.submit(log_cells, logged.result(), batch)
            advance(batch)
        return results, logged.result()


def _conclude(
    config: ConfigDict,
    console: Console,
    rows: Sequence[dict[str, Any]],
    wandb: WandbSettings,
    write: Callable[[], Mapping[str, bytes]],
) -> None:
    """Make the report of a whole sweep; of a part, say how the parts are joined."""
    if config.shard is None:
        log_sweep(wandb, config.to_dict(), rows, write())
        return
    whole = Path(config.workdir).parent.parent
    say(console, f"part {config.shard} is finished; after all parts: zsh-jax merge {shlex.quote(str(whole))}")


def _say_failed(console: Console, rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    failed = sum(row["status"] == "non_finite" for row in rows)
    if failed:
        say(console, f"{failed} of {len(rows)} cells were not finite; see status in {path}")


def _save_models(workdir: str, batch: Sequence[CellResult]) -> None:
    for result in batch:
        if result.model is not None:
            path = model_path(workdir, cell_id(result.cell))
            save(path, result.model, result.cell)


def _tune(config: ConfigDict, console: Console, command: str, check: Callable[[], None]) -> Choices:
    """Try settings on validation classes, as a sweep below the workdir, and choose the best."""
    validation = validation_config(config)
    check_settings(validation)
    rows = _swept(validation, console, command, check)
    check()
    choices = choose(rows, tried_axes(config))
    say(console, f"chosen on validation classes:\n{described(choices)}")
    return choices
