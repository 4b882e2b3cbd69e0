"""The page says what made its figures, of which inputs and by which command; and what is mixed in one table."""

import json
import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from report_sweeps import identity, result, write_sweep
from test_report_page import Page

from zsh_jax.report.__main__ import main
from zsh_jax.report.provenance import as_typed, mixed_provenance, provenance_facts
from zsh_jax.tracking.results import append_results, open_results

COMMIT = "0123456789abcdef0123456789abcdef01234567-dirty"
MADE = {"version": "0.3.0", "commit": COMMIT, "jax": "0.9.1", "jaxlib": "0.9.2", "device": "Fast <GPU>"}
PRINTS = {"labels": "1" * 16, "features": "2" * 16, "semantics": "3" * 16}
COMMAND = "python launch.py --config experiments/x.py --config.name='<b>'"


def _cell(seed, **axes):
    content = {f"fingerprint_{kind}": digits for kind, digits in PRINTS.items()}
    split = {"fingerprint_split": f"{seed:016x}"}
    return identity(seed=seed, **axes) | {"precision": "float32"} | content | split


def _sweep(folder, made_by, seeds=(0, 1), command=COMMAND, **axes):
    opened = open_results(folder, {"name": "made up", "command": command})
    append_results(opened, [result(_cell(seed, **axes)) for seed in seeds], made_by)
    return folder


def _facts(page):
    """What stands in each line of the page's last list."""
    return dict(zip(page.terms, page.definitions, strict=True))


class Listed(Page):
    """With the terms and definitions of the section on provenance."""

    def __init__(self, text):
        self.terms, self.definitions = [], []
        super().__init__(
            text[: text.index("<header>")]
            + text[
                text.index("<h2>Provenance</h2>") : text.index(
                    "</section>", text.index("<h2>Provenance</h2>")
                )
            ]
            + "</body></html>"
        )

    def handle_data(self, data):
        super().handle_data(data)
        if self.open[-1:] == ["dt"]:
            self.terms.append(data)
        if self.open[-1:] == ["dd"]:
            self.definitions.append(data)


def _listed(folder):
    assert main([str(folder)]) == 0
    return _facts(Listed((folder / "report" / "index.html").read_text()))


def test_everything_is_stated(tmp_path):
    facts = _listed(_sweep(tmp_path, MADE))
    dates = facts.pop("dates")
    day = json.loads((tmp_path / "results.jsonl").read_text().splitlines()[0])["date"][:10]
    assert dates.startswith(day)
    assert dates.endswith(" UTC")
    prints = facts.pop("fingerprints")
    expected = f"labels: shapes {'1' * 16}; features: gist {'2' * 16}; class vectors: attributes {'3' * 16}; split: 2, "
    assert prints.startswith(expected)
    assert facts == {
        "zsh_jax": "0.3.0",
        "commit": "0123456789ab-dirty",
        "jax": "0.9.1",
        "jaxlib": "0.9.2",
        "device": "Fast <GPU>",
        "precision": "float32",
        "command": COMMAND,
    }


def test_what_made_only_some_cells_of_a_table_is_said_in_words(tmp_path):
    _sweep(tmp_path, MADE)
    command = COMMAND + " --config.seed=more"
    facts = _listed(_sweep(tmp_path, MADE | {"version": "0.4.0", "commit": None}, (2, 3, 4), command))
    assert facts["zsh_jax"] == "0.4.0 (3 cells), 0.3.0 (2 cells)"
    assert facts["commit"] == "0123456789ab-dirty (2 cells), not stated (3 cells)"
    assert (facts["command 1"], facts["command 2"]) == (command, COMMAND)
    text = " ".join(Page((tmp_path / "report" / "index.html").read_text()).text)
    assert "mix cells made with different values of zsh_jax: 0.4.0 (3 cells), 0.3.0 (2 cells)." in text
    assert "different values of jax:" not in text


def test_data_sets_that_are_not_in_one_table_are_not_mixed(tmp_path):
    _sweep(tmp_path, MADE)
    _sweep(tmp_path, MADE | {"device": "CPU"}, dataset="other")
    assert main([str(tmp_path)]) == 0
    text = (tmp_path / "report" / "index.html").read_text()
    assert "These tables mix" not in text
    assert "CPU (2 cells)" in text


def test_results_of_an_older_version_have_nothing_to_state(tmp_path):
    write_sweep(tmp_path, [identity(seed=seed) for seed in (0, 1)])
    assert main([str(tmp_path)]) == 0
    assert "<h2>Provenance</h2>" not in (tmp_path / "report" / "index.html").read_text()


def test_many_are_counted_not_listed():
    rows = [{"jax": f"0.{i}", "fingerprint_features": f"{i:016x}", "features": "f"} for i in range(30)]
    facts = provenance_facts(rows, [f"command {i}" for i in range(30)])
    assert facts["jax"].endswith("26 others")
    assert facts["fingerprints"].endswith("26 others")
    assert sum(name.startswith("command") for name in facts) == 5
    assert facts["command 5"] == "26 others, see config-*.json"
    (said,) = mixed_provenance(rows)
    assert "26 others" in said


@pytest.mark.parametrize("wrong", [None, 3, "", ["x"], {}])
def test_what_is_no_text_is_not_stated(wrong):
    assert provenance_facts([{"jax": wrong, "date": wrong, "fingerprint_labels": wrong}], []) == {}


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)))
@example(["--config.sweep.unseen=('cat',)"])
@example(["--a=", "--", "--=", "--b c='d'", "--x='$HOME'", "'!'", ""])
def test_a_command_is_shown_in_the_same_words(words):
    assert shlex.split(as_typed(shlex.join(words))) == words


def test_a_command_is_quoted_as_one_types_it():
    command = shlex.join(["launch.py", "--config.sweep.unseen=('cat',)", "--config.name=a b"])
    assert as_typed(command) == """launch.py --config.sweep.unseen="('cat',)" --config.name='a b'"""
    assert as_typed("an 'open quote") == "an 'open quote"
