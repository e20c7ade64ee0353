"""A query's handler and one other worker: what goes wrong between the two costs that query that worker, and nobody anything else."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec
import pyarrow.flight as flight
import pytest

from flight_server.errors import QueryKilled
from flight_server.exchanges.collecting import PULL_ATTEMPTS, PULL_WAIT_SECONDS
from flight_server.exchanges.distributed_fragment import DistributedFragment
from flight_server.protocol.exchange_messages import (
    EXCHANGE_ACK,
    OPERATOR_START,
    OPERATOR_STOP,
    AckRequest,
    LeaseRef,
    LeaseReply,
    PullFrame,
    PullTicket,
    RecordPlace,
    StreamEnd,
)
from flight_server.protocol.messages import decode
from operators.errors import KernelError, TooManyRecords
from operators.exchange.records import RecordKey
from planner.catalog import DataFile
from planner.errors import VolleyError
from planner.physical import Fragment, ScanInput, Split
from planner.splits import shares_of
from tests.flight_server.cluster.fake_flight import (
    SCHEMA,
    SOON_SECONDS,
    FakeNetwork,
    FakeStream,
    FakeWorker,
    batch,
    timed_out,
    unavailable,
    worker,
)
from tests.flight_server.exchanges.sites import bare_site, context_of

SPLITS = tuple(Split(DataFile(f"default:t/{number}.parquet", 100, "v1"), rows=1, bytes=100) for number in range(3))
NOTHING_YET = (batch(0).slice(1), PullFrame(end=StreamEnd(False)))

Item = tuple[object, msgspec.Struct]
Opening = FakeStream | Exception | Callable[[], FakeStream]


def output_of(split: int) -> tuple[object, PullFrame]:
    """The whole output of a split: one row."""
    key = RecordKey("fragment-0", str(RecordKey("fragment-0", "t", split)), 0)
    return batch(split), PullFrame(record=RecordPlace(LeaseRef(key, 1), True))


class Scan:
    """A fragment over three shares, whose handler has no slots of its own; the worker ``w`` opens one stream after the other for it."""

    def __init__(self, *streams: Opening, on_start: Exception | None = None, on_ack: list[Exception] | None = None) -> None:
        self.streams = list(streams)
        self.on_start = on_start
        self.on_ack = on_ack or []
        self.stopped = threading.Event()
        self.excluded: list[str] = []
        self.other = FakeWorker(self._act, self._get)
        site = bare_site(FakeNetwork(w=self.other), 0, worker("w"))
        self.context = context_of("q")
        fragment = Fragment(0, "SELECT n FROM t", (ScanInput("t", "t", (), (), SPLITS),), 0, shares_of("t", SPLITS))
        self.scan = DistributedFragment(fragment, SCHEMA, self.context, site, None, self._exclude)

    def run(self) -> Scan:
        """Runs the scan until it wants nothing more from the worker."""
        self.scan.start({})
        for thread in threading.enumerate():
            if thread.name == "start-w":
                thread.join(SOON_SECONDS)
                assert not thread.is_alive()
        return self

    def hold(self, *numbers: int) -> None:
        """Leases splits to the worker's instance."""
        for _ in numbers:
            assert self.scan.shares.lease("w/q/0.0", seconds=0) is not None

    def _exclude(self, worker_id: str) -> None:
        self.excluded.append(worker_id)
        self.scan.exclude(worker_id)

    def _get(self, ticket: bytes) -> FakeStream:
        stream = self.streams.pop(0)
        if isinstance(stream, Exception):
            raise stream
        return stream if isinstance(stream, FakeStream) else stream()

    def _act(self, name: str, body: bytes) -> msgspec.Struct | None:
        match name:
            case "operator.start" if self.on_start is not None:
                raise self.on_start
            case "operator.stop":
                self.stopped.set()
            case "exchange.ack" if self.on_ack:
                raise self.on_ack.pop(0)
            case "exchange.ack":
                return LeaseReply()
        return None


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flight_server.exchanges.collecting.PULL_RETRY_SECONDS", 0.0)


def test_outputs_are_pulled_by_calls_that_end_and_acked_until_all_are_here() -> None:
    scan = Scan(FakeStream(output_of(0), output_of(2)), FakeStream(NOTHING_YET), FakeStream(output_of(1))).run()
    assert scan.scan.gathered.closed
    assert scan.excluded == []
    tickets = [decode(ticket, PullTicket) for ticket in scan.other.tickets]
    assert all(ticket.max_records is not None and ticket.wait_seconds == PULL_WAIT_SECONDS for ticket in tickets)
    assert all(seconds is not None for seconds in scan.other.deadlines)
    acked = [decode(body, AckRequest).leases[0].key.input_key for body in scan.other.did(EXCHANGE_ACK)]
    assert acked == [f"fragment-0/t/{split}" for split in (0, 2, 1)]


ERRORS: dict[str, Callable[[], Opening]] = {
    "nonsense": lambda: FakeStream((batch(0), b"nonsense")),
    "nothing beside": lambda: FakeStream((batch(0), b"")),
    "a bug there": lambda: flight.FlightInternalError("internal error, incident 1a2b3c"),
    "cancelled there": lambda: FakeStream(flight.FlightCancelledError("you take no more part")),
    "no such exchange": lambda: flight.FlightServerError("there is no exchange 'q.exchange-0'"),
    "hangs": timed_out,
    "hangs later": lambda: FakeStream(timed_out()),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_a_worker_that_cannot_be_pulled_from_takes_no_more_part_in_that_query(error: Callable[[], Opening]) -> None:
    scan = Scan(FakeStream(output_of(0)), error())
    scan.run()
    assert scan.excluded == ["w"]
    assert scan.other.did(OPERATOR_STOP) == [b'{"query_id":"q"}'], "its operators must not run on for nobody"
    assert not scan.scan.gathered.closed
    assert scan.scan.records_done() == 1
    assert scan.scan.gathered.lease("result", seconds=0) is not None, "the query itself goes on"


def test_what_the_worker_had_is_run_again_by_others() -> None:
    scan = Scan()
    scan.streams = [lambda: _while_it_holds(scan)]
    scan.run()
    statistics = scan.scan.shares.statistics()
    assert (statistics.queued, statistics.leased, statistics.retries) == (3, 0, 2)
    assert scan.scan.shares.lease("somebody/else", seconds=0) is not None


def _while_it_holds(scan: Scan) -> FakeStream:
    """A stream that fails when the worker has two splits on lease."""
    scan.hold(0, 1)
    return FakeStream(flight.FlightInternalError("broken"))


@pytest.mark.parametrize("error", [unavailable, lambda: FakeStream(unavailable()), FakeStream], ids=["away", "breaks", "broken off"])
def test_what_may_pass_is_tried_again_but_not_for_ever(error: Callable[[], Opening]) -> None:
    passing = Scan(*(error() for _ in range(PULL_ATTEMPTS - 1)), FakeStream(*(output_of(split) for split in range(3)))).run()
    assert passing.excluded == []
    assert passing.scan.gathered.closed
    hopeless = Scan(*(error() for _ in range(PULL_ATTEMPTS))).run()
    assert hopeless.excluded == ["w"]


def test_a_slow_worker_that_brings_something_each_time_is_not_given_up() -> None:
    slow = [FakeStream(output_of(split), timed_out()) for split in (0, 0, 1, 1, 0, 1, 0, 1)]
    scan = Scan(*slow, FakeStream(output_of(2))).run()
    assert scan.excluded == []
    assert scan.scan.gathered.closed


def test_an_output_whose_ack_went_astray_counts_once() -> None:
    scan = Scan(FakeStream(output_of(0)), FakeStream(output_of(0), output_of(1), output_of(2)), on_ack=[unavailable()]).run()
    assert scan.excluded == []
    assert scan.scan.gathered.closed
    assert scan.scan.gathered.statistics().records == 3


@pytest.mark.parametrize("error", [KernelError("cannot cast 'x' to INT32"), TooManyRecords("too many")], ids=["failed", "full"])
def test_the_query_s_own_error_ends_it_and_is_nobody_s_fault(error: VolleyError) -> None:
    """The exchange here refuses an output: because the query has failed by then, or because there is no room."""
    scan = Scan()

    def failing() -> FakeStream:
        scan.scan.gathered.fail(error)
        return FakeStream(output_of(0))

    scan.streams = [failing]
    scan.run()
    assert scan.excluded == []
    assert scan.other.did(OPERATOR_STOP) == []
    with pytest.raises(type(error), match=str(error)):
        scan.scan.gathered.lease("result", seconds=0)


def test_a_worker_that_cannot_start_takes_no_part_and_is_told_to_stop_all_the_same() -> None:
    scan = Scan(on_start=timed_out()).run()
    assert scan.excluded == ["w"]
    assert [name for name, _ in scan.other.actions] == [OPERATOR_START, OPERATOR_STOP]
    assert scan.other.tickets == []


def test_a_worker_lost_or_excluded_elsewhere_is_not_pulled_from_any_more() -> None:
    scan = Scan(FakeStream(hangs=True))
    (remote,) = scan.streams
    assert isinstance(remote, FakeStream)
    running = threading.Thread(target=scan.run, daemon=True)
    running.start()
    assert remote.waited_for.wait(SOON_SECONDS)
    scan.scan.exclude("w")
    running.join(SOON_SECONDS)
    assert not running.is_alive()
    assert len(scan.other.tickets) == 1
    assert scan.excluded == [], "who excluded it has told everybody already"


def test_a_query_that_ends_while_it_waits_cancels_its_pulls_and_blames_nobody() -> None:
    scan = Scan(FakeStream(hangs=True))
    (remote,) = scan.streams
    assert isinstance(remote, FakeStream)
    running = threading.Thread(target=scan.run, daemon=True)
    running.start()
    assert remote.waited_for.wait(SOON_SECONDS)
    scan.scan.close(QueryKilled("its query has ended"))
    running.join(SOON_SECONDS)
    assert not running.is_alive()
    assert scan.excluded == []
