"""Three workers: scans on all of them, any of them asked, and any of them killed at the worst time."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_server.client import Client, Submitted
from flight_server.errors import ClientError
from flight_server.protocol import flight_sql_pb2 as pb
from flight_server.protocol.any_message import pack
from flight_server.protocol.exchange_messages import WORKER_BEAT, Beat
from flight_server.protocol.messages import ENDED, OperatorStatus, QueryStatus, WorkerStatus, encode
from planner.errors import Status
from tests.e2e.answers import same_rows
from tests.e2e.held_files import HeldFiles
from tests.e2e.running_server import RunningServer
from tests.e2e.served_lake import EVENT_FILES, EVENTS
from tests.e2e.waiting import eventually

WORKERS = 3
DONE = 3
"""Files that a query which stands still has behind it."""
GROUPED = (
    "SELECT kind, count(*) AS n, sum(amount) AS total, min(day) AS first FROM events JOIN kinds USING (kind_id) GROUP BY kind ORDER BY kind"
)
ROWS = "SELECT id, person, amount FROM events"
COUNT = "SELECT count(*) FROM range(1000000000000)"
STREAM = "SELECT range AS n, 'row ' || range AS text FROM range(1000000000000)"
QUERIES = [
    GROUPED,
    "SELECT count(*), count(maybe), sum(id), avg(amount) FROM events",
    """SELECT person, age, sum(amount) AS total FROM events JOIN people USING (person) WHERE day < DATE '2021-01-01'
    GROUP BY ALL ORDER BY total DESC, person LIMIT 20""",
    "SELECT id, amount FROM events WHERE id % 1000 = 7 ORDER BY id",
    "SELECT count(*) FROM events a JOIN events b ON a.id = b.id + 1 WHERE a.maybe > b.maybe",
    "SELECT day, count(DISTINCT person) AS n FROM events GROUP BY day ORDER BY n DESC, day LIMIT 50",
    """SELECT id, row_number() OVER (PARTITION BY kind_id ORDER BY amount, id) AS place FROM events
    QUALIFY place <= 2 ORDER BY id LIMIT 500""",
    """WITH top AS (SELECT kind_id FROM events GROUP BY kind_id ORDER BY sum(amount) DESC, kind_id LIMIT 5)
    SELECT e.id FROM events e WHERE e.kind_id IN (FROM top) ORDER BY id LIMIT 100""",
    "SELECT CAST(CASE WHEN id % 2 = 0 THEN 'even' ELSE 'odd' END AS ENUM ('odd', 'even')) AS parity FROM events WHERE id < 300000",
    "SELECT max(id) FROM events WHERE id < 0",
    "SELECT id FROM events WHERE amount IS NULL",
    "SELECT * FROM odd ORDER BY id",
]


@pytest.fixture(name="mortal")
def _mortal(lake: Path) -> Iterator[RunningServer]:
    """Three workers of its own, for a test that kills some."""
    with RunningServer("--data", str(lake), "--workers", "3", "--threads", "3", "--memory", "3GB", "--distribute", "always") as running:
        yield running


def read_all(client: Client, submitted: Submitted) -> pa.Table:
    return pa.Table.from_batches([batch for batch, _ in client.read(submitted.ticket)], submitted.schema)


def state(client: Client, query_id: str) -> str | None:
    status = client.status(query_id)
    return None if status is None else status.state


def scan_of(status: QueryStatus) -> OperatorStatus | None:
    """What runs share by share over the files of events."""
    return next((operator for operator in status.operators if operator.kind == "producer" and operator.records_total == EVENT_FILES), None)


def children(client: Client) -> list[WorkerStatus]:
    """The workers that a test may kill: all but the one that it is connected to, which is the first."""
    return client.workers()[1:]


@contextmanager
def in_the_middle(client: Client, lake: Path, sql: str) -> Iterator[tuple[Submitted, HeldFiles]]:
    """A query over ``events`` that stands still: three splits are done, each of the three workers has one, and all others wait.

    It goes on when the files are let go, or at the end of the block.
    """
    # From now on the planner has the footers, and opens no file.
    client.query("SELECT count(*) FROM events")
    with HeldFiles(sorted((lake / "events").iterdir())[DONE:]) as files:
        submitted = client.submit(sql)

        def ask() -> bool:
            status = client.status(submitted.query_id)
            assert status is not None
            assert status.state not in ENDED, status
            scan = scan_of(status)
            return scan is not None and (scan.records_done, scan.leases, scan.queue_depth) == (DONE, WORKERS, EVENT_FILES - DONE - WORKERS)

        eventually(ask, 20, "three splits are done and three on lease")
        yield submitted, files


def all_drain(client: Client) -> bool:
    return all(worker.state == "draining" for worker in client.workers())


def lost(client: Client) -> set[str]:
    return {worker.worker_id for worker in client.workers() if worker.state == "lost"}


@pytest.mark.parametrize("sql", QUERIES)
def test_answers_of_three_workers_are_those_of_duckdb(cluster_client: Client, oracle: duckdb.DuckDBPyConnection, sql: str) -> None:
    same_rows(cluster_client.query(sql), oracle.sql(sql).to_arrow_table())


def test_rows_of_a_streamed_scan_come_in_the_order_of_the_files(cluster_client: Client) -> None:
    ids = cluster_client.query("SELECT id FROM events")["id"]
    assert ids.to_pylist() == list(range(EVENTS))


def test_scans_run_on_all_workers(cluster_client: Client, lake: Path) -> None:
    with in_the_middle(cluster_client, lake, GROUPED) as (submitted, files):
        files.let_go()
        ended = list(cluster_client.watch(submitted.query_id))[-1]
    scan = scan_of(ended)
    assert scan is not None
    assert {instance.worker_id for instance in scan.instances if instance.records} == {w.worker_id for w in cluster_client.workers()}
    assert sum(instance.records for instance in scan.instances) == scan.records_done == scan.records_total == EVENT_FILES
    assert scan.rows == sum(instance.rows for instance in scan.instances) > 0


def test_explain_analyze_names_every_worker(cluster_client: Client, lake: Path) -> None:
    with in_the_middle(cluster_client, lake, f"EXPLAIN ANALYZE {GROUPED}") as (submitted, files):
        files.let_go()
        text = "\n".join(read_all(cluster_client, submitted).column(0).to_pylist())
    for worker in cluster_client.workers():
        assert worker.worker_id in text
    assert f"\n    largest of {EVENT_FILES} shares: " in text


def test_explain_says_what_is_divided_and_what_else_there_was(cluster_client: Client) -> None:
    (text,) = cluster_client.query(f"EXPLAIN (ANALYZE, FORMAT JSON) {GROUPED}").column(0).to_pylist()
    document = json.loads(text)
    (taken,) = document["choice"]["taken"]
    assert [table["table"] for table in taken["divided"]] == ["events"]
    assert all(way["why_not"] or way["spared_bytes"] is not None for way in document["choice"]["others"])
    scan = next(operator for operator in document["run"]["operators"] if operator["division"])
    assert scan["division"] == "events split by split"
    assert scan["spread"]["shares"] == scan["records_done"] == scan["records_total"]
    assert sum(instance["records"] for instance in scan["instances"]) == scan["records_done"]


def test_any_worker_takes_queries(cluster_client: Client, oracle: duckdb.DuckDBPyConnection) -> None:
    truth = oracle.sql(GROUPED).to_arrow_table()
    for worker in cluster_client.workers():
        with Client(worker.uri) as client:
            same_rows(client.query(GROUPED), truth)


def test_nothing_is_left_on_any_worker(cluster_client: Client) -> None:
    for _ in range(10):
        cluster_client.query("SELECT count(*) FROM events WHERE id % 7 = 3")
    eventually(lambda: all(w.slots_used == 0 and w.queries == 0 for w in cluster_client.workers()), 5, "all workers idle")


@pytest.mark.parametrize("sql", [GROUPED, ROWS], ids=["grouped", "streamed"])
def test_a_worker_killed_in_the_middle_costs_nothing_but_time(
    mortal: RunningServer, lake: Path, oracle: duckdb.DuckDBPyConnection, sql: str
) -> None:
    with Client(mortal.uri) as client:
        victim = children(client)[0]
        with in_the_middle(client, lake, sql) as (submitted, files):
            os.kill(victim.pid, signal.SIGKILL)
            eventually(lambda: lost(client) == {victim.worker_id}, 20, "it is lost")
            files.let_go()
            answer = read_all(client, submitted)
        same_rows(answer, oracle.sql(sql).to_arrow_table())
        scan = scan_of(list(client.watch(submitted.query_id))[-1])
        assert scan is not None
        assert scan.retries >= 1, "the victim had nothing on lease"
        assert lost(client) == {victim.worker_id}
        same_rows(client.query(GROUPED), oracle.sql(GROUPED).to_arrow_table())


def test_all_children_killed_in_the_middle(mortal: RunningServer, lake: Path, oracle: duckdb.DuckDBPyConnection) -> None:
    with Client(mortal.uri) as client:
        with in_the_middle(client, lake, GROUPED) as (submitted, files):
            for victim in children(client):
                os.kill(victim.pid, signal.SIGKILL)
            files.let_go()
            answer = read_all(client, submitted)
        same_rows(answer, oracle.sql(GROUPED).to_arrow_table())
        scan = scan_of(list(client.watch(submitted.query_id))[-1])
        assert scan is not None
        assert scan.retries >= 2, "the victims had nothing on lease"
        assert len(lost(client)) == 2
        same_rows(client.query(GROUPED), oracle.sql(GROUPED).to_arrow_table())
    assert mortal.stop() == 0, mortal.log


def test_a_worker_taken_for_lost_that_still_lives_takes_nothing_with_it(
    mortal: RunningServer, lake: Path, oracle: duckdb.DuckDBPyConnection
) -> None:
    with Client(mortal.uri) as client, flight.connect(mortal.uri) as plain:
        victim = children(client)[0]
        with in_the_middle(client, lake, GROUPED) as (submitted, files):
            farewell = encode(Beat(worker=victim, event="leave"))
            list(plain.do_action(flight.Action(WORKER_BEAT, farewell)))
            files.let_go()
            answer = read_all(client, submitted)
        same_rows(answer, oracle.sql(GROUPED).to_arrow_table())
        scan = scan_of(list(client.watch(submitted.query_id))[-1])
        assert scan is not None
        assert scan.retries >= 1, "it was not taken for lost"
        eventually(lambda: not lost(client), 20, "the worker is back")
        with in_the_middle(client, lake, GROUPED) as (again, files):
            files.let_go()
            same_rows(read_all(client, again), answer)
        assert workers_of(client, again.query_id) == {worker.worker_id for worker in client.workers()}


def workers_of(client: Client, query_id: str) -> set[str]:
    """The workers that have run a split of the scan of a query that has ended."""
    scan = scan_of(list(client.watch(query_id))[-1])
    assert scan is not None
    return {instance.worker_id for instance in scan.instances if instance.records}


def test_the_death_of_a_query_s_own_worker_is_told(mortal: RunningServer, lake: Path) -> None:
    with Client(mortal.uri) as first:
        owner = children(first)[0]
        with Client(owner.uri) as client, in_the_middle(client, lake, GROUPED) as (submitted, files):
            os.kill(owner.pid, signal.SIGKILL)
            with pytest.raises(ClientError) as told:
                list(client.read(submitted.ticket))
            assert told.value.status is Status.UNAVAILABLE
            files.let_go()
        eventually(lambda: owner.worker_id in lost(first), 20, "lost")
        eventually(lambda: all(w.slots_used == 0 for w in first.workers() if w.state == "up"), 20, "its operators elsewhere are gone")
        with pytest.raises(ClientError, match=f"worker {owner.worker_id}, which is gone, may have owned it") as told:
            first.status(submitted.query_id)
        assert told.value.status is Status.UNAVAILABLE


@pytest.mark.parametrize("sql", [COUNT, STREAM], ids=["no rows yet", "rows"])
def test_a_reader_of_another_worker_takes_its_query_along_when_it_cannot_come_back(cluster_client: Client, sql: str) -> None:
    """A Flight SQL client has no way back to its stream: the query ends with it, also where another worker passes the stream on."""
    other = cluster_client.workers()[1]
    command = pack(pb.CommandStatementQuery(query=sql))
    with flight.connect(cluster_client.uri) as accepted, flight.connect(other.uri) as asked:
        info = accepted.get_flight_info(flight.FlightDescriptor.for_command(command))
        query_id = json.loads(info.app_metadata)["query_id"]
        reader = asked.do_get(info.endpoints[0].ticket)
        if sql == STREAM:
            assert reader.read_chunk().data.num_rows > 0
        assert state(cluster_client, query_id) == "running"
        reader.cancel()
    eventually(lambda: state(cluster_client, query_id) == "killed", 5, "killed")


def test_all_workers_drain_at_once_and_answer_for_their_queries_until_they_have_ended(lake: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(
            RunningServer("--data", str(lake), "--workers", "3", "--threads", "3", "--memory", "3GB", "--distribute", "always")
        )
        first = stack.enter_context(Client(server.uri))
        clients = [first, *(stack.enter_context(Client(worker.uri)) for worker in children(first))]
        done = first.submit("SELECT 42 AS answer")
        read_all(first, done)
        running = [client.submit(COUNT).query_id for client in clients]
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: server.log.count("draining: no new queries") == 3, 10, "all three drain")
        for client in clients:
            with pytest.raises(ClientError, match="takes no new queries") as refused:
                client.submit("SELECT 1")
            assert refused.value.status is Status.UNAVAILABLE
        for client in clients:
            assert [state(client, query_id) for query_id in running] == ["running"] * 3
            eventually(partial(all_drain, client), 5, "all say so")
        with flight.connect(clients[1].uri) as plain:
            info = plain.get_flight_info(flight.FlightDescriptor.for_command(encode(done.ticket)))
            assert plain.do_get(info.endpoints[0].ticket).read_all().to_pylist() == [{"answer": 42}]
        for query_id in reversed(running):
            first.kill(query_id)
        assert server.process.wait(20) == 0, server.log


def test_peeking_at_exchanges_consumes_nothing(cluster_client: Client, lake: Path, oracle: duckdb.DuckDBPyConnection) -> None:
    with in_the_middle(cluster_client, lake, GROUPED) as (submitted, files):
        status = cluster_client.status(submitted.query_id)
        assert status is not None
        (exchange,) = [operator.operator for operator in status.operators if operator.kind == "exchange"]
        eventually(lambda: len(cluster_client.peek(submitted.query_id, exchange, 2)) == 2, 20, "outputs have arrived")
        for _ in range(3):
            splits = cluster_client.peek(submitted.query_id, "shares-0", 5)
            records = cluster_client.peek(submitted.query_id, exchange, 2)
            assert (len(splits), len(records)) == (5, 2)
            assert sum(batch.num_rows for batch in records) > 0
        files.let_go()
        answer = read_all(cluster_client, submitted)
    same_rows(answer, oracle.sql(GROUPED).to_arrow_table())


def test_peeking_wants_the_right_names(cluster_client: Client, lake: Path) -> None:
    with in_the_middle(cluster_client, lake, GROUPED) as (submitted, _):
        with pytest.raises(ClientError, match=r"no exchange 'nonsense'.*\n?.*exchange-0"):
            cluster_client.peek(submitted.query_id, "nonsense", 1)
        cluster_client.kill(submitted.query_id)


def test_a_lease_pulled_by_hand_is_given_to_somebody_else_after_its_time(cluster: RunningServer, lake: Path) -> None:
    """A consumer that takes a split with DoGet and never comes back delays the answer, and changes nothing else."""
    with Client(cluster.uri) as client, flight.connect(cluster.uri) as plain:
        with in_the_middle(client, lake, GROUPED) as (submitted, files):
            ticket = f'{{"exchange": "{submitted.query_id}.shares-0", "consumer": "stranger/0", "max_records": 1, "wait_seconds": 5.0}}'
            taken = plain.do_get(flight.Ticket(ticket)).read_chunk()
            assert taken.data.num_rows == 1
            assert b'"epoch":' in taken.app_metadata.to_pybytes()
            files.let_go()
            table = read_all(client, submitted)
        assert sum(table["n"].to_pylist()) == EVENTS
        scan = scan_of(list(client.watch(submitted.query_id))[-1])
        assert scan is not None
        assert scan.retries == 1
