"""A file where a sweep makes a folder, or a folder where it writes a file, is told before anything is run."""

import pytest
from ml_collections import ConfigDict
from report_sweeps import identity, write_sweep
from small_sweeps import configured, write_features

from zsh_jax.commands.places import check_places
from zsh_jax.errors import InputError
from zsh_jax.report import write


@pytest.fixture
def config(tmp_path):
    path = write_features(tmp_path / "f.npz")
    made = configured(path, tmp_path / "w", report=True, wandb__mode="offline")
    with made.unlocked():
        made.tuning.axes = ConfigDict({"zsh": {"zsh": {"lam": (0.1, 1.0)}}})
    (tmp_path / "w").mkdir()
    return made


@pytest.mark.parametrize("name", ["models", "semantics", "report", "wandb", "validation", "report/figures"])
def test_a_file_in_the_way_of_a_folder(config, tmp_path, name):
    path = tmp_path / "w" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    with pytest.raises(InputError, match=f"{name} is a file"):
        check_places(config)
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match=f"{name} is a broken link"):
        check_places(config)
    path.unlink()
    path.mkdir()
    check_places(config)
    assert not list(path.iterdir())


@pytest.mark.parametrize(
    "name", ["results.jsonl", "history.jsonl", "config.json", "gallery.npz", "codes.npz", "splits.json"]
)
def test_a_folder_in_the_way_of_a_file(config, tmp_path, name):
    (tmp_path / "w" / name).mkdir()
    with pytest.raises(InputError, match=f"{name} is a folder"):
        check_places(config)


def test_what_is_not_written_is_not_in_the_way(config, tmp_path):
    for name in ("report", "wandb", "validation"):
        (tmp_path / "w" / name).write_text("x")
    with config.unlocked():
        config.tuning.axes = ConfigDict()
    config.report, config.wandb.mode = False, "disabled"
    check_places(config)


def test_the_sweep_and_its_check_are_told(launch, tmp_path, capsys):
    from small_sweeps import arguments

    path = write_features(tmp_path / "f.npz")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "models").write_text("x")
    for changes in ({}, {"validate_only": True}):
        assert launch.main(arguments(path, tmp_path / "w", **changes)) == 2
        assert "models is a file" in capsys.readouterr().err
    assert not (tmp_path / "w" / "results.jsonl").exists()


def test_a_report_is_not_made_where_it_cannot_be_put(tmp_path, monkeypatch):
    write_sweep(tmp_path, [identity()])
    (tmp_path / "report").write_text("x")
    monkeypatch.setattr(write, "report_files", lambda folders: pytest.fail("made in vain"))
    with pytest.raises(InputError, match=r"report is a file.*choose another --out"):
        write.write_report([tmp_path])


def test_a_report_is_not_made_below_a_file(tmp_path, monkeypatch):
    write_sweep(tmp_path, [identity()])
    monkeypatch.setattr(write, "report_files", lambda folders: pytest.fail("made in vain"))
    with pytest.raises(InputError, match=r"no permission in .*results\.jsonl; fix: choose another --out"):
        write.write_report([tmp_path], tmp_path / "results.jsonl" / "report")
