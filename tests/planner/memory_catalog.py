"""A catalog over a folder of Parquet files, and a runner of plans, both by plain DuckDB: the planner's tests need no server."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from operators.errors import KernelError
from planner.arrow_types import kernel_type
from planner.catalog import AS_NAMED, Column, ColumnRange, DataFile, ReadOptions, RowGroup, Table
from planner.errors import AccessRefused
from planner.key_pruning import keys_of, pruned
from planner.physical import ExchangeInput, Fragment, PhysicalPlan, ScanInput, Share, Split
from planner.quoting import quote_name, quote_text
from tests.planner.hash_exchanges import Bucketed, shares_of_buckets

SETTINGS = (
    "SET GLOBAL TimeZone = 'UTC'",
    "SET GLOBAL integer_division = true",
    "SET GLOBAL default_null_order = 'NULLS_LAST_ON_ASC_FIRST_ON_DESC'",
    "SET GLOBAL threads = 2",
    "SET GLOBAL autoinstall_known_extensions = false",
    "SET GLOBAL autoload_known_extensions = false",
)


def connect() -> duckdb.DuckDBPyConnection:
    """An in-memory kernel with the server's semantics."""
    connection = duckdb.connect(config={"python_enable_replacements": False})
    for setting in SETTINGS:
        connection.execute(setting)
    return connection


def in_zone(connection: duckdb.DuckDBPyConnection, time_zone: str) -> duckdb.DuckDBPyConnection:
    """A connection to the same kernel that is in another time zone."""
    cursor = connection.cursor()
    cursor.execute(f"SET SESSION TimeZone = {quote_text(time_zone)}")
    return cursor


def scalars(*values: object) -> list[pa.Scalar]:
    """Values for a statement's parameters, of the types that Arrow has for Python's."""
    return [pa.scalar(value) for value in values]


def path_of(file: DataFile) -> str:
    """Where a file of this catalog lies."""
    return file.path.partition(":")[2]


def kernel_columns(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Column, ...]:
    """Names and types of a query's columns."""
    relation = connection.sql(sql)
    return tuple(Column(name, str(kind)) for name, kind in zip(relation.columns, relation.types, strict=True))


class FolderCatalog:
    """Each ``NAME.parquet`` of a folder, and each sub-folder with hive partitions, is a table. Counts what it is asked.

    ``value_bytes``: so many bytes it tells each value to take in its file, whatever it does; None for what the footers tell.
    ``elsewhere``: as if its files were in an object store.
    """

    elsewhere = False

    def __init__(self, root: Path, extra: Mapping[str, Table] | None = None, *, value_bytes: int | None = None) -> None:
        self._value_bytes = value_bytes
        self.time_zone = "UTC"
        self.connection = connect()
        self.root = root
        self.tables = {path.stem: self._listed(path) for path in sorted(root.iterdir()) if path.is_dir() or path.suffix == ".parquet"}
        self.tables |= extra or {}
        self.opened: list[Table] = []
        self.footers: list[str] = []
        self._known: dict[tuple[str, ...], tuple[Column, ...]] = {}

    def _listed(self, path: Path) -> Table:
        if path.is_file():
            return Table(path.stem, (DataFile(f"default:{path}", path.stat().st_size, "1"),))
        files = []
        for file in sorted(path.rglob("*.parquet")):
            parts = tuple((key, value) for key, _, value in (p.partition("=") for p in file.relative_to(path).parts[:-1]))
            files.append(DataFile(f"default:{file}", file.stat().st_size, "1", partitions=parts))
        keys = [key for key, _ in files[0].partitions]
        return Table(path.name, tuple(files), tuple(Column(key, self._type(files, key)) for key in keys))

    @staticmethod
    def _type(files: Sequence[DataFile], key: str) -> str:
        return "BIGINT" if all((dict(file.partitions)[key] or "").isdigit() for file in files) else "VARCHAR"

    def time_zones(self) -> Collection[str]:
        return [name for (name,) in self.connection.cursor().execute("SELECT name FROM pg_timezone_names()").fetchall()]

    def table_names(self) -> Sequence[str]:
        return sorted(self.tables)

    def table(self, name: str, *, quoted: bool) -> Table | None:
        found = self.tables.get(name)
        return found or next((table for known, table in self.tables.items() if known.lower() == name.lower()), None)

    def files(self, *patterns: str, options: ReadOptions = AS_NAMED) -> Table:
        for pattern in patterns:
            if pattern.startswith("/"):
                raise AccessRefused(f"{pattern!r} is outside the connections")
        found = [path for pattern in patterns for path in sorted(self.root.glob(pattern))]
        files = tuple(DataFile(f"default:{path}", path.stat().st_size, "1", options.format or "parquet") for path in found)
        return Table(patterns[0], files, options=options.values)

    def files_without_format(self, name: str) -> Sequence[str]:
        return [path.name for path in sorted(self.root.glob(f"{name}.*")) if path.suffix != ".parquet"]

    def columns(self, table: Table) -> tuple[Column, ...]:
        self.opened.append(table)
        key = tuple(file.path for file in table.files)
        if key not in self._known:
            self._known[key] = kernel_columns(self.connection, f"SELECT * FROM {read(table.files)}")
        return self._known[key]

    def row_groups(self, file: DataFile) -> tuple[RowGroup, ...] | None:
        self.footers.append(file.path)
        metadata = pq.read_metadata(path_of(file))
        plain = {field.name for field in metadata.schema.to_arrow_schema() if "ns" not in str(field.type)}
        first, groups = 0, []
        for index in range(metadata.num_row_groups):
            group = metadata.row_group(index)
            ranges, sizes, encoded = {}, {}, {}
            for place in range(group.num_columns):
                chunk = group.column(place)
                encoded[chunk.path_in_schema] = chunk.total_uncompressed_size
                told = self._value_bytes
                sizes[chunk.path_in_schema] = chunk.total_compressed_size if told is None else told * group.num_rows
                stats = chunk.statistics
                if stats is not None and stats.has_min_max and chunk.path_in_schema in plain:
                    ranges[chunk.path_in_schema] = ColumnRange(stats.min, stats.max, stats.null_count)
            groups.append(RowGroup(index, first, group.num_rows, sizes, ranges, encoded))
            first += group.num_rows
        return tuple(groups)

    def is_elsewhere(self, file: DataFile) -> bool:
        return self.elsewhere

    def read_ahead(self, files: Sequence[DataFile], columns: Sequence[str]) -> None:
        pass

    def result_schema(self, sql: str, inputs: Mapping[str, tuple[Column, ...]], same_as: str | None = None) -> pa.Schema:
        with self._bound(sql, inputs) as (cursor, relation):
            listed = ", ".join(f"NULL::{kind} AS c{place}" for place, kind in enumerate(relation.types))
            types = cursor.sql(f"SELECT {listed}").to_arrow_table().schema.types
            return pa.schema(list(zip(relation.columns, types, strict=True)))

    def bound_columns(self, sql: str, inputs: Mapping[str, tuple[Column, ...]]) -> tuple[Column, ...]:
        with self._bound(sql, inputs) as (_, relation):
            fields = relation.limit(0).to_arrow_table().schema
            known = zip(fields, map(str, relation.types), strict=True)
            return tuple(Column(field.name, kernel_type(field.type) if kind == "AGGREGATE_STATE" else kind) for field, kind in known)

    @contextmanager
    def _bound(
        self, sql: str, inputs: Mapping[str, tuple[Column, ...]]
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyRelation]]:
        cursor = in_zone(self.connection, self.time_zone)
        try:
            for name, columns in inputs.items():
                listed = ", ".join(f"NULL::{column.type} AS {quote_name(column.name)}" for column in columns) or "1 AS __rows"
                cursor.execute(f"CREATE TEMP VIEW {name} AS SELECT {listed} WHERE FALSE")
            yield cursor, cursor.sql(sql)
        except duckdb.Error as error:
            raise KernelError(str(error)) from None
        finally:
            cursor.close()

    def column_name(self, expression: str) -> str | None:
        try:
            told = (
                self.connection.cursor()
                .execute("SELECT json_deserialize_sql(json_serialize_sql($1))", [f"SELECT ({expression})"])
                .fetchone()
            )
        except duckdb.ParserException:
            return None
        assert told is not None
        return str(told[0]).removeprefix("SELECT ")


def connect_to_volley() -> duckdb.DuckDBPyConnection:
    """A kernel whose tables have the full names that the server's have."""
    connection = connect()
    connection.execute("ATTACH ':memory:' AS volley")
    connection.execute("USE volley")
    return connection


def direct_kernel(catalog: FolderCatalog) -> duckdb.DuckDBPyConnection:
    """The kernel over a catalog's tables, without a planner."""
    connection = connect_to_volley()
    for name, table in catalog.tables.items():
        connection.execute(f"CREATE VIEW {quote_name(name)} AS SELECT * FROM {read(table.files)}")
    return connection


def read(files: Sequence[DataFile]) -> str:
    """The kernel's relation over whole files."""
    listed = ", ".join(quote_text(path_of(file)) for file in files)
    hive = "true" if any(file.partitions for file in files) else "false"
    return f"read_parquet([{listed}], hive_partitioning = {hive})"


@cache
def kernel() -> duckdb.DuckDBPyConnection:
    """The kernel that all plans of a test run share; each fragment gets a cursor, and so its own relations."""
    return connect()


def scans(plan: PhysicalPlan) -> list[ScanInput]:
    """The scans of all fragments, in their order."""
    return [relation for fragment in plan.fragments for relation in fragment.inputs if isinstance(relation, ScanInput)]


def run_plan(plan: PhysicalPlan) -> pa.Table:
    """The result of a plan: each fragment in turn, parallel ones share by share, only the columns of its inputs visible."""
    exchanges = {exchange.id: exchange for exchange in plan.exchanges}
    arrived: dict[int, pa.Table | Bucketed] = {}
    for planned in plan.fragments:
        keys = {
            place: keys_of(table) for place, table in arrived.items() if isinstance(table, pa.Table) and exchanges[place].kind == "filter"
        }
        fragment, _ = pruned(planned, keys)
        if fragment.bucketed:
            shares: Sequence[Share] = tuple(shares_of_buckets(fragment, exchanges))
        else:
            shares = fragment.shares if fragment.parallel else (Share(()),)
        made = pa.concat_tables([_run(fragment, share, arrived) for share in shares])
        output = exchanges[fragment.output]
        arrived[output.id] = Bucketed.of(output, made) if output.kind == "hash" else made
    result = arrived[plan.fragments[-1].output]
    assert isinstance(result, pa.Table)
    return result


def _run(fragment: Fragment, share: Share, arrived: Mapping[int, pa.Table | Bucketed]) -> pa.Table:
    connection = in_zone(kernel(), fragment.time_zone)
    parts = {part.name: part for part in share.inputs}
    for relation in fragment.inputs:
        part = parts.get(relation.name)
        assert part is not None or relation.name not in fragment.divided, "each share has a part of each divided input"
        if isinstance(relation, ExchangeInput):
            held = arrived[relation.exchange]
            assert isinstance(held, Bucketed) == relation.bucketed, "what is hashed is read by buckets"
            table = held.of_share(parts[relation.name]) if isinstance(held, Bucketed) else held
            assert table.column_names == [column.name for column in relation.columns]
            connection.register(relation.name, table)
        else:
            rows = _scan_sql(relation, relation.splits if part is None else part.splits)
            kept = f" WHERE {part.predicate}" if part is not None and part.predicate is not None else ""
            connection.execute(f"CREATE TEMP VIEW {relation.name} AS SELECT * FROM ({rows}){kept}")
    return connection.sql(fragment.sql).to_arrow_table()


def _scan_sql(scan: ScanInput, splits: Sequence[Split]) -> str:
    listed = ", ".join(quote_name(column.name) for column in scan.columns) or "1 AS __rows"
    if not splits:
        empty = ", ".join(f"NULL::{column.type} AS {quote_name(column.name)}" for column in scan.columns) or "1 AS __rows"
        return f"SELECT {empty} WHERE FALSE"
    if all(split.row_groups is None for split in splits):
        return f"SELECT {listed} FROM {read([split.file for split in splits])}"
    parts = []
    for split in splits:
        last = split.first_row + (split.rows or 0) - 1
        where = "" if split.row_groups is None else f" WHERE file_row_number BETWEEN {split.first_row} AND {last}"
        hive = bool(split.file.partitions)
        source = f"read_parquet('{path_of(split.file)}', file_row_number = true, hive_partitioning = {hive})"
        parts.append(f"SELECT {listed} FROM {source}{where}")
    return " UNION ALL BY NAME ".join(parts)


def plan_rows(table: pa.Table) -> list[tuple[object, ...]]:
    """Rows in the order of the table; what Python has no type for (nanoseconds) as text."""
    return list(zip(*map(_values, table.columns), strict=True)) if table.num_columns else []


def _values(column: pa.ChunkedArray) -> list[object]:
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):
        texts = connect().from_arrow(pa.table({"column": column})).query("t", 'SELECT "column"::VARCHAR FROM t')
        return [text for (text,) in texts.fetchall()]
