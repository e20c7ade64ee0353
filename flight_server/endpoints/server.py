"""The Flight server: every call of a client comes in here, is checked, and goes to the query handler or to Flight SQL.

=================  ===========================================================================================================
GetFlightInfo      a SQL text, a statement or result ticket as JSON, the path of a table, or a Flight SQL command
GetSchema          the same; plans only
DoGet              a result, peek or exchange ticket, one that another worker passes on (``protocol.tickets``), or one of Flight SQL's
DoPut              Flight SQL's: parameters and updates
DoAction           ``query.…``, ``worker.list``, ``table.list`` in JSON, one result for each item; Flight SQL's; those between workers
ListFlights        tables (path ``[name]``), then finished results (command: their ticket); a criterion is a LIKE for tables' names
=================  ===========================================================================================================
"""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.flight as flight

from flight_server.endpoints.call_headers import CALL_HEADERS, CallHeadersReader, headers_of
from flight_server.endpoints.credentials import AnyHandshake, UncheckedCallers, on_loopback
from flight_server.endpoints.flight_sql import FlightSql
from flight_server.endpoints.guard import guarded, guarded_items
from flight_server.endpoints.parts import wanted
from flight_server.endpoints.sessions import Sessions, new_cookie
from flight_server.endpoints.sql_actions import SqlActions
from flight_server.endpoints.sql_info import sql_infos
from flight_server.endpoints.streams import exchange_stream, flight_info, now, peek_stream, result_stream
from flight_server.errors import BadRequest, PortInUse, ServerError, UnknownAction, UnknownQuery, shorten
from flight_server.protocol.any_message import type_name, unpack
from flight_server.protocol.messages import (
    START,
    PeekTicket,
    QueryLine,
    QueryListRequest,
    QueryRef,
    QueryStatus,
    ResultTicket,
    Submission,
    TableListRequest,
    encode,
)
from flight_server.protocol.service import Cancelled, Services, StatementSettings
from flight_server.protocol.tickets import ExchangeTicket, Forwarded, parse_command, parse_ticket, read_message
from flight_server.protocol.wire_types import bare_schema, wire_schema
from flight_server.settings.config import MAX_SQL_BYTES, ResultsConfig
from planner.errors import Status, UnknownTable, VolleyError
from planner.quoting import quote_name

MAX_LISTED_RESULTS = 1_000
"""Of one ``ListFlights``: each takes a look at the result's schema."""
_JSON = b"{"


def owner_of(context: flight.ServerCallContext) -> str:
    """Who calls: the name that authentication put on the call, ``""`` where nobody has to say who they are."""
    return str(context.peer_identity().decode("utf-8", "replace"))


class VolleyServer(flight.FlightServerBase):  # type: ignore[misc, unused-ignore]
    """Serves a query service on ``host`` and ``port`` (0: a free one) from the moment that it is made. Thread-safe.

    ``result_seconds`` is how long results are said to be kept. ``flight_options`` go to pyarrow's ``FlightServerBase``: certificates,
    middleware. Raises ``PortInUse`` or another ``ServerError`` if it cannot listen there.
    """

    def __init__(
        self,
        services: Services,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        version: str = "",
        read_only: bool = True,
        result_seconds: float = ResultsConfig().ttl_seconds,
        **flight_options: Any,
    ) -> None:
        check_port(host, port)
        self.host = host
        self._scheme = "grpc+tls" if flight_options.get("tls_certificates") else "grpc"
        self._services = services
        self._result_seconds = result_seconds
        self._stopping = threading.Event()
        self._sessions = Sessions(services.queries.time_zone)
        infos = sql_infos(version, read_only=read_only)
        self._sql = FlightSql(services, self._sessions, infos, result_seconds, self._stopping.is_set)
        self._sql_actions = SqlActions(services.queries, self._sql.prepared, self._sql.transactions, self._sessions)
        self._actions: dict[str, tuple[str, Callable[[bytes, str, Cancelled], Iterator[bytes]]]] = {
            "query.list": ("the caller's queries, newest first: body {all, limit}, or none", self._query_list),
            "query.status": ("how a query is doing: body {query_id}", self._query_status),
            "query.kill": ("stops a query: body {query_id}", self._query_kill),
            "query.drop": ("removes a query and its result, having stopped it: body {query_id}", self._query_drop),
            "query.watch": ("a query's status at each change, until it has ended: body {query_id}", self._query_watch),
            "worker.list": ("the workers", self._worker_list),
            "table.list": ("the tables: body {pattern, details}, or none", self._table_list),
        }
        headers = {CALL_HEADERS: CallHeadersReader(UncheckedCallers(on_loopback(host))), **flight_options.pop("middleware", {})}
        super().__init__(f"{self._scheme}://{_bracketed(host)}:{port}", AnyHandshake(), middleware=headers, **flight_options)

    @property
    def uri(self) -> str:
        """Where clients reach it."""
        return f"{self._scheme}://{_bracketed(self.host)}:{self.port}"

    def shutdown(self, wait_seconds: float = 0.0) -> None:
        """Lets open calls end for ``wait_seconds``, then cuts them off with UNAVAILABLE, and stops. Not to be called from inside a call."""
        timer = threading.Timer(wait_seconds, self._stopping.set)
        timer.daemon = True
        timer.start()
        try:
            super().shutdown()
        finally:
            timer.cancel()
            self._stopping.set()

    @guarded
    def get_flight_info(self, context: flight.ServerCallContext, descriptor: flight.FlightDescriptor) -> flight.FlightInfo:
        """Starts a query, or says where something can be read."""
        owner = owner_of(context)
        if descriptor.descriptor_type == flight.DescriptorType.PATH:
            with _read_whole(descriptor.path) as sql:
                return self._submit(Submission(sql), descriptor, owner, self._settings(context))
        command = descriptor.command or b""
        packed = unpack(command)
        if packed is not None:
            if type_name(packed) == "CommandGetSqlInfo":
                _offer_session(context)
            headers = headers_of(context)
            return self._sql.info(packed, descriptor, owner, self._settings(context), wanted(headers.parts, headers.ahead))
        if command.startswith(_JSON):
            asked = parse_command(command)
            if isinstance(asked, ResultTicket):
                return self._ticket_info(asked, descriptor, owner)
            return self._submit(asked, descriptor, owner, self._settings(context))
        return self._submit(Submission(_sql_text(command)), descriptor, owner, self._settings(context))

    @guarded
    def get_schema(self, context: flight.ServerCallContext, descriptor: flight.FlightDescriptor) -> flight.SchemaResult:
        """Plans only."""
        return flight.SchemaResult(wire_schema(bare_schema(self._schema(descriptor, owner_of(context), self._settings(context)))))

    @guarded
    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.FlightDataStream:
        """Opens a stream of record batches."""
        owner = owner_of(context)
        cancelled = self._cancelled(context)
        packed = unpack(ticket.ticket)
        if packed is not None:
            return self._sql.get(packed, owner, self._settings(context), cancelled)
        parsed = parse_ticket(ticket.ticket)
        if isinstance(parsed, ResultTicket):
            stream = self._services.queries.read(parsed, owner, cancelled, False)
            return result_stream(stream._replace(schema=bare_schema(stream.schema)), self._stopping.is_set)
        if isinstance(parsed, ExchangeTicket):
            return exchange_stream(self._services.exchanges.pull(parsed.body, cancelled))
        if isinstance(parsed, Forwarded):
            return self._passed_on(parsed, cancelled)
        return peek_stream(self._services.queries.peek(parsed, owner))

    @guarded
    def do_put(
        self,
        context: flight.ServerCallContext,
        descriptor: flight.FlightDescriptor,
        reader: flight.MetadataRecordBatchReader,
        writer: flight.FlightMetadataWriter,
    ) -> None:
        """Flight SQL's parameters and updates; nothing else is written to a server."""
        packed = unpack(descriptor.command or b"")
        if packed is None:
            raise UnknownAction("DoPut is served only for Flight SQL's parameters and updates")
        self._sql.put(packed, owner_of(context), self._settings(context), reader, writer, self._cancelled(context))

    @guarded
    def do_exchange(
        self,
        context: flight.ServerCallContext,
        descriptor: flight.FlightDescriptor,
        reader: flight.MetadataRecordBatchReader,
        writer: flight.MetadataRecordBatchWriter,
    ) -> None:
        """Not served."""
        raise UnknownAction("DoExchange is not served; exchanges are read with DoGet")

    @guarded
    def do_action(self, context: flight.ServerCallContext, action: flight.Action) -> Iterator[bytes]:
        """Runs an action."""
        return guarded_items(self._act(action.type, action.body.to_pybytes(), context))

    @guarded
    def list_actions(self, context: flight.ServerCallContext) -> list[tuple[str, str]]:
        """The actions that clients may run."""
        ours = [(name, text) for name, (text, _) in self._actions.items()]
        return ours + [(name, "as Arrow Flight and Flight SQL define it") for name in self._sql_actions.names()]

    @guarded
    def list_flights(self, context: flight.ServerCallContext, criteria: bytes) -> Iterator[flight.FlightInfo]:
        """Tables, then finished results. ``criteria`` is a LIKE pattern of tables' names, or a ``QueryListRequest`` as JSON for results."""
        return guarded_items(self._flights(criteria, owner_of(context)))

    def _passed_on(self, parsed: Forwarded, cancelled: Cancelled) -> flight.FlightDataStream:
        queries, ticket, owner = self._services.queries, parsed.ticket, parsed.owner
        if isinstance(ticket, PeekTicket):
            if (peeked := queries.local_peek(ticket, owner)) is not None:
                return peek_stream(peeked)
        elif (found := queries.local_read(ticket, owner, cancelled, parsed.abandon)) is not None:
            return result_stream(found, self._stopping.is_set)
        raise UnknownQuery(ticket.query_id)

    def _settings(self, context: flight.ServerCallContext) -> StatementSettings:
        """How statements of the call's session are to run."""
        return self._sessions.settings(headers_of(context).session_id)

    def _schema(self, descriptor: flight.FlightDescriptor, owner: str, settings: StatementSettings) -> pa.Schema:
        if descriptor.descriptor_type == flight.DescriptorType.PATH:
            with _read_whole(descriptor.path) as sql:
                return self._services.queries.plan_schema(sql, settings=settings)
        command = descriptor.command or b""
        packed = unpack(command)
        if packed is not None:
            return self._sql.schema(packed, owner, settings)
        if command.startswith(_JSON):
            asked = parse_command(command)
            if isinstance(asked, ResultTicket):
                return self._result_schema(asked, owner)
            return self._services.queries.plan_schema(asked.sql, settings=settings)
        return self._services.queries.plan_schema(_sql_text(command), settings=settings)

    def _submit(self, asked: Submission, descriptor: flight.FlightDescriptor, owner: str, settings: StatementSettings) -> flight.FlightInfo:
        queries = self._services.queries
        query_id, schema, change = queries.submit(asked.sql, owner, ahead=asked.ahead, purpose=asked.purpose, settings=settings)
        if change is not None:
            self._sessions.change(settings.session_id, change)
        ticket = encode(ResultTicket(query_id, START, True))
        expires_at = now() + self._result_seconds
        return flight_info(schema, descriptor, [ticket], expires_at=expires_at, app_metadata=encode(QueryRef(query_id)))

    def _ticket_info(self, ticket: ResultTicket, descriptor: flight.FlightDescriptor, owner: str) -> flight.FlightInfo:
        status = self._services.queries.status(ticket.query_id, owner)
        if status is None:
            raise UnknownQuery(ticket.query_id)
        return self._result_info(status, ticket, descriptor, owner)

    def _result_info(
        self, status: QueryLine | QueryStatus, ticket: ResultTicket, descriptor: flight.FlightDescriptor, owner: str
    ) -> flight.FlightInfo:
        return flight_info(
            self._result_schema(ticket, owner),
            descriptor,
            [encode(ticket)],
            expires_at=status.result.expires_at,
            app_metadata=encode(QueryRef(status.query_id)),
            rows=status.result.rows if status.result.closed else -1,
            size_bytes=status.result.bytes if status.result.closed else -1,
        )

    def _result_schema(self, ticket: ResultTicket, owner: str) -> pa.Schema:
        return self._services.queries.read(ticket, owner, self._stopping.is_set, False).schema

    def _flights(self, criteria: bytes, owner: str) -> Iterator[flight.FlightInfo]:
        if criteria.startswith(_JSON):
            yield from self._finished(read_message(criteria, QueryListRequest, "the criteria"), owner)
            return
        pattern = criteria.decode("utf-8", "replace")
        for name, schema in self._services.tables.schemas(pattern or None):
            if schema is not None:
                yield flight.FlightInfo(wire_schema(schema), flight.FlightDescriptor.for_path(name), [], -1, -1)
        if not pattern:
            yield from self._finished(QueryListRequest(), owner)

    def _finished(self, asked: QueryListRequest, owner: str) -> Iterator[flight.FlightInfo]:
        limit = min(asked.limit or MAX_LISTED_RESULTS, MAX_LISTED_RESULTS)
        for line in self._services.queries.queries(owner, everything=asked.all, limit=limit, before=asked.before):
            if line.state == "completed" and (info := self._finished_info(line, owner)) is not None:
                yield info

    def _finished_info(self, status: QueryLine, owner: str) -> flight.FlightInfo | None:
        ticket = ResultTicket(status.query_id, START, True)
        descriptor = flight.FlightDescriptor.for_command(encode(ticket))
        try:
            return self._result_info(status, ticket, descriptor, owner)
        except VolleyError as error:
            if error.status is Status.NOT_FOUND:
                return None
            raise

    def _act(self, name: str, body: bytes, context: flight.ServerCallContext) -> Iterator[bytes]:
        owner = owner_of(context)
        known = self._actions.get(name)
        if known is not None:
            return known[1](body, owner, self._cancelled(context))
        if self._sql_actions.knows(name):
            if self._sql_actions.of_session(name):
                _offer_session(context)
            return iter(self._sql_actions.run(name, body, owner, headers_of(context).session_id))
        answers = self._services.between_workers.run(name, body)
        if answers is None:
            raise UnknownAction(f"there is no action {shorten(name)!r}", remedy="ListActions names them")
        return answers

    def _query_list(self, body: bytes, owner: str, cancelled: Cancelled) -> Iterator[bytes]:
        asked = read_message(body or b"{}", QueryListRequest, "the action's body")
        return map(encode, self._services.queries.queries(owner, everything=asked.all, limit=asked.limit, before=asked.before))

    def _query_status(self, body: bytes, owner: str, cancelled: Cancelled) -> Iterator[bytes]:
        return _one(_query_id(body), self._services.queries.status, owner)

    def _query_kill(self, body: bytes, owner: str, cancelled: Cancelled) -> Iterator[bytes]:
        return _one(_query_id(body), self._services.queries.kill, owner)

    def _query_drop(self, body: bytes, owner: str, cancelled: Cancelled) -> Iterator[bytes]:
        return _one(_query_id(body), self._services.queries.drop, owner)

    def _query_watch(self, body: bytes, owner: str, cancelled: Cancelled) -> Iterator[bytes]:
        return map(encode, self._services.queries.watch(_query_id(body), owner, cancelled))

    def _worker_list(self, body: bytes, owner: str, cancelled: Cancelled) -> Iterator[bytes]:
        return map(encode, self._services.workers())

    def _table_list(self, body: bytes, owner: str, cancelled: Cancelled) -> Iterator[bytes]:
        return map(encode, self._services.tables.tables(read_message(body or b"{}", TableListRequest, "the action's body")))

    def _cancelled(self, context: flight.ServerCallContext) -> Cancelled:
        stopping, gone = self._stopping.is_set, context.is_cancelled
        return lambda: stopping() or gone()


def _offer_session(context: flight.ServerCallContext) -> None:
    """Gives a client that has no session a cookie, to begin one if it keeps it."""
    if headers_of(context).session_id is None:
        context.add_header("set-cookie", new_cookie())


def check_port(host: str, port: int) -> None:
    """Raises ``PortInUse`` if somebody listens there: gRPC itself would share the port with them, silently."""
    if port == 0:
        return
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise ServerError(f"there is no host {host!r}", remedy="--host takes a name or an address of this machine") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from error
        raise ServerError(f"cannot listen on {host}:{port}: {error.strerror}") from error


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


@contextmanager
def _read_whole(path: list[bytes]) -> Iterator[str]:
    """The statement that reads the table at a path. What the block says of that statement is said of the path instead."""
    name = "/".join(part.decode("utf-8", "replace") for part in path)
    if len(path) != 1:
        raise BadRequest(f"the path {shorten(name)!r} has {len(path)} parts; a table's is its name alone")
    try:
        yield f"SELECT * FROM {quote_name(name)}"
    except UnknownTable:
        raise UnknownTable(f"there is no table {shorten(name)!r}", remedy="`SHOW TABLES` lists what there is") from None


def _sql_text(command: bytes) -> str:
    if len(command) > MAX_SQL_BYTES:
        raise BadRequest(f"the statement is {len(command)} bytes long; at most {MAX_SQL_BYTES} are read")
    try:
        return command.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"the statement is not valid UTF-8: byte {error.start} is {command[error.start]:#04x}") from error


def _query_id(body: bytes) -> str:
    query_id: str = read_message(body, QueryRef, "the action's body").query_id
    return query_id


def _one(query_id: str, find: Callable[[str, str], QueryStatus | None], owner: str) -> Iterator[bytes]:
    status = find(query_id, owner)
    if status is None:
        raise UnknownQuery(query_id)
    return iter([encode(status)])
