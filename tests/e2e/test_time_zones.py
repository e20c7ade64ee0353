"""Sessions in time zones of their own, on a server of two workers, beside DuckDB in the same zone over the same files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import adbc_driver_flightsql.dbapi as dbapi
import duckdb
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_server.client import Client
from flight_server.protocol.messages import SESSION_COOKIE
from tests.e2e.running_server import RunningServer, run

COOKIES = {"adbc.flight.sql.rpc.with_cookie_middleware": "true"}
ZONES = ["America/New_York", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Etc/GMT+9"]
HOURS = 366 * 24
QUERIES = [
    "SELECT ts, ts::DATE AS day, ts::VARCHAR AS text, extract(hour FROM ts) AS hour FROM moments WHERE ts::DATE = '2024-03-31' ORDER BY n",
    "SELECT date_trunc('day', ts) AS day, count(*) AS n FROM moments GROUP BY ALL ORDER BY ALL",
    "SELECT ts::DATE AS day, part, max(ts) AS last, avg(n) AS mean, count(DISTINCT hour(ts)) AS h FROM moments GROUP BY ALL ORDER BY ALL",
    "SELECT d, count(*) AS c FROM moments JOIN (SELECT ts::DATE AS d FROM moments WHERE n % 99 = 0) ON ts::DATE = d GROUP BY 1 ORDER BY 1",
    "SELECT count(*) AS n FROM moments WHERE ts::DATE = (SELECT max(ts)::DATE FROM moments WHERE part < 6)",
    "SELECT n, ts FROM moments WHERE ts >= '2024-10-27' AND ts < '2024-10-28' ORDER BY n",
    "SELECT count(*) AS n FROM moments WHERE ts < '2024-01-01 06:00:00' OR hour(ts) = 2",
    "SELECT count(*) AS n FROM moments WHERE wall < TIMESTAMPTZ '2024-02-01 00:00:00+00'",
    "SELECT part, min(ts) AS first, max(ts)::VARCHAR AS last FROM moments WHERE part <= 3 GROUP BY part ORDER BY part",
    "SELECT strftime(ts, '%Y-%m') AS month, count(*) AS n FROM moments GROUP BY ALL ORDER BY ALL",
    "SELECT [max(ts)] AS l, current_setting('TimeZone') AS z FROM moments",
    "SELECT ts FROM read_files('texts.csv', types = {'ts': 'TIMESTAMPTZ'}) ORDER BY ts",
]


@pytest.fixture(name="files", scope="module")
def _files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of hours in twelve partitions, each of several row groups, and a file of moments as text that names no zone."""
    root = tmp_path_factory.mktemp("moments")
    kernel = duckdb.connect()
    for part in range(12):
        folder = root / "moments" / f"part={part}"
        folder.mkdir(parents=True)
        kernel.execute(
            f"""COPY (
                SELECT i AS n, to_timestamp(1704067200 + i * 3600) AS ts, TIMESTAMP '2024-01-01' + to_hours(i) AS wall
                FROM range({part * HOURS // 12}, {(part + 1) * HOURS // 12}) t(i)
            ) TO '{folder}/hours.parquet' (FORMAT parquet, ROW_GROUP_SIZE 2048)"""
        )
    (root / "texts.csv").write_text("ts\n2024-03-31 01:30:00\n2024-07-01 00:00:00\n")
    return root


@pytest.fixture(name="running", scope="module")
def _running(files: Path) -> Iterator[RunningServer]:
    with RunningServer("--data", str(files), "--workers", "2", "--threads", "2", "--memory", "2GB") as running:
        yield running


@pytest.fixture(name="session")
def _session(running: RunningServer) -> Iterator[dbapi.Connection]:
    """A connection that keeps its session, with every scan on both workers."""
    with dbapi.connect(running.uri, COOKIES, autocommit=True) as connection:
        set_option(connection, "distribute", "always")
        yield connection


def set_option(connection: dbapi.Connection, name: str, value: str) -> None:
    connection.adbc_connection.set_options(**{f"adbc.flight.sql.session.option.{name}": value})


def option(connection: dbapi.Connection, name: str) -> object:
    return json.loads(connection.adbc_connection.get_option("adbc.flight.sql.session.options"))[name]


def answer(connection: dbapi.Connection, sql: str, parameters: object = None) -> pa.Table:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return bare(cursor.fetch_arrow_table())


def bare(table: pa.Table) -> pa.Table:
    return table.cast(pa.schema([pa.field(field.name, field.type) for field in table.schema]))


def direct(files: Path, zone: str) -> duckdb.DuckDBPyConnection:
    kernel = duckdb.connect(config={"threads": 2})
    kernel.execute(f"SET GLOBAL TimeZone = '{zone}'")
    kernel.execute(f"CREATE VIEW moments AS FROM read_parquet('{files}/moments/**/*.parquet', hive_partitioning = true)")
    return kernel


@pytest.mark.parametrize("zone", ZONES)
def test_answers_are_those_of_duckdb_in_that_zone(session: dbapi.Connection, files: Path, zone: str) -> None:
    set_option(session, "timezone", zone)
    with closing(direct(files, zone)) as kernel:
        for sql in QUERIES:
            wanted = kernel.sql(sql.replace("read_files('", f"read_csv('{files}/")).to_arrow_table()
            got = answer(session, sql)
            assert got.schema.equals(wanted.schema), sql
            assert got.to_pylist() == wanted.to_pylist(), sql


def test_groups_by_the_zones_days_are_made_on_the_shares_of_both_workers(session: dbapi.Connection) -> None:
    set_option(session, "timezone", "America/New_York")
    sql = "SELECT date_trunc('day', ts) AS day, count(*) AS n FROM moments GROUP BY day"
    plan = json.loads("".join(row["plan"] for row in answer(session, f"EXPLAIN (FORMAT JSON) {sql}").to_pylist()))
    partial = plan["plan"]["inputs"][0]["from"]
    assert partial["shares"] > 1
    assert "date_trunc" in partial["sql"]


def test_the_zone_can_be_set_by_a_statement(session: dbapi.Connection) -> None:
    answer(session, "SET TIME ZONE 'asia/kathmandu'")
    assert option(session, "timezone") == "Asia/Kathmandu"
    assert answer(session, "SHOW TimeZone").to_pylist() == [{"timezone": "Asia/Kathmandu"}]
    assert answer(session, "SELECT to_timestamp(0)::VARCHAR AS t").to_pylist() == [{"t": "1970-01-01 05:30:00+05:30"}]
    answer(session, "RESET ALL")
    assert option(session, "timezone") == "UTC"
    set_option(session, "timezone", "-03:00")
    assert option(session, "timezone") == "Etc/GMT+3"


def test_a_time_out_can_be_set_by_a_statement(session: dbapi.Connection) -> None:
    answer(session, "SET statement_timeout = '250ms'")
    assert option(session, "statement_timeout") == 0.25
    with pytest.raises(dbapi.Error, match=r"longer than the 0\.25 s"):
        answer(session, "SELECT count(*) FROM range(1000000000000)")
    answer(session, "SET statement_timeout TO DEFAULT")
    assert option(session, "statement_timeout") == 0


def test_sessions_side_by_side_see_their_own_zones(running: RunningServer) -> None:
    """Many at once, on both workers' kernels: no connection of a kernel keeps the zone of another query."""
    sql = "SELECT DISTINCT extract(timezone FROM ts) // 60 AS z FROM moments WHERE n < 4000 ORDER BY z"

    def ask(zone: str) -> list[list[dict[str, int]]]:
        with dbapi.connect(running.uri, COOKIES, autocommit=True) as connection:
            set_option(connection, "distribute", "always")
            set_option(connection, "timezone", zone)
            return [answer(connection, sql).to_pylist() for _ in range(8)]

    wanted = {"UTC": [0], "Europe/Berlin": [60, 120], "Asia/Kathmandu": [345], "America/St_Johns": [-210, -150]}
    with ThreadPoolExecutor(len(wanted)) as pool:
        found = dict(zip(wanted, pool.map(ask, wanted), strict=True))
    assert found == {zone: [[{"z": z} for z in zones]] * 8 for zone, zones in wanted.items()}


def test_what_is_announced_is_what_comes(running: RunningServer) -> None:
    cookie = flight.FlightCallOptions(headers=[(b"cookie", f"{SESSION_COOKIE}=announced".encode())])
    with flight.FlightClient(running.uri) as client:

        def info(sql: str) -> flight.FlightInfo:
            return client.get_flight_info(flight.FlightDescriptor.for_command(sql), cookie)

        info("SET TimeZone = 'Europe/Berlin'")
        sql = "SELECT max(ts) AS ts FROM moments"
        schema = client.get_schema(flight.FlightDescriptor.for_command(sql), cookie).schema
        told = info(sql)
        read = client.do_get(told.endpoints[0].ticket, cookie).read_all()
        assert schema.field("ts").type == pa.timestamp("us", "Europe/Berlin")
        assert schema == told.schema == read.schema
        assert read["ts"][0].as_py().isoformat() == "2025-01-01T00:00:00+01:00"


def test_a_prepared_statement_runs_in_the_zone_of_its_execution(session: dbapi.Connection) -> None:
    with session.cursor() as cursor:
        set_option(session, "timezone", "Europe/Berlin")
        sql = "SELECT ts::VARCHAR AS shown FROM moments WHERE ts >= '2024-03-31' AND n < ? ORDER BY n LIMIT 1"
        cursor.execute(sql, (4000,))
        assert cursor.fetchall() == [("2024-03-31 00:00:00+01",)]
        set_option(session, "timezone", "Asia/Kathmandu")
        cursor.execute(sql, (4000,))
        assert cursor.fetchall() == [("2024-03-31 00:45:00+05:45",)]
        set_option(session, "timezone", "UTC")
        cursor.execute(sql, (4000,))
        assert cursor.fetchall() == [("2024-03-31 00:00:00+00",)]


def test_each_of_many_rows_of_parameters_runs_in_the_sessions_zone_on_both_workers(session: dbapi.Connection) -> None:
    """Each is a plan of its own, with shares and an intermediate result of its own."""
    set_option(session, "timezone", "America/New_York")
    days = pa.record_batch({"day": ["2024-03-10", "2024-03-11", "2024-11-03"]})
    sql = """
        SELECT min(ts)::VARCHAR AS first, count(*) AS hours FROM moments
        WHERE ts::DATE = CAST(? AS DATE) AND ts::DATE <= (SELECT max(ts)::DATE FROM moments)"""
    assert answer(session, sql, days).to_pylist() == [
        {"first": "2024-03-10 00:00:00-05", "hours": 23},
        {"first": "2024-03-11 00:00:00-04", "hours": 24},
        {"first": "2024-11-03 00:00:00-04", "hours": 25},
    ]


def test_a_result_keeps_its_zone_when_the_server_is_restarted(files: Path, tmp_path: Path) -> None:
    arguments = ("--data", str(files), "--state", str(tmp_path / "state"), "--threads", "2", "--memory", "1GB")
    cookie = flight.FlightCallOptions(headers=[(b"cookie", f"{SESSION_COOKIE}=kept".encode())])
    with RunningServer(*arguments) as first, flight.FlightClient(first.uri) as client:
        client.get_flight_info(flight.FlightDescriptor.for_command("SET TimeZone = 'Europe/Berlin'"), cookie)
        sql = "SELECT n, ts, [ts] AS l FROM moments WHERE n < 3 ORDER BY n"
        nested = client.get_flight_info(flight.FlightDescriptor.for_command(sql), cookie)
        plain = client.get_flight_info(flight.FlightDescriptor.for_command(sql.replace(", [ts] AS l", "")), cookie)
        tables = [client.do_get(info.endpoints[0].ticket).read_all() for info in (nested, plain)]
        assert first.stop() == 0, first.log
    assert [table.schema.field("ts").type for table in tables] == [pa.timestamp("us", "Europe/Berlin")] * 2
    with RunningServer(*arguments) as second, flight.FlightClient(second.uri) as client:
        again = [client.do_get(info.endpoints[0].ticket).read_all() for info in (nested, plain)]
        assert again == tables
        assert [table.schema for table in again] == [info.schema for info in (nested, plain)]


def test_explain_and_describe_know_the_zone(session: dbapi.Connection) -> None:
    set_option(session, "timezone", "Asia/Kathmandu")
    plan = "\n".join(row["plan"] for row in answer(session, "EXPLAIN SELECT n FROM moments WHERE ts < '2024-01-02'").to_pylist())
    assert "moments" in plan
    analyzed = answer(session, "EXPLAIN ANALYZE SELECT n FROM moments WHERE ts < '2024-01-01 06:00:00'").to_pylist()
    assert "1 row" in "\n".join(row["plan"] for row in analyzed)
    (described,) = answer(session, "DESCRIBE SELECT ts FROM moments").to_pylist()
    assert described["column_type"] == "TIMESTAMP WITH TIME ZONE"


def test_a_file_of_statements_has_a_session(running: RunningServer, tmp_path: Path) -> None:
    """As the shell has, and unlike a client that does not ask for one."""
    file = tmp_path / "report.sql"
    file.write_text("SET TimeZone = 'Asia/Kathmandu'; SELECT to_timestamp(0)::VARCHAR AS t; SELECT to_timestamp(0) AS u;")
    told = run("run", str(file), "--uri", running.uri)
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("1970-01-01 05:30:00+05:30") == 2
    with Client(running.uri, session=True) as kept, Client(running.uri) as plain:
        kept.query("SET TimeZone = 'Etc/GMT-2'")
        shown = "SELECT to_timestamp(0)::VARCHAR AS t"
        assert [client.query(shown)["t"][0].as_py() for client in (kept, plain)] == ["1970-01-01 02:00:00+02", "1970-01-01 00:00:00+00"]
        looked = kept.submit("SELECT to_timestamp(i)::VARCHAR AS t FROM range(200000) r(i)", ahead=1)
        kept.query("RESET TimeZone")
        kept.make_all(looked.query_id)
        assert kept.query("SHOW TimeZone")["timezone"].to_pylist() == ["UTC"]
        rows = [value for batch, _ in kept.read(looked.ticket) for value in batch["t"].to_pylist()]
        assert (len(rows), rows[-1]) == (200_000, "1970-01-03 09:33:19+02")


def test_a_client_without_a_session_stays_in_utc(running: RunningServer) -> None:
    with dbapi.connect(running.uri, autocommit=True) as plain:
        with pytest.raises(dbapi.Error, match="no session") as caught:
            answer(plain, "SET TimeZone = 'Europe/Berlin'")
        assert "cookie" in str(caught.value)
        with pytest.raises(dbapi.Error, match="'timezone' \\(error"):
            set_option(plain, "timezone", "Europe/Berlin")
        set_option(plain, "timezone", "Etc/UTC")
        assert answer(plain, "SHOW TimeZone").to_pylist() == [{"timezone": "UTC"}]


def test_an_unknown_zone_is_refused_with_names_like_it(session: dbapi.Connection) -> None:
    with pytest.raises(dbapi.Error, match="Did you mean Europe/Berlin"):
        answer(session, "SET TimeZone = 'Europe/Berln'")
    with pytest.raises(dbapi.Error, match="invalid value"):
        set_option(session, "timezone", "Europe/Berln")
