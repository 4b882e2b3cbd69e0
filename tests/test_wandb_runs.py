"""Runs of Weights & Biases: what lies on disk says what `results.jsonl` says; nothing is said or left elsewhere."""

import io
import json
import os
import re
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from cells import TERMS, result
from PIL import Image
from rows import rows_of
from wandb_files import offline_runs

from zsh_jax.errors import InputError
from zsh_jax.report.means import means_of
from zsh_jax.tracking import wandb_service
from zsh_jax.tracking.results import append_results, cell_id, open_results, read_results, row_of
from zsh_jax.tracking.wandb_runs import WandbSettings, check_wandb, log_cells, log_sweep

CONFIG = {"name": "bits", "sweep": {"bits": (16, 128), "seed": (0, 1)}, "workdir": None}


def _logged(workdir, results, config=CONFIG, group="bits on shapes"):
    settings = WandbSettings(workdir, group)
    opened = append_results(open_results(workdir, config), results)
    assert log_cells(settings, results) == settings
    assert log_sweep(settings, config, read_results(opened.path)) == settings
    rows = rows_of(opened.path)
    runs = offline_runs(workdir)
    sweep = [run for run in runs.values() if "all cells" in run.name]
    cells = {run.summary["cell_id"]: run for run in runs.values() if run not in sweep}
    return rows, cells, sweep


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    results = [result(seed, bits) for seed in (0, 1) for bits in (16, 128)]
    results += [result(2, iterations=1), result(3, failed=True), result(4, note=None)]
    return results, *_logged(tmp_path_factory.mktemp("sweep"), results)


def test_each_cell_is_one_run_that_says_what_its_row_says(logged):
    results, rows, cells, _ = logged
    assert len(rows) == len(cells) == len(results)
    for row, given in zip(rows, results, strict=True):
        run = cells[cell_id(given.cell)]
        assert run.config == {key: row[key] for key in given.cell}
        assert {key: run.summary[key] for key in ("cell_id", *given.metrics)} == {
            key: row[key] for key in ("cell_id", *given.metrics)
        }
        assert run.summary.keys() - row.keys() <= {*TERMS, "flips"}  # W&B's own: the last of each trace


def test_history_is_every_trace_at_every_iteration(logged):
    results, _, cells, _ = logged
    for given in results:
        run = cells[cell_id(given.cell)]
        assert [row["_step"] for row in run.history] == list(range(1, given.metrics["iterations"] + 1))
        assert {key for row in run.history for key in row} == {"objective", *TERMS, "flips", "_step"}
        for name, values in given.history.items():
            expected = [None if np.isnan(value) else value for value in values.tolist()]
            assert [row[name] for row in run.history] == expected


def test_runs_are_grouped_named_and_finished(logged):
    results, _, cells, (sweep,) = logged
    assert sweep.group == "bits on shapes"
    assert {run.project for run in cells.values()} == {"zsh_jax"}
    assert {run.exit_code for run in [*cells.values(), sweep]} == {0}
    assert len({run.name for run in cells.values()}) == len(results)
    for run in cells.values():
        assert re.fullmatch("bits-on-shapes-[0-9a-f]{16}", run.run_id)


def test_the_sweep_s_run_has_its_config_and_the_table_of_results(logged):
    _, rows, _, (sweep,) = logged
    assert sweep.config == json.loads(json.dumps(CONFIG))
    table = _table(sweep, "results")
    scalars = [{key: value for key, value in row.items() if not isinstance(value, list)} for row in rows]
    assert set(table["columns"]) == {key for row in scalars for key in row}
    assert len(table["data"]) == len(rows)
    for values, row in zip(table["data"], scalars, strict=True):
        assert dict(zip(table["columns"], values, strict=True)) == {
            key: row.get(key) for key in table["columns"]
        }


def _table(run, name):
    (path,) = (run.folder / "files" / "media" / "table").glob(f"{name}_*.table.json")
    return json.loads(path.read_text(), parse_constant=pytest.fail)


def test_cells_that_differ_only_in_seed_and_unseen_classes_are_one_group_of_their_method(tmp_path):
    other = {"unseen": "wavy square", "fingerprint_split": "0" * 16}
    results = [result(0), result(1), result(1, **other)]
    results += [result(0, alpha=1e-3), result(0, 128), result(0, method="sdh"), result(0, variant="one")]
    log_cells(WandbSettings(tmp_path, "s" * 200), results)
    runs = list(offline_runs(tmp_path).values())
    by_group = {}
    for run in runs:
        assert run.job_type == run.config["method"]
        own = {run.config["method"], f"{run.config['bits']} bits", run.config.get("variant")} - {None}
        assert set(run.tags) == {"s" * 64, "shapes"} | own
        assert len(run.group) <= 128
        by_group.setdefault(run.group, []).append(run)
    settings = [{(run.config["seed"], run.config["unseen"]) for run in group} for group in by_group.values()]
    assert sorted(map(len, settings)) == [1, 1, 1, 1, 3]
    for group in by_group.values():
        assert len({(run.config["method"], run.config["bits"], run.config["alpha"]) for run in group}) == 1


def test_the_sweep_s_run_has_means_with_standard_deviations_and_their_charts(tmp_path):
    other = {"unseen": "wavy square"}
    results = [
        result(seed, bits, method=method, **extra)
        for method in ("zsh", "sdh")
        for bits in (16, 128)
        for seed in (0, 1, 2)
        for extra in ({}, other)
    ]
    for number, one in enumerate(results):  # `result` draws by seed and bits alone
        one.metrics["mean_average_precision"] = float(np.random.default_rng(number).random())
    rows = [row_of(one) for one in results]
    log_sweep(WandbSettings(tmp_path, "sweep"), CONFIG, rows, means=partial(means_of, rows))
    (run,) = offline_runs(tmp_path).values()
    table = _table(run, "means")
    expected = {}
    for row in rows:
        seeds = expected.setdefault((row["method"], row["bits"]), {})
        seeds.setdefault(row["seed"], []).append(row["mean_average_precision"])
    assert len(table["data"]) == len(expected) == 4
    lines = {}
    for values in table["data"]:
        found = dict(zip(table["columns"], values, strict=True))
        over_seeds = [statistics.fmean(one) for one in expected[found["method"], found["bits"]].values()]
        assert (found["seeds"], found["cells"]) == (3, 6)
        assert found["mean_average_precision"] == pytest.approx(statistics.fmean(over_seeds))
        assert found["mean_average_precision_deviation"] == pytest.approx(statistics.stdev(over_seeds))
        lines[found["method"], found["bits"]] = found["mean_average_precision"]
    drawn = _table(run, "map_over_bits_table")
    points = [dict(zip(drawn["columns"], one, strict=True)) for one in drawn["data"]]
    assert {(one["lineKey"], one["step"]): one["lineVal"] for one in points} == lines
    bars = _table(run, "map_by_setting_table")
    assert {(method, 128): value for method, value in bars["data"]} == {
        key: value for key, value in lines.items() if key[1] == 128
    }


def test_the_sweep_s_run_has_its_report(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    image = io.BytesIO()
    Image.fromarray(colours).save(image, "PNG")
    table = 'setting,16 bits mean,16 bits best\n"zsh, lam 1",0.25,1\nitq,,\n'
    page = "<!doctype html>\n<title>é</title>\n" + "x" * 5000
    report = {
        "figures/map.png": image.getvalue(),
        "figures/map.pdf": b"%PDF",
        "tables/map.csv": table.encode(),
    }
    report |= {"tables/map.tex": b"x", "tables/map.html": b"<table>", "index.html": page.encode()}
    log_sweep(WandbSettings(tmp_path, "sweep"), CONFIG, [{"x": 1}], report)
    (run,) = offline_runs(tmp_path).values()
    media = run.folder / "files" / "media"
    files = {path.relative_to(media).parent.as_posix(): path for path in media.rglob("*") if path.is_file()}
    assert files.keys() == {"table", "table/tables", "images/figures", "html"}
    np.testing.assert_array_equal(np.asarray(Image.open(files["images/figures"])), colours)
    assert files["html"].read_text() == page
    logged = json.loads(files["table/tables"].read_text())
    assert logged["columns"] == ["setting", "16 bits mean", "16 bits best"]
    assert logged["data"] == [["zsh, lam 1", 0.25, 1], ["itq", None, None]]
    assert run.exit_code == 0


def test_nothing_is_gathered_beside_the_values(logged):
    _, _, cells, _ = logged
    for run in cells.values():
        assert not list((run.folder / "files").iterdir())
        assert sum(path.stat().st_size for path in run.folder.rglob("*") if not path.is_symlink()) < 60_000


def test_a_cell_that_is_run_anew_takes_the_place_of_its_run(tmp_path):
    results = [result(0), result(1)]
    _, before, _ = _logged(tmp_path, results)
    anew = result(0)
    anew.metrics["seconds"] = 77.0
    _, after, (sweep,) = _logged(tmp_path, [anew])
    assert before.keys() == after.keys()
    assert [run.summary["seconds"] for run in after.values() if run.config["seed"] == 0] == [77.0]
    assert after[cell_id(results[1].cell)] == before[cell_id(results[1].cell)]
    assert len(list((sweep.folder / "files" / "media" / "table").iterdir())) == 1


def test_the_same_cell_in_another_sweep_is_another_run(tmp_path):
    names = {"one", "one-more", "a/b:c d"}
    for name in sorted(names):
        log_cells(WandbSettings(tmp_path, name), [result(0)])
    runs = offline_runs(tmp_path).values()
    assert {run.group.rpartition(": ")[0] for run in runs} == names
    assert all(names & {*run.tags} for run in runs)


def test_no_trouble_with_wandb_ends_a_sweep(tmp_path, monkeypatch, capsys):
    import wandb

    def broken(**_):
        raise wandb.errors.CommError("it is\nbroken")

    settings = WandbSettings(tmp_path, "sweep", mode="offline")
    with monkeypatch.context() as patch:
        patch.setattr(wandb, "init", broken)
        after = log_cells(settings, [result(0), result(1)])
        assert log_sweep(after, CONFIG, []) == after
    assert after == settings._replace(mode="disabled")
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "it is broken" in error
    assert not offline_runs(tmp_path)


def test_what_fails_online_is_written_offline(tmp_path, monkeypatch, capsys):
    import wandb

    init = wandb.init

    def unreachable(**options):
        if options["settings"].mode == "online":
            raise TimeoutError
        return init(**options)

    monkeypatch.setattr(wandb, "init", unreachable)
    settings = WandbSettings(tmp_path, "sweep", mode="online")
    assert log_cells(settings, [result(0), result(1)]) == settings._replace(mode="offline")
    assert {run.config["seed"] for run in offline_runs(tmp_path).values()} == {0, 1}
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_no_trouble_with_wandb(tmp_path, monkeypatch, signal):
    def interrupted(*_):
        raise signal

    monkeypatch.setattr(wandb_service, "_write", interrupted)
    with pytest.raises(signal):
        log_cells(WandbSettings(tmp_path, "sweep"), [result(0)])


def test_a_mode_that_is_none_is_named(tmp_path):
    with pytest.raises(InputError, match=r"offline, online, disabled, not 'onlne'"):
        check_wandb(WandbSettings(tmp_path, "sweep", mode="onlne"))


def _in_a_process_of_its_own(tmp_path, script, **variables):
    """Run a script where home, working directory and workdir are empty folders, and nobody is there to be asked."""
    folders = {name: tmp_path / name for name in ("home", "here", "workdir")}
    for folder in folders.values():
        folder.mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("WANDB_", "XDG_"))}
    environment |= {"HOME": str(folders["home"]), "NETRC": str(folders["home"] / "netrc")} | variables
    here = Path(__file__).resolve().parent
    environment["PYTHONPATH"] = f"{here}{os.pathsep}{here.parent}"
    start = (
        "import os, sys\n"
        "from cells import result\n"
        "from zsh_jax.tracking import wandb_service\n"
        "from zsh_jax.tracking.wandb_runs import WandbSettings, check_wandb, log_cells, log_sweep\n"
        f"workdir = {str(folders['workdir'])!r}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", start + script],
        cwd=folders["here"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert not list(folders["home"].rglob("*"))
    assert not list(folders["here"].rglob("*"))
    return done, folders["workdir"]


EVERYTHING = (
    "settings = WandbSettings(workdir, 'sweep', mode={mode!r})\n"
    "check_wandb(settings)\n"
    "settings = log_cells(settings, [result(0), result(1)])\n"
    "settings = log_sweep(settings, dict(a=1), [dict(x=1)])\n"
)


def test_disabled_writes_nothing_and_does_not_import_wandb(tmp_path):
    script = EVERYTHING.format(mode="disabled") + "sys.exit('wandb' in sys.modules)"
    done, workdir = _in_a_process_of_its_own(tmp_path, script)
    assert done.returncode == 0, done.stderr
    assert not done.stdout + done.stderr
    assert not list(workdir.iterdir())


@pytest.mark.parametrize("variables", [{}, {"WANDB_MODE": "online", "WANDB_DIR": "elsewhere"}])
def test_offline_says_nothing_asks_nothing_and_stays_below_the_workdir(tmp_path, variables):
    script = "before = dict(os.environ)\n" + EVERYTHING.format(mode="offline")
    script += "print({key for key in os.environ if os.environ[key] != before.get(key)} - {'WANDB_SERVICE'})"
    done, workdir = _in_a_process_of_its_own(tmp_path, script, **variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "set()"
    assert not done.stderr
    assert {path.name for path in workdir.iterdir()} == {"wandb", "wandb.jsonl"}
    assert len(offline_runs(workdir)) == 3


def test_online_without_a_key_is_told_at_the_start(tmp_path):
    done, workdir = _in_a_process_of_its_own(tmp_path, EVERYTHING.format(mode="online"))
    assert "InputError: W&B cannot be used online without an API key" in done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert not list(workdir.iterdir())


def test_online_with_a_key_that_is_none_is_told_at_the_start(tmp_path):
    done, _ = _in_a_process_of_its_own(tmp_path, EVERYTHING.format(mode="online"), WANDB_API_KEY="short")
    assert "InputError: W&B cannot be used online (WANDB_API_KEY invalid" in done.stderr.splitlines()[-1]
    assert "short" not in done.stderr.splitlines()[-1]


def test_a_server_that_is_not_there_costs_one_wait_and_no_run(tmp_path):
    script = "wandb_service.PATIENCE = 1.0\n" + EVERYTHING.format(mode="online") + "print(settings.mode)"
    nobody = {"WANDB_BASE_URL": "http://localhost:1", "WANDB_API_KEY": "0" * 40}
    done, workdir = _in_a_process_of_its_own(tmp_path, script, **nobody)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "offline"
    assert done.stderr.count("\n") == 1
    assert len(offline_runs(workdir)) == 3
