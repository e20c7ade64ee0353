"""A plan, run: several scans, one that fails, a worker that is lost, a query that is stopped."""

from __future__ import annotations

import threading

import msgspec
import pyarrow as pa
import pytest

from flight_server.errors import ClientError, QueryKilled, UnknownExchange
from flight_server.exchanges.exchange_service import NotAdmitted, RemoteError, share_from
from flight_server.protocol.exchange_messages import AckRequest, LeaseRef, PullFrame, PullTicket, ReleaseRequest
from flight_server.protocol.messages import WorkerStatus, decode, encode
from flight_server.queries.execution import Execution
from operators.cancellation import Cancellation
from operators.errors import AttemptsExhausted, FileUnreadable, OperatorError, StorageError
from operators.run.fragments import ExecutionContext
from planner.errors import Status
from planner.physical import PhysicalPlan
from tests.flight_server.queries.small_site import PATIENCE, FakePeers, Rows, SmallSite, gathered, scan_of, streamed

OTHER = WorkerStatus("other", "grpc://other", 2, 1)
CORRUPT = FileUnreadable("the file default:b/0 is corrupt", remedy="Replace or remove the file.")


class Executing:
    """An execution of ``plan`` on a small site, and what it is stopped by."""

    def __init__(self, small: SmallSite, plan: PhysicalPlan) -> None:
        self.small = small
        self.rows = Rows()
        self.cancellation = Cancellation()
        self.execution = Execution("q", plan, self.rows, self.cancellation, small.site)

    def run(self) -> list[int]:
        try:
            self.execution.run()
        finally:
            self.execution.close()
            self.small.heartbeats.stop()
        return self.rows.numbers


def stopped(context: ExecutionContext) -> bool:
    """Waits, as a kernel run does, until the run is interrupted; whether it was. Raises why if that had come before."""
    interrupted = threading.Event()
    with context.cancellation.on_cancel(interrupted.set):
        return interrupted.wait(PATIENCE)


def test_a_streamed_scan_gives_its_rows_in_the_order_of_the_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    small = SmallSite(monkeypatch, slots=3)
    assert Executing(small, streamed("a", 50)).run() == list(range(50))
    assert sorted(small.ran) == [("a", number) for number in range(50)]


def test_the_last_fragment_gets_what_all_scans_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    small = SmallSite(monkeypatch, slots=2, run_share=lambda table, number, _context: [number + (100 if table == "b" else 0)])
    executing = Executing(small, gathered(scan_of("a", 3), scan_of("b", 2)))
    assert executing.run() == [0, 1, 2, 100, 101]
    assert {status.state for status in executing.execution.statuses()} == {"completed"}


@pytest.mark.parametrize("why", ["killed", "failed"])
def test_a_query_that_stops_wakes_a_sink_that_waits_for_a_reader(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    waiting, released = threading.Event(), threading.Event()

    class Held(Rows):
        def append(self, rows: pa.RecordBatch) -> None:
            waiting.set()
            assert released.wait(PATIENCE)

        def release(self) -> None:
            released.set()

    def run_share(table: str, number: int, context: ExecutionContext) -> list[int]:
        if number == 1:
            assert waiting.wait(PATIENCE)
            if why == "failed":
                raise CORRUPT
            executing.cancellation.cancel(QueryKilled("by a test"))
        return [number]

    executing = Executing(SmallSite(monkeypatch, run_share=run_share), streamed("b", 9))
    executing.execution._sink = Held()
    with pytest.raises(QueryKilled if why == "killed" else FileUnreadable):
        executing.run()


def test_the_failure_of_one_scan_is_told_at_once_and_stops_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = threading.Event()

    def run_share(table: str, number: int, context: ExecutionContext) -> list[int]:
        if table == "b":
            assert busy.wait(PATIENCE)
            raise CORRUPT
        busy.set()
        assert number > 0 or stopped(context), "the first scan was left to run on"
        return [number]

    small = SmallSite(monkeypatch, run_share=run_share)
    executing = Executing(small, gathered(scan_of("a", 100), scan_of("b", 1)))
    with pytest.raises(FileUnreadable, match="default:b/0 is corrupt"):
        executing.run()
    assert small.ran.count(("a", 0)) == 1
    assert len(small.ran) == 2, "shares were run for a query that had failed"
    with pytest.raises(FileUnreadable):
        small.registry.pull(encode(PullTicket("q.shares-0", "other/0", wait_seconds=0.0)), lambda: False).batches.__next__()


def test_a_failure_on_another_worker_stops_the_scans_here(monkeypatch: pytest.MonkeyPatch) -> None:
    small = SmallSite(monkeypatch, others=[OTHER])

    busy = threading.Event()

    def run_share(table: str, number: int, context: ExecutionContext) -> list[int]:
        if table == "b":
            assert busy.wait(PATIENCE)
            lease = lease_elsewhere(small, "q.shares-1")
            small.registry.release(ReleaseRequest("q.shares-1", "other/0", lease, "INVALID_ARGUMENT", "no number: 'x'", False))
        else:
            busy.set()
            assert number > 0 or stopped(context), "the first scan was left to run on"
        return [number]

    small.run_share = run_share
    with pytest.raises(RemoteError, match="no number: 'x'"):
        Executing(small, gathered(scan_of("a", 100), scan_of("b", 100))).run()
    assert sorted(small.ran) == [("a", 0), ("b", 0)]


def test_a_record_that_fails_again_and_again_fails_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_share(table: str, number: int, context: ExecutionContext) -> list[int]:
        raise StorageError("the connection 'lake' does not answer")

    small = SmallSite(monkeypatch, run_share=run_share)
    with pytest.raises(AttemptsExhausted, match="failed 4 times, the last time because the connection 'lake' does not answer"):
        Executing(small, gathered(scan_of("a", 1), scan_of("b", 0))).run()
    assert small.ran == [("a", 0)] * 4


def test_what_may_pass_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    troubles = iter([StorageError("a moment, please"), None, None])

    def run_share(table: str, number: int, context: ExecutionContext) -> list[int]:
        trouble = next(troubles)
        if trouble is not None:
            raise trouble
        return [number]

    small = SmallSite(monkeypatch, run_share=run_share)
    assert Executing(small, streamed("a", 2)).run() == [0, 1]
    assert small.ran == [("a", 0), ("a", 0), ("a", 1)]


def test_a_kill_interrupts_what_runs_and_hands_out_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    small = SmallSite(monkeypatch)
    killed = QueryKilled("it was killed")

    def run_share(table: str, number: int, context: ExecutionContext) -> list[int]:
        executing.cancellation.cancel(killed)
        assert context.cancellation.cancelled
        return [number]

    small.run_share = run_share
    executing = Executing(small, streamed("a", 10))
    with pytest.raises(QueryKilled):
        executing.run()
    assert small.ran == [("a", 0)]


def test_a_query_that_was_killed_before_it_ran_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    small = SmallSite(monkeypatch, others=[OTHER])
    executing = Executing(small, gathered(scan_of("a", 3)))
    executing.cancellation.cancel(QueryKilled("it was killed"))
    with pytest.raises(QueryKilled):
        executing.run()
    assert (small.ran, small.peers.asked, small.registry.names()) == ([], [], [])


def test_the_shares_of_a_query_that_is_over_are_nobody_s(monkeypatch: pytest.MonkeyPatch) -> None:
    small = SmallSite(monkeypatch, others=[OTHER])
    leases: list[LeaseRef] = []

    def run_share(table: str, number: int, context: ExecutionContext) -> list[int]:
        leases.append(lease_elsewhere(small, "q.shares-0"))
        raise OperatorError("broken")

    small.run_share = run_share
    with pytest.raises(OperatorError, match="broken"):
        Executing(small, gathered(scan_of("a", 5))).run()
    with pytest.raises(OperatorError, match="broken"):
        lease_elsewhere(small, "q.shares-0")
    with pytest.raises(OperatorError, match="broken"):
        small.registry.ack(AckRequest("q.shares-0", "other/0", leases))
    small.registry.drop("q")
    with pytest.raises(UnknownExchange):
        lease_elsewhere(small, "q.shares-0")


def test_what_a_lost_worker_had_is_run_here(monkeypatch: pytest.MonkeyPatch) -> None:
    small = SmallSite(monkeypatch, others=[OTHER])

    def run_share(table: str, number: int, context: ExecutionContext) -> list[int]:
        if number == 0:
            held, finished = lease_elsewhere(small, "q.shares-0"), lease_elsewhere(small, "q.shares-0")
            assert small.registry.ack(AckRequest("q.shares-0", "other/0", [finished])).stale == []
            executing.execution.exclude("other")
            with pytest.raises(NotAdmitted):
                lease_elsewhere(small, "q.shares-0")
            assert small.registry.ack(AckRequest("q.shares-0", "other/0", [held])).stale == [held.key]
        return [number]

    small.run_share = run_share
    executing = Executing(small, streamed("a", 4))
    assert executing.run() == [0, 1, 2, 3]
    assert sorted(small.ran) == [("a", number) for number in range(4)]
    (scan, _result) = executing.execution.statuses()
    assert (scan.records_done, scan.retries) == (4, 2)


def test_a_worker_that_cannot_be_asked_takes_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unreachable(FakePeers):
        def tell(self, uri: str, name: str, message: msgspec.Struct, *, timeout_seconds: float = 1.0) -> None:
            raise ClientError(f"{uri} does not answer", status=Status.UNAVAILABLE)

    small = SmallSite(monkeypatch, others=[OTHER], peers=Unreachable())
    assert Executing(small, gathered(scan_of("a", 3))).run() == [0, 1, 2]


def lease_elsewhere(small: SmallSite, exchange: str) -> LeaseRef:
    """Takes a share as an instance on the other worker does."""
    ticket = PullTicket(exchange, "other/0", max_records=1, wait_seconds=0.0)
    ((body, metadata),) = small.registry.pull(encode(ticket), lambda: False).batches
    frame = decode(metadata, PullFrame)
    assert frame.record is not None, "nothing was handed out"
    assert share_from(body).inputs[0].splits[0].file.path.startswith("default:")
    return frame.record.lease
