"""The checksums of a sweep's data splits, saved with its results."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zsh_jax.atomic import cannot_write, write_whole
from zsh_jax.inputs.load import Inputs

SPLITS = "splits.json"


def save_splits(workdir: str | Path, inputs: Inputs) -> None:
    """Write `<workdir>/splits.json`: for each `fingerprint_split` of the results, what the split is.

    An entry has the checksum (see `zsh_jax.inputs.fingerprint.split_checksum`), the data set, the unseen classes, the
    seed, and the numbers of training samples and queries. Entries of earlier runs in the workdir are kept.

    Args:
        workdir: of the sweep.
        inputs: of the sweep, with fingerprints and checksums.

    Raises:
        InputError: the file cannot be written.
        OSError: the disk is full or gone.
    """
    path = Path(workdir) / SPLITS
    prints = {} if inputs.fingerprints is None else inputs.fingerprints.splits
    entries = {
        prints[split]: {
            "checksum": checksum,
            "dataset": inputs.dataset.name,
            "unseen": split.unseen,
            "seed": split.seed,
            "training_samples": split.training_samples,
            "queries": split.queries,
        }
        for split, checksum in inputs.checksums.items()
    }
    text = json.dumps({**read_splits(workdir), **entries}, indent=1) + "\n"
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise cannot_write(path, error) from None


def read_splits(workdir: str | Path) -> Mapping[str, Mapping[str, Any]]:
    """Read what `save_splits` wrote; empty if the file is missing or is not of this package."""
    try:
        found = json.loads((Path(workdir) / SPLITS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
