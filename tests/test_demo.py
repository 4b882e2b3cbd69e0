"""What the demo chooses from a folder of images, and the folders that it refuses."""

import shutil

import pytest
from search_pages import write_pictures

from zsh_jax.commands import demo_settings
from zsh_jax.commands.demo import default_workdir
from zsh_jax.commands.main import main


@pytest.fixture(autouse=True)
def without_model(monkeypatch):
    """As where the extra packages are not installed."""
    monkeypatch.setattr("zsh_jax.data.semantics.minilm.table.installed_model", lambda: None)
    monkeypatch.setattr(demo_settings, "find_spec", lambda _: None)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("demo") / "pictures")


def test_the_demo_refuses_folders_that_cannot_be_learned_from(tmp_path, capsys, pictures):
    one, damaged = tmp_path / "one", tmp_path / "damaged"
    shutil.copytree(pictures / "cat", one / "cat")
    shutil.copytree(pictures, damaged)
    (damaged / "dog" / "3.png").write_bytes(b"GIF8")
    (tmp_path / "empty").mkdir()
    for folder, said in (
        (tmp_path / "nowhere", "there is no folder"),
        (
            tmp_path / "empty",
            "holds no sub-folder; fix: give a folder with one sub-folder of images for each class",
        ),
        (pictures / "cat", "holds 9 images and no sub-folder"),
        (one, "has 1 class, and the demo needs 3 or more"),
        (damaged, "dog/3.png: not an image, or damaged"),
    ):
        assert main(["demo", str(folder), "--workdir", str(tmp_path / "run")]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("folder", "seed", "workdir"),
    [
        (None, 0, "runs/demo-shapes"),
        ("/a/My Photos/", 3, "runs/demo-My-Photos-seed3"),
        ("/", 0, "runs/demo-images"),
        ("/a/..", 0, "runs/demo-images"),
        ("/猫", 0, "runs/demo-猫"),
    ],
)
def test_each_folder_and_seed_has_a_workdir(folder, seed, workdir):
    assert default_workdir(folder, seed) == workdir


def test_a_workdir_among_the_images_is_refused(pictures, capsys, monkeypatch):
    monkeypatch.chdir(pictures)
    assert main(["demo", "."]) == 2
    assert "the workdir runs/demo-pictures is inside ., where it would be a class" in capsys.readouterr().err
    assert not (pictures / "runs").exists()


def test_what_the_demo_chooses_where_names_or_packages_are_missing(pictures, tmp_path, monkeypatch):
    for name, number in (("aqqa", 2), ("bqqb", 3), ("cqqc", 40)):
        (tmp_path / name).mkdir()
        for one in range(number):
            shutil.copy(pictures / "cat" / "0.png", tmp_path / name / f"{one}.png")
    for seed in range(6):  # whichever class is unseen, a query leaves one image of it in the database
        config, notes = demo_settings.folder_demo(str(tmp_path), seed)
        assert config.sweep.semantics == ("one-hot",)
        assert any(
            "3 of 3 classes have no vector for their name, so all are one-hot" in note for note in notes
        )
        assert "seen classes: 2; so few tell little of unseen ones" in notes[-2]
        (unseen,) = (note.removeprefix("unseen classes: ") for note in notes if note.startswith("unseen"))
        held = {"aqqa": 2, "bqqb": 3, "cqqc": 40}
        assert config.sweep.queries == (held.pop(unseen) // 2,)
        assert config.sweep.training_samples == (sum(held.values()),)
        assert config.sweep.neighbours[0] < config.sweep.training_samples[0]
    assert demo_settings._features()[0] == "gist"
    monkeypatch.setattr(demo_settings, "find_spec", lambda _: object())
    assert demo_settings._features() == (demo_settings.NETWORK, ())
