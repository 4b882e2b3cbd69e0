"""Optuna's side of a study: what draws settings, and the file that other programs read."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict

from zsh_jax.errors import InputError
from zsh_jax.sweep.search_space import LogRange, Space

if TYPE_CHECKING:
    import optuna

JOURNAL = "optuna.log"

Key = tuple[str, str]
"""A variant and a set of unseen classes."""


class Asked(NamedTuple):
    """A trial, and its setting: a value of each axis, in the order of the space."""

    trial: "optuna.Trial"
    setting: dict[str, Any]

    @property
    def values(self) -> tuple[Any, ...]:
        """The values of the setting."""
        return tuple(self.setting.values())


class Studies(NamedTuple):
    """Studies of the same number of trials.

    Attributes:
        by_key: each study, in memory.
        copies: the same in Optuna's file.
    """

    by_key: Mapping[Key, "optuna.Study"]
    copies: Mapping[Key, "optuna.Study"]

    def ask(self, key: Key, space: Space) -> Asked:
        """The next trial of a study."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution

        trial = self.by_key[key].ask(
            {
                axis: FloatDistribution(one.low, one.high, log=True)
                if isinstance(one, LogRange)
                else CategoricalDistribution(one)
                for axis, one in space.items()
            }
        )
        return Asked(trial, {axis: trial.params[axis] for axis in space})

    def tell(self, key: Key, asked: Asked, value: float) -> None:
        """End a trial with its mAP; it has failed if that is not finite."""
        from optuna.trial import TrialState

        failed = not np.isfinite(value)
        found = self.by_key[key].tell(
            asked.trial, None if failed else value, TrialState.FAIL if failed else None
        )
        self.copies[key].add_trial(found)


def check_study(config: ConfigDict) -> None:
    """Check that a study can run. Does not import Optuna.

    Raises:
        InputError: if Optuna is missing, or several processes would run the study.
    """
    if not config.tuning.trials:
        return
    if find_spec("optuna") is None:
        raise InputError(
            "tuning.trials: optuna is not installed; fix: pip install -e '.[optuna]', or --config.tuning.trials=0"
        )
    if config.distributed.auto or config.distributed.coordinator is not None:
        raise InputError(
            "tuning.trials: one process draws the settings; fix: remove the settings of distributed, or "
            "--config.tuning.trials=0"
        )


@contextmanager
def open_studies(keys: Sequence[Key], folder: str | Path, seed: int) -> Iterator[Studies]:
    """Empty studies, whose draws follow from the seed and from what they are told. Their file begins anew.

    Args:
        keys: of the studies.
        folder: of the file.
        seed: of the sampler, TPE.

    Yields:
        The studies.

    Raises:
        OSError: if the file cannot be written.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    make: Callable[..., optuna.Study] = optuna.create_study
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Optuna 4 calls constant_liar experimental: it keeps the settings of a batch apart.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            path = Path(folder) / JOURNAL
            path.parent.mkdir(parents=True, exist_ok=True)
            for old in (path, Path(f"{path}.lock")):  # a killed process leaves its lock
                old.unlink(missing_ok=True)
            storage = JournalStorage(JournalFileBackend(str(path)))
            by_key, copies = {}, {}
            for key in keys:
                sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
                by_key[key] = make(sampler=sampler, direction="maximize")
                copies[key] = make(study_name=", ".join(key), storage=storage, direction="maximize")
            yield Studies(by_key, copies)
    finally:
        optuna.logging.set_verbosity(before)
