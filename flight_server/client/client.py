"""A client of Volley over plain Arrow Flight: what the command line and the terminal UI use, and any Python program may.

    with Client("grpc://127.0.0.1:8815") as client:
        table = client.query("SELECT 42 AS answer")

All failures are :class:`flight_server.errors.ClientError`, with a status and a message for people. A failed call leaves the
client usable: the connection comes back by itself when the server does.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Generator, Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.flight as flight

from flight_server.client.parameters import typed_row
from flight_server.errors import ClientError
from flight_server.protocol import flight_sql_pb2 as pb
from flight_server.protocol.any_message import pack, read, unpack
from flight_server.protocol.client_errors import translating
from flight_server.protocol.messages import (
    AHEAD_HEADER,
    END,
    SESSION_COOKIE,
    START,
    BatchPlace,
    Cursor,
    PeekTicket,
    QueryLine,
    QueryListRequest,
    QueryRef,
    QueryStatus,
    ResultTicket,
    Submission,
    TableListRequest,
    TableStatus,
    WorkerStatus,
    decode,
    encode,
)
from planner.errors import Status

CALL_SECONDS = 30.0
PLAN_SECONDS = 300.0
_URI = re.compile(r"((?:grpc|grpc\+tcp|grpc\+tls)://(?:[^\s/:@\[\]]+|\[[0-9a-fA-F:.]+\]):\d{1,5}|grpc\+unix://\S+?)/?")
# gRPC waits up to two minutes before it tries a lost server again; a person looks at the screen meanwhile.
# The least back-off is also what an attempt to connect may take: a busy server, or one far away, needs more than an instant.
_CHANNEL = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.min_reconnect_backoff_ms", 5000), ("grpc.max_reconnect_backoff_ms", 1000)]

Answer = TypeVar("Answer", bound=msgspec.Struct)


class Submitted(NamedTuple):
    """A query that the server accepted. ``ticket`` reads its whole result from the start."""

    query_id: str
    schema: pa.Schema
    ticket: ResultTicket


class Client:
    """A connection to a Volley server. Thread-safe; nothing is sent before the first call.

    ``uri`` is ``grpc://HOST:PORT``, ``grpc+tls://HOST:PORT`` or ``HOST:PORT``. ``tls_ca`` is a PEM text of authorities to trust
    instead of the system's. ``token`` is sent as a bearer token. With ``session``, what ``SET`` sets holds for the statements after it.
    Times are in seconds.
    """

    def __init__(self, uri: str, *, token: str | None = None, tls_ca: str | bytes | None = None, session: bool = False) -> None:
        self.uri = normal_uri(uri)
        self._headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
        if session:
            self._headers.append((b"cookie", f"{SESSION_COOKIE}={secrets.token_hex(16)}".encode()))
        trust = {} if tls_ca is None else {"tls_root_certs": tls_ca}
        with translating(self.uri):
            self._flight = flight.FlightClient(self.uri, generic_options=_CHANNEL, **trust)

    def submit(self, sql: str, parameters: Sequence[object] = (), *, ahead: int | None = None, purpose: str | None = None) -> Submitted:
        """Starts a statement; returns as soon as it is planned.

        ``parameters`` are the values of its ``?`` or ``$1``, ``$2`` …; a text becomes the type that the server announces there.
        With ``ahead`` only what is looked at is made: so many row groups beyond the furthest that was read or is waited for. The query
        runs meanwhile. While it waits, it is stopped when nobody has read it or asked for its status for the server's ``limits.abandon``.
        ``purpose`` (a word of letters, digits and ``-``) keeps what a program asks for itself out of :meth:`queries`.
        """
        if parameters:
            assert purpose is None, "a statement with parameters is the user's own"
            return self._submit_prepared(sql, parameters, ahead)
        plain = ahead is None and not purpose
        command = _utf8(sql) if plain else _utf8_json(Submission(sql, ahead, purpose or ""))
        descriptor = flight.FlightDescriptor.for_command(command)
        with translating(self.uri):
            info = self._flight.get_flight_info(descriptor, self._options(PLAN_SECONDS))
            ticket = decode(info.endpoints[0].ticket.ticket, ResultTicket)
            return Submitted(ticket.query_id, info.schema, ticket)

    def read(
        self, source: ResultTicket | str, cursor: Cursor = START, *, follow: bool = True, limit: int | None = None
    ) -> Generator[tuple[pa.RecordBatch, BatchPlace], None, None]:
        """The batches of a result, each with its place; waits for rows that are not there yet.

        ``source`` is a ticket, taken as it is, or a query id, read from ``cursor``. After a failure, go on from the last
        place's ``next``. Closing the iterator stops the stream, not the query.
        """
        ticket = source if isinstance(source, ResultTicket) else ResultTicket(source, cursor, follow, limit)
        with translating(self.uri):
            reader = self._flight.do_get(flight.Ticket(encode(ticket)), self._options(None))
        return self._chunks(reader)

    def row_group(self, query_id: str, cursor: Cursor, *, timeout: float | None = None) -> tuple[pa.Table, Cursor | None]:
        """One row group from ``cursor`` on, and the cursor after it (None: that was the last). Waits until it is closed."""
        ticket = flight.Ticket(encode(ResultTicket(query_id, cursor)))
        after: Cursor | None = None
        batches = []
        with translating(self.uri):
            reader = self._flight.do_get(ticket, self._options(timeout))
            for chunk in reader:
                if chunk.app_metadata is not None:
                    after = decode(chunk.app_metadata, BatchPlace).next
                if chunk.data is not None:
                    batches.append(chunk.data)
            return pa.Table.from_batches(batches, reader.schema), after

    def make_all(self, query_id: str, *, timeout: float | None = None) -> None:
        """Has a look (a query with ``ahead``) make all its rows; returns when they are made. Raises what reading them would."""
        self.row_group(query_id, END, timeout=timeout)

    def query(self, sql: str) -> pa.Table:
        """Runs a statement and returns its whole result. If the call is interrupted, the query is killed."""
        submitted = self.submit(sql)
        try:
            return pa.Table.from_batches([batch for batch, _ in self.read(submitted.ticket)], submitted.schema)
        except KeyboardInterrupt:
            self.kill(submitted.query_id)
            raise

    def schema(self, sql: str) -> pa.Schema:
        """The schema that a statement's result would have; plans only."""
        descriptor = flight.FlightDescriptor.for_command(_utf8(sql))
        with translating(self.uri):
            return self._flight.get_schema(descriptor, self._options(PLAN_SECONDS)).schema

    def status(self, query_id: str, *, timeout: float = CALL_SECONDS) -> QueryStatus | None:
        """How a query is doing, or None if there is no such query."""
        return self._found(lambda: self._one("query.status", QueryRef(query_id), QueryStatus, timeout))

    def kill(self, query_id: str, *, timeout: float = CALL_SECONDS) -> QueryStatus | None:
        """Asks a query to stop; None if there is no such query."""
        return self._found(lambda: self._one("query.kill", QueryRef(query_id), QueryStatus, timeout))

    def drop(self, query_id: str, *, timeout: float = CALL_SECONDS) -> QueryStatus | None:
        """Removes a query and its result at once, having stopped it; its last status, or None if there is no such query."""
        return self._found(lambda: self._one("query.drop", QueryRef(query_id), QueryStatus, timeout))

    def queries(
        self, *, everything: bool = False, limit: int | None = None, before: float | None = None, timeout: float = CALL_SECONDS
    ) -> list[QueryLine]:
        """A line for each of the caller's queries, newest first, at most ``limit``; :meth:`status` has all that is known of one.

        Those that a program asked for itself (with a purpose) are left out, unless ``everything`` is asked for. ``before`` (Unix
        seconds), the last line's ``submitted_at``, gives the next page.
        """
        return list(self._act("query.list", encode(QueryListRequest(everything, limit, before)), QueryLine, timeout))

    def watch(self, query_id: str, *, timeout: float | None = None) -> Iterator[QueryStatus]:
        """The status of a query now, at each change, and at last when it has ended. Raises NOT_FOUND if there is no such query."""
        return self._act("query.watch", encode(QueryRef(query_id)), QueryStatus, timeout)

    def workers(self, *, timeout: float = CALL_SECONDS) -> list[WorkerStatus]:
        """All workers that the server knows."""
        return list(self._act("worker.list", b"", WorkerStatus, timeout))

    def tables(self, details: bool = True, pattern: str | None = None, *, timeout: float = PLAN_SECONDS) -> list[TableStatus]:
        """The tables, by name. ``details`` asks for columns and rows too, for which files are opened; ``pattern`` is a SQL LIKE."""
        return list(self._act("table.list", encode(TableListRequest(pattern, details)), TableStatus, timeout))

    def peek(self, query_id: str, exchange: str, records: int, *, timeout: float = CALL_SECONDS) -> list[pa.RecordBatch]:
        """Up to ``records`` records that wait in an exchange of a running query; none is consumed."""
        ticket = flight.Ticket(encode(PeekTicket(query_id, exchange, records)))
        with translating(self.uri):
            return [chunk.data for chunk in self._flight.do_get(ticket, self._options(timeout)) if chunk.data is not None]

    def close(self) -> None:
        """Closes the connection; further calls fail."""
        self._flight.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _submit_prepared(self, sql: str, parameters: Sequence[object], ahead: int | None) -> Submitted:
        """By Flight SQL, which alone has a place for parameters: prepares, binds, executes and closes."""
        options = self._options(PLAN_SECONDS)
        request = pack(pb.ActionCreatePreparedStatementRequest(query=sql))
        with translating(self.uri):
            answer = next(iter(self._flight.do_action(flight.Action("CreatePreparedStatement", request), options)))
            packed = unpack(answer.body.to_pybytes())
            if packed is None:
                raise ClientError(f"the server at {self.uri} prepared no statement", status=Status.INTERNAL)
            prepared = read(packed, pb.ActionCreatePreparedStatementResult)
            handle = prepared.prepared_statement_handle
            command = pb.CommandPreparedStatementQuery(prepared_statement_handle=handle)
            descriptor = flight.FlightDescriptor.for_command(pack(command))
            try:
                row = typed_row(parameters, pa.ipc.read_schema(pa.py_buffer(prepared.parameter_schema)))
                writer, _ = self._flight.do_put(descriptor, row.schema, options)
                with writer:
                    writer.write_batch(row)
                looking = [] if ahead is None else [(AHEAD_HEADER.encode(), str(ahead).encode())]
                info = self._flight.get_flight_info(descriptor, self._options(PLAN_SECONDS, looking))
            finally:
                closing = pack(pb.ActionClosePreparedStatementRequest(prepared_statement_handle=handle))
                list(self._flight.do_action(flight.Action("ClosePreparedStatement", closing), self._options(CALL_SECONDS)))
            query_id = decode(info.app_metadata, QueryRef).query_id
            return Submitted(query_id, info.schema, ResultTicket(query_id, START, True))

    def _options(self, seconds: float | None, headers: Sequence[tuple[bytes, bytes]] = ()) -> flight.FlightCallOptions:
        return flight.FlightCallOptions(timeout=seconds, headers=[*self._headers, *headers])

    def _chunks(self, reader: flight.FlightStreamReader) -> Generator[tuple[pa.RecordBatch, BatchPlace], None, None]:
        ended = False
        try:
            with translating(self.uri):
                for chunk in reader:
                    if chunk.data is not None:
                        yield chunk.data, decode(chunk.app_metadata, BatchPlace)
            ended = True
        finally:
            if not ended:
                reader.cancel()

    def _act(self, name: str, body: bytes, kind: type[Answer], timeout: float | None) -> Iterator[Answer]:
        with translating(self.uri):
            for result in self._flight.do_action(flight.Action(name, body), self._options(timeout)):
                yield decode(result.body, kind)

    def _one(self, name: str, request: msgspec.Struct, kind: type[Answer], timeout: float) -> Answer:
        for answer in self._act(name, encode(request), kind, timeout):
            return answer
        raise ClientError(f"the server at {self.uri} did not answer {name}", status=Status.INTERNAL)

    def _found(self, call: Callable[[], QueryStatus]) -> QueryStatus | None:
        try:
            return call()
        except ClientError as error:
            if error.status is Status.NOT_FOUND:
                return None
            raise


def normal_uri(uri: str) -> str:
    """``uri`` with its scheme. Raises ``ClientError`` if it is none that Flight can use."""
    text = uri.strip()
    text = text if "://" in text else f"grpc://{text}"
    if (found := _URI.fullmatch(text)) is None:
        raise ClientError(
            f"{uri!r} is not the URI of a server",
            status=Status.INVALID_ARGUMENT,
            remedy="it looks like grpc://HOST:PORT, or grpc+tls://HOST:PORT",
        )
    return found[1]


def _utf8_json(submission: Submission) -> bytes:
    try:
        return encode(submission)
    except UnicodeEncodeError:
        raise ClientError("the statement is not valid Unicode", status=Status.INVALID_ARGUMENT) from None


def _utf8(sql: str) -> bytes:
    # Half a surrogate pair (a terminal's broken input) is the server's to refuse, as any text that is not UTF-8.
    return sql.encode("utf-8", "surrogatepass")
