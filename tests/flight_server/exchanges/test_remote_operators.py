"""Operators for other workers' queries: up before the answer, gone with their query or its worker, and nobody else's harmed."""

from __future__ import annotations

import threading

import pytest

from flight_server.errors import QueryKilled, UnknownExchange, WorkerLost
from flight_server.exchanges.exchange_service import SHARE_SCHEMA, share_batch
from flight_server.exchanges.remote_operators import RemoteOperators
from flight_server.exchanges.site import Site, instances_of
from flight_server.protocol.exchange_messages import AckRequest, PullFrame, StartOperator, StreamEnd
from operators.exchange.records import RecordKey
from planner.physical import ScanInput, Share
from tests.flight_server.cluster.fake_flight import SCHEMA, SOON_SECONDS, FakeNetwork, FakeStream, FakeWorker, uri_of
from tests.flight_server.exchanges.sites import bare_site

NOTHING = share_batch(Share(())).slice(1)


def start_of(query_id: str, handler: str, fragment: int = 0) -> StartOperator:
    return StartOperator(
        query_id=query_id,
        operator=f"fragment-{fragment}",
        fragment_id=fragment,
        sql="SELECT 1",
        scans=[ScanInput("s", "t", (), (), ())],
        schema=SCHEMA.serialize().to_pybytes(),
        handler_uri=uri_of(handler),
        handler_id=handler,
        source=f"{query_id}.splits-{fragment}",
        output=f"{query_id}.exchange-{fragment}",
    )


class Guests:
    """Operators on worker ``self`` for the queries of workers ``a`` and ``b``, whose shares are all given out."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        handlers = {name: FakeWorker(get=self._no_more) for name in ("a", "b")}
        self.site: Site = bare_site(FakeNetwork(**handlers), 1)
        self.operators = RemoteOperators(self.site)

    def ask(self, query_id: str, fragment: int = 0) -> None:
        """Uses the output exchange, as the query's handler does."""
        self.site.registry.ack(AckRequest(f"{query_id}.exchange-{fragment}", "handler", []))

    def _no_more(self, ticket: bytes) -> FakeStream:
        self.asked.set()
        return FakeStream((NOTHING, PullFrame(end=StreamEnd(True))), schema=SHARE_SCHEMA)


def test_a_worker_runs_an_instance_for_each_slot_but_not_more_than_have_shares() -> None:
    site = bare_site(FakeNetwork(), 4)
    assert [instances_of(site, fetching, most) for fetching, most in ((False, 9), (True, 9), (True, 3), (False, 1))] == [4, 5, 3, 1]


def test_the_exchange_is_up_when_the_start_is_answered_and_the_instances_ask_for_shares() -> None:
    guests = Guests()
    guests.operators.start(start_of("q", "a"))
    guests.ask("q")
    assert guests.operators.running() == 1
    assert guests.asked.wait(SOON_SECONDS)


def test_a_query_that_ends_takes_its_operators_along_and_no_others() -> None:
    guests = Guests()
    for query_id, fragment in (("q", 0), ("q", 1), ("other", 0)):
        guests.operators.start(start_of(query_id, "a", fragment))
    guest = guests.operators._guests["q"]
    exchange = guest.exchanges[1]
    guests.operators.stop("q")
    assert [whole._closed for whole in guest.whole] == [True, True], "what was fetched for them is removed"
    for fragment in (0, 1):
        with pytest.raises(UnknownExchange):
            guests.ask("q", fragment)
    with pytest.raises(QueryKilled, match="its query has ended"):
        exchange.commit(str(RecordKey("scan", "t", 0)), [])
    guests.ask("other")
    assert guests.operators.running() == 1
    guests.operators.stop("q")
    guests.operators.stop("never heard of")
    guests.operators.close()
    assert guests.operators.running() == 0


def test_a_lost_worker_s_queries_are_stopped_and_no_others() -> None:
    guests = Guests()
    guests.operators.start(start_of("of-a", "a"))
    guests.operators.start(start_of("of-b", "b"))
    context = guests.operators._guests["of-a"].context
    guests.operators.on_worker_lost("a")
    assert isinstance(context.cancellation.error, WorkerLost)
    with pytest.raises(UnknownExchange):
        guests.ask("of-a")
    guests.ask("of-b")


def test_one_can_wait_until_nobody_s_operators_are_here() -> None:
    guests = Guests()
    assert guests.operators.wait_gone(0.0)
    guests.operators.start(start_of("q", "a"))
    assert not guests.operators.wait_gone(0.0)
    waiting = threading.Thread(target=lambda: outcome.append(guests.operators.wait_gone(SOON_SECONDS)))
    outcome: list[bool] = []
    waiting.start()
    guests.operators.stop("q")
    waiting.join(SOON_SECONDS)
    assert outcome == [True]
