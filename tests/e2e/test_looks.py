"""What is only looked at is only made as far as it is looked at; what is dropped is gone, whoever is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import adbc_driver_flightsql.dbapi as flight_sql
import duckdb
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_server.client import Client
from flight_server.errors import ClientError
from flight_server.protocol.messages import Cursor, QueryStatus
from operators.results.materialize import FIRST_LOOK_ROWS, LOOK_GROWTH
from planner.errors import Status
from tests.e2e.running_server import RunningServer, run
from tests.e2e.served_lake import EVENTS
from tests.e2e.waiting import eventually

GROUP_ROWS = 20_000
FIRST_GROUPS = (FIRST_LOOK_ROWS, LOOK_GROWTH * FIRST_LOOK_ROWS)
"""A look's first row groups are smaller than the others."""
GROUPS = 2 + -(-(EVENTS - sum(FIRST_GROUPS)) // GROUP_ROWS)
ROWS = "SELECT id, person, amount FROM events"


@pytest.fixture(name="state", scope="module")
def _state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(name="looked_at", scope="module")
def _looked_at(lake: Path, state: Path) -> Iterator[RunningServer]:
    """Two workers, one query at a time each, and small row groups, four to a file."""
    small = {"VOLLEY_RESULTS_ROWS_PER_GROUP": str(GROUP_ROWS), "VOLLEY_RESULTS_GROUPS_PER_FILE": "4", "VOLLEY_LIMITS_QUERIES": "1"}
    with RunningServer("--data", str(lake), "--threads", "2", "--workers", "2", "--state", str(state), **small) as running:
        yield running
        assert running.stop() == 0, running.log


@pytest.fixture(name="viewer")
def _viewer(looked_at: RunningServer) -> Iterator[Client]:
    """A client; what the test leaves is dropped."""
    with Client(looked_at.uri) as client:
        yield client
        for line in client.queries(everything=True):
            client.drop(line.query_id)


def held(client: Client, query_id: str) -> QueryStatus:
    """The status of a look, once it waits for a reader."""

    def ask() -> QueryStatus | None:
        status = client.status(query_id)
        assert status is not None
        assert status.state in ("queued", "running"), status
        return status if status.result.held else None

    return eventually(ask, 60, "the look waits for a reader")


def stored(state: Path, query_id: str) -> list[str]:
    """What there is of a result, but for the sign that somebody writes it, which may come at any time."""
    return sorted(path.name for path in state.glob(f"**/results/{query_id}/*") if path.name != "alive")


@pytest.mark.parametrize("sql", [ROWS, f"{ROWS} ORDER BY amount, id"], ids=["scan", "sort"])
def test_a_look_makes_what_is_looked_at_and_stores_nothing(
    viewer: Client, state: Path, oracle: duckdb.DuckDBPyConnection, sql: str
) -> None:
    query_id = viewer.submit(sql, ahead=1).query_id
    first, following = viewer.row_group(query_id, Cursor(0, 0, 0))
    assert (first.num_rows, following) == (FIRST_GROUPS[0], Cursor(0, 1, 0))
    status = held(viewer, query_id)
    assert (status.state, status.result.rows, status.result.closed) == ("running", sum(FIRST_GROUPS), False)
    assert stored(state, query_id) == []
    expected = oracle.sql(sql).to_arrow_table().cast(first.schema)
    assert first.to_pylist() == expected.slice(0, FIRST_GROUPS[0]).to_pylist()
    later, _ = viewer.row_group(query_id, Cursor(1, 0, 0))
    before = sum(FIRST_GROUPS) + 2 * GROUP_ROWS
    assert later.to_pylist() == expected.slice(before, GROUP_ROWS).to_pylist()
    assert held(viewer, query_id).result.rows == before + 2 * GROUP_ROWS
    assert stored(state, query_id) in ([], ["0.parquet"])
    viewer.make_all(query_id)
    everything = pa.Table.from_batches([batch for batch, _ in viewer.read(query_id)])
    assert everything.to_pylist() == expected.to_pylist()
    ended = list(viewer.watch(query_id))[-1]
    assert (ended.state, ended.result.rows, len(ended.result.row_groups)) == ("completed", EVENTS, GROUPS)


STATEMENTS = ["DESCRIBE events", "SHOW TABLES", "SUMMARIZE events", "EXPLAIN SELECT * FROM events", f"EXPLAIN ANALYZE {ROWS} ORDER BY id"]


@pytest.mark.parametrize("sql", STATEMENTS)
def test_what_has_few_rows_ends_though_nobody_reads_it(viewer: Client, sql: str) -> None:
    query_id = viewer.submit(sql, ahead=1).query_id
    ended = list(viewer.watch(query_id, timeout=60))[-1]
    assert (ended.state, ended.result.closed, ended.result.held) == ("completed", True, False)
    rows = pa.Table.from_batches([batch for batch, _ in viewer.read(query_id)])
    if sql.startswith("EXPLAIN ANALYZE"):
        assert f"{EVENTS:,}" in "\n".join(rows.column(0).to_pylist()), "all rows were measured"
    else:
        again = viewer.query(sql)
        # Where several threads read, sums of fractions and quantiles hang on who came first.
        told = [name for name in rows.column_names if name not in ("avg", "std", "q25", "q50", "q75")]
        assert rows.select(told).equals(again.select(told))


def test_plain_flight_says_it_in_json(looked_at: RunningServer, viewer: Client) -> None:
    body = json.dumps({"sql": ROWS, "ahead": 0, "purpose": "sample"}).encode()
    with flight.connect(looked_at.uri) as plain:
        info = plain.get_flight_info(flight.FlightDescriptor.for_command(body))
        query_id = json.loads(info.app_metadata)["query_id"]
        assert held(viewer, query_id).result.rows == 0
        reader = plain.do_get(info.endpoints[0].ticket)
        assert reader.read_chunk().data.num_rows > 0
        reader.cancel()
        assert viewer.queries() == []
        assert [(line.query_id, line.purpose) for line in viewer.queries(everything=True)] == [(query_id, "sample")]
        with pytest.raises(pa.ArrowInvalid, match="unknown field `ahaed`"):
            plain.get_flight_info(flight.FlightDescriptor.for_command(b'{"sql": "SELECT 1", "ahaed": 1}'))


def test_a_look_that_waits_is_killed_and_its_place_is_free(viewer: Client, state: Path) -> None:
    query_id = viewer.submit(ROWS, ahead=1).query_id
    held(viewer, query_id)
    killed = viewer.kill(query_id)
    assert killed is not None
    assert list(viewer.watch(query_id))[-1].state == "killed"
    assert viewer.query("SELECT count(*) AS n FROM events").to_pylist() == [{"n": EVENTS}]
    assert stored(state, query_id) == []


@pytest.mark.parametrize("sql", [ROWS, f"{ROWS} ORDER BY amount, id"], ids=["scan", "sort"])
def test_a_look_that_waits_keeps_nobody_from_running(viewer: Client, sql: str) -> None:
    look = viewer.submit(sql, ahead=1).query_id
    held(viewer, look)
    assert viewer.query("SELECT count(*) AS n, min(amount) AS least FROM events").to_pylist() == [{"n": EVENTS, "least": 0.0}]
    everything = viewer.query(sql)
    assert held(viewer, look).result.rows == FIRST_GROUPS[0]
    assert pa.Table.from_batches([batch for batch, _ in viewer.read(look)]).equals(everything)


def test_adbc_gets_everything_as_ever(looked_at: RunningServer, viewer: Client) -> None:
    with flight_sql.connect(looked_at.uri, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(ROWS)
        assert cursor.fetch_arrow_table().num_rows == EVENTS
    (line,) = viewer.queries()
    assert (line.purpose, line.result.held) == ("", False)


@pytest.mark.parametrize("asked", ["its own worker", "another worker"])
def test_what_is_dropped_is_gone_on_all_workers(looked_at: RunningServer, viewer: Client, state: Path, asked: str) -> None:
    submitted = viewer.submit(ROWS)
    assert sum(batch.num_rows for batch, _ in viewer.read(submitted.ticket)) == EVENTS
    assert list(viewer.watch(submitted.query_id))[-1].state == "completed"
    uris = [worker.uri for worker in viewer.workers()]
    assert len(uris) == 2
    with Client(next(uri for uri in uris if uri != looked_at.uri)) as other:
        # Both have read it, and keep what they have read.
        assert sum(batch.num_rows for batch, _ in other.read(submitted.ticket)) == EVENTS
        assert len(stored(state, submitted.query_id)) > 1
        dropping = viewer if asked == "its own worker" else other
        dropped = dropping.drop(submitted.query_id)
        assert dropped is not None
        assert (dropped.state, dropped.result.rows) == ("completed", EVENTS)
        assert stored(state, submitted.query_id) == []
        for client in (viewer, other):
            assert client.status(submitted.query_id) is None
            assert client.drop(submitted.query_id) is None
            assert client.queries(everything=True) == []
            with pytest.raises(ClientError) as told:
                list(client.read(submitted.ticket))
            assert told.value.status is Status.NOT_FOUND


def test_the_command_drops_and_lists_what_there_is(looked_at: RunningServer, viewer: Client) -> None:
    done, look = viewer.submit("SELECT 1 AS own"), viewer.submit(ROWS, ahead=1, purpose="sample")
    assert list(viewer.watch(done.query_id))[-1].state == "completed"
    held(viewer, look.query_id)
    listed = run("queries", "--uri", looked_at.uri, "--format", "json")
    assert [json.loads(line)["query_id"] for line in listed.stdout.splitlines()] == [done.query_id]
    everything = run("queries", "--uri", looked_at.uri, "--all", "--format", "json")
    assert [json.loads(line)["query_id"] for line in everything.stdout.splitlines()] == [look.query_id, done.query_id]
    dropped = run("drop", done.query_id, look.query_id[:12], "--uri", looked_at.uri)
    assert (dropped.returncode, dropped.stderr) == (0, "")
    assert dropped.stdout.splitlines() == [f"dropped {done.query_id}: 1 rows, 5 B", f"killed and dropped {look.query_id}"]
    assert viewer.queries(everything=True) == []
    again = run("drop", done.query_id, "--uri", looked_at.uri)
    assert (again.returncode, again.stdout) == (1, "")
    assert "there is no query" in again.stderr
