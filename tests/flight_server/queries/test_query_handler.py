"""Who may run, who waits, who is turned away; how queries end, well and badly; and what the handler says of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, cast

import fsspec
import msgspec
import pyarrow as pa
import pytest

from flight_server.cluster.forwarding import Forwarding
from flight_server.errors import ClientError, NoRoom, QueryKilled, QueryTimedOut, ServerClosing, UnknownExchange, UnknownQuery
from flight_server.protocol.messages import (
    ENDED,
    LINE_SQL_CHARS,
    START,
    Cursor,
    OperatorStatus,
    PeekTicket,
    QueryLine,
    QueryStatus,
    ResultTicket,
)
from flight_server.protocol.service import PeekStream, StatementSettings
from flight_server.queries import query_handler, query_runner, statement_planner
from flight_server.queries.execution import RowSink
from flight_server.queries.query_handler import QueryHandler
from flight_server.queries.stored import short_status
from flight_server.settings.config import LimitsConfig
from operators.cancellation import Cancellation
from operators.errors import NoSuchResult, ResultTooLarge, StorageError
from operators.results.result_files import ResultFiles
from operators.results.results import ResultStore
from operators.scan.catalog import FileCatalog
from planner import PlanOptions
from planner.errors import Status, VolleyError
from planner.physical import PhysicalPlan
from tests.e2e.waiting import eventually
from tests.flight_server.queries.small_site import PATIENCE, SCHEMA, SmallSite, batch, streamed

OWNER = "ada"
STREAM_TTL_SECONDS = 600.0

Work = Callable[[RowSink, Cancellation], None]


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Gate:
    """Work that is under way until the test lets it go, or it is cancelled."""

    def __init__(self, *numbers: int) -> None:
        self.begun = threading.Event()
        self.cancelled = threading.Event()
        self._numbers = numbers
        self._go = threading.Event()

    def __call__(self, sink: RowSink, cancellation: Cancellation) -> None:
        sink.append(batch(*self._numbers))
        with cancellation.on_cancel(self._stop):
            self.begun.set()
            assert self._go.wait(PATIENCE)
        cancellation.check()

    def open(self) -> None:
        self._go.set()

    def _stop(self) -> None:
        self.cancelled.set()
        self._go.set()


class FakeExecution:
    """Runs what the test said for the statement."""

    works: ClassVar[dict[str, Work]]
    lost: ClassVar[list[tuple[str, str]]]

    def __init__(self, query_id: str, plan: PhysicalPlan, sink: RowSink, cancellation: Cancellation, site: Any) -> None:
        self.query_id = query_id
        self._work = self.works[plan.sql]
        self._sink = sink
        self._cancellation = cancellation

    def run(self) -> None:
        with self._cancellation.on_cancel(self._sink.release):
            self._work(self._sink, self._cancellation)

    def close(self) -> None:
        return

    def others(self) -> list[str]:
        return ["grpc://other"]

    def exclude(self, worker_id: str) -> None:
        self.lost.append((self.query_id, worker_id))

    def statuses(self) -> list[OperatorStatus]:
        return [OperatorStatus("fragment-0", "producer", "scan t", "running", records_total=4, records_done=1, rows=7)]

    def exchange_names(self) -> list[str]:
        return ["exchange-0"]

    def peek(self, name: str, records: int) -> PeekStream | None:
        return PeekStream(SCHEMA, iter([batch(1)] * records)) if name == "exchange-0" else None


class NobodyElse:
    """No other workers, or one that has ``lines``."""

    def __init__(self) -> None:
        self.lines: list[QueryLine] = []

    def queries(self, owner: str, everything: bool, limit: int | None, before: float | None) -> list[QueryLine]:
        return self.lines

    def _nothing(self, *_: object, **__: object) -> None:
        return None

    status = kill = drop = read = peek = _nothing


class FakeCatalog:
    def session(self, time_zone: str) -> None:
        return None


@dataclass
class Handling:
    """A handler whose planner and executions do what the test says. ``plans`` may have its planner wait, or raise."""

    monkeypatch: pytest.MonkeyPatch
    root: Path
    queries: int = 2
    queue: int = 2
    clock: Clock = field(default_factory=Clock)
    others: NobodyElse = field(default_factory=NobodyElse)
    works: dict[str, Work] = field(default_factory=dict)
    plans: Callable[[str], PhysicalPlan] = lambda sql: replace(streamed("t", 1), sql=sql)

    def __post_init__(self) -> None:
        self.small = SmallSite(self.monkeypatch)
        self.lost: list[tuple[str, str]] = []
        execution = type("Execution", (FakeExecution,), {"works": self.works, "lost": self.lost})
        self.monkeypatch.setattr(query_runner, "Execution", execution)
        self.monkeypatch.setattr(statement_planner, "plan", lambda statement, *_: self.plans(statement.parsed.sql))
        self.handler = self.another()

    def another(self) -> QueryHandler:
        """A handler over the same stored results, as after a restart."""
        self.results = ResultStore(fsspec.filesystem("file"), str(self.root), short=short_status, rows_per_group=2, groups_per_file=1)
        return QueryHandler(
            cast(FileCatalog, FakeCatalog()),
            self.results,
            self.small.site,
            cast(Forwarding, self.others),
            LimitsConfig(queries=self.queries, queue=self.queue, abandon_seconds=60.0),
            PlanOptions(),
            lambda _ids: None,
            STREAM_TTL_SECONDS,
            self.clock,
        )

    def submit(self, sql: str, work: Work | None = None) -> str:
        self.works[sql] = work or (lambda sink, _cancellation: sink.append(batch(1, 2, 3)))
        return self.handler.submit(sql, OWNER).query_id

    def look(self, sql: str, numbers: int, ahead: int) -> str:
        """A query of which only what is looked at is made, two rows to a row group; it waits for a reader."""

        def work(sink: RowSink, cancellation: Cancellation) -> None:
            for number in range(numbers):
                cancellation.check()
                sink.append(batch(number))

        self.works[sql] = work
        query_id = self.handler.submit(sql, OWNER, ahead=ahead).query_id
        assert eventually(lambda: self.line(query_id).result.held, PATIENCE, "it waits for a reader")
        return query_id

    def line(self, query_id: str) -> QueryLine:
        return next(line for line in self.handler.queries(OWNER) if line.query_id == query_id)

    def running(self, sql: str, *numbers: int) -> tuple[str, Gate]:
        """A query that is under way."""
        gate = Gate(*numbers)
        query_id = self.submit(sql, gate)
        assert gate.begun.wait(PATIENCE)
        return query_id, gate

    def ended(self, query_id: str) -> QueryStatus:
        return list(self.handler.watch(query_id, OWNER, lambda: False))[-1]

    def state(self, query_id: str) -> str:
        status = self.handler.status(query_id, OWNER)
        assert status is not None
        return status.state

    def rows(self, query_id: str, *, follow: bool = True) -> list[int]:
        stream = self.handler.read(ResultTicket(query_id, START, follow), OWNER, lambda: False, False)
        return [number for part, _ in stream.batches for number in part.column(0).to_pylist()]


@pytest.fixture(name="handling")
def _handling(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Handling]:
    handling = Handling(monkeypatch, tmp_path)
    yield handling
    handling.handler.close()
    handling.results.close()
    handling.small.heartbeats.stop()


@pytest.fixture(name="narrow")
def _narrow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Handling]:
    """Room for one that runs and one that waits."""
    handling = Handling(monkeypatch, tmp_path, queries=1, queue=1)
    yield handling
    handling.handler.close()
    handling.results.close()
    handling.small.heartbeats.stop()


# -- admission --------------------------------------------------------------------------------------------------------


def test_a_query_runs_and_its_rows_can_be_read(handling: Handling) -> None:
    query_id = handling.submit("SELECT 1")
    assert handling.rows(query_id) == [1, 2, 3]
    ended = handling.ended(query_id)
    assert (ended.state, ended.progress, ended.result.rows, ended.result.closed) == ("completed", 1.0, 3, True)
    assert handling.handler.running() == 0


def test_one_runs_one_waits_one_is_turned_away(narrow: Handling) -> None:
    first, gate = narrow.running("SELECT 1")
    second = narrow.submit("SELECT 2")
    with pytest.raises(NoRoom, match="1 run and 1 wait"):
        narrow.submit("SELECT 3")
    assert [(line.sql, line.state) for line in narrow.handler.queries(OWNER)] == [("SELECT 2", "queued"), ("SELECT 1", "running")]
    gate.open()
    assert [narrow.ended(query_id).state for query_id in (first, second)] == ["completed", "completed"]
    assert narrow.results.statistics().writing == 0, "what was turned away has left a result behind"


def test_what_was_killed_while_it_waited_never_runs(narrow: Handling) -> None:
    first, gate = narrow.running("SELECT 1")
    second = narrow.submit("SELECT 2", lambda _sink, _cancellation: pytest.fail("it ran"))
    killed = narrow.handler.kill(second, OWNER)
    assert killed is not None
    assert killed.state == "killed"
    with pytest.raises(QueryKilled):
        narrow.rows(second)
    third = narrow.submit("SELECT 3")
    gate.open()
    assert [narrow.ended(query_id).state for query_id in (first, second, third)] == ["completed", "killed", "completed"]


def test_a_killed_query_is_stopped_everywhere_and_makes_room(narrow: Handling) -> None:
    first, _gate = narrow.running("SELECT 1", 1, 2, 3, 4, 5)
    second = narrow.submit("SELECT 2")
    assert narrow.rows(first, follow=False) == [1, 2]
    narrow.handler.kill(first, OWNER)
    ended = narrow.ended(first)
    assert ended.error is not None
    assert (ended.state, ended.error.status) == ("killed", "CANCELLED")
    assert {operator.state for operator in ended.operators} == {"failed"}
    with pytest.raises(QueryKilled, match="killed by its owner"):
        narrow.rows(first)
    assert narrow.ended(second).state == "completed"
    assert narrow.small.peers.asked == [("grpc://other", "operator.stop")] * 2


def test_the_first_ending_counts(handling: Handling) -> None:
    query_id = handling.submit("SELECT 1")
    handling.ended(query_id)
    killed = handling.handler.kill(query_id, OWNER)
    assert killed is not None
    assert killed.state == "completed"
    assert handling.rows(query_id) == [1, 2, 3]


# -- looks, and what is dropped ---------------------------------------------------------------------------------------


def test_a_look_runs_with_what_it_has_until_somebody_reads_on(narrow: Handling) -> None:
    look = narrow.look("SELECT 1", 9, ahead=2)
    assert (narrow.line(look).state, narrow.line(look).result.rows) == ("running", 4)
    status = narrow.handler.status(look, OWNER)
    assert status is not None
    assert (status.state, status.result.held, [group.rows for group in status.result.row_groups]) == ("running", True, [2, 2])
    assert narrow.rows(look, follow=False) == [0, 1]
    assert eventually(lambda: narrow.line(look).result.rows == 6, PATIENCE, "one row group more")
    assert narrow.rows(look) == list(range(9))
    ended = narrow.ended(look)
    assert (ended.state, ended.result.held, ended.result.rows) == ("completed", False, 9)


def test_a_look_that_nobody_reads_is_abandoned_though_it_never_had_a_reader(narrow: Handling) -> None:
    look = narrow.look("SELECT 1", 9, ahead=1)
    narrow.clock.now += 60
    narrow.handler.kill_abandoned()
    assert narrow.state(look) == "running"
    narrow.clock.now += 60.5
    narrow.handler.kill_abandoned()
    ended = narrow.ended(look)
    assert ended.error is not None
    assert ended.error.message.startswith("the query was stopped: nobody has read it or asked for it for 60 s")
    assert narrow.ended(narrow.submit("SELECT 2")).state == "completed", "its place is free"


def test_a_look_that_nobody_asks_for_runs_on_until_it_waits_for_a_reader(narrow: Handling) -> None:
    gate = Gate(0)

    def work(sink: RowSink, cancellation: Cancellation) -> None:
        gate(sink, cancellation)
        for number in range(1, 9):
            cancellation.check()
            sink.append(batch(number))

    narrow.works["SELECT 1"] = work
    look = narrow.handler.submit("SELECT 1", OWNER, ahead=1).query_id
    narrow.clock.now += 600
    narrow.handler.kill_abandoned()
    assert narrow.line(look).state in ("queued", "running"), "it is being made, for whoever comes back"
    gate.open()
    assert eventually(lambda: narrow.line(look).result.held, PATIENCE, "it waits for a reader")
    narrow.clock.now += 59
    narrow.handler.kill_abandoned()
    assert narrow.line(look).state == "running"
    narrow.clock.now += 2
    narrow.handler.kill_abandoned()
    assert narrow.ended(look).state == "killed"


def test_a_look_that_waits_lends_its_place_to_others_and_needs_none_to_go_on(narrow: Handling) -> None:
    look = narrow.look("SELECT 1", 9, ahead=1)
    assert narrow.ended(narrow.submit("SELECT 2")).state == "completed"
    other, gate = narrow.running("SELECT 3")
    assert narrow.rows(look) == list(range(9)), "though another one runs where only one may"
    assert narrow.ended(look).state == "completed"
    assert narrow.state(other) == "running"
    gate.open()
    assert narrow.ended(other).state == "completed"


def test_looks_that_nobody_reads_on_keep_nobody_waiting(narrow: Handling) -> None:
    looks = [narrow.look(f"SELECT {number}", 9, ahead=1) for number in range(3)]
    ended = [narrow.ended(query_id) for query_id in looks[:2]]
    assert [(status.state, status.result.rows) for status in ended] == [("completed", 9)] * 2, "more would pause than may: the first go on"
    assert narrow.state(looks[2]) == "running"
    assert narrow.ended(narrow.submit("SELECT 3")).state == "completed"
    assert narrow.rows(looks[2]) == list(range(9))


def test_killing_wakes_a_look_that_waits(narrow: Handling) -> None:
    look = narrow.look("SELECT 1", 1_000_000, ahead=1)
    assert narrow.handler.kill(look, OWNER) is not None
    assert narrow.ended(look).state == "killed"
    assert eventually(lambda: narrow.results.statistics().writing == 0, PATIENCE, "its rows are free")
    with pytest.raises(QueryKilled):
        narrow.rows(look)


def test_a_server_that_drains_has_looks_run_to_their_end(narrow: Handling) -> None:
    look = narrow.look("SELECT 1", 9, ahead=1)
    narrow.handler.drain(PATIENCE)
    assert narrow.state(look) == "completed"
    assert narrow.rows(look) == list(range(9))


def test_what_a_program_asks_for_itself_is_listed_only_when_it_is_asked_for(handling: Handling) -> None:
    handling.works |= {sql: lambda sink, _cancellation: sink.append(batch(1)) for sql in ("SELECT 1", "SELECT 2", "SELECT 3")}
    own, count, last = (
        handling.handler.submit(sql, OWNER, purpose=purpose).query_id
        for sql, purpose in zip(("SELECT 1", "SELECT 2", "SELECT 3"), ("", "count", ""), strict=True)
    )
    for query_id in (own, count, last):
        assert handling.ended(query_id).state == "completed"
    for handler in (handling.handler, handling.another()):
        assert [line.query_id for line in handler.queries(OWNER)] == [last, own]
        assert [(line.query_id, line.purpose) for line in handler.queries(OWNER, everything=True)] == [
            (last, ""),
            (count, "count"),
            (own, ""),
        ]
        assert [line.query_id for line in handler.queries(OWNER, limit=2)] == [last, own]
        assert [line.query_id for line in handler.queries(OWNER, everything=True, limit=2)] == [last, count]
        (newest,) = handler.queries(OWNER, limit=1)
        assert [line.query_id for line in handler.queries(OWNER, limit=1, before=newest.submitted_at)] == [own], "the next page"
        status = handler.status(count, OWNER)
        assert status is not None
        assert status.purpose == "count"


@pytest.mark.parametrize("restarted", [False, True])
def test_a_finished_result_that_is_dropped_is_gone(handling: Handling, restarted: bool) -> None:
    query_id, other = handling.submit("SELECT 1"), handling.submit("SELECT 2")
    assert [handling.ended(each).state for each in (query_id, other)] == ["completed"] * 2
    if restarted:
        handling.handler = handling.another()
    assert handling.handler.drop(query_id, "bob") is None
    assert handling.rows(query_id) == [1, 2, 3]
    dropped = handling.handler.drop(query_id, OWNER)
    assert dropped is not None
    assert (dropped.query_id, dropped.state, dropped.result.rows) == (query_id, "completed", 3)
    assert [line.query_id for line in handling.handler.queries(OWNER, everything=True)] == [other]
    assert handling.handler.status(query_id, OWNER) is None
    with pytest.raises(UnknownQuery):
        handling.rows(query_id)
    assert [entry.name for entry in (handling.root / "results").iterdir()] == [other]
    assert handling.handler.drop(query_id, OWNER) is None


def test_a_list_has_no_query_whose_result_is_gone(handling: Handling) -> None:
    gone, kept = handling.submit("SELECT 1"), handling.submit("SELECT 2")
    assert [handling.ended(each).state for each in (gone, kept)] == ["completed"] * 2
    assert handling.results.delete(gone)
    assert [line.query_id for line in handling.handler.queries(OWNER)] == [kept]
    with pytest.raises(NoSuchResult):
        handling.rows(gone)


def test_who_reads_what_is_dropped_is_told(handling: Handling) -> None:
    query_id = handling.submit("SELECT 1")
    assert handling.ended(query_id).state == "completed"
    reading = handling.handler.read(ResultTicket(query_id, START, True), OWNER, lambda: False, False).batches
    assert next(reading)[0].num_rows == 2
    assert handling.handler.drop(query_id, OWNER) is not None
    with pytest.raises(NoSuchResult) as told:
        next(reading)
    assert told.value.status is Status.NOT_FOUND


def test_what_runs_and_what_waits_in_line_is_killed_and_then_dropped(narrow: Handling) -> None:
    first, gate = narrow.running("SELECT 1", 1)
    second = narrow.submit("SELECT 2", lambda _sink, _cancellation: pytest.fail("it ran"))
    for query_id in (second, first):
        dropped = narrow.handler.drop(query_id, OWNER)
        assert dropped is not None
        assert dropped.state == "killed"
    assert gate.cancelled.is_set()
    assert narrow.handler.queries(OWNER, everything=True) == []
    assert narrow.ended(narrow.submit("SELECT 3")).state == "completed"


def test_a_look_that_waits_is_dropped_with_all_that_it_holds(narrow: Handling) -> None:
    look = narrow.look("SELECT 1", 9, ahead=1)
    assert narrow.handler.drop(look, OWNER) is not None
    assert narrow.handler.queries(OWNER) == []
    assert eventually(lambda: narrow.results.statistics().writing == 0, PATIENCE, "its rows are free")
    assert eventually(lambda: list((narrow.root / "results").glob("*")) == [], PATIENCE, "so are its files")


# -- bad ends ---------------------------------------------------------------------------------------------------------


def raising(error: Exception) -> Work:
    def work(_sink: RowSink, _cancellation: Cancellation) -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (StorageError("the connection 'lake' does not answer"), "UNAVAILABLE", "'lake' does not answer"),
        (ResultTooLarge("the result is too large"), "RESOURCE_EXHAUSTED", "too large"),
        (ZeroDivisionError("a bug"), "INTERNAL", "incident"),
    ],
    ids=["trouble", "too large", "a bug"],
)
def test_a_failure_is_told_and_makes_room(narrow: Handling, error: Exception, status: str, message: str) -> None:
    for _ in range(3):
        ended = narrow.ended(narrow.submit("SELECT 1", raising(error)))
        assert ended.error is not None
        assert (ended.state, ended.error.status) == ("failed", status)
        assert message in ended.error.message
    with pytest.raises(VolleyError, match=message):
        narrow.rows(ended.query_id)
    assert narrow.ended(narrow.submit("SELECT 2")).state == "completed"
    assert [path for path in narrow.root.glob("results/*") if path.name == ended.query_id] == []


def test_a_failure_is_told_before_the_other_workers_have_answered(handling: Handling, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()

    def slow(*_: object, **__: object) -> None:
        assert answer.wait(PATIENCE)

    monkeypatch.setattr(handling.small.peers, "tell", slow)
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(handling.ended, handling.submit("SELECT 1", raising(StorageError("gone"))))
        try:
            assert ended.result(PATIENCE / 4).state == "failed"
        finally:
            answer.set()


def test_a_worker_that_does_not_answer_is_no_reason_to_stay(handling: Handling, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ClientError("nobody there", status=Status.UNAVAILABLE)

    monkeypatch.setattr(handling.small.peers, "tell", refuse)
    assert handling.ended(handling.submit("SELECT 1")).state == "completed"
    handling.handler.close()
    assert handling.handler.running() == 0


def test_a_result_that_cannot_be_stored_fails_its_query(handling: Handling, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "/srv/secret")

    monkeypatch.setattr(ResultFiles, "write_manifest", full)
    ended = handling.ended(handling.submit("SELECT 1"))
    assert ended.error is not None
    assert (ended.state, ended.error.status) == ("failed", "UNAVAILABLE")
    assert ended.error.message.startswith("the result cannot be stored: no space is left")
    with pytest.raises(StorageError):
        handling.rows(ended.query_id)


def test_a_statement_that_cannot_be_planned_leaves_nothing(handling: Handling) -> None:
    def refuse(sql: str) -> PhysicalPlan:
        raise StorageError(f"no table for {sql}")

    handling.plans = refuse
    with pytest.raises(StorageError, match="no table for SELECT 1"):
        handling.submit("SELECT 1")
    assert (handling.handler.queries(OWNER), handling.handler.running(), handling.results.statistics().writing) == ([], 0, 0)


# -- the end of the server --------------------------------------------------------------------------------------------


def test_draining_lets_what_runs_end_and_takes_nothing_new(narrow: Handling) -> None:
    first, gate = narrow.running("SELECT 1")
    second = narrow.submit("SELECT 2")
    with ThreadPoolExecutor(1) as pool:
        drained = pool.submit(narrow.handler.drain, PATIENCE)
        gate.open()
        drained.result(PATIENCE)
    assert [narrow.state(query_id) for query_id in (first, second)] == ["completed", "completed"]
    with pytest.raises(ServerClosing):
        narrow.submit("SELECT 3")


def test_what_has_not_ended_when_the_time_is_up_is_killed(narrow: Handling) -> None:
    first, _gate = narrow.running("SELECT 1")
    second = narrow.submit("SELECT 2", lambda _sink, _cancellation: pytest.fail("it ran"))
    narrow.handler.drain(0.0)
    for query_id in (first, second):
        ended = narrow.ended(query_id)
        assert ended.error is not None
        assert (ended.state, ended.error.message.splitlines()[0]) == ("killed", "the query was stopped: the server is shutting down")


@pytest.mark.parametrize("call", ["submit", "plan_schema"])
def test_closing_waits_for_calls_that_plan_and_takes_no_query_from_them(handling: Handling, call: str) -> None:
    planning, go, order = threading.Event(), threading.Event(), []

    def slow(sql: str) -> PhysicalPlan:
        planning.set()
        assert go.wait(PATIENCE)
        order.append("planned")
        return streamed("t", 1)

    def close() -> None:
        handling.handler.close()
        order.append("closed")

    handling.plans = slow
    with ThreadPoolExecutor(2) as pool:
        calling = (
            pool.submit(handling.handler.submit, "SELECT 1", OWNER)
            if call == "submit"
            else pool.submit(handling.handler.plan_schema, "SELECT 1", ())
        )
        assert planning.wait(PATIENCE)
        closing = pool.submit(close)
        assert handling.handler._closing.wait(PATIENCE)
        go.set()
        closing.result(PATIENCE)
        if call == "submit":
            with pytest.raises(ServerClosing):
                calling.result(PATIENCE)
        else:
            assert calling.result(PATIENCE) == SCHEMA
    assert order == ["planned", "closed"]
    assert handling.results.statistics().writing == 0
    with pytest.raises(ServerClosing):
        handling.handler.plan_schema("SELECT 1", ())
    with pytest.raises(ServerClosing):
        handling.handler.prepare("SELECT 1")


# -- sweeping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interest", ["status", "watch", "read", "peek"])
def test_a_query_whose_client_asks_for_it_is_not_abandoned(handling: Handling, interest: str) -> None:
    query_id, gate = handling.running("SELECT 1", 1, 2, 3, 4, 5)
    assert handling.rows(query_id, follow=False) == [1, 2]
    for _ in range(3):
        handling.clock.now += 50
        match interest:
            case "status":
                assert handling.handler.local_status(query_id, OWNER) is not None
            case "watch":
                assert next(handling.handler.watch(query_id, OWNER, lambda: False)).state == "running"
            case "read":
                handling.rows(query_id, follow=False)
            case "peek":
                handling.handler.peek(PeekTicket(query_id, "exchange-0", 1), OWNER)
        handling.handler.kill_abandoned()
    assert not gate.cancelled.is_set()


def test_a_query_that_nobody_asks_for_any_more_is_killed(handling: Handling) -> None:
    query_id, gate = handling.running("SELECT 1", 1, 2, 3, 4, 5)
    handling.rows(query_id, follow=False)
    handling.clock.now += 59
    handling.handler.kill_abandoned()
    assert not gate.cancelled.is_set()
    assert [line.state for line in handling.handler.queries(OWNER)] == ["running"]
    assert handling.handler.local_status(query_id, "somebody else") is None
    handling.clock.now += 2
    handling.handler.kill_abandoned()
    ended = handling.ended(query_id)
    assert ended.error is not None
    assert (ended.state, ended.error.message) == ("killed", "the query was stopped: nobody has read it or asked for it for 60 s")


def test_a_query_that_takes_longer_than_its_session_gives_it_is_stopped(handling: Handling) -> None:
    gate = Gate(1, 2, 3)
    handling.works["SELECT 1"] = gate
    query_id = handling.handler.submit("SELECT 1", OWNER, settings=StatementSettings(seconds=30)).query_id
    assert gate.begun.wait(PATIENCE)
    handling.clock.now += 30
    handling.handler.kill_abandoned()
    assert not gate.cancelled.is_set()
    handling.clock.now += 1
    handling.handler.kill_abandoned()
    ended = handling.ended(query_id)
    assert ended.error is not None
    assert (ended.state, ended.error.status) == ("killed", "DEADLINE_EXCEEDED")
    assert "longer than the 30 s that its session gives to a statement" in ended.error.message
    with pytest.raises(QueryTimedOut):
        handling.rows(query_id)


def test_the_time_of_a_query_that_waits_for_its_turn_counts(narrow: Handling) -> None:
    _first, gate = narrow.running("SELECT 1")
    narrow.works["SELECT 2"] = Gate()
    waiting = narrow.handler.submit("SELECT 2", OWNER, settings=StatementSettings(seconds=30)).query_id
    narrow.clock.now += 31
    narrow.handler.kill_abandoned()
    assert (narrow.state(waiting), gate.cancelled.is_set()) == ("killed", False)


def test_a_query_that_was_never_read_is_not_abandoned(handling: Handling) -> None:
    _query_id, gate = handling.running("SELECT 1")
    handling.clock.now += 1e6
    handling.handler.kill_abandoned()
    assert not gate.cancelled.is_set()


def test_a_query_that_is_being_read_is_not_abandoned(handling: Handling) -> None:
    query_id, gate = handling.running("SELECT 1", 1, 2, 3, 4, 5)
    stream = handling.handler.read(ResultTicket(query_id, START, True), OWNER, lambda: False, False)
    next(stream.batches)
    handling.clock.now += 1e6
    handling.handler.kill_abandoned()
    assert not gate.cancelled.is_set()


def test_no_error_ends_the_sweepers(handling: Handling, monkeypatch: pytest.MonkeyPatch) -> None:
    class EndpointConnectionError(Exception):
        """As botocore's: no OSError."""

    again = threading.Event()
    sweeps: list[int] = []

    def sweep(_now: float) -> Sequence[str]:
        sweeps.append(len(sweeps))
        if len(sweeps) == 1:
            raise EndpointConnectionError("Could not connect to the endpoint URL")
        again.set()
        return []

    monkeypatch.setattr(query_handler, "SWEEP_SECONDS", 0.001)
    monkeypatch.setattr(query_handler, "EXPIRE_SECONDS", 0.001)
    handler = handling.another()
    monkeypatch.setattr(handling.results, "sweep", sweep)
    handler.start()
    assert again.wait(PATIENCE), "one error ended the sweeping"
    handler.close()


def test_a_storage_that_hangs_keeps_no_abandoned_query_alive(handling: Handling, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, answers = threading.Event(), threading.Event()

    def sweep(_now: float) -> Sequence[str]:
        hangs.set()
        assert answers.wait(PATIENCE)
        return []

    monkeypatch.setattr(query_handler, "SWEEP_SECONDS", 0.001)
    monkeypatch.setattr(query_handler, "EXPIRE_SECONDS", 0.001)
    handling.handler = handler = handling.another()
    monkeypatch.setattr(handling.results, "sweep", sweep)
    query_id, gate = handling.running("SELECT 1", 1, 2, 3, 4, 5)
    handling.rows(query_id, follow=False)
    handler.start()
    assert hangs.wait(PATIENCE)
    handling.clock.now += 61
    try:
        assert gate.cancelled.wait(PATIENCE / 4), "the storage was waited for"
    finally:
        answers.set()
    assert handling.ended(query_id).state == "killed"


# -- readers ----------------------------------------------------------------------------------------------------------


def test_a_reader_that_cannot_come_back_takes_its_query_along(handling: Handling) -> None:
    query_id, _gate = handling.running("SELECT 1", 1, 2, 3, 4, 5)
    stream = handling.handler.read(ResultTicket(query_id, START, True), OWNER, lambda: False, True)
    next(stream.batches)
    cast(Any, stream.batches).close()
    ended = handling.ended(query_id)
    assert ended.error is not None
    assert "its client went away" in ended.error.message


def test_queries_of_others_do_not_exist(handling: Handling) -> None:
    query_id = handling.submit("SELECT 1")
    handling.ended(query_id)
    handler = handling.handler
    assert (handler.status(query_id, "bob"), handler.kill(query_id, "bob"), handler.queries("bob")) == (None, None, [])
    for ask in (
        lambda: handler.read(ResultTicket(query_id), "bob", lambda: False, False),
        lambda: handler.peek(PeekTicket(query_id, "exchange-0", 1), "bob"),
        lambda: next(handler.watch(query_id, "bob", lambda: False)),
    ):
        with pytest.raises(UnknownQuery) as told:
            ask()
        assert told.value.status is Status.NOT_FOUND


def test_peeking_is_for_exchanges_of_queries_that_run(handling: Handling) -> None:
    query_id, gate = handling.running("SELECT 1")
    assert len(list(handling.handler.peek(PeekTicket(query_id, "exchange-0", 2), OWNER).batches)) == 2
    with pytest.raises(UnknownExchange, match="exchange-0"):
        handling.handler.peek(PeekTicket(query_id, "exchange-9", 2), OWNER)
    gate.open()
    handling.ended(query_id)
    handling.handler.close()
    with pytest.raises(UnknownExchange, match="completed"):
        handling.handler.peek(PeekTicket(query_id, "exchange-0", 2), OWNER)


def test_all_that_run_are_told_of_a_lost_worker(handling: Handling) -> None:
    first, _ = handling.running("SELECT 1")
    second, _ = handling.running("SELECT 2")
    handling.handler.on_worker_lost("w2")
    assert sorted(handling.lost) == sorted([(first, "w2"), (second, "w2")])


@pytest.mark.parametrize(("abandon", "cursor", "sooner"), [(True, START, True), (False, START, False), (True, Cursor(0, 0, 1), False)])
def test_what_a_stream_has_read_from_start_to_end_expires_sooner(handling: Handling, abandon: bool, cursor: Cursor, sooner: bool) -> None:
    query_id = handling.submit("SELECT 1")
    assert handling.ended(query_id).state == "completed"
    list(handling.handler.read(ResultTicket(query_id, cursor, True), OWNER, lambda: False, abandon).batches)
    handling.results.close()  # what it does in the background is done
    expires_at = handling.line(query_id).result.expires_at
    assert expires_at is not None
    assert (expires_at < time.time() + 2 * STREAM_TTL_SECONDS) is sooner


# -- what is said of queries ------------------------------------------------------------------------------------------


def test_a_list_has_lines_and_a_status_has_everything(handling: Handling) -> None:
    sql = "SELECT 1 -- " + "x" * 10_000
    query_id = handling.submit(sql)
    ended = handling.ended(query_id)
    (line,) = handling.handler.queries(OWNER)
    assert (line.query_id, line.state, line.progress, line.result.rows) == (query_id, "completed", 1.0, 3)
    assert (len(line.sql), line.sql[:20]) == (LINE_SQL_CHARS, sql[:20])
    assert (ended.sql, [group.rows for group in ended.result.row_groups]) == (sql, [2, 1])
    assert len(msgspec.json.encode(line)) < 800
    again = handling.another()
    (kept,) = again.queries(OWNER)
    assert msgspec.structs.replace(kept, ended_at=line.ended_at) == line
    stored = again.status(query_id, OWNER)
    assert stored is not None
    assert (stored.sql, stored.result, stored.operators) == (sql, ended.result, ended.operators)


def test_an_old_client_reads_a_line_as_a_status(handling: Handling) -> None:
    handling.ended(handling.submit("SELECT 1"))
    (line,) = handling.handler.queries(OWNER)
    read = msgspec.json.decode(msgspec.json.encode(line), type=QueryStatus)
    assert (read.query_id, read.state, read.result.rows, read.result.row_groups, read.operators) == (line.query_id, "completed", 3, [], [])


@pytest.mark.parametrize("status", ["", "{}", '{"query_id":"q","sql":"","state":"hibernating"}', "[1]"])
def test_a_status_that_another_version_wrote_is_shown_as_far_as_it_is_known(
    handling: Handling, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    readable, unreadable = handling.submit("SELECT 1"), handling.submit("SELECT 2")
    for query_id in (readable, unreadable):
        handling.ended(query_id)
    handling.handler.close()
    file = handling.root / "results" / unreadable / "result.json"
    file.write_bytes(msgspec.json.encode({**msgspec.json.decode(file.read_bytes()), "status": status}))
    handler = handling.another()
    for _ in range(2):
        lines = {line.query_id: line for line in handler.queries(OWNER)}
        assert (lines[readable].sql, lines[unreadable].sql) == ("SELECT 1", "SELECT 2")
        assert (lines[unreadable].state, lines[unreadable].result.rows, lines[unreadable].owner) == ("completed", 3, OWNER)
        assert lines[unreadable].result.expires_at is not None
        shown = handler.status(unreadable, OWNER)
        assert shown is not None
        assert (shown.sql, shown.state, [group.rows for group in shown.result.row_groups]) == ("SELECT 2", "completed", [2, 1])
    assert caplog.text.count("cannot be read, its result can") == 1


def test_queries_of_all_workers_are_listed_newest_first(handling: Handling) -> None:
    handling.ended(handling.submit("SELECT 1"))
    handling.others.lines = [
        QueryLine("q0", "SELECT 0", "running", submitted_at=1.0),
        QueryLine("q2", "SELECT 2", "running", submitted_at=9e9),
    ]
    assert [line.sql for line in handling.handler.queries(OWNER)] == ["SELECT 2", "SELECT 1", "SELECT 0"]


def test_only_so_many_ended_queries_are_remembered(handling: Handling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_runner, "MAX_REMEMBERED", 2)
    failed = [handling.submit(f"SELECT {number}", raising(StorageError("gone"))) for number in range(1)]
    handling.ended(failed[0])
    for number in range(1, 4):
        handling.ended(handling.submit(f"SELECT {number}"))
    assert handling.handler.status(failed[0], OWNER) is None
    assert [line.sql for line in handling.handler.queries(OWNER)] == ["SELECT 3", "SELECT 2", "SELECT 1"]


def test_a_query_that_runs_is_remembered_however_old_and_those_behind_it_make_room(
    handling: Handling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_runner, "MAX_REMEMBERED", 2)
    long, gate = handling.running("SELECT 0", 0)
    failed = []
    for number in (1, 2, 3):
        failed.append(handling.submit(f"SELECT {number}", raising(StorageError("gone"))))
        handling.ended(failed[-1])
    assert [handling.handler.status(query_id, OWNER) for query_id in failed[:2]] == [None, None]
    assert handling.state(failed[2]) == "failed"
    assert handling.state(long) == "running"
    gate.open()


def test_a_watched_query_tells_each_change_until_it_has_ended(handling: Handling) -> None:
    query_id, gate = handling.running("SELECT 1")
    states = []
    for status in handling.handler.watch(query_id, OWNER, lambda: False):
        states.append(status.state)
        gate.open()
    assert states[0] == "running"
    assert states[-1] in ENDED


def test_explain_analyze_answers_with_the_plan_and_what_was_measured(handling: Handling) -> None:
    schema = pa.schema([pa.field("plan", pa.string())])
    handling.plans = lambda sql: replace(streamed("t", 1), sql=sql, schema=schema, analyze="text")
    query_id = handling.submit("EXPLAIN ANALYZE SELECT n FROM t")
    stream = handling.handler.read(ResultTicket(query_id, START, True), OWNER, lambda: False, False)
    lines = [line for part, _ in stream.batches for line in part.column(0).to_pylist()]
    assert lines[0] == "plan"
    assert any("fragment-0 (scan t): 7 rows" in line for line in lines)
