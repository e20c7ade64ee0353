"""Sixteen clients at once, mixed queries, every answer right."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import adbc_driver_flightsql.dbapi as adbc
import duckdb
import pyarrow as pa
import pytest

from flight_server.client import Client
from tests.e2e.answers import Rows, rows_of
from tests.e2e.running_server import RunningServer
from tests.e2e.waiting import eventually

CLIENTS = 16
QUERIES_OF_EACH = 6
QUERIES = [
    "SELECT 1 AS one",
    "SELECT * FROM kinds ORDER BY kind_id",
    "SELECT count(*) AS n, sum(id) AS ids, min(amount) AS least FROM events",
    "SELECT kind, count(*) AS n, sum(amount) AS total FROM events JOIN kinds USING (kind_id) GROUP BY kind ORDER BY kind",
    "SELECT person, age, count(*) AS n FROM events JOIN people USING (person) WHERE maybe > 90 GROUP BY ALL ORDER BY person",
    "SELECT id, day FROM events WHERE id BETWEEN 100000 AND 130000 ORDER BY id",
    "SELECT id, person FROM events WHERE kind_id = 7 ORDER BY amount DESC, id LIMIT 100",
    "SELECT day, count(DISTINCT person) AS people FROM events WHERE day < DATE '2020-03-01' GROUP BY day ORDER BY day",
    "SELECT id, sum(amount) OVER (ORDER BY id) AS running FROM events WHERE kind_id < 5 ORDER BY id",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 500) SELECT sum(n) AS s FROM t",
    "SELECT * FROM odd ORDER BY id",
    "SELECT a.kind_id FROM kinds a WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.kind_id = a.kind_id AND e.maybe = 3) ORDER BY 1",
]
WRONG = "SELECT nothing FROM nowhere"

Ask = Callable[[str, str], pa.Table]


def by_adbc(uri: str, sql: str) -> pa.Table:
    with adbc.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetch_arrow_table()


def by_client(uri: str, sql: str) -> pa.Table:
    with Client(uri) as client:
        return client.query(sql)


@pytest.fixture(scope="module", name="truth")
def _truth(oracle: duckdb.DuckDBPyConnection) -> dict[str, Rows]:
    return {sql: rows_of(oracle.sql(sql).to_arrow_table()) for sql in QUERIES}


@pytest.mark.parametrize("ask", [by_adbc, by_client])
@pytest.mark.parametrize("place", ["server", "cluster"])
def test_every_answer_is_right(request: pytest.FixtureRequest, truth: dict[str, Rows], place: str, ask: Ask) -> None:
    running: RunningServer = request.getfixturevalue(place)
    with Client(running.uri) as client:
        uris = [worker.uri for worker in client.workers()]

    def one_client(number: int) -> list[str]:
        """Asks its queries, one of them wrong; returns those whose answers were not DuckDB's."""
        chance = random.Random(number)
        mistaken = []
        for turn in range(QUERIES_OF_EACH):
            if turn == number % QUERIES_OF_EACH:
                with pytest.raises(Exception, match="nowhere"):
                    ask(chance.choice(uris), WRONG)
            sql = chance.choice(QUERIES)
            if rows_of(ask(chance.choice(uris), sql)) != truth[sql]:
                mistaken.append(sql)
        return mistaken

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert [wrong for wrongs in pool.map(one_client, range(CLIENTS)) for wrong in wrongs] == []
    with Client(running.uri) as client:
        eventually(lambda: all(worker.queries == 0 for worker in client.workers()), 5, "all queries have ended")


def test_one_connection_shared_by_threads(server: RunningServer, truth: dict[str, Rows]) -> None:
    with Client(server.uri) as client, ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(client.query, QUERIES * 4))
    assert [rows_of(answer) for answer in answers] == [truth[sql] for sql in QUERIES * 4]


def test_more_than_may_run_at_once_wait_their_turn(server: RunningServer) -> None:
    with Client(server.uri) as client:
        submitted = [client.submit(f"SELECT count(*) AS n FROM events WHERE id % 50 = {n}") for n in range(50)]
        for one in submitted:
            ((batch, _),) = client.read(one.ticket)
            assert batch.to_pylist() == [{"n": 9_600}]
