"""Which files make a table: rules about names, for data roots and hive partitions. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from operators.errors import SchemaClash
from operators.scan.column_types import partition_type
from operators.storage import StoredFile
from planner.catalog import Column, DataFile, FileFormat, Table

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"

EXTENSIONS: dict[str, FileFormat] = {
    ".parquet": "parquet",
    ".parq": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "csv",
    ".tsv.gz": "csv",
    ".json": "json",
    ".json.gz": "json",
    ".jsonl": "json",
    ".jsonl.gz": "json",
    ".ndjson": "json",
    ".ndjson.gz": "json",
}
PREFERENCE: tuple[FileFormat, ...] = ("parquet", "csv", "json")
_LONGEST_FIRST = sorted(EXTENSIONS, key=len, reverse=True)


def extension(key: str) -> str | None:
    """The extension by which ``key`` is known to be data, in lower case; None for other files."""
    name = posixpath.basename(key).lower()
    return next((ending for ending in _LONGEST_FIRST if name.endswith(ending) and name != ending), None)


def table_name(file_name: str) -> str:
    """The table that a file of that name makes: the name without its extension."""
    ending = extension(file_name)
    assert ending is not None, file_name
    return file_name[: -len(ending)]


def hive_partitions(folder: str) -> tuple[tuple[str, str | None], ...]:
    """Keys and values of the ``key=value`` folders in a path, decoded; None for the default partition."""
    found = []
    for part in folder.split("/"):
        key, separator, value = part.partition("=")
        if separator and key:
            found.append((unquote(key), None if value == HIVE_NULL else unquote(value)))
    return tuple(found)


def make_table(name: str, files: Iterable[StoredFile], base: str) -> Table | None:
    """A table of the data files among ``files`` (sorted by path), None if there are none.

    Partitions are the ``key=value`` folders below ``base`` (the table's folder, as a path). Files of several formats do not mix:
    where there is a Parquet file, others are none of the table. Raises ``SchemaClash`` if files differ in their partition keys.
    """
    data = [(file, ending) for file in files if (ending := extension(file.key)) is not None]
    if not data:
        return None
    kept = min((EXTENSIONS[ending] for _, ending in data), key=PREFERENCE.index)
    chosen = tuple(
        DataFile(file.path, file.size_bytes, file.version, kept, hive_partitions(posixpath.dirname(file.path[len(base) :])))
        for file, ending in data
        if EXTENSIONS[ending] == kept
    )
    return Table(name, chosen, partition_columns(name, chosen))


def partition_columns(table: str, files: Sequence[DataFile]) -> tuple[Column, ...]:
    """The partition columns that all ``files`` share. Raises ``SchemaClash`` if they do not."""
    keys = [key for key, _ in files[0].partitions]
    values: dict[str, set[str | None]] = {key: set() for key in keys}
    for file in files:
        if [key for key, _ in file.partitions] != keys:
            raise SchemaClash(
                f"files of table '{table}' have different partitions: {files[0].path} has {keys or 'none'}, "
                f"{file.path} has {[key for key, _ in file.partitions] or 'none'}",
                remedy="Keep files of one table in folders of the same partition keys.",
            )
        for key, value in file.partitions:
            values[key].add(value)
    return tuple(Column(key, partition_type(found)) for key, found in values.items())
