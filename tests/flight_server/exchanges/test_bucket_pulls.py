"""Buckets on their way: each row once, from one attempt of the share that put it out, whatever goes wrong between the workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_server.cluster.peers import Peers
from flight_server.errors import UnknownExchange, WorkerLost
from flight_server.exchanges import bucket_pulls
from flight_server.exchanges.broadcasts import ATTEMPTS
from flight_server.exchanges.bucket_pulls import BucketReader, BucketSource, KeptBuckets
from flight_server.exchanges.exchange_service import ExchangeRegistry
from flight_server.protocol.exchange_messages import BucketFrame, BucketTicket, Locations, WorkerOutputs
from flight_server.protocol.messages import decode, encode
from operators.cancellation import Cancellation
from operators.errors import OperatorError
from operators.exchange.bucket_store import BucketSpace, BucketStore
from planner.physical import Share, ShareInput
from tests.flight_server.cluster.fake_flight import SCHEMA, FakeNetwork, FakeStream, FakeWorker, timed_out, unavailable, uri_of

NAME = "q.exchange-0"
BUCKETS = 4
ROWS = 10
"""Rows that each share puts out in each bucket."""


def numbers_of(share: int, bucket: int) -> list[int]:
    return [1000 * share + 100 * bucket + row for row in range(ROWS)]


def output_of(share: int) -> pa.RecordBatch:
    rows = [(n, bucket) for bucket in reversed(range(BUCKETS)) for n in numbers_of(share, bucket)]
    numbers, buckets = zip(*rows, strict=True)
    return pa.record_batch([pa.array(numbers, pa.int64()), pa.array(buckets, pa.uint16())], names=["n", "_bucket"])


class Keeper:
    """A worker that keeps outputs. ``faults`` come first, one for each call; then it answers as a registry does."""

    def __init__(self, *shares: int) -> None:
        self.store = BucketStore(BucketSpace(1 << 20, 0, Path("nowhere")))
        for share in shares:
            self.store.put(NAME, share, [output_of(share)], BUCKETS)
        self.registry = ExchangeRegistry()
        self.registry.add_buckets("q", NAME, KeptBuckets(self.store, NAME, SCHEMA))
        self.faults: list[Exception | FakeStream | Callable[[], None]] = []
        self.worker = FakeWorker(get=self._get)

    def tickets(self) -> list[BucketTicket]:
        return [decode(ticket, BucketTicket) for ticket in self.worker.tickets]

    def _get(self, ticket: bytes) -> FakeStream:
        if self.faults:
            match self.faults.pop(0):
                case Exception() as error:
                    raise error
                case FakeStream() as stream:
                    return stream
                case event:
                    event()
        sent = self.registry.pull(ticket, lambda: False)
        return FakeStream(*sent.batches, schema=sent.schema)


class Reading:
    """An instance on worker ``me``, which keeps shares 0 and 3 itself; ``a`` keeps 1 and 4, ``b`` 2 and 5."""

    def __init__(self) -> None:
        self.own, self.a, self.b = Keeper(0, 3), Keeper(1, 4), Keeper(2, 5)
        self.locations = {"me": [0, 3], "a": [1, 4], "b": [2, 5]}
        self.complete = True
        self.asked: list[list[str]] = []
        self.on_ask: Callable[[], None] = lambda: None
        self.cancellation = Cancellation()
        peers = Peers(FakeNetwork(me=self.own.worker, a=self.a.worker, b=self.b.worker).connect)
        sources = {"in_0": BucketSource(NAME, SCHEMA, self._locate)}
        self.reader = BucketReader("me", "me/q/0", sources, self.own.store, peers, self.cancellation)

    def numbers(self, first: int = 1, behind_last: int = 3, part: tuple[int, int] | None = None) -> list[int]:
        tables = self.reader.fetch(Share((ShareInput("in_0", buckets=(first, behind_last), part=part), ShareInput("whole"))))
        assert list(tables) == ["in_0"]
        numbers: list[int] = tables["in_0"].column("n").to_pylist()
        return numbers

    def _locate(self, unreachable: Sequence[str]) -> Locations:
        self.asked.append(list(unreachable))
        self.on_ask()
        if not self.complete:
            return Locations(False)
        return Locations(True, [WorkerOutputs(worker, uri_of(worker), shares) for worker, shares in self.locations.items()])


def expected(*shares: int, buckets: Sequence[int] = (1, 2)) -> list[int]:
    return [n for share in shares for bucket in buckets for n in numbers_of(share, bucket)]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket_pulls, "RETRY_SECONDS", 0.0)


def test_all_rows_of_the_buckets_come_in_the_order_of_the_shares_that_put_them_out() -> None:
    reading = Reading()
    assert reading.numbers() == expected(0, 1, 2, 3, 4, 5)
    assert reading.numbers(0, 4) == expected(0, 1, 2, 3, 4, 5, buckets=range(4))
    assert reading.own.worker.tickets == [], "what is here is not sent"
    assert len(reading.a.worker.tickets) == len(reading.b.worker.tickets) == 2
    assert all(seconds is not None for seconds in reading.a.worker.deadlines)


def test_a_part_has_the_rows_of_some_shares_and_all_parts_have_all() -> None:
    reading = Reading()
    assert [reading.numbers(part=(which, 3)) for which in range(3)] == [expected(0, 3), expected(1, 4), expected(2, 5)]


@pytest.mark.parametrize("small", [1, 200, 1 << 20])
def test_rows_come_by_calls_of_a_bounded_size(monkeypatch: pytest.MonkeyPatch, small: int) -> None:
    monkeypatch.setattr(bucket_pulls, "PULL_BYTES", 1)
    monkeypatch.setattr(bucket_pulls, "SMALL_BYTES", small)
    reading = Reading()
    assert reading.numbers() == expected(0, 1, 2, 3, 4, 5)
    assert len(reading.a.worker.tickets) == (2 if small < 320 else 1)


def test_a_row_that_was_sent_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading()
    half = pa.record_batch([pa.array(expected(1) + expected(4)[:7], pa.int64())], schema=SCHEMA)
    reading.a.faults = [FakeStream((half, BucketFrame([1, 4], [20, 7])), timed_out()), FakeStream(unavailable())]
    assert reading.numbers() == expected(0, 1, 2, 3, 4, 5)
    assert [(ticket.shares, ticket.first_row) for ticket in reading.a.tickets()] == [([1, 4], 0), ([4], 7), ([4], 7)]


def test_outputs_that_are_still_being_made_are_waited_for() -> None:
    reading = Reading()
    reading.complete = False

    def made_at_last() -> None:
        reading.complete = len(reading.asked) == 4

    reading.on_ask = made_at_last
    assert reading.numbers() == expected(0, 1, 2, 3, 4, 5)
    assert reading.asked == [[]] * 4


FAULTS: dict[str, Callable[[], Exception | FakeStream]] = {
    "a bug there": lambda: flight.FlightInternalError("internal error, incident 1a2b3c"),
    "nonsense": lambda: FakeStream((pa.record_batch([pa.array([1])], schema=SCHEMA), b"nonsense")),
    "it is another process": lambda: flight.FlightServerError("there is no exchange"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_worker_that_does_not_give_its_buckets_is_told_of_and_read_elsewhere(fault: Callable[[], Exception | FakeStream]) -> None:
    reading = Reading()
    reading.a.faults = [fault()]

    def made_again() -> None:
        if reading.asked[-1] == ["a"]:
            reading.locations = {"me": [0, 3], "b": [1, 2, 4, 5]}
            for share in (1, 4):
                reading.b.store.put(NAME, share, [output_of(share)], BUCKETS)

    reading.on_ask = made_again
    assert reading.numbers() == expected(0, 1, 2, 3, 4, 5)
    assert reading.asked == [[], ["a"]]
    assert [ticket.shares for ticket in reading.b.tickets()] == [[2, 5], [1, 4]], "what came from others stays"


def test_what_a_lost_worker_gave_is_dropped_and_read_again_whole() -> None:
    """It gave all it had, and then another one could not be reached: by then its outputs were made again, in another order."""
    reading = Reading()
    reading.b.faults = [flight.FlightInternalError("broken")]

    def both_gone() -> None:
        if reading.asked[-1] == ["b"]:
            reading.locations = {"me": [0, 1, 2, 3, 4, 5]}
            for share in (1, 2, 4, 5):
                turned = output_of(share)
                reading.own.store.put(NAME, share, [turned.take(pa.array(range(turned.num_rows - 1, -1, -1)))], BUCKETS)

    reading.on_ask = both_gone
    turned = [n for share in range(6) for bucket in (1, 2) for n in numbers_of(share, bucket)[:: 1 if share in (0, 3) else -1]]
    assert reading.numbers() == turned


@pytest.mark.parametrize("error", [unavailable, lambda: FakeStream(timed_out()), FakeStream], ids=["away", "hangs", "broken off"])
def test_what_may_pass_is_tried_again_but_not_for_ever(error: Callable[[], Exception | FakeStream]) -> None:
    reading = Reading()
    reading.a.faults = [error() for _ in range(ATTEMPTS - 1)]
    assert reading.numbers() == expected(0, 1, 2, 3, 4, 5)
    assert reading.asked == [[]]
    reading.a.faults = [error() for _ in range(ATTEMPTS)]
    assert reading.numbers() == expected(0, 1, 2, 3, 4, 5)
    assert reading.asked == [[], [], ["a"]]


def test_the_query_s_own_errors_are_no_worker_s_fault() -> None:
    reading = Reading()
    killed = OperatorError("killed")

    def kill() -> None:
        reading.cancellation.cancel(killed)
        raise unavailable()

    reading.b.faults = [kill]
    with pytest.raises(OperatorError) as told:
        reading.numbers()
    assert told.value is killed
    assert reading.asked == [[]]


def test_who_has_no_part_any_more_is_told_so() -> None:
    reading = Reading()

    def refuse() -> None:
        raise WorkerLost("me/q/0 takes no more part in the query")

    reading.on_ask = refuse
    with pytest.raises(WorkerLost, match="no more part"):
        reading.numbers()


def test_a_worker_says_so_where_it_does_not_keep_a_share() -> None:
    keeper = Keeper(1)
    ticket = encode(BucketTicket(NAME, "me/q/0", 0, 1, [1, 2]))
    with pytest.raises(UnknownExchange, match="share 2"):
        list(keeper.registry.pull(ticket, lambda: False).batches)
    keeper.registry.drop("q")
    with pytest.raises(UnknownExchange):
        keeper.registry.pull(ticket, lambda: False)
