from __future__ import annotations

import msgspec
import pytest

from flight_server.errors import BadRequest
from flight_server.protocol.exchange_messages import ForwardedTicket
from flight_server.protocol.messages import START, Cursor, PeekTicket, ResultTicket, Submission, encode
from flight_server.protocol.tickets import MAX_TICKET_BYTES, ExchangeTicket, Forwarded, parse_command, parse_ticket


def test_a_result_ticket() -> None:
    ticket = parse_ticket(b'{"query_id": "q", "cursor": [0, 4, 2], "follow": true, "limit": null}')
    assert ticket == ResultTicket("q", Cursor(0, 4, 2), True, None)
    assert isinstance(ticket, ResultTicket)
    assert isinstance(ticket.cursor, Cursor)


def test_a_peek_ticket() -> None:
    assert parse_ticket(b'{"query_id": "q", "exchange": "exchange-0", "peek": 3}') == PeekTicket("q", "exchange-0", 3)


def test_an_exchange_ticket_is_passed_on_whole() -> None:
    body = b'{"exchange": "e", "consumer": "c"}'
    assert parse_ticket(body) == ExchangeTicket(body)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "cannot be read"),
        (b"SELECT 1", "cannot be read"),
        (b"\xff\xfe{}", "cannot be read"),
        (b"[1]", "cannot be read"),
        (b"{}", "query_id"),
        (b'{"query_id": 7}', "query_id"),
        (b'{"query_id": ""}', "query_id"),
        (b'{"query_id": "' + b"x" * 65 + b'"}', "query_id"),
        (b'{"query_id": "q", "cursor": "start"}', "cursor"),
        (b'{"query_id": "q", "cursor": [0, 0]}', "cursor"),
        (b'{"query_id": "q", "cursor": [0, -1, 0]}', "cursor"),
        (b'{"query_id": "q", "cursor": [0, 1.5, 0]}', "cursor"),
        (b'{"query_id": "q", "cursor": [0, 99999999999999999999999, 0]}', "cursor"),
        (b'{"query_id": "q", "follow": "yes"}', "follow"),
        (b'{"query_id": "q", "limit": -5}', "limit"),
        (b'{"query_id": "q", "exchange": "e", "peek": 0}', "peek"),
        (b'{"query_id": "q", "exchange": "e", "peek": 1000000}', "peek"),
        (b'{"exchange": "e", "peek": 1}', "query_id"),
        (b"[" * 50_000, "cannot be read"),
        (b'{"query_id": "' + b"x" * MAX_TICKET_BYTES + b'"}', "bytes long"),
    ],
)
def test_malformed_tickets_are_refused_with_the_reason(body: bytes, told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        parse_ticket(body)


def test_a_ticket_that_is_passed_on_says_whose_it_is_and_is_checked_like_any_other() -> None:
    result, peek = ResultTicket("q", START, True, 5), PeekTicket("q", "exchange-0", 3)
    for ticket in (result, peek):
        message = ForwardedTicket(msgspec.Raw(encode(ticket)), "ada", True)
        assert parse_ticket(encode(message)) == Forwarded(ticket, "ada", True)
    for inner in (b'{"query_id": ""}', b'{"query_id": "q", "exchange": "e", "peek": 0}', b'{"exchange": "e"}', b"5", encode(message)):
        with pytest.raises(BadRequest):
            parse_ticket(encode(ForwardedTicket(msgspec.Raw(inner), "ada")))
    for text in (b'{"forwarded": 1}', b'{"forwarded": {"query_id": "q"}, "owner": 5}', b'{"forwarded": {"query_id": "q"}}'):
        with pytest.raises(BadRequest):
            parse_ticket(text)


def test_a_command_is_a_statement_or_a_result_s_ticket() -> None:
    assert parse_command(b'{"sql": "SELECT 1"}') == Submission("SELECT 1", None, "")
    assert parse_command('{"sql": "SELECT \'ü\'", "ahead": 2, "purpose": "row-count"}'.encode()) == Submission("SELECT 'ü'", 2, "row-count")
    assert parse_command(b'{"query_id": "q", "follow": true}') == ResultTicket("q", START, True)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{}", "query_id"),
        (b'{"sql": 5}', "sql"),
        (b'{"sql": null}', "sql"),
        (b'{"sql": "SELECT 1", "query_id": "q"}', "unknown field `query_id`"),
        (b'{"sql": "SELECT 1", "ahaed": 1}', "unknown field `ahaed`"),
        (b'{"sql": "SELECT 1", "ahead": -1}', "ahead"),
        (b'{"sql": "SELECT 1", "ahead": 1.5}', "ahead"),
        (b'{"sql": "SELECT 1", "ahead": 1000001}', "ahead"),
        (b'{"sql": "SELECT 1", "purpose": "two words"}', "purpose"),
        (b'{"sql": "SELECT 1", "purpose": "line\\n"}', "purpose"),
        (b'{"sql": "SELECT 1", "purpose": "' + b"x" * 33 + b'"}', "purpose"),
        (b'{"sql": "SELECT 1"', "cannot be read"),
        (b'{"query_id": "q", "exchange": "e", "peek": 1}', "must be a result's"),
    ],
)
def test_malformed_commands_are_refused_with_the_reason(body: bytes, told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        parse_command(body)
