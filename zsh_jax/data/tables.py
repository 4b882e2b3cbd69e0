"""Open tables in files: Parquet, and Arrow as `datasets` of Hugging Face saves it. pyarrow is an extra."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from zsh_jax.data.reading import reading
from zsh_jax.errors import InputError

ARROW = ".arrow"
END = b"\xff\xff\xff\xff\0\0\0\0"  # of a stream of Arrow
HUGGING_FACE = b"huggingface"  # key of the metadata that `datasets` writes


class Table(NamedTuple):
    """A table whose columns are read later.

    Attributes:
        names: of the columns.
        types: of Arrow, by column.
        groups: rows of each row group or record batch.
        features: what `datasets` states about a column, such as its class names; empty for other tables.
        batches: from a column and a number of rows to its values, block by block.
        group: from a column and a row group to its values.
    """

    names: tuple[str, ...]
    types: Mapping[str, Any]
    groups: tuple[int, ...]
    features: Mapping[str, Any]
    batches: Callable[[str, int], Iterator[Any]]
    group: Callable[[str, int], Any]


def damaged(path: Path) -> str:
    """What is wrong with a file that cannot be read."""
    return f"is truncated or not {'an Arrow' if path.suffix.lower() == ARROW else 'a Parquet'} file"


def open_table(path: Path) -> Table:
    """Open a table; only its metadata are read now.

    Args:
        path: `.arrow` (a stream or file of Arrow), or else Parquet.

    Returns:
        The table.

    Raises:
        InputError: the file is damaged, or pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as problem:
        raise InputError(
            f"{path} is a table and needs pyarrow; fix: pip install -e '.[parquet]', or save it as .npz"
        ) from problem
    with reading(path, damaged(path)):
        return _open_arrow(path) if path.suffix.lower() == ARROW else _open_parquet(path)


def _open_parquet(path: Path) -> Table:
    from pyarrow.parquet import ParquetFile

    def opened() -> Any:
        return ParquetFile(path, memory_map=True, page_checksum_verification=True)

    def batches(name: str, rows: int) -> Iterator[Any]:
        with opened() as file:
            for batch in file.iter_batches(batch_size=rows, columns=[name]):
                yield batch.column(name)

    def group(name: str, number: int) -> Any:
        with opened() as file:
            return file.read_row_group(number, columns=[name]).column(name).combine_chunks()

    with opened() as file:
        metadata = file.metadata
        groups = tuple(metadata.row_group(number).num_rows for number in range(metadata.num_row_groups))
        return _table(file.schema_arrow, groups, batches, group)


def _open_arrow(path: Path) -> Table:
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        if source.read(6) == b"ARROW1":
            reader = pa.ipc.open_file(source)
            found = [reader.get_batch(number) for number in range(reader.num_record_batches)]
        else:
            source.seek(max(0, source.size() - len(END)))
            if source.read() != END:
                raise InputError(f"{path} {damaged(path)}: it lacks the mark of its end; fix: save it again")
            source.seek(0)
            reader = pa.ipc.open_stream(source)
            found = list(reader)

    def group(name: str, number: int) -> Any:
        column = found[number].column(name)
        column.validate(full=True)  # a damaged file may state places outside of it
        return column

    def batches(name: str, rows: int) -> Iterator[Any]:
        for number, batch in enumerate(found):
            column = group(name, number)
            for start in range(0, len(batch), rows):
                yield column.slice(start, rows)

    return _table(reader.schema, tuple(map(len, found)), batches, group)


def _table(
    schema: Any,
    groups: tuple[int, ...],
    batches: Callable[[str, int], Iterator[Any]],
    group: Callable[[str, int], Any],
) -> Table:
    stated = json.loads((schema.metadata or {}).get(HUGGING_FACE, b"{}"))
    features = stated.get("info", {}).get("features", {})
    types = dict(zip(schema.names, schema.types, strict=True))
    return Table(tuple(schema.names), types, groups, features, batches, group)


def class_names(features: Mapping[str, Any], column: str) -> tuple[str, ...] | None:
    """The names that `datasets` states for the whole numbers of a column, or of its lists; None if it states none."""
    stated = features.get(column)
    while isinstance(stated, Mapping | list) and stated:
        if isinstance(stated, list):  # older versions write a list around the kind of its elements
            stated = stated[0]
        elif stated.get("_type") == "ClassLabel":
            return tuple(map(str, stated["names"])) if stated.get("names") else None
        else:
            stated = stated.get("feature")
    return None
