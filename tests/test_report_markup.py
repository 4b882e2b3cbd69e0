"""Plain text in the tables of a report: escaped in LaTeX, Markdown and HTML."""

import csv
import io
import re

from report_sweeps import methods_sweep

from zsh_jax.report.read import read_sweeps
from zsh_jax.report.tables.comparison import unseen_class_table
from zsh_jax.report.tables.csv import comma_separated
from zsh_jax.report.tables.html import html
from zsh_jax.report.tables.latex import escaped, latex
from zsh_jax.report.tables.markdown import markdown
from zsh_jax.report.tables.table import Entry, Line, Table


def test_latex_is_balanced_and_plain_text_is_escaped(tmp_path):
    methods_sweep(tmp_path)
    text = latex(unseen_class_table(read_sweeps([tmp_path]).rows, name="unseen_classes"))
    assert re.findall(r"\\begin\{(\w+)\}", text) == re.findall(r"\\end\{(\w+)\}", text)[::-1]
    assert r"striped\_circle+100\% \textless{}star\textgreater{}" in text
    assert r"cat \& dog" in text
    body = text.partition("\n")[2]  # after the remark about booktabs
    bare = re.sub(r"\\[&%$#_{}]", "", body)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert not re.search(r"[%#]|[^\\]_", bare)
    columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)[1]
    lines = re.search(r"\\toprule\n(.*)\\bottomrule", body, re.DOTALL)[1].replace("\\midrule\n", "")
    assert {len(re.findall(r"(?<!\\)&", line)) for line in lines.splitlines()} == {len(columns) - 1}


def test_signs_and_relations_in_latex():
    assert escaped("-0.01 [-0.02, +0.03], no-rotation, p >= 0.05, 1e-05, r<=2") == (
        r"$-$0.01 [$-$0.02, +0.03], no-rotation, p $\geq$ 0.05, 1e-05, r$\leq$2"
    )
    assert escaped(r"a\b{c}~^$") == r"a\textbackslash{}b\{c\}\textasciitilde{}\textasciicircum{}\$"


def test_markdown_reads_plain_text_as_it_stands():
    entry = Entry("1*2", {"mean": 1.0}, best=True)
    table = Table("t", "a_b", ("h|1",), ("<c>",), (Line(("l`",), (entry,)), Line(("m",), (None,))))
    assert markdown(table).splitlines() == [
        r"a\_b",
        "",
        r"| h\|1 | \<c> |",
        "| --- | ---: |",
        r"| l\` | **1\*2** |",
        "| m | - |",
    ]


def test_html_is_escaped_and_what_is_missing_is_a_dash():
    entry = Entry("<1 & 2>", {"mean": 1.0}, best=True)
    table = Table("t", "a < b", ("<head>",), ("c&d",), (Line(("<line>",), (entry,)), Line(("l",), (None,))))
    page = html(table)
    assert "<strong>&lt;1 &amp; 2&gt;</strong>" in page
    assert "a &lt; b" in page
    assert page.count("<td>-</td>") == 1
    assert not re.search("<head>|<line>", page)
    assert list(csv.DictReader(io.StringIO(comma_separated(table))))[1]["c&d mean"] == ""
