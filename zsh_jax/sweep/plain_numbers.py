"""NumPy numbers of an experiment as Python numbers, which are written to JSON and compared by type."""

from typing import Any

import numpy as np
from ml_collections import ConfigDict


def plain(config: ConfigDict) -> None:
    """Replace NumPy numbers of an experiment by equal Python numbers, in place."""
    for key, value in list(config.items()):
        if isinstance(value, ConfigDict):
            plain(value)
        elif isinstance(value, np.generic):
            _replace(config, key, value.item())
        elif isinstance(value, tuple | list) and any(isinstance(one, np.generic) for one in value):
            plain_ones = tuple(one.item() if isinstance(one, np.generic) else one for one in value)
            _replace(config, key, plain_ones)


def _replace(config: ConfigDict, key: str, value: Any) -> None:
    with config.unlocked(), config.ignore_type():  # the second takes milliseconds: only where it must be
        config[key] = value
