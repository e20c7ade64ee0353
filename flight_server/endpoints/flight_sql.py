"""Flight SQL: what its commands mean here. Statements become queries; catalog commands are answered from the table list.

A statement's ticket is a ``TicketStatementQuery`` around our own result ticket; a catalog command is its own ticket. Neither needs
anything to be remembered between the two calls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.flight as flight
from google.protobuf.any_pb2 import Any as AnyMessage

from flight_server.endpoints import catalog_tables as catalog
from flight_server.endpoints.column_metadata import described
from flight_server.endpoints.parts import Wanted, part_batches, part_of, part_schema, part_tickets
from flight_server.endpoints.prepared import Bound, PreparedStatements, parameter_values
from flight_server.endpoints.sessions import Sessions
from flight_server.endpoints.sql_info import SQL_INFO_SCHEMA, SqlInfoValue, sql_info_table
from flight_server.endpoints.streams import Stopping, flight_info, now, plain_stream, result_stream, table_stream
from flight_server.endpoints.transactions import Transactions
from flight_server.endpoints.xdbc_types import XDBC_TYPES_SCHEMA, xdbc_types
from flight_server.errors import BadRequest, UnknownAction, shorten
from flight_server.protocol import flight_sql_pb2 as pb
from flight_server.protocol.any_message import pack, read, type_name
from flight_server.protocol.messages import START, QueryRef, ResultTicket, build_decoders, encode
from flight_server.protocol.service import Accepted, Cancelled, Services, StatementSettings, Tables
from flight_server.protocol.tickets import parse_ticket
from planner.errors import NotReadOnly

UPDATED_ROWS = 0
"""What every statement changes here."""


@dataclass(frozen=True, slots=True)
class CatalogCommand:
    """A command that is answered with a small table."""

    message: Any
    schema: Callable[[Any], pa.Schema]
    table: Callable[[Any], pa.Table]


class FlightSql:
    """Flight SQL's commands over the services behind the face. Thread-safe. ``result_seconds`` is how long results are kept."""

    def __init__(
        self, services: Services, sessions: Sessions, infos: dict[int, SqlInfoValue], result_seconds: float, stopping: Stopping
    ) -> None:
        self.prepared = PreparedStatements()
        self.transactions = Transactions()
        self._sessions = sessions
        self._services = services
        self._result_seconds = result_seconds
        self._stopping = stopping
        self._catalog = _catalog_commands(services.tables, infos)

    def info(
        self, command: AnyMessage, descriptor: flight.FlightDescriptor, owner: str, settings: StatementSettings, wanted: Wanted
    ) -> flight.FlightInfo:
        """Answers GetFlightInfo: starts a statement, whose result is made as ``wanted``, or says where a catalog command's table is."""
        name = type_name(command)
        if name == "CommandStatementQuery":
            request = read(command, pb.CommandStatementQuery)
            self.transactions.check(request.transaction_id, owner)
            return self._submit(request.query, Bound(), descriptor, owner, settings, wanted)
        if name == "CommandPreparedStatementQuery":
            handle = read(command, pb.CommandPreparedStatementQuery).prepared_statement_handle
            return self._execute(handle, descriptor, owner, settings, wanted)
        known = self._catalog_command(command)
        return flight_info(known.schema(read(command, known.message)), descriptor, [descriptor.command])

    def schema(self, command: AnyMessage, owner: str, settings: StatementSettings) -> pa.Schema:
        """Answers GetSchema; runs nothing."""
        name = type_name(command)
        if name == "CommandStatementQuery":
            request = read(command, pb.CommandStatementQuery)
            self.transactions.check(request.transaction_id, owner)
            return described(self._services.queries.plan_schema(request.query, settings=settings))
        if name == "CommandPreparedStatementQuery":
            statement = self.prepared.get(read(command, pb.CommandPreparedStatementQuery).prepared_statement_handle, owner)
            values = statement.rows[0] if statement.rows else None
            return described(self._services.queries.plan_schema(statement.sql, values, settings=settings))
        known = self._catalog_command(command)
        return known.schema(read(command, known.message))

    def get(self, ticket: AnyMessage, owner: str, settings: StatementSettings, cancelled: Cancelled) -> flight.FlightDataStream:
        """Answers DoGet."""
        if type_name(ticket) == "TicketStatementQuery":
            handle = read(ticket, pb.TicketStatementQuery).statement_handle
            if (part := part_of(handle)) is not None:
                schema = described(part_schema(part, self._services.queries, owner, cancelled))
                return plain_stream(schema, part_batches(part, self._services.queries, owner, cancelled))
            parsed = parse_ticket(handle)
            if not isinstance(parsed, ResultTicket):
                raise BadRequest("the statement's ticket is not one that this server made")
            stream = self._services.queries.read(parsed, owner, cancelled, True)
            return result_stream(stream._replace(schema=described(stream.schema)), self._stopping)
        known = self._catalog_command(ticket)
        return table_stream(known.table(read(ticket, known.message)))

    def put(
        self,
        command: AnyMessage,
        owner: str,
        settings: StatementSettings,
        reader: flight.MetadataRecordBatchReader,
        writer: flight.FlightMetadataWriter,
        cancelled: Cancelled,
    ) -> None:
        """Answers DoPut: binds parameters, or runs a statement for its effect."""
        name = type_name(command)
        if name == "CommandPreparedStatementQuery":
            handle = read(command, pb.CommandPreparedStatementQuery).prepared_statement_handle
            self.prepared.bind(handle, owner, parameter_values(reader))
        elif name == "CommandStatementUpdate":
            request = read(command, pb.CommandStatementUpdate)
            self.transactions.check(request.transaction_id, owner)
            self._run(request.query, Bound(), owner, settings, cancelled)
            _write_count(writer)
        elif name == "CommandPreparedStatementUpdate":
            handle = read(command, pb.CommandPreparedStatementUpdate).prepared_statement_handle
            self._update(handle, owner, settings, reader, cancelled)
            _write_count(writer)
        elif name == "CommandStatementIngest":
            table = read(command, pb.CommandStatementIngest).table
            raise NotReadOnly(f"rows cannot be written to table {shorten(table)!r}", remedy="this server is read-only")
        else:
            raise UnknownAction(f"Volley does not serve {shorten(command.type_url)} in DoPut")

    def _catalog_command(self, command: AnyMessage) -> CatalogCommand:
        known = self._catalog.get(type_name(command) or "")
        if known is None:
            raise UnknownAction(f"Volley does not serve {shorten(type_name(command) or command.type_url)}")
        return known

    def _submit(
        self,
        sql: str,
        bound: Bound,
        descriptor: flight.FlightDescriptor,
        owner: str,
        settings: StatementSettings,
        wanted: Wanted,
    ) -> flight.FlightInfo:
        query_id, schema, _ = self._started(sql, bound, owner, settings, wanted.ahead)
        handles = [encode(ResultTicket(query_id, START, True))] if wanted.parts == 1 else part_tickets(query_id, wanted.parts)
        return flight_info(
            described(schema),
            descriptor,
            [pack(pb.TicketStatementQuery(statement_handle=handle)) for handle in handles],
            expires_at=now() + self._result_seconds,
            app_metadata=encode(QueryRef(query_id)),
        )

    def _started(self, sql: str, bound: Bound, owner: str, settings: StatementSettings, ahead: int | None = None) -> Accepted:
        """A statement that was accepted; what it sets holds for its session from now on."""
        accepted = self._services.queries.submit(sql, owner, bound.values, runs=bound.runs, ahead=ahead, settings=settings)
        if accepted.change is not None:
            self._sessions.change(settings.session_id, accepted.change)
        return accepted

    def _execute(
        self, handle: bytes, descriptor: flight.FlightDescriptor, owner: str, settings: StatementSettings, wanted: Wanted
    ) -> flight.FlightInfo:
        statement = self.prepared.get(handle, owner)
        return self._submit(statement.sql, statement.bound(), descriptor, owner, settings, wanted)

    def _run(self, sql: str, bound: Bound, owner: str, settings: StatementSettings, cancelled: Cancelled) -> None:
        query = self._started(sql, bound, owner, settings)
        for _ in self._services.queries.read(ResultTicket(query.query_id, START, True), owner, cancelled, True).batches:
            pass

    def _update(
        self, handle: bytes, owner: str, settings: StatementSettings, reader: flight.MetadataRecordBatchReader, cancelled: Cancelled
    ) -> None:
        values = parameter_values(reader)
        statement = self.prepared.get(handle, owner)
        if statement.types:
            self.prepared.bind(handle, owner, values)
        self._run(statement.sql, statement.bound(), owner, settings, cancelled)


def _catalog_commands(tables: Tables, infos: dict[int, SqlInfoValue]) -> dict[str, CatalogCommand]:
    def keys(message: Any, schema: pa.Schema) -> CatalogCommand:
        return CatalogCommand(message, lambda _: schema, lambda _: schema.empty_table())

    return {
        "CommandGetSqlInfo": CatalogCommand(
            pb.CommandGetSqlInfo, lambda _: SQL_INFO_SCHEMA, lambda request: sql_info_table(infos, request.info)
        ),
        "CommandGetXdbcTypeInfo": CatalogCommand(
            pb.CommandGetXdbcTypeInfo,
            lambda _: XDBC_TYPES_SCHEMA,
            lambda request: xdbc_types(request.data_type if request.HasField("data_type") else None),
        ),
        "CommandGetCatalogs": CatalogCommand(pb.CommandGetCatalogs, lambda _: catalog.CATALOGS_SCHEMA, lambda _: catalog.catalogs()),
        "CommandGetDbSchemas": CatalogCommand(pb.CommandGetDbSchemas, lambda _: catalog.DB_SCHEMAS_SCHEMA, catalog.db_schemas),
        "CommandGetTables": CatalogCommand(pb.CommandGetTables, catalog.tables_schema, lambda request: catalog.tables(request, tables)),
        "CommandGetTableTypes": CatalogCommand(
            pb.CommandGetTableTypes, lambda _: catalog.TABLE_TYPES_SCHEMA, lambda _: catalog.table_types()
        ),
        "CommandGetPrimaryKeys": keys(pb.CommandGetPrimaryKeys, catalog.PRIMARY_KEYS_SCHEMA),
        "CommandGetExportedKeys": keys(pb.CommandGetExportedKeys, catalog.FOREIGN_KEYS_SCHEMA),
        "CommandGetImportedKeys": keys(pb.CommandGetImportedKeys, catalog.FOREIGN_KEYS_SCHEMA),
        "CommandGetCrossReference": keys(pb.CommandGetCrossReference, catalog.FOREIGN_KEYS_SCHEMA),
    }


def _write_count(writer: flight.FlightMetadataWriter) -> None:
    writer.write(pa.py_buffer(pb.DoPutUpdateResult(record_count=UPDATED_ROWS).SerializeToString()))


build_decoders(__name__)
