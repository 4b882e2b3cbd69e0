"""How runs are grouped in Weights & Biases: the cells of one setting, over all seeds and unseen classes, are one group.

Its page groups runs by their `group` by default, and then draws the mean of each group.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from zsh_jax.inputs.fingerprint import PREFIX

DIGITS = 8
LONGEST_GROUP, LONGEST_TAG = 128, 64  # characters
AVERAGED = ("seed", "unseen")


def group_of(sweep: str, identity: Mapping[str, Any]) -> str:
    """The group of a cell.

    Args:
        sweep: name of the sweep; cut where the group would be too long.
        identity: of the cell.

    Returns:
        Sweep, variant or method, code length, and a digest of the setting. Two settings never share a group.
    """
    digest = hashlib.sha256(json.dumps(setting_of(identity), sort_keys=True).encode()).hexdigest()[:DIGITS]
    end = f", {_length(identity)}, {digest}"
    start = f"{sweep}: {identity.get('variant') or identity['method']}"
    return start[: LONGEST_GROUP - len(end)] + end


def setting_of(identity: Mapping[str, Any]) -> dict[str, Any]:
    """The identity of a cell without seed, unseen classes and fingerprints of data."""
    return {
        key: value for key, value in identity.items() if key not in AVERAGED and not key.startswith(PREFIX)
    }


def tags_of(sweep: str, identity: Mapping[str, Any]) -> tuple[str, ...]:
    """The tags of a cell: sweep, variant, method, code length, data set; each once."""
    tags = (
        sweep,
        identity.get("variant"),
        identity["method"],
        _length(identity),
        identity.get("dataset"),
    )
    return tuple(dict.fromkeys(str(tag)[:LONGEST_TAG] for tag in tags if tag))


def _length(identity: Mapping[str, Any]) -> str:
    return f"{identity['bits']} bits" if identity["bits"] else "unhashed"
