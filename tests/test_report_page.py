"""Reports as a user makes them: the page's structure, files beside it, merging, bad input, and a real browser."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from browser import browser, missing
from report_sweeps import CLASSES, drawn_gallery, identity, methods_sweep, variants_sweep, write_sweep
from rows import rewrite

from zsh_jax.report.__main__ import main
from zsh_jax.report.read import read_sweeps

# A reader sorts the first table, by its first column of figures and then by its names, and changes the theme twice.
ACT = """
const table = document.querySelector("table"), heads = [...table.tHead.rows[0].cells];
const names = () => [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
const sorted = [names()], told = [];
for (const place of [1, 1, 0]) {
  const button = heads[place].querySelector("button");
  button.focus();
  told.push([button.tabIndex, document.activeElement === button]);
  button.click();
  sorted.push(names());
  told.push(heads.map((head) => head.getAttribute("aria-sort")));
}
const paper = () => getComputedStyle(document.body).backgroundColor, papers = [paper()];
for (let i = 0; i < 2; i++) { document.querySelector("header .theme").click(); papers.push(paper()); }
return {sorted, told, papers};
"""


DRAWS_FIGURES = True
VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """Elements, in order, and the cells of tables; fails where one is not closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.tables, self.text = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    methods_sweep(folder / "methods")
    variants_sweep(folder / "variants")
    drawn_gallery(folder / "variants")
    assert main([str(folder / "variants"), str(folder / "methods")]) == 0
    return folder


def _files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_page_needs_nothing_else(made):
    text = (made / "variants" / "report" / "index.html").read_text()
    page = Page(text)
    assert page.of("img")
    for image in page.of("img"):
        assert image["src"].startswith("data:image/png;base64,")
        assert image["alt"].strip()
    assert page.of("script") == [{}]  # one, inline, and no file
    for _, attributes in page.elements:
        assert not re.match(r"https?:|//", attributes.get("src") or attributes.get("href") or "")
    assert not re.search(r"https?://|url\(|@import", text)
    assert page.of("meta")[1]["content"] == "width=device-width, initial-scale=1"
    assert ("html", {"lang": "en"}) in page.elements
    assert "ablate, compare_methods" in page.text


def test_files_beside_the_page_are_those_on_it(made):
    folder = made / "variants" / "report"
    files = _files(folder)
    page = Page(files["index.html"].decode())
    names = [figure["id"] for figure in page.of("figure")]
    assert len(names) == len(set(names))
    figures = {f"figures/{name}.{kind}" for name in names for kind in ("png", "pdf")}
    tables = {name for name in files if name.startswith("tables/")}
    assert set(files) == figures | tables | {"index.html"}
    stems = {name.rpartition(".")[0] for name in tables}
    assert tables == {f"{stem}.{kind}" for stem in stems for kind in ("html", "csv", "tex", "md")}
    assert {"tables/map", "tables/differences_to_published", "tables/unseen_classes"} <= stems
    assert {"tables/tie_rules", "tables/generalised", "tables/bit_statistics", "tables/costs"} <= stems
    for name in tables:
        if name.endswith(".html"):
            assert files[name] in files["index.html"]
    assert len(page.tables) == len(stems)
    for table in page.tables:
        assert len(table) > 1
        assert {len(line) for line in table} == {len(table[0])}
        assert all(cell.strip() for line in table for cell in line)


@pytest.mark.slow
def test_a_report_made_twice_is_the_same_in_every_byte(made, tmp_path):
    command = [sys.executable, "-m", "zsh_jax.report", str(made / "variants"), str(made / "methods")]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == f"{tmp_path / 'index.html'}\n"
    assert done.stderr == ""
    assert _files(tmp_path) == _files(made / "variants" / "report")


def test_sweeps_are_merged_and_a_cell_counts_once(tmp_path):
    one, other = [identity(seed=seed) for seed in (0, 1)], [identity(seed=seed) for seed in (1, 2)]
    write_sweep(tmp_path / "one", one, name="one", reference="")
    write_sweep(tmp_path / "other", other, name="other", reference="")
    rewrite(tmp_path / "other" / "results.jsonl", lambda _, row: row | {"seconds": 77.0})
    sweeps = read_sweeps([tmp_path / "one", tmp_path / "other"])
    assert sweeps.names == ("one", "other")
    assert [(row["seed"], row["seconds"] == 77.0) for row in sweeps.rows] == [
        (0, False),
        (1, True),
        (2, True),
    ]
    assert len(sweeps.history) == 3


def test_the_reference_comes_first_whatever_ran_first(tmp_path):
    cells = [identity(variant=variant, seed=seed) for variant in ("a", "b") for seed in (0, 1)]
    write_sweep(tmp_path, cells, reference="b")
    assert [row["variant"] for row in read_sweeps([tmp_path]).rows] == ["b", "b", "a", "a"]


def test_data_sets_are_kept_apart(tmp_path):
    cells = [
        identity(method, seed=s, dataset=d)
        for d in ("scene", "cifar10")
        for method in ("zsh", "itq")
        for s in (0, 1)
    ]
    write_sweep(tmp_path / "run", cells)
    assert main([str(tmp_path / "run"), "--out", str(tmp_path / "out")]) == 0
    tables = {path.stem for path in (tmp_path / "out" / "tables").iterdir()}
    assert {"scene_map", "cifar10_map"} <= tables
    assert "map" not in tables
    text = (tmp_path / "out" / "index.html").read_text()
    assert "<h2>scene</h2>" in text
    assert "<h2>cifar10</h2>" in text


def test_rows_of_an_older_kind_and_no_configuration(tmp_path):
    folder = tmp_path / "older"
    write_sweep(
        folder, [{k: v for k, v in identity(seed=s).items() if k != "variant"} for s in (0, 1)], history=False
    )
    (folder / "config.json").unlink()
    lacking = ("mean_average_precision_by_name", "precision_curve", "cutoffs")
    rewrite(
        folder / "results.jsonl",
        lambda _, row: {key: value for key, value in row.items() if key not in lacking},
        checksums=False,
    )
    assert main([str(folder)]) == 0
    assert "<h1>older</h1>" in (folder / "report" / "index.html").read_text()
    assert not (folder / "report" / "figures").exists()


def test_a_sweep_that_is_not_finished_says_so(tmp_path):
    cells = [identity(method, seed=s, unseen=u) for method in ("zsh", "itq") for s in (0, 1) for u in CLASSES]
    for name, some, said in (("whole", cells, 0), ("half", cells[:-2], 0), ("few", cells[:7], 1)):
        write_sweep(tmp_path / name, some)
        assert main([str(tmp_path / name)]) == 0
        text = (tmp_path / name / "report" / "index.html").read_text()
        assert text.count("1 of 2 means lack some unseen classes") == said


def test_cells_that_were_not_finite_are_counted_and_told(tmp_path):
    write_sweep(tmp_path, [identity(seed=s) for s in (0, 1)])

    def fail(number, row):
        if number == 0:
            return row
        broken = {k: None if isinstance(v, float) and k.startswith("mean") else v for k, v in row.items()}
        return broken | {"status": "non_finite"}

    rewrite(tmp_path / "results.jsonl", fail)
    assert main([str(tmp_path)]) == 0
    assert "2, of which 1 were not finite" in (tmp_path / "report" / "index.html").read_text()


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("results.jsonl", None, "results.jsonl cannot be read"),
        ("results.jsonl", "", "holds no cell yet"),
        ("results.jsonl", "nonsense\n", "line 1 is not JSON"),
        ("results.jsonl", '{"cell_id": "0"}\n', "line 1 has a cell_id that does not match"),
        ("config.json", "{", "config.json cannot be read"),
        ("config.json", "[]", "config.json is not a configuration"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(tmp_path, capsys, file, content, said):
    write_sweep(tmp_path, [identity()])
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(content)
    assert main([str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("zsh_jax.report: ")
    assert captured.err.count("\n") == 1
    assert said in captured.err
    assert not (tmp_path / "report").exists()


def test_a_place_that_cannot_be_written_to(tmp_path, capsys):
    write_sweep(tmp_path / "run", [identity()])
    (tmp_path / "taken").write_text("")
    assert main([str(tmp_path / "run"), "--out", str(tmp_path / "taken")]) == 2
    assert "choose another --out" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(375, False), (1280, True)])
def test_in_a_real_browser(made, tmp_path_factory, width, dark):
    if missing():
        pytest.skip(
            f"no {', '.join(missing())} here; Debian has packages of these names, chromium-driver the second"
        )
    file = made / "variants" / "report" / "index.html"
    with browser(tmp_path_factory.mktemp("browser"), width, dark=dark) as look:
        seen = look(file, act=ACT)
    assert seen["width"] == width
    assert seen["scrolls"] <= width
    assert seen["wide"] == []
    assert seen["images"] > len(CLASSES)
    assert seen["broken"] == 0
    assert seen["console"] == []
    assert seen["asked"] == []
    heads, *lines = Page(file.read_text()).tables[0]
    figures = {line[0]: float(line[1].split()[0]) for line in lines if line[1] != "-"}
    blank = [line[0] for line in lines if line[1] == "-"]
    before, down, up, by_name = seen["acted"]["sorted"]
    assert before == [line[0] for line in lines]
    assert [figures[name] for name in down[: len(figures)]] == sorted(figures.values(), reverse=True)
    assert [figures[name] for name in up[: len(figures)]] == sorted(figures.values())
    assert down[len(figures) :] == up[len(figures) :] == blank  # last, whatever the order
    assert sorted(before) == sorted(by_name)
    assert by_name[0] == min(before)
    told = seen["acted"]["told"]
    assert told[::2] == [[0, True]] * 3  # a key reaches each button
    assert told[1::2] == [
        [order if place == of else None for place in range(len(heads))]
        for of, order in ((1, "descending"), (1, "ascending"), (0, "ascending"))
    ]
    light, night = "rgb(255, 255, 255)", "rgb(20, 23, 26)"
    assert seen["acted"]["papers"] == ([night, light, night] if dark else [light, night, light])


def _luminance(colour):
    """Relative luminance of a colour, by the definition of WCAG 2."""
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_words_stand_out_in_both_themes():
    style = files("zsh_jax.report").joinpath("page.css").read_text("utf-8")
    themes = [
        dict(re.findall(r"--(\w+): (#\w{6})", block))
        for block in re.findall(r"\{[^{}]*--ink: #[^{}]*\}", style)
    ]
    light, by_system, by_choice = themes
    assert by_system == by_choice
    for theme in (light, by_choice):
        for word in ("ink", "faint", "right", "wrong"):
            for ground in ("paper", "card"):
                ends = sorted(_luminance(theme[name]) for name in (word, ground))
                assert (ends[1] + 0.05) / (ends[0] + 0.05) >= 4.5, (word, ground)
