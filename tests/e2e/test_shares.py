"""A plan made by hand on three workers, two of them processes of their own: with a broadcast table, and with one killed in the middle."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from flight_server.client import Client
from flight_server.process.worker import Worker
from flight_server.protocol.messages import ENDED, OperatorStatus
from flight_server.queries.statement_planner import StatementPlanner
from flight_server.settings.config import Config
from planner.physical import Fragment, PhysicalPlan
from tests.e2e.answers import same_rows
from tests.e2e.held_files import HeldFiles
from tests.e2e.running_server import RunningServer
from tests.e2e.served_lake import EVENT_FILES
from tests.e2e.waiting import eventually
from tests.hand_made_plans import arm, columns, plan_of, scan, share, splits_of

BY_HAND = "SELECT 'a plan made by hand'"
TRUTH = "SELECT kind, count(*)::BIGINT AS n, sum(id)::BIGINT AS s FROM events JOIN kinds USING (kind_id) GROUP BY kind ORDER BY kind"
DONE = 3
"""Files that the query has behind it when it stands still."""


class Handler:
    """A worker in this process, which has the query, and two processes that have joined it. All have one thread."""

    def __init__(self, lake: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stack = ExitStack()
        self.worker = Worker(Config(port=0, threads=1, memory_bytes=512 << 20, data_roots=(str(lake),)), state)
        self.stack.callback(self.worker.close)
        self.worker.start()
        join = ("--data", str(lake), "--threads", "1", "--memory", "512MB", "--join", self.worker.uri)
        self.others = [self.stack.enter_context(RunningServer(*join)) for _ in range(2)]
        self.client = self.stack.enter_context(Client(self.worker.uri))
        self.plan = by_hand(self.worker)
        planned = StatementPlanner.plan
        monkeypatch.setattr(
            StatementPlanner, "plan", lambda planner, sql, *given: self.plan if sql == BY_HAND else planned(planner, sql, *given)
        )
        eventually(lambda: len(self.worker.services.workers()) == 3, 20, "all know each other")

    def operator(self, query_id: str, name: str) -> OperatorStatus | None:
        """An operator of a query that has not failed; None before it begins."""
        status = self.client.status(query_id)
        assert status is not None
        assert status.state not in ENDED or status.state == "completed", status
        return next((operator for operator in status.operators if operator.operator == name), None)


@pytest.fixture(name="handler")
def _handler(lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Handler]:
    handler = Handler(lake, tmp_path, monkeypatch)
    with handler.stack:
        yield handler


def by_hand(worker: Worker) -> PhysicalPlan:
    """All kinds, broadcast; joined with each file of ``events`` and aggregated in part; and then wholly."""
    catalog = worker._catalog.session()
    kinds = Fragment(0, "SELECT kind_id, kind FROM in_0", (scan(catalog, "in_0", "kinds"),), 0)
    inputs = scan(catalog, "in_0", "events"), arm("in_1", 0, kind_id="BIGINT", kind="VARCHAR")
    shares = tuple(share(in_0=(split,)) for split in splits_of(catalog, "events"))
    sql = "SELECT kind, count(*) AS n, sum(id) AS s FROM in_0 JOIN in_1 USING (kind_id) GROUP BY kind"
    partial = Fragment(1, sql, inputs, 1, shares)
    sql = "SELECT kind, sum(n)::BIGINT AS n, sum(s)::BIGINT AS s FROM in_0 GROUP BY kind ORDER BY kind"
    final = Fragment(2, sql, (arm("in_0", 1, kind="VARCHAR", n="BIGINT", s="HUGEINT"),), 2)
    return plan_of(
        catalog,
        (kinds, "broadcast", columns(kind_id="BIGINT", kind="VARCHAR")),
        (partial, "gather", columns(kind="VARCHAR", n="BIGINT", s="HUGEINT")),
        (final, "result", columns(kind="VARCHAR", n="BIGINT", s="BIGINT")),
    )


def test_a_worker_killed_in_the_middle_of_a_fragment_with_a_broadcast_table(
    handler: Handler, lake: Path, oracle: duckdb.DuckDBPyConnection
) -> None:
    victim = next(worker for worker in handler.client.workers() if worker.pid == handler.others[0].process.pid)
    with HeldFiles(sorted((lake / "events").iterdir())[DONE:]) as files:
        submitted = handler.client.submit(BY_HAND)

        def stands_still() -> bool:
            joined = handler.operator(submitted.query_id, "fragment-1")
            return joined is not None and (joined.records_done, joined.leases, joined.queue_depth) == (DONE, 3, EVENT_FILES - DONE - 3)

        eventually(stands_still, 30, "three shares are done, and each worker has one")
        os.kill(victim.pid, signal.SIGKILL)
        assert handler.others[0].process.wait(20) == -signal.SIGKILL
        eventually(lambda: "lost" in {worker.state for worker in handler.client.workers()}, 20, "it is lost")
        files.let_go()
        batches = [batch for batch, _ in handler.client.read(submitted.ticket)]
    same_rows(pa.Table.from_batches(batches, submitted.schema), oracle.sql(TRUTH).to_arrow_table())
    joined = handler.operator(submitted.query_id, "fragment-1")
    assert joined is not None
    assert joined.retries >= 1, "the victim had nothing on lease"
    assert joined.records_done == joined.records_total == EVENT_FILES
    assert {instance.worker_id for instance in joined.instances if instance.records} >= {
        worker.worker_id for worker in handler.client.workers() if worker.state == "up"
    }, "those that are left have both run shares"
    eventually(lambda: all(w.slots_used == 0 for w in handler.client.workers() if w.state == "up"), 10, "nothing is left of it")
    assert handler.worker._registry.names() == []
