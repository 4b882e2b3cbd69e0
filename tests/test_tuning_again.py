"""Tuning in a workdir that was used before: the rows of other settings and other data have no say."""

import json

from rows import rows_of
from small_sweeps import arguments, write_features

from zsh_jax.tracking.lines import signed
from zsh_jax.tracking.results import cell_id

EXPERIMENT = """
from ml_collections import ConfigDict
from zsh_jax.sweep.config import for_dataset

def get_config():
    config = for_dataset("features")
    config.name = "tuned"
    config.reference = "ridge"
    config.variants = ConfigDict({"ridge": {"method": ("semantic_ridge",)}, "lsh": {"method": ("lsh",)}})
    config.tuning.axes = ConfigDict({"ridge": {"semantic_ridge": {"ridge": (1.0, 1e6)}}})
    config.tuning.validation = 2
    config.tuning.bits = (8,)
    return config.lock()
"""


def test_a_used_validation_folder_does_not_change_the_choice(tmp_path, launch):
    experiment = tmp_path / "tuned.py"
    experiment.write_text(EXPERIMENT)
    path = write_features(tmp_path / "data.npz")

    def run():
        given = arguments(path, tmp_path / "sweep", experiment=experiment, sweep__method=None)
        assert launch.main(given) == 0
        return json.loads((tmp_path / "sweep" / "config.json").read_text())["choices"]

    chosen = run()
    ((best,),) = ((one["semantic_ridge.ridge"] for one in sets.values()) for sets in chosen.values())
    file = tmp_path / "sweep" / "validation" / "results.jsonl"
    (worse,) = (row for row in rows_of(file) if row["ridge"] != best)
    keys = list(worse)[: list(worse).index("cell_id")]
    planted = []
    for change in ({"queries": 19}, {"anchors": 11}, {"fingerprint_features": "0" * 16}, {"validation": 1}):
        cell = {key: worse[key] for key in keys} | change
        row = worse | cell | {"cell_id": cell_id(cell), "mean_average_precision": 1.0}
        planted.append(signed(row))
    file.write_bytes(file.read_bytes() + b"".join(planted))
    count = len(rows_of(file))
    assert run() == chosen
    assert len(rows_of(file)) == count
