"""Save the results of a sweep, batch by batch."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from zsh_jax.model_file import save
from zsh_jax.sweep.result import CellResult
from zsh_jax.tracking.history import append_history
from zsh_jax.tracking.models import model_path
from zsh_jax.tracking.positions import forget_positions
from zsh_jax.tracking.results import Results, append_results, cell_id
from zsh_jax.tracking.wandb_runs import WandbSettings, log_cells


def save_batches(
    workdir: str,
    batches: Iterable[Sequence[CellResult]],
    results: Results,
    wandb: WandbSettings,
    *,
    made_by: Mapping[str, str | None],
    check: Callable[[], None],
    advance: Callable[[Sequence[CellResult]], object],
    record: Callable[[Sequence[CellResult]], object] = lambda batch: None,
) -> tuple[Results, WandbSettings]:
    """Save each batch as it ends; W&B writes its runs in a second thread, while the next batch runs.

    Args:
        workdir: of the sweep.
        batches: results, as the engine yields them.
        results: of the workdir.
        wandb: settings of W&B.
        made_by: provenance of each row.
        check: raises if the workdir no longer exists.
        advance: told of each batch that is saved.
        record: writes other files of a batch whose results are on disk.

    Returns:
        The results and the settings after the last batch.
    """
    with ThreadPoolExecutor(1) as behind:
        logged = behind.submit(lambda: wandb)
        for batch in batches:
            check()
            _save_models(workdir, batch)
            append_history(workdir, batch)
            results = append_results(results, batch, made_by)
            _forget(workdir, batch)
            record(batch)
            logged = behind.submit(log_cells, logged.result(), batch)
            advance(batch)
        return results, logged.result()


def _save_models(workdir: str, batch: Sequence[CellResult]) -> None:
    for result in batch:
        if result.model is not None:
            path = model_path(workdir, cell_id(result.cell))
            save(path, result.model, result.cell)


def _forget(workdir: str, batch: Sequence[CellResult]) -> None:
    for result in batch:
        forget_positions(workdir, cell_id(result.cell))
