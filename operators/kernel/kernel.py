"""The kernel: DuckDB in process, one instance for each worker, locked down, behind a small and thread-safe face.

It runs single SELECT statements over named relations: SQL that reads files of the connections, or Arrow data that is already
here. It must never be made to wait for data (its threads are shared by all runs): lease first, then run.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import duckdb
import pyarrow as pa
from cachetools import LRUCache

from operators.claimed_directory import ClaimedDirectory
from operators.errors import KernelError, OperatorError
from operators.kernel.kernel_errors import FAILURES, ErrorTranslator, invalidates
from operators.kernel.kernel_run import KernelRun
from operators.kernel.macros import macros
from operators.kernel.relations import FileRelation, Relation, empty_relation, register, with_relations
from operators.kernel.sendable import as_sendable
from planner.arrow_types import kernel_type, told_field
from planner.catalog import Column
from planner.quoting import quote_text
from planner.time_zones import UTC

DEFAULT_BATCH_ROWS = 65_536
MAX_CACHED_SCHEMAS = 1024
EXPORTED_STATE = "AGGREGATE_STATE"
"""What the kernel calls the type of every state that an aggregate hands out."""
MAX_CACHED_SQL_CHARS = 64 << 10

Inputs = tuple[tuple[str, tuple[Column, ...]], ...]
"""Relations by name, with their columns."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KernelStatistics:
    """What the kernel holds just now. ``spill_bytes`` lie in its temporary directory."""

    memory_bytes: int
    spill_bytes: int
    runs: int


@dataclass(frozen=True, slots=True)
class _Output:
    """What a statement gives as Arrow: its schema, the same with the kernel's own types beside Arrow's (see ``told_field``), and the select
    list over its columns that makes them so, where one is needed. ``kinds`` are its columns' types in the kernel's own words.
    """

    schema: pa.Schema
    told: pa.Schema
    select: str | None
    kinds: tuple[str, ...]


class Kernel:
    """DuckDB with ``threads`` threads and at most ``memory_bytes`` of memory; beyond that it spills.

    ``temp_directory`` gets a directory of this process (those of dead processes are cleared away) with at most ``spill_bytes``
    in it. ``allowed_directories`` are the only ones that SQL can read, each with the name by which messages call it.
    Thread-safe; each run has a connection of its own.
    """

    def __init__(
        self,
        threads: int,
        memory_bytes: int,
        temp_directory: str | Path,
        allowed_directories: Mapping[str, str],
        *,
        spill_bytes: int | None = None,
    ) -> None:
        self._directory = ClaimedDirectory(temp_directory, "kernel")
        self._errors = ErrorTranslator({**allowed_directories, str(self._directory.path): "temporary storage"})
        self._runs = 0
        self._instances = 0
        self._lock = threading.Lock()
        self._threads = threads
        self._settings = partial(_settings, memory_bytes, allowed=list(allowed_directories), spill_bytes=spill_bytes)
        try:
            self._connection = self._open()
        except FAILURES as error:
            self._directory.close()
            raise self._errors.translate(error) from None
        self._outputs: LRUCache[tuple[str, Inputs, str], _Output] = LRUCache(MAX_CACHED_SCHEMAS)
        self._cached_name = lru_cache(maxsize=MAX_CACHED_SCHEMAS)(self._column_name)
        self._fields: dict[tuple[str, str], pa.Field] = {}
        self._zones: frozenset[str] | None = None

    def time_zones(self) -> Collection[str]:
        """The names of all time zones that a statement can run in."""
        with self._lock:
            known = self._zones
        if known is None:
            connection = self._connection.cursor()
            try:
                known = frozenset(name for (name,) in connection.execute("SELECT name FROM pg_timezone_names()").fetchall())
            finally:
                connection.close()
            with self._lock:
                self._zones = known
        return known

    def result_schema(
        self, sql: str, inputs: Mapping[str, tuple[Column, ...]], same_as: str | None = None, *, time_zone: str = UTC
    ) -> pa.Schema:
        """The schema of the stream that ``run(sql, …)`` gives over relations with those columns. Binds only; nothing is run.

        ``same_as``: a name for all statements that have one schema over the same inputs; after the first of them, none is bound.
        Raises ``KernelError`` with the binder's message.
        """
        return self._output(sql, inputs, time_zone, same_as).schema

    def told_schema(
        self, sql: str, inputs: Mapping[str, tuple[Column, ...]], same_as: str | None = None, *, time_zone: str = UTC
    ) -> pa.Schema:
        """As :meth:`result_schema`, each field with the kernel's own type where Arrow's tells another."""
        return self._output(sql, inputs, time_zone, same_as).told

    def _output(self, sql: str, inputs: Mapping[str, tuple[Column, ...]], time_zone: str, same_as: str | None = None) -> _Output:
        key = tuple(inputs.items())
        keys = [(name, key, time_zone) for name in (sql, same_as) if name is not None and len(name) <= MAX_CACHED_SQL_CHARS]
        with self._lock:
            known = [output for name in keys if (output := self._outputs.get(name)) is not None]
        output = known[0] if known else self._bind_output(sql, key, time_zone)
        with self._lock:
            self._outputs.update((name, output) for name in keys)
        return output

    def bound_columns(self, sql: str, inputs: Mapping[str, tuple[Column, ...]], *, time_zone: str = UTC) -> tuple[Column, ...]:
        """The columns of ``sql`` over relations with those columns, with the kernel's types of them; binds only, as :meth:`result_schema`.

        A state that an aggregate hands out (``EXPORT_STATE``) has the type as which it comes back from Arrow.
        """
        output = self._output(sql, inputs, time_zone)
        kinds = zip(output.schema, output.kinds, strict=True)
        return tuple(Column(field.name, kernel_type(field.type) if kind == EXPORTED_STATE else kind) for field, kind in kinds)

    def column_name(self, expression: str) -> str | None:
        """What DuckDB calls a column of ``expression`` that has no alias: its text, as DuckDB prints it. Only parses; ``$1`` may be in it.

        None where it does not parse, or is deeper than DuckDB reads.
        """
        return self._cached_name(expression) if len(expression) <= MAX_CACHED_SQL_CHARS else self._column_name(expression)

    def columns_of(self, relation_sql: str) -> tuple[Column, ...]:
        """The columns of a relation, with the kernel's type names. Opens the files that the relation names.

        Raises ``FileUnreadable`` and ``KernelError``.
        """
        connection = self._connection.cursor()
        try:
            relation = connection.sql(_single_select(connection, relation_sql))
            return tuple(Column(name, str(kind)) for name, kind in zip(relation.columns, relation.types, strict=True))
        except FAILURES as error:
            raise self.failed(error) from None
        finally:
            connection.close()

    def run(self, sql: str, relations: Mapping[str, Relation], batch_rows: int = DEFAULT_BATCH_ROWS, *, time_zone: str = UTC) -> KernelRun:
        """A run of one SELECT over ``relations``, to be entered with ``with`` and iterated in the same thread."""
        with self._lock:
            self._runs += 1
        return KernelRun(partial(self._connect, time_zone), partial(self._bind, sql, relations, time_zone), self.failed, batch_rows)

    def statistics(self) -> KernelStatistics:
        """Memory and spill that are in use now, and the number of runs so far."""
        connection = self._connection.cursor()
        try:
            memory = connection.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone()
            spill = connection.execute("SELECT coalesce(sum(size), 0) FROM duckdb_temporary_files()").fetchone()
        finally:
            connection.close()
        return KernelStatistics(int(memory[0]) if memory else 0, int(spill[0]) if spill else 0, self._runs)

    def spilled_bytes(self) -> int:
        """What lies in its temporary directory just now, for whichever run. Asks the file system, not the kernel: it takes microseconds."""
        try:
            with os.scandir(self._directory.path / f"spill-{self._instances}") as found:
                return sum(file.stat().st_size for file in found)
        except FileNotFoundError:  # there is none before the first spill, and files go as they are read
            return 0

    def close(self) -> None:
        """Frees everything. Runs that are still open must have been closed."""
        self._connection.close()
        self._directory.close()

    def _open(self) -> duckdb.DuckDBPyConnection:
        self._instances += 1
        connection = duckdb.connect(config={"threads": self._threads, "python_enable_replacements": False})
        for setting in self._settings(self._directory.path / f"spill-{self._instances}"):
            connection.execute(setting)
        return connection

    def failed(self, error: Exception) -> OperatorError:
        """What to tell of ``error``, which this kernel has raised.

        After an internal error DuckDB refuses everything else on that instance: a new one takes its place for the runs to come.
        """
        if invalidates(error):
            log.error("the kernel failed and is started again: %s", self._errors.clean(str(error)))
            with self._lock:
                try:
                    self._connection.cursor().execute("SELECT 1")
                except FAILURES:
                    self._connection = self._open()
        return self._errors.translate(error)

    def _connect(self, time_zone: str) -> duckdb.DuckDBPyConnection:
        """A connection of its own, whose time zone no other one sees."""
        connection = self._connection.cursor()
        if time_zone != UTC:
            try:
                connection.execute(f"SET SESSION TimeZone = {quote_text(time_zone)}")
            except FAILURES as error:
                connection.close()
                raise self.failed(error) from None
        return connection

    def _bind(
        self, sql: str, relations: Mapping[str, Relation], time_zone: str, connection: duckdb.DuckDBPyConnection
    ) -> tuple[duckdb.DuckDBPyRelation, pa.Schema]:
        for name, relation in relations.items():
            register(connection, name, relation)
        bound = connection.sql(_single_select(connection, with_relations(sql, relations)))
        # From the cache of planned queries where the columns of all relations are known; else by binding, which opens files.
        columns = {name: relation.columns for name, relation in relations.items() if isinstance(relation, FileRelation)}
        output = self._output(sql, columns, time_zone) if len(columns) == len(relations) else self._output_of(bound, time_zone)
        return bound if output.select is None else bound.project(output.select), output.schema

    def _bind_output(self, sql: str, inputs: Inputs, time_zone: str) -> _Output:
        connection = self._connect(time_zone)
        try:
            relations = {name: empty_relation(columns) for name, columns in inputs}
            return self._output_of(connection.sql(_single_select(connection, with_relations(sql, relations))), time_zone)
        except FAILURES as error:
            raise self.failed(error) from None
        finally:
            connection.close()

    def _column_name(self, expression: str) -> str | None:
        connection = self._connection.cursor()
        try:
            told = connection.execute("SELECT json_deserialize_sql(json_serialize_sql($1))", [f"SELECT ({expression})"]).fetchone()
        except duckdb.ParserException:
            return None
        except FAILURES as error:
            raise self.failed(error) from None
        finally:
            connection.close()
        return str(told[0]).removeprefix("SELECT ") if told else None

    def _output_of(self, relation: duckdb.DuckDBPyRelation, time_zone: str) -> _Output:
        kinds = _kinds(relation)
        select = as_sendable(relation.columns, kinds)
        if select is None:
            schema = self._schema(relation, kinds, time_zone)
        else:
            sent = relation.project(select)
            schema = self._schema(sent, _kinds(sent), time_zone)
        told = [told_field(field, kind) for field, kind in zip(schema, kinds, strict=True)]
        return _Output(schema, schema if all(field.metadata is None for field in told) else pa.schema(told), select, kinds)

    def _schema(self, relation: duckdb.DuckDBPyRelation, kinds: Sequence[str], time_zone: str) -> pa.Schema:
        # Asking a relation for its Arrow schema costs three times what binding does; Arrow fields depend on type and time zone alone.
        if EXPORTED_STATE in kinds:
            return relation.limit(0).to_arrow_table().schema  # each aggregate's states are others, under one name
        keys = [(kind, time_zone) for kind in kinds]
        if any(key not in self._fields for key in keys):
            self._fields |= dict(zip(keys, relation.limit(0).to_arrow_table().schema, strict=True))
        return pa.schema([self._fields[key].with_name(name) for name, key in zip(relation.columns, keys, strict=True)])


def _kinds(relation: duckdb.DuckDBPyRelation) -> tuple[str, ...]:
    return tuple(str(kind) for kind in relation.types)


def _settings(memory_bytes: int, spill: Path, *, allowed: Sequence[str], spill_bytes: int | None) -> Iterator[str]:
    directories = ", ".join(quote_text(directory) for directory in [*allowed, str(spill)])
    yield f"SET memory_limit = '{memory_bytes}B'"
    yield f"SET temp_directory = {quote_text(str(spill))}"
    if spill_bytes is not None:
        yield f"SET max_temp_directory_size = '{spill_bytes}B'"
    # Global: a run has a connection of its own, where it may set another time zone.
    yield "SET GLOBAL TimeZone = 'UTC'"
    yield "SET GLOBAL integer_division = true"
    yield "SET GLOBAL default_null_order = 'postgres'"
    yield "SET autoinstall_known_extensions = false"
    yield "SET autoload_known_extensions = false"
    yield "SET allow_community_extensions = false"
    yield "SET allow_persistent_secrets = false"
    yield from macros()
    # Else what a large query leaves behind stays with the allocator for good; it goes back to the system within a second.
    yield "SET allocator_background_threads = true"
    # In this order: what is allowed can only be said before external access ends, and only the time zone can be set after the lock.
    yield "SET allowed_configs = ['TimeZone']"
    yield f"SET allowed_directories = [{directories}]"
    yield "SET enable_external_access = false"
    yield "SET lock_configuration = true"


def _single_select(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The statement in ``sql``, parsed: asking the kernel with its text would parse it again."""
    # Not with duckdb.extract_statements, which opens another instance beside the kernel: with threads, memory and settings of its own.
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise KernelError("the kernel runs single SELECT statements only")
    return statements[0]
