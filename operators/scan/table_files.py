"""Which files make a table: rules about names, for data roots and hive partitions. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from operators.errors import FileUnreadable, SchemaClash
from operators.scan.column_types import partition_type
from operators.storage import StoredFile
from operators.storage.storage import DEFAULT_CONNECTION
from planner.catalog import Column, DataFile, FileFormat, Table
from planner.quoting import quote_text

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"

_TEXT: dict[str, FileFormat] = {".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json"}
EXTENSIONS: dict[str, FileFormat] = {
    ".parquet": "parquet",
    ".parq": "parquet",
    **{f"{ending}{packing}": kind for ending, kind in _TEXT.items() for packing in ("", ".gz", ".zst")},
}
PACKINGS = (".gz", ".zst", ".bz2", ".xz", ".zip", ".lz4", ".sz", ".br", ".7z")
"""What is written behind the extension of a file that was compressed as a whole; the kernel reads the first two, of text."""
FORMAT_NAMES: dict[FileFormat, str] = {"parquet": "Parquet", "csv": "CSV", "json": "JSON"}


def extension(key: str) -> str | None:
    """The extension by which ``key`` is known to be data, in lower case; None for other files."""
    name = posixpath.basename(key).lower()
    stem, _, last = name.rpartition(".")
    ending = f".{last}"
    if ending not in EXTENSIONS:
        ending = f".{stem.rpartition('.')[2]}{ending}"
    return ending if ending in EXTENSIONS and len(ending) < len(name) else None


def packed(key: str) -> bool:
    """Whether ``key`` is the name of data that was compressed in a way that the kernel does not read."""
    name = key.lower()
    if not name.endswith(PACKINGS) or extension(name) is not None:
        return False
    return any(extension(name.removesuffix(packing)) is not None for packing in PACKINGS if name.endswith(packing))


def table_name(file_name: str) -> str:
    """The table that a file of that name makes: the name without its extension."""
    ending = extension(file_name)
    assert ending is not None, file_name
    return file_name[: -len(ending)]


def read_files(path: str, option: str = "") -> str:
    """How SQL names the files at ``path`` (``connection:key``, a folder's ending with ``/``, or a pattern of them), with that option."""
    return f"read_files({quote_text(path.removeprefix(f'{DEFAULT_CONNECTION}:'))}{option and ', '}{option})"


def hive_partitions(folder: str) -> tuple[tuple[str, str | None], ...]:
    """Keys and values of the ``key=value`` folders in a path, decoded; None for the default partition."""
    found = []
    for part in folder.split("/"):
        key, separator, value = part.partition("=")
        if separator and key:
            found.append((unquote(key), None if value == HIVE_NULL else unquote(value)))
    return tuple(found)


def copy_suffix(key: str) -> str:
    """What the name of a copy must end with, so that the kernel unpacks it as it would the file of that key."""
    packing = posixpath.splitext(key.lower())[1]
    return extension(key) or (packing if packing in PACKINGS else "")


def make_table(name: str, files: Iterable[StoredFile], base: str, file_format: FileFormat | None = None) -> Table | None:
    """A table of the data files among ``files`` (sorted by path), None if there are none; of all of them if their format is given.

    Partitions are the ``key=value`` folders below ``base`` (the table's folder, as a path). A text file of no bytes has no rows and
    no columns: it counts only where there is no other. Raises ``SchemaClash`` if files differ in their format or their partition keys,
    and ``FileUnreadable`` for data that is compressed in a way that the kernel does not read: no row is left out in silence.
    """
    files = list(files)
    if file_format is not None:
        data = [(file, file_format) for file in files]
    else:
        data = [(file, EXTENSIONS[ending]) for file in files if (ending := extension(file.key)) is not None]
    unreadable = next((file for file in files if packed(file.key)), None)
    if unreadable is not None:
        raise _packed(unreadable, data[0][0] if data else None, base)
    if not data:
        return None
    first, kind = data[0]
    other = next(((file, its) for file, its in data if its != kind), None)
    if other is not None:
        raise _mixed(name, sorted([(first, kind), other], key=lambda held: list(FORMAT_NAMES).index(held[1])), base)
    held = [file for file, its in data if file.size_bytes or its == "parquet"] or [first]
    partitions: dict[str, tuple[tuple[str, str | None], ...]] = {}
    chosen = []
    for file in held:
        folder = file.path[len(base) :].rpartition("/")[0]
        if folder not in partitions:
            partitions[folder] = hive_partitions(folder)
        chosen.append(DataFile(file.path, file.size_bytes, file.version, kind, partitions[folder]))
    return Table(name, tuple(chosen), partition_columns(name, chosen))


def joined(name: str, tables: Sequence[Table]) -> Table:
    """One table of the files of several, each once. Raises ``SchemaClash`` where they cannot go together."""
    files = tuple({file.path: file for table in tables for file in table.files}.values())
    first = files[0]
    for file in files:
        if file.format != first.format:
            raise SchemaClash(
                f"files of table '{name}' are of several formats: {first.path} is {FORMAT_NAMES[first.format]} and {file.path} is "
                f"{FORMAT_NAMES[file.format]}",
                remedy="Read those of one format, or several with UNION ALL BY NAME.",
            )
        if file.path.partition(":")[0] != first.path.partition(":")[0]:
            raise SchemaClash(
                f"files of table '{name}' are in several connections: {first.path} and {file.path}",
                remedy="Read those of one connection, or several with UNION ALL BY NAME.",
            )
    return Table(name, files, partition_columns(name, files))


def partition_columns(table: str, files: Sequence[DataFile]) -> tuple[Column, ...]:
    """The partition columns that all ``files`` share. Raises ``SchemaClash`` if they do not, and for a key that a path has twice."""
    keys = [key for key, _ in files[0].partitions]
    if len({key.lower() for key in keys}) < len(keys):
        raise SchemaClash(
            f"files of table '{table}' have a partition key twice: {files[0].path}",
            remedy="Rename one of the folders: each partition of a path needs a key of its own.",
        )
    values: dict[str, set[str | None]] = {key: set() for key in keys}
    # Files of a folder share theirs.
    for file in {file.partitions: file for file in reversed(files)}.values():
        if [key for key, _ in file.partitions] != keys:
            raise SchemaClash(
                f"files of table '{table}' have different partitions: {files[0].path} has {keys or 'none'}, "
                f"{file.path} has {[key for key, _ in file.partitions] or 'none'}",
                remedy="Keep files of one table in folders of the same partition keys.",
            )
        for key, value in file.partitions:
            values[key].add(value)
    return tuple(Column(key, partition_type(found)) for key, found in values.items())


def _mixed(name: str, held: Sequence[tuple[StoredFile, FileFormat]], base: str) -> SchemaClash:
    (first, kind), (second, its) = held
    return SchemaClash(
        f"files of table '{name}' are of several formats: {first.path} is {FORMAT_NAMES[kind]} and {second.path} is {FORMAT_NAMES[its]}",
        remedy=f"Read those of one format with {_alike(base, first)}, or keep them in different folders.",
    )


def _packed(file: StoredFile, other: StoredFile | None, base: str) -> FileUnreadable:
    instead = "" if other is None else f", or read the others with {_alike(base, other)}"
    return FileUnreadable(
        f"the file {file.path} is compressed in a way that cannot be read (text can be: .gz, .zst)", remedy=f"Unpack it{instead}."
    )


def _alike(base: str, file: StoredFile) -> str:
    """How SQL names the files below ``base`` whose names end as that of ``file``."""
    return read_files(f"{base}**/*{file.path[-len(extension(file.key) or '') :]}")
