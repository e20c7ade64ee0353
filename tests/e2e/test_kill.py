"""A query that is killed, or left by its client, is gone within two seconds with its threads, leases, files and memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import adbc_driver_flightsql.dbapi as adbc
import adbc_driver_manager
import psutil
import pytest

from flight_server.client import Client, Submitted
from flight_server.errors import ClientError
from flight_server.protocol.messages import QueryLine, QueryStatus
from planner.errors import Status
from tests.e2e.running_server import RunningServer, environment
from tests.e2e.waiting import eventually, promptly, spin
from tests.e2e.wire import Wire

FREE_SECONDS = 2.0
WINDOW_SECONDS = 0.2
IDLE_SECONDS = 0.06
"""Processor time that an idle process may take, for its heartbeats, while a busy thread takes ``WINDOW_SECONDS``; a query takes at least as
much as that thread."""
SLACK_THREADS = 6
"""gRPC keeps some threads for the next calls."""
SLACK_BYTES = 150 << 20

COUNT = "SELECT count(*) FROM range(1000000000000)"
CROSS = "SELECT count(*) FROM events a, events b, events c WHERE a.amount + b.amount < c.amount"
STREAM = "SELECT range AS n, 'row ' || range AS text FROM range(1000000000000)"
SORT = "SELECT a.id, b.id FROM events a, events b ORDER BY a.amount * b.amount"
HOARD = "SELECT sum(len(names)) FROM (SELECT list(person || id) AS names FROM events, range(1000) GROUP BY events.id % 1000)"
VICTIMS = {"count": COUNT, "cross join": CROSS, "stream": STREAM, "sort": SORT, "hoard": HOARD}


@dataclass(frozen=True)
class Load:
    """What a server process holds."""

    threads: int
    files: int
    bytes: int


class Watched:
    """A server whose processes are watched from outside."""

    def __init__(self, server: RunningServer, lake: Path) -> None:
        self.uri = server.uri
        self._lake = str(lake)
        parent = psutil.Process(server.process.pid)
        self._processes = [parent, *parent.children()]

    def load(self) -> Load:
        return Load(
            sum(process.num_threads() for process in self._processes),
            sum(file.path.startswith(self._lake) for process in self._processes for file in process.open_files()),
            sum(process.memory_info().rss for process in self._processes),
        )

    def rests(self) -> bool:
        """Whether it has done nearly nothing for a moment, beside a thread that did what it could."""
        before = self._cpu_seconds()
        spin(WINDOW_SECONDS)
        return all(after - earlier <= IDLE_SECONDS for earlier, after in zip(before, self._cpu_seconds(), strict=True))

    def freed(self, before: Load) -> bool:
        now = self.load()
        return (
            now.threads <= before.threads + SLACK_THREADS
            and now.files <= before.files
            and now.bytes <= before.bytes + SLACK_BYTES * len(self._processes)
            and self.rests()
        )

    def _cpu_seconds(self) -> list[float]:
        return [sum(process.cpu_times()[:2]) for process in self._processes]


@pytest.fixture(scope="module", name="watched", params=["1", "3"], ids=["one worker", "three workers"])
def _watched(request: pytest.FixtureRequest, lake: Path) -> Iterator[Watched]:
    options = ["--data", str(lake), "--workers", request.param, "--threads", "3", "--memory", "3GB"]
    with RunningServer(*options) as server:
        watched = Watched(server, lake)
        warm_up(watched)
        yield watched
        assert server.stop() == 0, server.log


@pytest.fixture(autouse=True)
def _leave_nothing_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that fails must not fail those after it."""
    yield
    if "watched" in request.fixturenames:
        with Client(request.getfixturevalue("watched").uri) as client:
            for query in client.queries():
                if query.state in ("queued", "running"):
                    client.kill(query.query_id)


def warm_up(watched: Watched) -> None:
    """Has the server make the threads and buffers that it keeps."""
    with Client(watched.uri) as client, ThreadPoolExecutor(8) as pool:
        list(pool.map(client.query, ["SELECT person, count(*), sum(amount) FROM events GROUP BY person"] * 24))
        kill_many(client, pool)
    eventually(watched.rests, 10, "a server at rest")


def kill_many(client: Client, pool: ThreadPoolExecutor) -> None:
    """More queries than run at once, all killed; returns when they have ended."""
    victims = list(pool.map(client.submit, [COUNT, CROSS, STREAM, SORT] * 5))
    eventually(lambda: sum(query.state == "running" for query in client.queries()) >= 8, 20, "many run")
    assert None not in list(pool.map(lambda victim: client.kill(victim.query_id), victims))
    promptly(lambda: not any(query.state in ("queued", "running") for query in client.queries()), FREE_SECONDS, "all killed")


def running(client: Client, query_id: str) -> QueryStatus:
    """Waits until a query runs."""

    def ask() -> QueryStatus | None:
        status = client.status(query_id)
        assert status is not None
        return status if status.state == "running" else None

    return eventually(ask, 10, "the query runs")


def of(client: Client, sql: str) -> QueryLine | None:
    """The newest query of that text."""
    return next((query for query in client.queries() if query.sql == sql), None)


def gone(client: Client, sql: str) -> bool:
    query = of(client, sql)
    return query is not None and query.state == "killed"


def submit_running(client: Client, sql: str) -> Submitted:
    submitted = client.submit(sql)
    running(client, submitted.query_id)
    return submitted


@pytest.mark.parametrize("sql", VICTIMS.values(), ids=VICTIMS)
def test_killed_by_action(watched: Watched, sql: str) -> None:
    before = watched.load()
    with Client(watched.uri) as client:
        submitted = submit_running(client, sql)
        eventually(lambda: not watched.rests(), 20, "it keeps the server busy")
        client.kill(submitted.query_id)
        promptly(lambda: gone(client, sql), FREE_SECONDS, "killed")
        promptly(lambda: watched.freed(before), FREE_SECONDS, f"all freed: {before}")
        status = client.status(submitted.query_id)
        assert status is not None
        assert status.error is not None
        assert status.error.status == "CANCELLED"
        assert sum(operator.leases + operator.queue_depth for operator in status.operators) == 0
        assert "running" not in {operator.state for operator in status.operators}
        with pytest.raises(ClientError) as told:
            list(client.read(submitted.ticket))
        assert told.value.status is Status.CANCELLED
        assert client.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_a_reader_that_waits_is_told_at_once(watched: Watched) -> None:
    with Client(watched.uri) as client, ThreadPoolExecutor(1) as pool:
        submitted = submit_running(client, COUNT)
        waiting = pool.submit(lambda: list(client.read(submitted.ticket)))
        client.kill(submitted.query_id)
        promptly(waiting.done, FREE_SECONDS, "the reader is told")
        with pytest.raises(ClientError, match="stopped"):
            waiting.result()


def test_killed_while_it_waits_in_line(lake: Path, tmp_path: Path) -> None:
    config = tmp_path / "volley.toml"
    config.write_text("[limits]\nqueries = 1\nqueue = 2\n")
    with RunningServer("--data", str(lake), "--memory", "1GB", "--config", str(config)) as server, Client(server.uri) as client:
        first = submit_running(client, COUNT)
        second, third = client.submit(CROSS), client.submit("SELECT 3 AS n")
        with pytest.raises(ClientError) as full:
            client.submit("SELECT 4")
        assert full.value.status is Status.RESOURCE_EXHAUSTED
        killed = client.kill(second.query_id)
        assert killed is not None
        assert killed.state == "killed"
        with pytest.raises(ClientError) as told:
            list(client.read(second.ticket))
        assert told.value.status is Status.CANCELLED
        client.kill(first.query_id)
        assert [batch.to_pylist() for batch, _ in client.read(third.ticket)] == [[{"n": 3}]]
        assert client.query("SELECT 5 AS n").to_pylist() == [{"n": 5}]


def reads(client: Client, sql: str, wire: Wire) -> bool:
    """Whether the server sends the result of the newest query of that text through ``wire``: from then on it sees its reader go away."""
    query = of(client, sql)
    return query is not None and query.state == "running" and wire.answered(query.query_id)


@pytest.mark.parametrize("sql", [COUNT, CROSS, SORT], ids=["count", "cross join", "sort"])
def test_cancelled_by_adbc(watched: Watched, sql: str) -> None:
    before = watched.load()
    with Client(watched.uri) as client, Wire(watched.uri) as wire:
        with adbc.connect(wire.uri, autocommit=True) as connection, connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
            reading = pool.submit(lambda: (cursor.execute(sql), cursor.fetch_arrow_table()))
            eventually(lambda: reads(client, sql, wire), 20, "it is read")
            cursor.adbc_cancel()
            with pytest.raises((adbc_driver_manager.Error, OSError)):
                reading.result()
        promptly(lambda: gone(client, sql), FREE_SECONDS, "killed")
        promptly(lambda: watched.freed(before), FREE_SECONDS, f"all freed: {before}")


def test_an_adbc_connection_closed_in_the_middle_of_a_result(watched: Watched) -> None:
    before = watched.load()
    with Client(watched.uri) as client:
        with adbc.connect(watched.uri, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(STREAM)
            reader = cursor.fetch_record_batch()
            assert reader.read_next_batch().num_rows > 0
            reader.close()
        promptly(lambda: gone(client, STREAM), FREE_SECONDS, "killed")
        promptly(lambda: watched.freed(before), FREE_SECONDS, f"all freed: {before}")


CLIENT = """
import sys
import adbc_driver_flightsql.dbapi as adbc
with adbc.connect(sys.argv[1], autocommit=True) as connection, connection.cursor() as cursor:
    cursor.execute(sys.argv[2])
    cursor.fetch_arrow_table()
"""


@pytest.mark.parametrize("sql", [COUNT, CROSS, STREAM], ids=["count", "cross join", "stream"])
def test_a_client_process_killed(watched: Watched, sql: str) -> None:
    before = watched.load()
    with Client(watched.uri) as client, Wire(watched.uri) as wire:
        with subprocess.Popen([sys.executable, "-c", CLIENT, wire.uri, sql], env=environment()) as process:
            try:
                eventually(lambda: reads(client, sql, wire), 30, "the client reads")
                eventually(lambda: not watched.rests(), 20, "it keeps the server busy")
            finally:
                process.kill()
        promptly(lambda: gone(client, sql), FREE_SECONDS, "killed")
        promptly(lambda: watched.freed(before), FREE_SECONDS, f"all freed: {before}")


def test_many_killed_at_once(watched: Watched) -> None:
    before = watched.load()
    with Client(watched.uri) as client, ThreadPoolExecutor(8) as pool:
        kill_many(client, pool)
        promptly(lambda: watched.freed(before), FREE_SECONDS, f"all freed: {before}")
        assert client.query("SELECT count(*) AS n FROM kinds").to_pylist() == [{"n": 1000}]
