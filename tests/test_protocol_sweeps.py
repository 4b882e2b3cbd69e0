"""Whole sweeps on given splits, zero-shot and supervised, beside a plain evaluation of their codes."""

import json
import re

import numpy as np
import pytest
from small_sweeps import configured, write_features
from xlsa17_files import write

from zsh_jax.commands import data
from zsh_jax.commands.sweep import run_sweep
from zsh_jax.errors import InputError
from zsh_jax.sweep.config import for_dataset
from zsh_jax.sweep.layout import lay_out
from zsh_jax.sweep.settings import check_settings
from zsh_jax.tracking.splits import SPLITS, read_splits, save_splits


def _mean_average_precision(features, labels, queries, database):
    """Of a cosine ranking, by a loop."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    found = []
    for query in queries:
        order = np.argsort(-(unit[database] @ unit[query]), kind="stable")
        hits = labels[database][order] == labels[query]
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        found.append((precision * hits).sum() / hits.sum())
    return np.mean(found)


def _small(tmp_path):
    """A generalised sweep on small files of AwA2."""
    write(tmp_path / "AWA2")
    config = for_dataset("awa2")
    config.dataset.path, config.workdir, config.report = str(tmp_path), str(tmp_path / "out"), False
    config.wandb.mode = "disabled"
    config.evaluation.seen_queries = 6
    small = {"queries": (6,), "anchors": (8,), "neighbours": (3,), "seed": (0,), "bits": (8,)}
    config.sweep.update(small | {"method": ("semantic_ridge",)})
    return config


def test_a_supervised_sweep_evaluates_its_queries_against_its_database(tmp_path):
    path = write_features(tmp_path / "features.npz")
    roles = {"training": [*range(0, 180, 2)], "query": [*range(1, 180, 6)], "database": [*range(3, 180, 6)]}
    (tmp_path / "split.json").write_text(json.dumps(roles))
    changes = {
        "split__path": tmp_path / "split.json",
        "sweep__unseen": "('none',)",
        "sweep__training_samples": 0,
        "sweep__queries": 0,
        "sweep__preprocessing": "('none',)",
    }
    bound = configured(
        path, tmp_path / "bound", sweep__method="('cosine_features',)", sweep__bits="(0,)", **changes
    )
    (row,) = run_sweep(bound)
    with np.load(path) as file:
        features, labels = file["features"].astype(np.float64), file["labels"]
    expected = _mean_average_precision(
        features, labels, np.array(roles["query"]), np.array(roles["database"])
    )
    assert row["mean_average_precision"] == pytest.approx(expected, rel=1e-5)
    assert (row["unseen"], row["training_samples"], row["queries"]) == ("none", 90, 30)

    assert np.isnan(row["mean_average_precision_seen"])
    (entry,) = read_splits(tmp_path / "bound").values()
    assert re.fullmatch("[0-9a-f]{16}", entry["checksum"])
    assert read_splits(tmp_path / "bound").keys() == {row["fingerprint_split"]}


def test_tuning_contradicts_a_sweep_without_unseen_classes():
    config = for_dataset("cifar10_59000")
    config.variants.a = {"method": ("zsh",)}
    config.tuning.axes.a = {"zsh": {"alpha": (1e-5, 1.0)}}
    with pytest.raises(InputError, match=r"sweep\.unseen: 'none' contradicts tuning\.axes"):
        check_settings(config)


def test_entries_of_earlier_runs_are_kept_with_the_splits(tmp_path):
    _, inputs = lay_out(_small(tmp_path))
    (split,) = inputs.checksums
    (tmp_path / SPLITS).write_text('{"0123456789abcdef": {"checksum": "a"}}')
    save_splits(tmp_path, inputs)
    found = read_splits(tmp_path)
    assert list(found) == ["0123456789abcdef", inputs.fingerprints.splits[split]]
    assert found[inputs.fingerprints.splits[split]]["checksum"] == inputs.checksums[split]
    (tmp_path / SPLITS).write_text("[1, 2")
    assert read_splits(tmp_path) == {}


def test_prepare_counts_the_samples_of_each_role(tmp_path, capsys):
    write(tmp_path)
    assert data.run(data.parser().parse_args(["prepare", "awa2", "--path", str(tmp_path)])) == 0
    assert "roles: training 18, queries 16, database 40, seen queries 6\n" in capsys.readouterr().out


def test_a_generalised_sweep_on_xlsa17(tmp_path):
    config = _small(tmp_path)
    (row,) = run_sweep(config.lock())
    assert (row["dataset"], row["semantics"], row["unseen"]) == (
        "awa2",
        "attributes",
        "grizzly bear+dalmatian",
    )
    assert np.isfinite([row["mean_average_precision"], row["mean_average_precision_harmonic"]]).all()
    assert len(row["mean_average_precision_at"]) == 3
    before = (tmp_path / "out" / "results.jsonl").read_bytes()
    run_sweep(config)  # all cells are there
    assert (tmp_path / "out" / "results.jsonl").read_bytes() == before
