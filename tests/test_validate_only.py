"""`--config.validate_only`: all is checked, the plan told, nothing run, nothing written."""

import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
from bad_input import launched as launch_with
from bad_input import make_data, put, refusal, tiny_config
from ml_collections import ConfigDict

from zsh_jax.commands import disk
from zsh_jax.data.shapes import load_shapes
from zsh_jax.features.count import count_values
from zsh_jax.features.extract import extract

WELL = "all checks passed; nothing was run or written; remove --config.validate_only to run the sweep"
TUNED = {
    "variants": ConfigDict({"a": {}, "b": {"method": ("semantic_ridge",)}}),
    "tuning.axes": ConfigDict({"a": {"zsh": {"beta": (1e-5, 1e-4, 1e-3)}}}),
    "tuning.bits": (4,),
    "tuning.validation": 2,
}


@pytest.fixture
def folder(tmp_path):
    make_data(tmp_path)
    return tmp_path


@pytest.fixture
def nothing_runs(monkeypatch):
    """Whatever would train or extract fails."""

    def refuse(*args, **kwargs):
        raise AssertionError("it was run")

    monkeypatch.setattr("zsh_jax.commands.cells.run", refuse)
    monkeypatch.setattr("zsh_jax.commands.record.open_results", refuse)
    monkeypatch.setattr("zsh_jax.features.extract.extract", refuse)


def _valid(launch, folder, capsys, config):
    before = {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}
    assert launch_with(launch, folder, config, "--config.validate_only") == 0
    said = capsys.readouterr()
    assert not said.err
    assert {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))} == before
    *_, last = said.out.splitlines()
    assert last == WELL
    return said.out


@pytest.mark.parametrize("mode", ["disabled", "offline"])
def test_it_tells_the_plan_and_leaves_nothing_behind(launch, folder, capsys, nothing_runs, mode):
    said = _valid(launch, folder, capsys, put(tiny_config(folder), {"wandb.mode": mode}))
    assert "tiny: cells 1, groups 1, data splits 1" in said
    assert "data: tiny, 120 samples of 6 classes" in said
    assert f"results: {folder / 'workdir'}" in said
    assert "disk: about " in said


def test_it_counts_what_tuning_runs_first(launch, folder, capsys, nothing_runs):
    said = _valid(launch, folder, capsys, put(tiny_config(folder), TUNED))
    assert "tiny: cells 2, groups 2" in said
    assert "tuning first: 3 cells on validation classes" in said


@pytest.mark.parametrize(
    "changes",
    [
        {"sweep.queries": (21,)},
        {"dataset.path": "nowhere.npz"},
        {"sweep.semantics": ("word_vectors",)},
        {"memory_gib": 1e-6},
        TUNED | {"tuning.validation": 5},
        {"workdir": "/proc/nowhere"},
        {"workdir": "/dev/null"},
    ],
)
def test_what_is_wrong_is_refused_as_always(launch, folder, capsys, nothing_runs, changes):
    config = put(tiny_config(folder), changes)
    alone = refusal(launch, folder, capsys, config, "--config.validate_only")
    assert alone == refusal(launch, folder, capsys, config)


def test_a_workdir_that_may_not_be_written_to_is_refused(launch, folder, capsys, nothing_runs):
    (folder / "closed").mkdir(mode=0o500)
    if os.access(folder / "closed", os.W_OK):
        pytest.skip("this user may write anywhere")
    config = put(tiny_config(folder), {"workdir": str(folder / "closed" / "workdir")})
    assert "cannot be written to" in refusal(launch, folder, capsys, config, "--config.validate_only")


def test_a_disk_without_room_is_refused_with_and_without_it(
    launch, folder, capsys, monkeypatch, nothing_runs
):
    usage = SimpleNamespace(total=2**40, used=2**40 - 100_000, free=100_000)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda folder: usage)
    config = tiny_config(folder)
    for flags in ([], ["--config.validate_only"]):
        said = refusal(launch, folder, capsys, config, *flags)
        assert said.startswith(
            f"workdir: {folder / 'workdir'} has 97.7 KiB of disk left, but the sweep writes about "
        )
        assert "fix: free disk space" in said
    assert " needed, 97.7 KiB free" in _valid(launch, folder, capsys, put(config, {"report": False}))


def test_features_that_are_still_to_be_extracted_are_not_extracted(
    launch, folder, shapes_folder, capsys, nothing_runs
):
    config = put(
        tiny_config(folder), {"features.name": "gist+pixels", "features.cache": str(folder / "cache")}
    )
    put(config, {"dataset.name": "shapes", "dataset.path": None, "dataset.data_dir": str(shapes_folder)})
    put(config, {"sweep.unseen": ("solid cross",)})
    said = _valid(launch, folder, capsys, config)
    assert "features: gist+pixels (3584 values)" in said
    assert "features: not extracted yet; the sweep extracts them first" in said
    # A sweep that cannot be run is refused before they are extracted, too.
    assert "cannot be drawn" in refusal(
        launch, folder, capsys, put(config, {"sweep.training_samples": (9000,)})
    )


@pytest.mark.parametrize(
    "name", ["gist", "colour", "pixels", "gist+colour+pixels", "pixels+efficientnet_lite0@32"]
)
@pytest.mark.parametrize("side", [16, 48])
def test_the_number_of_values_is_that_of_features_that_are_made(name, side, shapes_folder):
    dataset = load_shapes(str(shapes_folder), images=False)._replace(
        images=np.zeros((2, side, side, 3), np.uint8),
        ids=np.array(["a", "b"]),
        source_splits=np.array(["t", "t"]),
    )
    assert extract(dataset, name).shape[1] == count_values(name, side, side)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "mode"), [("zsh", "offline"), ("joint", "disabled")])
def test_what_a_sweep_leaves_is_what_was_told(launch, folder, capsys, monkeypatch, method, mode):
    """Within a factor of three either way; and a second start needs no room for the cells that are there."""
    told = []
    ask = disk.needed_bytes
    monkeypatch.setattr(disk, "needed_bytes", lambda *args: told.append(ask(*args)) or told[-1])
    config = put(tiny_config(folder), {"wandb.mode": mode, "save_models": True, "sweep.method": (method,)})
    put(config, {"sweep.seed": (0, 1, 2), "report": False})
    assert launch_with(launch, folder, config) == 0
    rows = [json.loads(line) for line in (folder / "workdir" / "results.jsonl").read_text().splitlines()]
    assert len(rows) == 3
    files = [path for path in (folder / "workdir").rglob("*") if path.is_file()]
    found = sum(path.stat().st_size for path in files)
    assert told[0] / 3 < found < 3 * told[0]
    assert launch_with(launch, folder, config) == 0
    assert told[1] < told[0] / 3
