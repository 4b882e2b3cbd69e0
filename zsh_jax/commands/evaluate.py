"""Judge saved codes by every published rule: `zsh-jax evaluate QUERY DATABASE`."""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zsh_jax.command_line import read_arguments
from zsh_jax.errors import InputError
from zsh_jax.exits import end_as_status
from zsh_jax.takes import path, text, whole

if TYPE_CHECKING:
    from rich.table import Table

    from zsh_jax.core.code_formats import Codes
    from zsh_jax.core.metrics.retrieval import Retrieval
    from zsh_jax.data.code_files import CodeFile

PROGRAM = "zsh-jax evaluate"
CUTOFFS = (100, 1000)
MOST_BITS = 65_536
NOT_GIVEN = (None, None)


def main(arguments: Sequence[str]) -> int:
    """Run the command on arguments without the program's name.

    Returns:
        Exit status: 0; 1 if the disk failed, 2 for bad input, 130 after Ctrl-C, 143 after SIGTERM.
    """
    return end_as_status(PROGRAM, lambda: _run(arguments), kept="nothing has been written")


def _run(arguments: Sequence[str]) -> int:
    takes = {
        "query": path(),
        "database": path(),
        "bits": whole(1, MOST_BITS),
        "codes": text(),
        "labels": path(),
        "cutoffs": whole(1),
        "json": path(),
    }
    options = read_arguments(_parser(), arguments, takes)
    if len(set(options.cutoffs)) < len(options.cutoffs):
        raise InputError("--cutoffs: takes different numbers; fix: give each once")
    out = None if options.json is None else _free(Path(options.json))
    from zsh_jax.core.code_formats import PACKED
    from zsh_jax.data.code_files import read_code_file
    from zsh_jax.data.feature_files.labels import read_labels

    files = [
        read_code_file(given, role, codes=codes, labels=labels)
        for given, role, codes, labels in zip(
            (options.query, options.database),
            ("query", "database"),
            options.codes or NOT_GIVEN,
            options.labels or NOT_GIVEN,
            strict=True,
        )
    ]
    labels, names = read_labels(
        [(file.labels_where, file.labels) for file in files], None, matlab=any(file.matlab for file in files)
    )
    if options.signs:
        files = [file._replace(codes=_signs(file)) for file in files]
    codes = _codes(files, options.bits)
    packed = all(code.form == PACKED for code in codes)
    assumed = ", assumed: set --bits if fewer are in use" if packed and options.bits is None else ""
    classes = f"one of {len(names)} classes" if labels.ndim == 1 else f"several of {len(names)} classes"
    for role, file, code in zip(("query:   ", "database:"), files, codes, strict=True):
        print(
            f"{role} {len(code.packed):,} codes of {code.bits} bits ({code.form}{assumed}), {classes} ({file.where})",
            flush=True,
        )
    found = _judge(options, codes, labels)
    _print(_table(found, options))
    if out is not None:
        _write(out, _record(found, options, files, codes, classes=len(names)))
    return 0


def _signs(file: "CodeFile") -> Any:
    """Booleans of real-valued outputs; exactly zero is -1, as in a packed code."""
    import numpy as np

    if file.codes.dtype.kind == "f" and np.isnan(file.codes).any():
        raise InputError(f"{file.where}: some values are not numbers; fix: compute the outputs again")
    return file.codes > 0


def _codes(files: Sequence["CodeFile"], bits: int | None) -> list["Codes"]:
    from zsh_jax.core.code_formats import PACKED, read_codes

    try:
        found = [read_codes(file.codes, bits=bits, name=file.where) for file in files]
        known = {code.bits for code in found if code.form != PACKED}
        if bits is None and len(known) == 1:  # the other file may be packed, with padding
            found = [read_codes(file.codes, bits=min(known), name=file.where) for file in files]
    except ValueError as error:
        said = str(error).replace("give bits", "give --bits")
        raise InputError(said.replace("fix: give the signs", "fix: --signs takes their signs")) from None
    query, database = found
    if query.bits != database.bits:
        raise InputError(
            f"query codes have {query.bits} bits ({query.form}), database codes {database.bits} ({database.form}); "
            "fix: give codes of one hash function"
        )
    return found


def _judge(options: argparse.Namespace, codes: Sequence["Codes"], labels: Any) -> "Retrieval":
    import jax
    import numpy as np

    from zsh_jax.core.metrics.retrieval import evaluate

    query, database = codes
    count = len(query.packed)
    if not options.leave_one_out and np.array_equal(query.packed, database.packed):
        print(
            "query and database are the same codes: --leave-one-out excludes each query from its own ranking",
            flush=True,
        )
    try:
        found = evaluate(
            query.packed,
            labels[:count],
            database.packed,
            labels[count:],
            bits=query.bits,
            cutoffs=tuple(options.cutoffs),
            leave_one_out=options.leave_one_out,
            without_relevant=options.without_relevant,
        )
    except ValueError as error:
        drop = "set --without-relevant drop or zero, or add their classes to the database"
        said = str(error).replace("drop them, or add their classes to the database", drop)
        raise InputError(said.replace("leave_one_out:", "--leave-one-out:")) from None
    return jax.tree.map(np.asarray, found)


def _table(found: "Retrieval", options: argparse.Namespace) -> "Table":
    from rich.table import Table
    from rich.text import Text

    from zsh_jax.report.table import add_columns

    table = Table(
        title=f"means over {int(found.queries):,} queries; ties in every order", title_justify="left"
    )
    add_columns(table, ["metric"], ("worst order", "expected", "best order", "chance"))

    def add(head: str, *values: Any) -> None:
        table.add_row(Text(head), *("" if value is None else _shown(float(value)) for value in values))

    def rule(head: str, field: str, chance: str, place: int | None = None) -> None:
        names = (f"{field}_worst", field, f"{field}_best", chance)
        every = (getattr(found, name) for name in names)
        add(head, *(values if place is None else values[place] for values in every))

    map_at = "mean_average_precision_at"
    rule("mAP over all ranks", "mean_average_precision", "chance")
    for place, n in enumerate(options.cutoffs):
        rule(f"mAP@{n}, divided by the relevant found", f"{map_at}_found", "chance_at_found", place)
        rule(f"mAP@{n}, divided by min({n}, all relevant)", f"{map_at}_min", "chance_at_min", place)
        rule(f"mAP@{n}, divided by all relevant", map_at, "chance_at", place)
    for place, n in enumerate(options.cutoffs):
        add(f"precision@{n}", None, found.precision_at[place], None, found.chance_precision_at[place])
        add(f"recall@{n}", None, found.recall_at[place])
        add(f"queries that find nothing relevant within {n}", None, found.nothing_found_at[place])
    add("precision within radius 2, 0 for an empty ball", None, found.precision_radius2)
    add("precision within radius 2, empty balls left out", None, found.precision_radius2_of_nonempty)
    add("recall within radius 2", None, found.recall_radius2)
    add("queries with an empty ball", None, found.empty_radius2)
    return table


def _shown(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"


def _print(table: "Table") -> None:
    from rich.console import Console

    from zsh_jax.report.printing import print_table

    print_table(Console(), table)


def _record(
    found: "Retrieval",
    options: argparse.Namespace,
    files: Sequence["CodeFile"],
    codes: Sequence["Codes"],
    *,
    classes: int,
) -> dict[str, Any]:
    from zsh_jax.version import package_version

    def of(file: "CodeFile", code: "Codes") -> dict[str, Any]:
        return {
            "codes": file.where,
            "labels": file.labels_where,
            "number": len(code.packed),
            "format": code.form,
        }

    return {
        "version": package_version(),
        "query": of(files[0], codes[0]),
        "database": of(files[1], codes[1]),
        "bits": codes[0].bits,
        "classes": classes,
        "cutoffs": options.cutoffs,
        "leave_one_out": options.leave_one_out,
        "without_relevant": options.without_relevant,
        "metrics": {name: _plain(value.tolist()) for name, value in found._asdict().items()},
    }


def _plain(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _free(out: Path) -> Path:
    """Check before anything is read that the file can be written."""
    if out.is_dir() or not out.absolute().parent.is_dir():
        what = "is a folder" if out.is_dir() else f"cannot be written, there is no folder {out.parent}"
        raise InputError(f"--json: {out} {what}; fix: give a file in a folder that exists")
    if out.suffix.lower() != ".json":  # never over a file of codes
        raise InputError(f"--json: {out} does not end in .json; fix: give a name that does")
    return out


def _write(out: Path, record: dict[str, Any]) -> None:
    from zsh_jax.atomic import cannot_write, write_whole

    try:
        write_whole(out, f"{json.dumps(record, indent=1)}\n".encode())
    except OSError as error:
        raise cannot_write(out, error, "give another --json") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Judge saved codes of any program by every published rule of mAP. Files are .npz, .npy or .mat; "
        "codes are packed bytes (uint8), -1 and +1, 0 and 1, or booleans, one row a code; labels are class numbers or "
        "names, or zeros and ones by class.",
    )
    parser.add_argument("query", help="file of the queries' codes, and labels unless --labels names them")
    parser.add_argument("database", help="file of the database's codes and labels; may be the same file")
    parser.add_argument("--bits", type=int, help="code length; needed for packed bytes that are not full")
    parser.add_argument("--signs", action="store_true", help="take the signs of real-valued outputs as codes")
    both = ("QUERY", "DATABASE")
    parser.add_argument(
        "--codes",
        nargs=2,
        metavar=both,
        help="names of the arrays (default: usual names)",
    )
    parser.add_argument(
        "--labels",
        nargs=2,
        metavar=both,
        help="names of the arrays, or files of labels (default: usual names; labels.npy beside an .npy file)",
    )
    parser.add_argument(
        "--cutoffs", type=int, nargs="+", metavar="N", default=list(CUTOFFS), help="the N of mAP@N"
    )
    parser.add_argument(
        "--leave-one-out", action="store_true", help="each query is in the database; exclude it"
    )
    parser.add_argument(
        "--without-relevant",
        choices=("refuse", "drop", "zero"),
        default="refuse",
        help="queries with no relevant item: an error, left out, or counted as 0",
    )
    parser.add_argument("--json", metavar="OUT", help="write all metrics and what was read")
    return parser
