"""Joins through hash exchanges on three workers, two of them processes of their own, one of which is killed at the worst time."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pytest

from flight_server.client import Client, Submitted
from flight_server.exchanges.distributed_fragment import DistributedFragment
from flight_server.exchanges.hash_output import HashOutput
from flight_server.process.worker import Worker
from flight_server.protocol.exchange_messages import Locations
from flight_server.protocol.messages import ENDED, OperatorStatus, WorkerStatus
from flight_server.protocol.service import Cancelled, ExchangeStream
from flight_server.settings.config import Config, PlannerConfig
from tests.e2e.answers import same_rows
from tests.e2e.running_server import RunningServer
from tests.e2e.waiting import eventually

PATIENCE = 60.0
SQL = """SELECT count(*) AS n, count(a.id) AS left_rows, count(b.id) AS right_rows, sum(a.id) AS s
    FROM events a FULL JOIN events b ON a.id = b.maybe"""
PRODUCERS = ("fragment-0", "fragment-1")
JOIN = "fragment-2"


class Three:
    """A worker in this process, which has the query, and two processes that have joined it. All have one thread."""

    def __init__(self, lake: Path, state: Path) -> None:
        self.stack = ExitStack()
        config = Config(port=0, threads=1, memory_bytes=512 << 20, data_roots=(str(lake),), planner=PlannerConfig("always"))
        self.worker = Worker(config, state)
        self.stack.callback(self.worker.close)
        self.worker.start()
        join = ("--data", str(lake), "--threads", "1", "--memory", "512MB", "--join", self.worker.uri)
        self.others = [self.stack.enter_context(RunningServer(*join)) for _ in range(2)]
        self.client = self.stack.enter_context(Client(self.worker.uri))
        eventually(lambda: len(self.client.workers()) == 3, 20, "all know each other")
        self.victim = next(worker for worker in self.client.workers() if worker.pid == self.others[0].process.pid)

    def operators(self, query_id: str) -> dict[str, OperatorStatus]:
        """Of a query that has not failed."""
        status = self.client.status(query_id)
        assert status is not None
        assert status.state not in ENDED or status.state == "completed", status
        return {operator.operator: operator for operator in status.operators}

    def kill_victim(self) -> None:
        os.kill(self.victim.pid, signal.SIGKILL)
        assert self.others[0].process.wait(20) == -signal.SIGKILL

    def answer(self, submitted: Submitted) -> pa.Table:
        return pa.Table.from_batches([batch for batch, _ in self.client.read(submitted.ticket)], submitted.schema)

    def rests(self) -> bool:
        up = [worker for worker in self.client.workers() if worker.state == "up"]
        return all(worker.slots_used == 0 for worker in up) and not self.worker._registry.names() and not self.worker._buckets.used_bytes()


@pytest.fixture(name="three")
def _three(lake: Path, tmp_path: Path) -> Iterator[Three]:
    three = Three(lake, tmp_path)
    with three.stack:
        yield three


def records_by(operator: OperatorStatus, worker: WorkerStatus) -> int:
    return sum(instance.records for instance in operator.instances if instance.worker_id == worker.worker_id)


def test_a_join_goes_through_hash_exchanges_and_all_workers_take_part(three: Three, oracle: duckdb.DuckDBPyConnection) -> None:
    submitted = three.client.submit(SQL)
    same_rows(three.answer(submitted), oracle.sql(SQL).to_arrow_table())
    operators = three.operators(submitted.query_id)
    assert [operators[name].title.split()[0] for name in ("exchange-0", "exchange-1")] == ["hash", "hash"]
    assert operators[JOIN].records_done == operators[JOIN].records_total > 1
    eventually(three.rests, 20, "nothing is left of it")


def test_a_worker_killed_after_its_acks_and_before_anybody_has_fetched_its_buckets(
    three: Three, oracle: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    asked = threading.Semaphore(0)
    locate = HashOutput.locate

    def waiting(hashed: HashOutput, consumer: str, unreachable: Sequence[str]) -> Locations:
        asked.release()
        assert go.wait(PATIENCE)
        return locate(hashed, consumer, unreachable)

    monkeypatch.setattr(HashOutput, "locate", waiting)
    submitted = three.client.submit(SQL)
    assert asked.acquire(timeout=PATIENCE), "all is put out, and somebody wants to know where"
    before = three.operators(submitted.query_id)
    assert [before[name].records_done - before[name].records_total for name in PRODUCERS] == [0, 0]
    assert sum(records_by(before[name], three.victim) for name in PRODUCERS) > 0, "the victim keeps nothing"
    three.kill_victim()
    eventually(lambda: "lost" in {worker.state for worker in three.client.workers()}, 20, "it is lost")
    after = three.operators(submitted.query_id)
    assert sum(after[name].retries for name in PRODUCERS) >= 1, "what it kept is made again"
    go.set()
    same_rows(three.answer(submitted), oracle.sql(SQL).to_arrow_table())
    eventually(three.rests, 20, "nothing is left of it")


def test_a_worker_killed_while_it_fetches_buckets(three: Three, oracle: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    pulling = threading.Event()
    pull = three.worker._registry.pull

    def waiting(body: bytes, cancelled: Cancelled) -> ExchangeStream:
        stream = pull(body, cancelled)
        ticket = msgspec.json.decode(body)
        if "first_bucket" not in ticket or not ticket["consumer"].startswith(three.victim.worker_id):
            return stream

        def stuck() -> Iterator[tuple[pa.RecordBatch, bytes]]:
            for sent in stream.batches:
                yield sent
                pulling.set()
                go.wait(PATIENCE)

        return ExchangeStream(stream.schema, stuck())

    monkeypatch.setattr(three.worker._registry, "pull", waiting)
    submitted = three.client.submit(SQL)
    assert pulling.wait(PATIENCE), "the victim has had some rows, and waits for the others"
    assert three.operators(submitted.query_id)[JOIN].leases >= 1
    three.kill_victim()
    eventually(lambda: "lost" in {worker.state for worker in three.client.workers()}, 20, "it is lost")
    go.set()
    same_rows(three.answer(submitted), oracle.sql(SQL).to_arrow_table())
    operators = three.operators(submitted.query_id)
    assert operators[JOIN].retries >= 1, "the victim had no share of the join"
    assert records_by(operators[JOIN], three.victim) < operators[JOIN].records_total
    eventually(three.rests, 20, "nothing is left of it")


@pytest.mark.parametrize("moment", ["while outputs are made", "while buckets are fetched"])
def test_a_query_killed_in_the_middle_leaves_nothing_on_any_worker(three: Three, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    reached = threading.Event()
    killed = threading.Event()

    kind, name = (DistributedFragment, "_on_ack") if moment == "while outputs are made" else (HashOutput, "locate")
    call = getattr(kind, name)

    def stopping(*arguments: object) -> object:
        reached.set()
        assert killed.wait(PATIENCE)
        return call(*arguments)

    monkeypatch.setattr(kind, name, stopping)
    submitted = three.client.submit(SQL)
    assert reached.wait(PATIENCE)
    three.client.kill(submitted.query_id)
    killed.set()
    eventually(three.rests, 20, "nothing is left of it")
    status = three.client.status(submitted.query_id)
    assert status is not None
    assert status.state == "killed"
    assert three.client.query("SELECT count(*) AS n FROM kinds").to_pylist() == [{"n": 1000}]
