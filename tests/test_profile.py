"""`--config.profile`: a trace of the first batch, with its phases by name; figures stay as they are."""

import gzip
import json

import jax
import pytest
from rows import outcome, rows_of
from small_sweeps import configured, write_features

from zsh_jax.commands.sweep import run_sweep

SWEEP = {"sweep__method": "('lsh','pcah')", "sweep__bits": "(4,)", "sweep__seed": "(0,1)"}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep of two batches with a trace, and one without."""
    folder = tmp_path_factory.mktemp("profile")
    path = write_features(folder / "features.npz")
    run_sweep(configured(path, folder / "plain", **SWEEP))
    run_sweep(configured(path, folder / "traced", profile="True", **SWEEP))
    return path, folder


def _phases(workdir):
    """Each named phase of the only trace below a workdir: its name, its arguments, its start and end."""
    (file,) = workdir.glob("profile/plugins/profile/*/*.trace.json.gz")
    (planes,) = file.parent.glob("*.xplane.pb")
    assert planes.stat().st_size
    events = json.loads(gzip.decompress(file.read_bytes()))["traceEvents"]
    named = [event for event in events if event.get("name", "").startswith("zsh_jax: ")]
    return [
        (event["name"].removeprefix("zsh_jax: "), event.get("args", {}), event["ts"], event["dur"])
        for event in sorted(named, key=lambda event: event["ts"])
    ]


def test_the_trace_has_the_phases_of_the_first_batch_in_their_order(swept):
    _, folder = swept
    phases = [one for one in _phases(folder / "traced") if one[0] != "compile"]
    names = [name for name, *_ in phases]
    assert list(dict.fromkeys(names)) == [
        "prepare",
        "train",
        "evaluate",
        "encode",
    ]  # chance levels come first
    assert names[-1] == "evaluate"
    (method,) = {about["method"] for _, about, *_ in phases}
    assert method in ("lsh", "pcah")
    assert {(about["bits"], about["cells"]) for _, about, *_ in phases} == {("4", "2")}
    ends = [start + length for *_, start, length in phases]
    assert all(end <= start for end, (*_, start, _) in zip(ends, phases[1:], strict=False))


def test_results_are_those_without_a_trace(swept):
    _, folder = swept
    plain, traced = (rows_of(folder / name / "results.jsonl") for name in ("plain", "traced"))
    assert list(map(outcome, plain)) == list(map(outcome, traced))
    assert not (folder / "plain" / "profile").exists()


def test_a_finished_sweep_has_nothing_to_trace(swept):
    path, folder = swept
    assert len(run_sweep(configured(path, folder / "plain", profile="True", **SWEEP))) == 4
    assert not (folder / "plain" / "profile").exists()


@pytest.mark.parametrize("broken", ["start_trace", "stop_trace"])
def test_a_trace_that_fails_prints_a_line_and_nothing_else(swept, tmp_path, monkeypatch, capsys, broken):
    path, folder = swept
    works = getattr(jax.profiler, broken)

    def fails(*args, **options):
        if broken == "stop_trace":
            works()
        raise RuntimeError("it is\nbroken")

    monkeypatch.setattr(jax.profiler, broken, fails)
    run_sweep(configured(path, tmp_path / "sweep", profile="True", **SWEEP))
    assert capsys.readouterr().err == "zsh_jax: no trace was written (it is broken); the results are safe\n"
    rows = rows_of(tmp_path / "sweep" / "results.jsonl")
    assert list(map(outcome, rows)) == list(map(outcome, rows_of(folder / "plain" / "results.jsonl")))


def test_an_error_in_the_batch_ends_the_trace(swept, tmp_path, monkeypatch):
    path, _ = swept
    with monkeypatch.context() as patch:
        patch.setattr("zsh_jax.sweep.engine._run_batch", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_sweep(configured(path, tmp_path / "sweep", profile="True", **SWEEP))
    with jax.profiler.trace(tmp_path / "other"):  # no trace is left running
        pass


def _interrupted(*_, **__):
    raise KeyboardInterrupt
