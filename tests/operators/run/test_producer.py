from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pyarrow as pa
import pytest

from operators.cancellation import Cancellation
from operators.errors import FileUnreadable, KernelError, OperatorError, StaleLease, StorageError
from operators.exchange.bucket_places import BucketSizes
from operators.exchange.exchange import Exchange
from operators.exchange.heartbeats import Heartbeats
from operators.exchange.records import Record, RecordKey
from operators.kernel.kernel import Kernel
from operators.run import producer
from operators.run.fragments import ExecutionContext, Output
from operators.run.gathering import Gathering
from operators.run.producer import HeldShare, InstanceStatistics, ProducerInstance
from operators.run.whole_inputs import WholeInputs
from operators.scan.scans import ScanReport
from operators.storage import Storage
from planner.catalog import DataFile
from planner.errors import VolleyError
from planner.physical import Fragment, Share, ShareInput, Split

FRAGMENT = cast(Fragment, None)
NOTHING_WHOLE = WholeInputs({}, cast(Storage, None))
KILLED = OperatorError("the query was killed")

Run = Callable[[Share], list[Output]]


def share(number: int) -> Share:
    return Share((ShareInput("in_0", (Split(DataFile(f"default:t/{number}.parquet", 100, "v1"), rows=number, bytes=100),)),))


def key(number: int) -> RecordKey:
    return RecordKey("fragment-0", "t", number)


def rows_of(part: Share) -> list[Output]:
    """As many rows as the share's number, in one output."""
    return [Output(pa.record_batch({"n": pa.array(range(part.rows or 0), pa.int64())}), True)]


@dataclass
class Events:
    """What an instance did, in order."""

    done: list[str] = field(default_factory=list)

    def note(self, what: str, held: RecordKey) -> None:
        self.done.append(f"{what} {held.sequence}")


class Source:
    """Hands out numbered shares, notes what comes back, and can refuse."""

    def __init__(self, events: Events, *numbers: int) -> None:
        self.events = events
        self.waiting = list(numbers)
        self.released: list[tuple[VolleyError, bool]] = []
        self.told: list[InstanceStatistics] = []
        self.on_ack: VolleyError | None = None
        self.on_release: VolleyError | None = None

    def lease(self) -> HeldShare | None:
        return HeldShare(key(self.waiting[0]), 1, share(self.waiting.pop(0)), 10.0) if self.waiting else None

    def heartbeat(self, held: HeldShare) -> None:
        self.events.note("beat", held.key)

    def ack(self, held: HeldShare, statistics: InstanceStatistics, sizes: BucketSizes | None = None) -> None:
        self.events.note("ack", held.key)
        self.told.append(statistics)
        if self.on_ack is not None:
            raise self.on_ack

    def release(self, held: HeldShare, error: VolleyError, *, retry: bool) -> None:
        self.events.note("release", held.key)
        self.released.append((error, retry))
        if self.on_release is not None:
            raise self.on_release


class Producing:
    """An instance over a source of shares, with its kernel run replaced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *numbers: int, run: Run = rows_of) -> None:
        self.events = Events()
        self.source = Source(self.events, *numbers)
        self.cancellation = Cancellation()
        self.now = 0.0
        self.heartbeats = Heartbeats(clock=lambda: self.now)
        report = ScanReport(fetched_bytes=30, requests=2)
        monkeypatch.setattr(producer, "run_share", lambda _fragment, part, _whole, _context, _arrived: (run(part), [report], 7))
        context = ExecutionContext("q", cast(Kernel, None), cast(Kernel, None), cast(Storage, None), self.cancellation)
        self.instance = ProducerInstance("w/0", FRAGMENT, self.source, self._commit, context, self.heartbeats, NOTHING_WHOLE)

    def _commit(self, held: RecordKey, outputs: Sequence[Output]) -> None:
        self.events.note(f"commit {len(outputs)} of", held)

    def run(self) -> list[str]:
        try:
            self.instance.run()
        finally:
            self.heartbeats.stop()
        return self.events.done


def raising(error: Exception) -> Run:
    def run(_part: Share) -> list[Output]:
        raise error

    return run


def test_outputs_are_visible_before_their_share_is_acked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Producing(monkeypatch, 1, 2).run() == ["commit 1 of 1", "ack 1", "commit 1 of 2", "ack 2"]


def test_what_was_done_is_counted_and_told_with_each_ack(monkeypatch: pytest.MonkeyPatch) -> None:
    producing = Producing(monkeypatch, 3, 4)
    producing.run()
    done = producing.instance.statistics
    assert (done.records, done.rows, done.bytes, done.scanned_bytes, done.requests) == (2, 7, 56, 60, 4)
    assert (done.spill_bytes, done.retries) == (7, 0)
    assert [told.rows for told in producing.source.told] == [3, 7]
    assert done.seconds >= 0


@pytest.mark.parametrize(
    ("error", "retry"),
    [
        (KernelError("division by zero"), False),
        (FileUnreadable("the file default:t/1.parquet is corrupt"), False),
        (StorageError("the connection 'default' cannot be reached"), True),
    ],
)
def test_a_share_that_fails_is_given_back_and_the_next_one_is_run(error: VolleyError, retry: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    producing = Producing(monkeypatch, 1, 2, run=lambda part: rows_of(part) if part.rows == 2 else raising(error)(part))
    assert producing.run() == ["release 1", "commit 1 of 2", "ack 2"]
    assert producing.source.released == [(error, retry)]
    assert (producing.instance.statistics.records, producing.instance.statistics.retries) == (1, 1)


def test_an_internal_error_is_given_back_for_another_try_without_its_text(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    producing = Producing(monkeypatch, 1, run=raising(ZeroDivisionError("/srv/secret/path")))
    with caplog.at_level(logging.ERROR):
        assert producing.run() == ["release 1"]
    ((error, retry),) = producing.source.released
    assert (str(error), retry) == ("internal error of type ZeroDivisionError while running fragment-0/t/1", True)
    assert "/srv/secret/path" in caplog.text


def test_a_lease_that_was_lost_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    producing = Producing(monkeypatch, 1, 2)
    producing.source.on_ack = StaleLease("somebody else has it")
    assert producing.run() == ["commit 1 of 1", "ack 1", "commit 1 of 2", "ack 2"]
    assert producing.source.released == []


def test_a_failure_after_the_lease_was_lost_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (KernelError("out of range"), ZeroDivisionError()):
        producing = Producing(monkeypatch, 1, 2, run=raising(error))
        producing.source.on_release = StaleLease("somebody else has it")
        assert producing.run() == ["release 1", "release 2"]
        assert producing.instance.statistics.retries == 2


def test_an_ack_that_does_not_get_through_is_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    producing = Producing(monkeypatch, 1)
    producing.source.on_ack = StorageError("unreachable")
    producing.run()
    assert [retry for _, retry in producing.source.released] == [True]


def test_an_error_of_the_exchange_itself_ends_the_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    producing = Producing(monkeypatch, 1, 2, run=raising(KernelError("out of range")))
    producing.source.on_release = KILLED
    with pytest.raises(OperatorError, match="killed"):
        producing.run()


def test_a_cancelled_query_leases_nothing_more_and_gives_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_part: Share) -> list[Output]:
        producing.cancellation.cancel(KILLED)
        raise KILLED

    producing = Producing(monkeypatch, 1, 2, run=run)
    assert producing.run() == []
    assert producing.source.waiting == [2]


def test_the_lease_is_kept_alive_while_the_fragment_runs_and_not_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    # No thread of the heartbeats' own: the test says when time passes.
    monkeypatch.setattr(Heartbeats, "_run", lambda self: None)

    def run(part: Share) -> list[Output]:
        for now in (4.9, 5.0, 9.9, 10.0):
            producing.now = now
            producing.heartbeats.beat_due(now)
        return rows_of(part)

    producing = Producing(monkeypatch, 1, run=run)
    assert producing.run() == ["beat 1", "beat 1", "commit 1 of 1", "ack 1"]
    producing.heartbeats.beat_due(100.0)
    assert producing.events.done[-1] == "ack 1"


class ExchangeSource:
    """As the query handler gives out shares: from an exchange in the same process."""

    def __init__(self, exchange: Exchange[Share], name: str) -> None:
        self.exchange = exchange
        self.name = name

    def lease(self) -> HeldShare | None:
        held = self.exchange.lease(self.name, seconds=0)
        return None if held is None else HeldShare(held.key, held.lease.epoch, held.payload, self.exchange.lease_seconds)

    def heartbeat(self, held: HeldShare) -> None:
        self.exchange.heartbeat(held.key, held.epoch)

    def ack(self, held: HeldShare, statistics: InstanceStatistics, sizes: BucketSizes | None = None) -> None:
        self.exchange.ack(held.key, held.epoch)

    def release(self, held: HeldShare, error: VolleyError, *, retry: bool) -> None:
        self.exchange.release(held.key, held.epoch, error, retry=retry)


class Scan:
    """Shares, and the exchange that their outputs meet in; the clock is the test's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, count: int, run: Run) -> None:
        self.now = 0.0
        self.shares: Exchange[Share] = Exchange(lease_seconds=10.0, clock=lambda: self.now)
        for number in range(count):
            self.shares.append(Record(key(number), share(number)))
        self.gathered: Exchange[Output] = Exchange(clock=lambda: self.now)
        self.gathering = Gathering("fragment-0", self.gathered, [key(number) for number in range(count)], self.shares.close)
        monkeypatch.setattr(producer, "run_share", lambda _fragment, part, _whole, _context, _arrived: (run(part), [], 0))

    def instance(self, name: str) -> ProducerInstance:
        context: Any = ExecutionContext("q", cast(Kernel, None), cast(Kernel, None), cast(Storage, None))
        source = ExchangeSource(self.shares, name)
        return ProducerInstance(name, FRAGMENT, source, self.gathering.commit, context, Heartbeats(clock=lambda: self.now), NOTHING_WHOLE)

    def rows(self) -> list[int]:
        held = sorted(iter(lambda: self.gathered.lease("test", seconds=0), None), key=lambda item: item.key)
        return [item.payload.batch.num_rows for item in held]


def test_a_share_whose_worker_died_after_its_commit_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scan = Scan(monkeypatch, 3, rows_of)
    dying = scan.instance("dying")
    held = ExchangeSource(scan.shares, "dying").lease()
    assert held is not None
    dying._run_share(held)
    scan.now = 10.0
    scan.instance("other").run()
    assert scan.shares.ended
    assert scan.rows() == [0, 1, 2]


def test_a_straggler_that_fails_late_does_not_fail_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(part: Share) -> list[Output]:
        if part.rows == 1 and not late:
            late.append(1)
            scan.now += 10.0
            scan.instance("other").run()
            raise KernelError("too late")
        return rows_of(part)

    late: list[int] = []
    scan = Scan(monkeypatch, 3, run)
    scan.instance("straggler").run()
    assert late
    assert scan.shares.ended
    assert scan.rows() == [0, 1, 2]


def test_a_share_that_nobody_can_run_fails_the_query_after_four_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def run(part: Share) -> list[Output]:
        tried.append(part.rows or 0)
        raise StorageError("the connection 'default' cannot be reached")

    scan = Scan(monkeypatch, 1, run)
    with pytest.raises(VolleyError, match=r"fragment-0/t/0 of operator fragment-0 failed 4 times.*cannot be reached"):
        scan.instance("a").run()
    assert len(tried) == 4
