"""Reading what clients and workers put into tickets: results, looks into an exchange, pulls from one. Clients may write them by hand.

A JSON object that is GetFlightInfo's command is a result's ticket too, or a statement with what else is to say of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from flight_server.errors import BadRequest
from flight_server.protocol.exchange_messages import ForwardedTicket
from flight_server.protocol.messages import Cursor, PeekTicket, ResultTicket, Submission, build_decoders, decode

MAX_TICKET_BYTES = 64 << 10
MAX_NUMBER = 1 << 62
MAX_QUERY_ID_CHARS = 64
MAX_PEEK_RECORDS = 100
SHAPE = '{"query_id": "…", "cursor": [file, row_group, row], "follow": true or false, "limit": rows or null}'
REMEDY = f"a result's ticket is JSON: {SHAPE}"
MAX_COMMAND_BYTES = 32 << 20
SUBMISSION_SHAPE = '{"sql": "…", "ahead": row groups or null, "purpose": "a word"}'
COMMAND_REMEDY = f"a statement is its text, or JSON: {SUBMISSION_SHAPE}; {REMEDY}"


@dataclass(frozen=True, slots=True)
class ExchangeTicket:
    """A pull from an exchange; ``body`` is the whole ticket, which the exchange's side reads."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A client's ticket that another worker passes on, to be answered from what this worker has itself, for that client."""

    ticket: ResultTicket | PeekTicket
    owner: str
    abandon: bool


class _Keys(msgspec.Struct):
    exchange: Any = msgspec.UNSET
    forwarded: Any = msgspec.UNSET
    peek: Any = msgspec.UNSET


class _CommandKeys(msgspec.Struct):
    sql: Any = msgspec.UNSET


Message = TypeVar("Message", bound=msgspec.Struct)
Ticket = ResultTicket | PeekTicket | ExchangeTicket | Forwarded


def parse_ticket(data: bytes) -> Ticket:
    """The ticket in ``data``. Raises ``BadRequest`` saying what is wrong with it."""
    if len(data) > MAX_TICKET_BYTES:
        raise BadRequest(f"the ticket is {len(data)} bytes long; at most {MAX_TICKET_BYTES} are read")
    keys = _keys(data)
    if keys.forwarded is msgspec.UNSET:
        return _parse(data, keys)
    message = read_message(data, ForwardedTicket, "the ticket")
    inner = bytes(message.forwarded)
    ticket = _parse(inner, _keys(inner))
    if isinstance(ticket, ExchangeTicket):
        raise BadRequest("a ticket that is passed on must be a result's, or a peek")
    return Forwarded(ticket, message.owner, message.abandon)


def parse_command(data: bytes) -> Submission | ResultTicket:
    """What a command that is a JSON object asks for. Raises ``BadRequest`` saying what is wrong with it."""
    if len(data) > MAX_COMMAND_BYTES:
        raise BadRequest(f"the command is {len(data)} bytes long; at most {MAX_COMMAND_BYTES} are read")
    if read_message(data, _CommandKeys, "the command", COMMAND_REMEDY).sql is not msgspec.UNSET:
        return read_message(data, Submission, "the statement's command", COMMAND_REMEDY)
    ticket = parse_ticket(data)
    if not isinstance(ticket, ResultTicket):
        raise BadRequest("a descriptor's ticket must be a result's")
    return ticket


def _keys(data: bytes) -> _Keys:
    return read_message(data, _Keys, "the ticket", REMEDY)


def _parse(data: bytes, keys: _Keys) -> ResultTicket | PeekTicket | ExchangeTicket:
    if keys.exchange is msgspec.UNSET:
        return _checked_result(read_message(data, ResultTicket, "the ticket", REMEDY))
    if keys.peek is msgspec.UNSET:
        return ExchangeTicket(data)
    return _checked_peek(read_message(data, PeekTicket, "the ticket", REMEDY))


def read_message(data: bytes, kind: type[Message], what: str, remedy: str | None = None) -> Message:
    """JSON that came from outside, as a ``kind``. Raises ``BadRequest`` saying what is wrong with ``what`` it is."""
    try:
        return decode(data, kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"{what} cannot be read as JSON: {error}", remedy=remedy) from error


def _checked_result(ticket: ResultTicket) -> ResultTicket:
    _check_query_id(ticket.query_id)
    if not all(0 <= number <= MAX_NUMBER for number in ticket.cursor):
        raise BadRequest(f"the ticket's cursor {list(ticket.cursor)} is not [file, row group, row], each from 0 on")
    if ticket.limit is not None and not 0 <= ticket.limit <= MAX_NUMBER:
        raise BadRequest(f"the ticket's limit is {ticket.limit}; it must be a number of rows, or null for all of them")
    return ResultTicket(ticket.query_id, Cursor(*ticket.cursor), ticket.follow, ticket.limit)


def _checked_peek(ticket: PeekTicket) -> PeekTicket:
    _check_query_id(ticket.query_id)
    if not 1 <= ticket.peek <= MAX_PEEK_RECORDS:
        raise BadRequest(f"the ticket wants to peek at {ticket.peek} records; it may be 1 to {MAX_PEEK_RECORDS}")
    return ticket


def _check_query_id(query_id: str) -> None:
    if not 1 <= len(query_id) <= MAX_QUERY_ID_CHARS:
        raise BadRequest(f"the ticket's query_id has {len(query_id)} characters; it is 1 to {MAX_QUERY_ID_CHARS} long")


build_decoders(__name__)
