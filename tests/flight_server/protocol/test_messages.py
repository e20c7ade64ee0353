from __future__ import annotations

import msgspec
import pytest

from flight_server.protocol.messages import START, BatchPlace, Cursor, QueryStatus, ResultTicket, TableListRequest, decode, encode


def test_a_result_ticket_is_the_json_that_the_contract_shows() -> None:
    assert encode(ResultTicket("q1", Cursor(1, 2, 3), True, 7)) == b'{"query_id":"q1","cursor":[1,2,3],"follow":true,"limit":7}'


def test_a_hand_written_ticket_needs_only_its_query() -> None:
    assert decode(b'{"query_id": "q1"}', ResultTicket) == ResultTicket("q1", START, False, None)


def test_the_last_batch_says_that_nothing_follows() -> None:
    assert encode(BatchPlace(START, None)) == b'{"cursor":[0,0,0],"next":null}'


def test_old_clients_can_read_newer_servers() -> None:
    assert decode(b'{"query_id":"q","sql":"","state":"queued","colour":"blue"}', QueryStatus).state == "queued"


def test_messages_survive_the_way() -> None:
    status = QueryStatus("q", "SELECT 1", "running", progress=0.5)
    assert decode(encode(status), QueryStatus) == status
    assert decode(memoryview(b"{}"), TableListRequest) == TableListRequest(None, True)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"query_id": 1}', b'{"query_id": "q", "cursor": [0]}', b'{"query_id":"q","follow":1}'])
def test_what_does_not_fit_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode(body, ResultTicket)
