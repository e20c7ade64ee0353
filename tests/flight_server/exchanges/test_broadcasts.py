"""Broadcast tables: sent by parts, fetched once, and asked for again where a part did not come."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pyarrow as pa
import pytest

from flight_server.cluster.peers import Peers
from flight_server.errors import ClientError, UnknownExchange, WorkerLost
from flight_server.exchanges import broadcasts
from flight_server.exchanges.broadcasts import ATTEMPTS, FetchedTables
from flight_server.exchanges.exchange_service import ExchangeRegistry
from flight_server.protocol.exchange_messages import AckRequest, TableFrame, TableTicket
from flight_server.protocol.message_sizes import MAX_MESSAGE_BYTES
from flight_server.protocol.messages import decode, encode
from operators.cancellation import Cancellation
from operators.errors import OperatorError
from planner.errors import VolleyError
from tests.flight_server.cluster.fake_flight import (
    SCHEMA,
    SOON_SECONDS,
    FakeNetwork,
    FakeStream,
    FakeWorker,
    timed_out,
    unavailable,
    uri_of,
)

TABLE = pa.table({"n": pa.array(range(1000), pa.int64())})
NAME = "q.broadcast-0"


class Handler:
    """The worker that has the table. ``faults`` come first, one for each call; then it answers as a registry does."""

    def __init__(self, table: pa.Table = TABLE, *faults: Exception | FakeStream) -> None:
        self.registry = ExchangeRegistry()
        self.registry.add_table("q", NAME, table)
        self.faults = list(faults)
        self.worker = FakeWorker(get=self._get)
        self.cancellation = Cancellation()
        self.fetched = FetchedTables(Peers(FakeNetwork(h=self.worker).connect), uri_of("h"), "me/q", self.cancellation)

    def first_rows(self) -> list[int]:
        return [decode(ticket, TableTicket).first_row for ticket in self.worker.tickets]

    def _get(self, ticket: bytes) -> FakeStream:
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        stream = self.registry.pull(ticket, lambda: False)
        return FakeStream(*stream.batches, schema=stream.schema)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcasts, "RETRY_SECONDS", 0.0)


def part(first: int, stop: int) -> tuple[pa.RecordBatch, TableFrame]:
    (batch,) = TABLE.slice(first, stop - first).to_batches()
    return batch, TableFrame(TABLE.num_rows)


def test_a_table_comes_whole_and_leases_nothing() -> None:
    handler = Handler()
    assert handler.fetched.fetch(NAME).equals(TABLE)
    assert handler.registry.names() == [NAME]
    assert Handler().fetched.fetch(NAME).equals(TABLE), "another worker gets the same"


@pytest.mark.parametrize("table", [TABLE.slice(0, 0), pa.Table.from_batches([], schema=SCHEMA)], ids=["no rows", "no batches"])
def test_a_table_without_rows_has_its_schema(table: pa.Table) -> None:
    assert Handler(table).fetched.fetch(NAME).equals(table)


def test_a_large_table_comes_in_small_messages_by_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcasts, "PULL_BYTES", 5 << 20)
    table = pa.table({"text": pa.array(["x" * 1000] * 20_000)})
    handler = Handler(table)
    sizes: list[int] = []
    pull = handler.registry.pull

    def measured(ticket: bytes, cancelled: Callable[[], bool]) -> object:
        stream = pull(ticket, cancelled)
        frames = list(stream.batches)
        sizes.extend(pa.ipc.get_record_batch_size(batch) for batch, _ in frames)
        return stream._replace(batches=iter(frames))

    monkeypatch.setattr(handler.registry, "pull", measured)
    assert handler.fetched.fetch(NAME).equals(table)
    assert max(sizes) <= MAX_MESSAGE_BYTES
    firsts = handler.first_rows()
    assert firsts[0] == 0
    assert len(firsts) == 4
    assert firsts == sorted(set(firsts))


def test_what_may_pass_is_asked_for_again_from_where_it_broke() -> None:
    handler = Handler(TABLE, unavailable(), FakeStream(part(0, 300), unavailable()), FakeStream(part(300, 400), timed_out()), FakeStream())
    assert handler.fetched.fetch(NAME).equals(TABLE)
    assert handler.first_rows() == [0, 0, 300, 400, 400]


@pytest.mark.parametrize("fault", [unavailable, timed_out, FakeStream], ids=["away", "hangs", "breaks off"])
def test_a_handler_that_is_gone_ends_it(fault: Callable[[], Exception | FakeStream]) -> None:
    handler = Handler(TABLE, *(fault() for _ in range(ATTEMPTS)))
    with pytest.raises((ClientError, WorkerLost)):
        handler.fetched.fetch(NAME)
    assert len(handler.worker.tickets) == ATTEMPTS


def test_a_table_that_is_there_no_more_is_not_asked_for_again() -> None:
    handler = Handler()
    handler.registry.drop("q")
    assert handler.registry.names() == []
    with pytest.raises(VolleyError):
        handler.fetched.fetch(NAME)
    assert len(handler.worker.tickets) == 1
    with pytest.raises(UnknownExchange):
        handler.registry.ack(AckRequest(NAME, "me/q", []))


def test_a_query_that_ends_cuts_the_pull() -> None:
    hanging = FakeStream(part(0, 300), hangs=True, schema=TABLE.schema)
    handler = Handler(TABLE, hanging)
    told: list[VolleyError] = []

    def fetch() -> None:
        try:
            handler.fetched.fetch(NAME)
        except VolleyError as error:
            told.append(error)

    fetching = threading.Thread(target=fetch)
    fetching.start()
    assert hanging.waited_for.wait(SOON_SECONDS)
    killed = OperatorError("killed")
    handler.cancellation.cancel(killed)
    fetching.join(SOON_SECONDS)
    assert told == [killed]


def test_whoever_asks_for_it_at_the_same_time_gets_the_same_pull() -> None:
    handler = Handler()
    asked = threading.Barrier(8)
    tables: list[pa.Table] = []

    def fetch() -> None:
        asked.wait(SOON_SECONDS)
        tables.append(handler.fetched.fetch(NAME))

    threads = [threading.Thread(target=fetch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON_SECONDS)
    assert len(tables) == 8
    assert all(table is tables[0] for table in tables)
    assert len(handler.worker.tickets) == 1


def test_a_ticket_of_a_table_may_be_written_by_hand() -> None:
    handler = Handler()
    stream = handler.registry.pull(encode(TableTicket(NAME, "me/q", first_row=-5)), lambda: False)
    assert sum(batch.num_rows for batch, _ in stream.batches) == TABLE.num_rows
    beyond = handler.registry.pull(encode(TableTicket(NAME, "me/q", first_row=5000)), lambda: False)
    assert [batch.num_rows for batch, _ in beyond.batches] == [0]
