"""pandas, polars and plain pyarrow: results that are large, values of all types, parameters."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal

import adbc_driver_flightsql.dbapi as adbc
import pandas
import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.flight as flight
import pytest

from tests.clients.large_results import LARGE, ONE_LARGE_ROW, summary

# polars cannot import Arrow's interval of months, days and nanoseconds.
WITHOUT_INTERVALS = "SELECT * EXCLUDE (gap) FROM kinds ORDER BY id"
VALUES = {
    **{"id": 1, "yes": True, "i8": 1, "i16": 2, "i64": 3, "u8": 4, "u64": 5, "f32": 1.5, "f64": 2.5, "dec": Decimal("12.34")},
    **{"text": "grüß", "bin": b"\x00\xff", "day": datetime.date(2024, 2, 29), "clock": datetime.time(12, 30)},
    **{"at": datetime.datetime(2024, 2, 29, 12, 30, 0, 123456), "tz": datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC)},
    **{"lst": [1, 2], "rec": {"a": 1, "b": "x"}, "u": "88188cca-5b19-408b-a4c2-31eb2fdf21f0"},
}


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
    assert polars.read_database(WITHOUT_INTERVALS, connection).to_dicts() == [
        {**VALUES, "dict": {"k": 1}},
        {**dict.fromkeys([*VALUES, "dict"]), "id": 2},
    ]


def test_values_arrive_in_pandas(connection: adbc.Connection) -> None:
    frame = pandas.read_sql("SELECT * FROM kinds ORDER BY id", connection, dtype_backend="pyarrow")
    first = frame.iloc[0].to_dict()
    assert {name: first[name] for name in VALUES} == VALUES
    assert first["dict"] == [("k", 1)]
    assert frame.iloc[1].drop("id").isna().all()


def test_parameters(connection: adbc.Connection) -> None:
    sql = "SELECT count(*) AS n, max(s) AS last FROM big WHERE i < ? AND s <> ?"
    found = polars.read_database(sql, connection, execute_options={"parameters": [10, "row 9"]})
    assert found.to_dicts() == [{"n": 9, "last": "row 8"}]
    with connection.cursor() as cursor:
        cursor.execute(sql, (10, "row 9"))
        assert cursor.fetch_df().to_dict("records") == [{"n": 9, "last": "row 8"}]


@pytest.mark.slow
def test_plain_flight_reads_the_same(connection: adbc.Connection, uri: str) -> None:
    with flight.connect(uri) as client, connection.cursor() as cursor:

        def read(sql: str) -> pa.Table:
            info = client.get_flight_info(flight.FlightDescriptor.for_command(sql))
            return client.do_get(info.endpoints[0].ticket).read_all()

        for sql in (*LARGE, ONE_LARGE_ROW):
            table = read(sql)
            assert f"{table.num_rows} {pc.sum(table['i'])} {pc.sum(pc.binary_length(table['s']))}" == summary(sql)
        cursor.execute("SELECT * FROM kinds ORDER BY id")
        assert read("SELECT * FROM kinds ORDER BY id").to_pylist() == cursor.fetch_arrow_table().to_pylist()
