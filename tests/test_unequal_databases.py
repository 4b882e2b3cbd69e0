"""Data splits whose databases are of unequal sizes: validation leaves out the images of the unseen classes."""

import numpy as np
import pytest
from rows import rows_of
from small_sweeps import arguments

from zsh_jax.tracking.results import RESULTS

SIZES = {"ant": 30, "bee": 20, "cow": 25, "dog": 30, "elk": 20}


@pytest.fixture
def features(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(5), list(SIZES.values()))
    values = rng.normal(size=(5, 7))[labels] + rng.normal(size=(len(labels), 7))
    path = tmp_path / "f.npz"
    np.savez(path, features=values.astype(np.float32), labels=np.array(list(SIZES))[labels])
    return path


@pytest.mark.slow
def test_cells_with_and_without_validation_are_those_run_alone(launch, features, tmp_path):
    sizes = {"sweep.training_samples": 30, "sweep.queries": 5}
    grid = {"sweep.unseen": "('ant','bee','ant+bee')", "sweep.validation": "(0,1)"}
    assert launch.main(arguments(features, tmp_path / "grid", **sizes, **grid)) == 0
    together = rows_of(tmp_path / "grid" / RESULTS)
    assert len(together) == 6
    for place, row in enumerate(together):
        unseen = row["unseen"].split("+")
        left_out = sum(SIZES[name] for name in unseen) * (row["validation"] > 0)
        if (
            len(unseen) == 1 and not left_out
        ):  # an oracle: r of n images are relevant, and chance follows from both
            n, r = sum(SIZES.values()) - 5, SIZES[unseen[0]] - 5
            share = (r - 1) / (n - 1)
            assert row["chance"] == pytest.approx(share + (1 - share) * (1 / np.arange(1, n + 1)).sum() / n)
        if place not in (0, 5):
            continue
        workdir = tmp_path / str(place)
        alone = {"sweep.unseen": f"('{row['unseen']}',)", "sweep.validation": row["validation"]}
        assert launch.main(arguments(features, workdir, **sizes, **alone)) == 0
        (one,) = rows_of(workdir / RESULTS)
        assert one["cell_id"] == row["cell_id"]
        assert one["mean_average_precision"] == row["mean_average_precision"]
        assert one["recall_curve"] == row["recall_curve"]


@pytest.mark.slow
def test_tuning_on_sets_of_unequal_sizes(launch, features, tmp_path):
    experiment = tmp_path / "tuned.py"
    experiment.write_text(
        "from zsh_jax.sweep.config import for_dataset\n"
        "def get_config():\n"
        "    config = for_dataset('features')\n"
        "    config.name = 'tuned'\n"
        "    config.variants = {'ridge': {'method': ('semantic_ridge',)}}\n"
        "    config.tuning.axes = {'ridge': {'semantic_ridge': {'ridge': (0.1, 10.0)}}}\n"
        "    config.tuning.bits, config.tuning.validation = (8,), 1\n"
        "    return config.lock()\n"
    )
    given = {
        "sweep.unseen": "('ant','bee')",
        "sweep.method": None,
        "sweep.training_samples": 30,
        "sweep.queries": 5,
    }
    assert launch.main(arguments(features, tmp_path / "w", experiment=experiment, **given)) == 0
    assert len(rows_of(tmp_path / "w" / "validation" / RESULTS)) == 4
    assert len(rows_of(tmp_path / "w" / RESULTS)) == 2
