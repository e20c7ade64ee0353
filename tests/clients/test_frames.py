"""pandas, polars and plain pyarrow: results that are large, values of all types, parameters, ends before the end."""

from __future__ import annotations

import datetime
import gc
from collections.abc import Iterator
from decimal import Decimal

import adbc_driver_flightsql.dbapi as adbc
import pandas
import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.flight as flight
import pytest

from tests.clients.all_types import ALL_TYPES, MOMENT, SENT_VALUES, row_of, values_of
from tests.clients.endless import ended_states, endless, once_it_runs, states_of, states_of_endless
from tests.clients.large_results import LARGE, ONE_LARGE_ROW, summary

IN_POLARS = [name for name in ALL_TYPES if name not in ("interval", "union")]
IN_NUMPY = [name for name in ALL_TYPES if name != "union"]
AS_POLARS_HAS_THEM = {
    # The values themselves are whole; to Python, polars gives 38 digits of decimals, and microseconds.
    "hugeint_39": Decimal("1.7014118346046923173168730371588410573E+38"),
    "timestamp_ns": MOMENT,
    "map": {"k": 1},
}
MANY = "SELECT a.i, b.s FROM big AS a, big AS b WHERE a.i <> -3"


@pytest.fixture(name="connection")
def _connection(uri: str) -> Iterator[adbc.Connection]:
    with adbc.connect(uri, autocommit=True) as connection:
        yield connection


@pytest.mark.slow
@pytest.mark.parametrize("sql", [*LARGE, ONE_LARGE_ROW], ids=["many rows", "long texts", "one large row"])
def test_results_of_any_size_are_read_with_the_defaults(connection: adbc.Connection, sql: str) -> None:
    frame = polars.read_database(sql, connection)
    assert f"{len(frame)} {frame['i'].sum()} {frame['s'].str.len_bytes().sum()}" == summary(sql)
    panda = pandas.read_sql(sql, connection, dtype_backend="pyarrow")
    assert f"{len(panda)} {panda['i'].sum()} {sum(len(text.encode()) for text in panda['s'])}" == summary(sql)


def test_values_arrive_in_polars(connection: adbc.Connection) -> None:
    frame = polars.read_database(row_of(*IN_POLARS), connection)
    assert frame.to_dicts() == [values_of(*IN_POLARS) | AS_POLARS_HAS_THEM]
    assert frame["timestamp_ns"].dt.epoch("ns").item() % 1000 == 789
    assert frame["hugeint_39"].cast(polars.String).item() == str(2**127 - 1)


def test_values_arrive_in_pandas(connection: adbc.Connection) -> None:
    assert pandas.read_sql(row_of(), connection, dtype_backend="pyarrow").iloc[0].to_dict() == values_of()


def test_values_arrive_in_pandas_by_numpy(connection: adbc.Connection) -> None:
    first = pandas.read_sql(row_of(*IN_NUMPY), connection).iloc[0].to_dict()
    assert [str(number) for number in first.pop("list")] == ["1.0", "nan"]
    assert first.pop("array").tolist() == [1, 2]
    assert first.pop("interval") == pandas.DateOffset(months=1, days=2, nanoseconds=3000)
    struct = first.pop("struct")
    assert (struct["a"], list(struct["b"])) == (1, ["x"])
    assert first == {name: value for name, value in values_of().items() if name in first}


def test_parameters(connection: adbc.Connection) -> None:
    sent = {name: value for name, value in SENT_VALUES.items() if name != "INTERVAL"}
    sql = "SELECT " + ", ".join(f"? AS v{number}, typeof(?) AS t{number}" for number in range(len(sent)))
    values = [value for value in sent.values() for _ in "??"]
    (row,) = polars.read_database(sql, connection, execute_options={"parameters": values}).rows()
    assert dict(zip(row[1::2], row[::2], strict=True)) == sent
    with connection.cursor() as cursor:
        cursor.execute("SELECT ? AS v0, ? AS v1, ? AS v2", [2**62, "it's", datetime.date(2024, 2, 29)])
        assert cursor.fetch_df().to_dict("records") == [{"v0": 2**62, "v1": "it's", "v2": datetime.date(2024, 2, 29)}]
    with pytest.raises(NotImplementedError, match="'params' is not implemented for ADBC drivers"):
        pandas.read_sql("SELECT ? AS v", connection, params=(1,))


def test_a_time_out_ends_the_query_of_a_frame(uri: str) -> None:
    options = {"adbc.flight.sql.rpc.timeout_seconds.fetch": "1"}
    with adbc.connect(uri, options, autocommit=True) as connection:
        with pytest.raises(adbc.Error, match="TIMEOUT"):
            pandas.read_sql(endless("pandas_timed_out"), connection)
        with pytest.raises(polars.exceptions.ComputeError, match="DeadlineExceeded"):
            polars.read_database(endless("polars_timed_out"), connection)
    assert states_of_endless(uri, "pandas_timed_out") == ["killed"]
    assert states_of_endless(uri, "polars_timed_out") == ["killed"]


def test_a_cancel_of_its_cursor_ends_the_query_of_polars(connection: adbc.Connection, uri: str) -> None:
    sql = endless("polars_cancelled")
    cancelled = pytest.raises(polars.exceptions.ComputeError, match="Canceled")
    with connection.cursor() as cursor, once_it_runs(uri, sql, cursor.adbc_cancel), cancelled:
        polars.read_database(sql, cursor)
    assert ended_states(uri, sql) == ["killed"]


@pytest.mark.filterwarnings("ignore:A adbc_driver_manager.dbapi.Cursor was not:ResourceWarning")  # polars leaves its cursor to be collected
def test_frames_that_nobody_takes_end_their_query(connection: adbc.Connection, uri: str) -> None:
    frames = polars.read_database(MANY, connection, iter_batches=True, batch_size=1000)
    assert len(next(frames)) > 0
    assert states_of(uri, MANY) == ["running"]
    del frames
    gc.collect()
    assert ended_states(uri, MANY) == ["killed"]


def test_plain_flight_gives_up_waiting_and_the_query_ends_with_the_servers_patience(impatient: str) -> None:
    sql = endless("plain_timed_out")
    with flight.connect(impatient) as client:
        info = client.get_flight_info(flight.FlightDescriptor.for_command(sql))
        with pytest.raises(flight.FlightTimedOutError):
            client.do_get(info.endpoints[0].ticket, flight.FlightCallOptions(timeout=1)).read_all()
    assert ended_states(impatient, sql) == ["killed"]


def test_plain_flight_kills_by_an_action_while_it_reads(uri: str) -> None:
    sql = endless("plain_killed")
    with flight.connect(uri) as client:
        info = client.get_flight_info(flight.FlightDescriptor.for_command(sql))
        kill = flight.Action("query.kill", info.app_metadata)
        with once_it_runs(uri, sql, lambda: list(client.do_action(kill))), pytest.raises(flight.FlightCancelledError):
            client.do_get(info.endpoints[0].ticket).read_chunk()
    assert ended_states(uri, sql) == ["killed"]


@pytest.mark.slow
def test_plain_flight_reads_the_same(connection: adbc.Connection, uri: str) -> None:
    with flight.connect(uri) as client, connection.cursor() as cursor:

        def read(sql: str) -> pa.Table:
            info = client.get_flight_info(flight.FlightDescriptor.for_command(sql))
            return client.do_get(info.endpoints[0].ticket).read_all()

        for sql in (*LARGE, ONE_LARGE_ROW):
            table = read(sql)
            assert f"{table.num_rows} {pc.sum(table['i'])} {pc.sum(pc.binary_length(table['s']))}" == summary(sql)
        cursor.execute(row_of())
        assert read(row_of()).to_pylist() == cursor.fetch_arrow_table().to_pylist() == [values_of()]
