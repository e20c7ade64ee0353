"""The actions of Flight SQL, and those of plain Flight that its drivers use: preparing, transactions, cancelling, renewing, sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.flight as flight

from flight_server.endpoints.column_metadata import described
from flight_server.endpoints.parts import part_of
from flight_server.endpoints.prepared import PreparedStatements
from flight_server.endpoints.sessions import Sessions
from flight_server.endpoints.streams import timestamp
from flight_server.endpoints.transactions import Transactions
from flight_server.errors import BadRequest, UnknownAction, UnknownQuery
from flight_server.protocol import flight_sql_pb2 as pb
from flight_server.protocol.any_message import pack, parse, read, type_name, unpack
from flight_server.protocol.messages import ENDED, QueryPhase, ResultTicket
from flight_server.protocol.service import Queries
from flight_server.protocol.tickets import parse_ticket
from flight_server.protocol.wire_types import wire_schema

CREATE_PREPARED = "CreatePreparedStatement"

UNSUPPORTED = {
    "BeginSavepoint": "nothing is written that could be taken back: leave savepoints out",
    "EndSavepoint": "nothing is written that could be taken back: leave savepoints out",
    "CreatePreparedSubstraitPlan": "send SQL",
}
"""Actions of the protocol that are refused, and what to do instead."""


class SqlActions:
    """DoAction for drivers: bodies and answers are protobuf, each action's as its protocol has them. Thread-safe."""

    def __init__(self, queries: Queries, prepared: PreparedStatements, transactions: Transactions, sessions: Sessions) -> None:
        self._queries = queries
        self._prepared = prepared
        self._transactions = transactions
        self._sessions = sessions
        self._actions: dict[str, Callable[[bytes, str], bytes | None]] = {
            "ClosePreparedStatement": self._close_prepared,
            "BeginTransaction": self._begin_transaction,
            "EndTransaction": self._end_transaction,
            "CancelQuery": self._cancel_query,
            "CancelFlightInfo": self._cancel_flight_info,
            "RenewFlightEndpoint": self._renew_endpoint,
        }
        self._session_actions: dict[str, Callable[[bytes, str | None], bytes]] = {
            "SetSessionOptions": sessions.set_options,
            "GetSessionOptions": lambda _body, session_id: sessions.options(session_id),
            "CloseSession": lambda _body, session_id: sessions.close(session_id),
        }

    def names(self) -> list[str]:
        """The actions that are served."""
        return [CREATE_PREPARED, *self._actions, *self._session_actions]

    def knows(self, name: str) -> bool:
        """Whether the action is one of these, served or refused."""
        return name in self.names() or name in UNSUPPORTED

    def of_session(self, name: str) -> bool:
        """Whether the action is about a session."""
        return name in self._session_actions

    def run(self, name: str, body: bytes, owner: str, session_id: str | None) -> list[bytes]:
        """Runs an action; raises ``UnknownAction`` for those that Volley refuses."""
        if (of_session := self._session_actions.get(name)) is not None:
            return [of_session(body, session_id)]
        if name == CREATE_PREPARED:
            return [self._create_prepared(body, owner, session_id)]
        action = self._actions.get(name)
        if action is None:
            raise UnknownAction(f"Volley does not serve {name}", remedy=UNSUPPORTED[name])
        answer = action(body, owner)
        return [] if answer is None else [answer]

    def _create_prepared(self, body: bytes, owner: str, session_id: str | None) -> bytes:
        request = _read(body, pb.ActionCreatePreparedStatementRequest)
        self._transactions.check(request.transaction_id, owner)
        types, schema = self._queries.prepare(request.query, settings=self._sessions.settings(session_id))
        statement = self._prepared.add(request.query, owner, types)
        answer = pb.ActionCreatePreparedStatementResult(
            prepared_statement_handle=statement.handle.encode(),
            dataset_schema=b"" if schema is None else wire_schema(described(schema)).serialize().to_pybytes(),
            parameter_schema=_parameter_schema(types).serialize().to_pybytes(),
        )
        return pack(answer)

    def _close_prepared(self, body: bytes, owner: str) -> None:
        self._prepared.close(_read(body, pb.ActionClosePreparedStatementRequest).prepared_statement_handle, owner)

    def _begin_transaction(self, body: bytes, owner: str) -> bytes:
        _read(body, pb.ActionBeginTransactionRequest)
        return pack(pb.ActionBeginTransactionResult(transaction_id=self._transactions.begin(owner)))

    def _end_transaction(self, body: bytes, owner: str) -> None:
        request = _read(body, pb.ActionEndTransactionRequest)
        if request.action == pb.ActionEndTransactionRequest.UNSPECIFIED:
            raise BadRequest("the request says neither COMMIT nor ROLLBACK")
        self._transactions.end(request.transaction_id, owner)

    def _cancel_query(self, body: bytes, owner: str) -> bytes:
        status = self._cancel(_read(body, pb.ActionCancelQueryRequest).info, owner)
        return pack(pb.ActionCancelQueryResult(result=status))

    def _cancel_flight_info(self, body: bytes, owner: str) -> bytes:
        status = self._cancel(_read(body, pb.CancelFlightInfoRequest).info, owner)
        return _bytes(pb.CancelFlightInfoResult(status=status))

    def _cancel(self, info: bytes, owner: str) -> int:
        tickets = [_result_ticket(endpoint) for endpoint in _flight_info(info).endpoints]
        known = [ticket for ticket in tickets if ticket is not None]
        if not known:
            return int(pb.CANCEL_STATUS_NOT_CANCELLABLE)
        states = {self._killed(query_id, owner) for query_id in {ticket.query_id for ticket in known}}
        if states <= {"completed", "failed"}:
            return int(pb.CANCEL_STATUS_NOT_CANCELLABLE)
        # A query is killed once it has stopped; until then the client may ask again.
        return int(pb.CANCEL_STATUS_CANCELLED if states <= ENDED else pb.CANCEL_STATUS_CANCELLING)

    def _killed(self, query_id: str, owner: str) -> QueryPhase:
        status = self._queries.kill(query_id, owner)
        if status is None:
            raise UnknownQuery(query_id)
        return status.state

    def _renew_endpoint(self, body: bytes, owner: str) -> bytes:
        endpoint = _flight_endpoint(_read(body, pb.RenewFlightEndpointRequest).endpoint)
        ticket = _result_ticket(endpoint)
        if ticket is None:
            return _endpoint_bytes(endpoint)
        status = self._queries.status(ticket.query_id, owner)
        if status is None:
            raise UnknownQuery(ticket.query_id)
        expires_at = status.result.expires_at
        if expires_at is None:
            return _endpoint_bytes(endpoint)
        renewed = flight.FlightEndpoint(endpoint.ticket, endpoint.locations, timestamp(expires_at), endpoint.app_metadata)
        return _endpoint_bytes(renewed)


def _parameter_schema(types: Sequence[pa.DataType]) -> pa.Schema:
    return pa.schema([pa.field(f"parameter_{number}", kind) for number, kind in enumerate(types, start=1)])


def _read(body: bytes, kind: Any) -> Any:
    """A body, whether it travels inside an ``Any`` (Flight SQL's own actions) or as it is (plain Flight's)."""
    packed = unpack(body)
    return parse(body, kind) if packed is None else read(packed, kind)


def _bytes(message: Any) -> bytes:
    body: bytes = message.SerializeToString()
    return body


def _flight_info(data: bytes) -> flight.FlightInfo:
    try:
        return flight.FlightInfo.deserialize(data)
    except (pa.ArrowException, ValueError) as error:
        raise BadRequest("the request's FlightInfo cannot be read") from error


def _flight_endpoint(data: bytes) -> flight.FlightEndpoint:
    try:
        return flight.FlightEndpoint.deserialize(data)
    except (pa.ArrowException, ValueError) as error:
        raise BadRequest("the request's FlightEndpoint cannot be read") from error


def _endpoint_bytes(endpoint: flight.FlightEndpoint) -> bytes:
    body: bytes = endpoint.serialize()
    return body


def _result_ticket(endpoint: flight.FlightEndpoint) -> ResultTicket | None:
    """The result that an endpoint reads, or None if it is a catalog's or an execution's."""
    data = endpoint.ticket.ticket
    packed = unpack(data)
    if packed is not None:
        if type_name(packed) != "TicketStatementQuery":
            return None
        data = read(packed, pb.TicketStatementQuery).statement_handle
        if (part := part_of(data)) is not None:
            return ResultTicket(part.query_id)
    ticket = parse_ticket(data)
    return ticket if isinstance(ticket, ResultTicket) else None
