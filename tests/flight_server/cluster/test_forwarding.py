"""Questions passed on: to whoever may know, with whose they are; and streams, which end when either end goes away."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pyarrow.flight as flight
import pytest

from flight_server.cluster.cluster import Cluster
from flight_server.cluster.forwarding import Forwarding
from flight_server.cluster.peers import Peers
from flight_server.errors import ClientError, WorkerLost
from flight_server.protocol.exchange_messages import LOCAL_DROP, LOCAL_KILL, LOCAL_QUERIES, Beat, OwnedQueries, OwnedQuery, QueryList
from flight_server.protocol.messages import START, BatchPlace, Cursor, PeekTicket, QueryStatus, ResultTicket, decode
from flight_server.protocol.tickets import Forwarded, parse_ticket
from planner.errors import Status
from tests.flight_server.cluster.fake_flight import SCHEMA, SOON_SECONDS, FakeNetwork, FakeStream, FakeWorker, batch, unavailable, worker

QUERY = "0123456789abcdef0123456789abcdef"
TICKET = ResultTicket(QUERY, START, True)
FIRST, LAST = BatchPlace(START, Cursor(0, 1, 0)), BatchPlace(Cursor(0, 1, 0), None)


def never() -> bool:
    return False


def owner_of(query_id: str, name: str = "ada", get: Callable[[bytes], FakeStream] = lambda ticket: FakeStream()) -> FakeWorker:
    """A worker that has a query of ``name``'s."""

    def act(action: str, body: bytes) -> QueryList:
        if action == LOCAL_QUERIES:
            return QueryList([QueryStatus(query_id, "SELECT 1", "running", name)] if decode(body, OwnedQueries).owner == name else [])
        question = decode(body, OwnedQuery)
        known = question.owner == name and question.query_id == query_id
        return QueryList([QueryStatus(query_id, "SELECT 1", "running", name)] if known else [])

    return FakeWorker(act, get)


def knows_nothing() -> FakeWorker:
    return FakeWorker(lambda action, body: QueryList())


def fails_with(answer: Exception | bytes) -> FakeWorker:
    def act(action: str, body: bytes) -> bytes:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return FakeWorker(act)


class Cast:
    """What worker ``self`` asks the workers of a fake network, all of which it has heard of."""

    def __init__(self, **others: FakeWorker) -> None:
        peers = Peers(FakeNetwork(**others).connect)
        self.cluster = Cluster(lambda: worker("self"), "self", peers, lambda _: None)
        for name in others:
            self.hears(name)
        self.forwarding = Forwarding(peers, self.cluster)

    def hears(self, name: str, state: str = "up") -> None:
        self.cluster.receive(Beat(worker=worker(name, state)))


def test_the_worker_that_has_a_query_is_found_and_answers_for_its_owner_only() -> None:
    has = owner_of(QUERY)
    cast = Cast(a=knows_nothing(), b=has)
    status = cast.forwarding.status(QUERY, "ada")
    assert status is not None
    assert status.query_id == QUERY
    assert cast.forwarding.status(QUERY, "bob") is None
    assert cast.forwarding.status("f" * 32, "ada") is None
    assert [query.query_id for query in cast.forwarding.queries("ada")] == [QUERY]
    assert cast.forwarding.kill(QUERY, "ada") is not None
    assert [decode(body, OwnedQuery).owner for body in has.did(LOCAL_KILL)] == ["ada"]


def test_a_drop_goes_to_every_worker_for_its_owner_only() -> None:
    has, others = owner_of(QUERY), knows_nothing()
    cast = Cast(a=has, b=others, c=owner_of(QUERY))
    assert cast.forwarding.drop(QUERY, "bob", known=False) is None
    dropped = cast.forwarding.drop(QUERY, "ada", known=False)
    assert dropped is not None
    assert dropped.query_id == QUERY
    assert [decode(body, OwnedQuery) for body in others.did(LOCAL_DROP)] == [OwnedQuery(QUERY, "bob"), OwnedQuery(QUERY, "ada")]
    assert len(has.did(LOCAL_DROP)) == 2


def test_a_drop_that_finds_nothing_says_so_only_where_nobody_is_missed() -> None:
    cast = Cast(a=fails_with(unavailable()))
    assert cast.forwarding.drop(QUERY, "ada", known=True) is None
    with pytest.raises(WorkerLost, match="worker a, which does not answer, may own it"):
        cast.forwarding.drop(QUERY, "ada", known=False)


def test_a_list_asks_for_no_more_than_is_wanted() -> None:
    has = owner_of(QUERY)
    cast = Cast(a=has)
    cast.forwarding.queries("ada")
    cast.forwarding.queries("ada", True, 20, 17.5)
    assert [decode(body, OwnedQueries) for body in has.did(LOCAL_QUERIES)] == [OwnedQueries("ada"), OwnedQueries("ada", True, 20, 17.5)]


def test_a_worker_that_drains_answers_for_its_queries() -> None:
    cast = Cast(a=owner_of(QUERY, get=lambda ticket: FakeStream((batch(1), LAST))))
    cast.hears("a", "draining")
    assert cast.forwarding.status(QUERY, "ada") is not None
    stream = cast.forwarding.read(TICKET, "ada", never, False)
    assert stream is not None
    assert list(stream.batches) == [(batch(1), LAST)]


def test_a_query_that_nobody_knows_may_have_been_a_lost_worker_s() -> None:
    cast = Cast(a=owner_of(QUERY), b=knows_nothing())
    cast.cluster.lost("a")
    for ask in (
        lambda: cast.forwarding.status(QUERY, "ada"),
        lambda: cast.forwarding.kill(QUERY, "ada"),
        lambda: cast.forwarding.read(TICKET, "ada", never, True),
        lambda: cast.forwarding.peek(PeekTicket(QUERY, "exchange-0", 1), "ada"),
    ):
        with pytest.raises(WorkerLost, match="worker a, which is gone, may have owned it\nrun the query again") as told:
            ask()
        assert told.value.status is Status.UNAVAILABLE
    assert cast.forwarding.status("0123", "ada") is None, "a beginning of an id is nobody's query"
    cast.hears("a")
    assert cast.forwarding.status(QUERY, "ada") is not None, "it is back"


@pytest.mark.parametrize("answer", [unavailable(), b"nonsense"], ids=["away", "nonsense"])
def test_one_worker_that_does_not_answer_keeps_nobody_from_being_asked(answer: Exception | bytes) -> None:
    cast = Cast(a=fails_with(answer), b=owner_of(QUERY))
    assert cast.forwarding.status(QUERY, "ada") is not None
    assert len(cast.forwarding.queries("ada")) == 1
    with pytest.raises(WorkerLost, match="worker a, which does not answer, may own it"):
        cast.forwarding.status("f" * 32, "ada")


@pytest.mark.parametrize("abandon", [True, False])
def test_a_read_carries_its_owner_and_whether_it_can_come_back(abandon: bool) -> None:
    has = owner_of(QUERY, get=lambda ticket: FakeStream((batch(1), FIRST), (batch(2), LAST)))
    stream = Cast(a=has).forwarding.read(TICKET, "ada", never, abandon)
    assert stream is not None
    assert stream.schema == SCHEMA
    assert list(stream.batches) == [(batch(1), FIRST), (batch(2), LAST)]
    assert parse_ticket(has.tickets[0]) == Forwarded(TICKET, "ada", abandon)


def test_a_peek_carries_its_owner_and_has_a_deadline() -> None:
    has = owner_of(QUERY, get=lambda ticket: FakeStream((batch(3), b"")))
    stream = Cast(a=has).forwarding.peek(PeekTicket(QUERY, "exchange-0", 2), "ada")
    assert stream is not None
    assert list(stream.batches) == [batch(3)]
    assert parse_ticket(has.tickets[0]) == Forwarded(PeekTicket(QUERY, "exchange-0", 2), "ada", False)
    assert has.deadlines[0] is not None


def in_a_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Starts ``work``; what it returns or raises is put into the list."""
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, outcome


def test_a_client_that_goes_away_while_nothing_comes_is_told_to_the_query_s_worker() -> None:
    remote = FakeStream((batch(1), FIRST), hangs=True)
    gone = threading.Event()
    stream = Cast(a=owner_of(QUERY, get=lambda ticket: remote)).forwarding.read(TICKET, "ada", gone.is_set, True)
    assert stream is not None
    reading, outcome = in_a_thread(lambda: list(stream.batches))
    assert remote.waited_for.wait(SOON_SECONDS)
    gone.set()
    assert remote.cancelled.wait(SOON_SECONDS)
    reading.join(SOON_SECONDS)
    assert outcome == [[(batch(1), FIRST)]]


def test_a_worker_that_is_lost_ends_the_streams_that_wait_for_it() -> None:
    remote = FakeStream(hangs=True)
    cast = Cast(a=owner_of(QUERY, get=lambda ticket: remote))
    stream = cast.forwarding.read(TICKET, "ada", never, False)
    assert stream is not None
    reading, outcome = in_a_thread(lambda: next(stream.batches))
    assert remote.waited_for.wait(SOON_SECONDS)
    cast.cluster.lost("a")
    reading.join(SOON_SECONDS)
    assert isinstance(outcome[0], WorkerLost)
    assert remote.cancelled.is_set()


def test_a_worker_that_does_not_begin_to_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flight_server.cluster.passage.CALL_SECONDS", 0.01)
    opening, late = threading.Event(), FakeStream(hangs=True)

    def get(ticket: bytes) -> FakeStream:
        assert opening.wait(SOON_SECONDS)
        return late

    cast = Cast(a=owner_of(QUERY, get=get))
    with pytest.raises(WorkerLost):
        cast.forwarding.read(TICKET, "ada", never, False)
    opening.set()
    assert late.cancelled.wait(SOON_SECONDS), "an answer that comes too late is not wanted"


def test_a_stream_of_which_only_the_schema_is_wanted_is_let_go() -> None:
    remote = FakeStream((batch(1), FIRST), (batch(2), FIRST), (batch(3), FIRST), hangs=True)
    stream = Cast(a=owner_of(QUERY, get=lambda ticket: remote)).forwarding.read(TICKET, "ada", never, False)
    assert stream is not None
    assert stream.schema == SCHEMA
    del stream
    assert remote.cancelled.wait(SOON_SECONDS)


def test_errors_of_the_query_s_worker_come_through() -> None:
    failed = flight.FlightServerError("the file is corrupt")
    cast = Cast(a=owner_of(QUERY, get=lambda ticket: FakeStream((batch(1), FIRST), failed)))
    stream = cast.forwarding.read(TICKET, "ada", never, False)
    assert stream is not None
    assert next(stream.batches) == (batch(1), FIRST)
    with pytest.raises(ClientError, match="the file is corrupt"):
        next(stream.batches)
    cast = Cast(a=owner_of(QUERY, get=lambda ticket: FakeStream((batch(1), b"nonsense"))))
    stream = cast.forwarding.read(TICKET, "ada", never, False)
    assert stream is not None
    with pytest.raises(ClientError, match="does not speak as Volley does"):
        next(stream.batches)
