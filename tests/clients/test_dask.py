"""dask reads the parts of one result side by side: each partition of its frame is one of ``adbc_execute_partitions``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import adbc_driver_flightsql.dbapi as adbc
import pandas
import pytest

from tests.clients.all_types import ALL_TYPES, SENT_VALUES, row_of, values_of
from tests.clients.endless import ended_states, endless, states_of_endless
from tests.clients.large_results import MANY_ROWS, ONE_LARGE_ROW, summary

if TYPE_CHECKING:
    from dask.dataframe import DataFrame

PARTS = 4


def frame_of(
    uri: str, sql: str, parameters: Sequence[object] = (), session: dict[str, str] | None = None, call_seconds: int = 0
) -> DataFrame:
    """The frame of a query, as docs/clients/sqlalchemy.md makes it, with Arrow's types. ``call_seconds``: for a part; 0 for ever."""
    dataframe = pytest.importorskip("dask.dataframe", reason="dask is not installed")
    options = {"adbc.flight.sql.rpc.call_header.x-volley-endpoints": str(PARTS), "adbc.flight.sql.rpc.with_cookie_middleware": "true"}
    with adbc.connect(uri, options, conn_kwargs=session or {}, autocommit=True) as connection, connection.cursor() as cursor:
        partitions, schema = cursor.adbc_execute_partitions(sql, parameters or None)

    def read(partition: bytes) -> pandas.DataFrame:
        patience = {"adbc.flight.sql.rpc.timeout_seconds.fetch": str(call_seconds)} if call_seconds else {}
        with adbc.connect(uri, patience, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.adbc_read_partition(partition)
            return cursor.fetch_arrow_table().to_pandas(types_mapper=pandas.ArrowDtype)

    return dataframe.from_map(read, partitions, meta=schema.empty_table().to_pandas(types_mapper=pandas.ArrowDtype))


@pytest.mark.slow
def test_a_frame_of_partitions_has_each_row_once(uri: str) -> None:
    frame = frame_of(uri, MANY_ROWS)
    assert frame.npartitions == PARTS
    sums = frame.map_partitions(lambda part: pandas.DataFrame({"n": [len(part)], "i": [part["i"].sum()], "s": [part["s"].str.len().sum()]}))
    parts = sums.compute()
    assert (parts["n"] > 0).sum() > 1
    assert " ".join(str(number) for number in parts.sum()) == summary(MANY_ROWS), "the texts have one byte a character"


def test_one_large_row(uri: str) -> None:
    assert frame_of(uri, ONE_LARGE_ROW).compute()["s"].str.len().tolist() == [5_000_000]


def test_values_of_all_types_arrive(uri: str) -> None:
    names = [name for name in ALL_TYPES if name != "union"]  # of which Arrow makes no empty table in Python
    assert frame_of(uri, row_of(*names)).compute().iloc[0].to_dict() == values_of(*names)


def test_parameters_of_all_types_that_python_has(uri: str) -> None:
    sql = "SELECT " + ", ".join(f"? AS v{number}, typeof(?) AS t{number}" for number in range(len(SENT_VALUES)))
    row = frame_of(uri, sql, [value for value in SENT_VALUES.values() for _ in "??"]).compute().iloc[0].tolist()
    assert dict(zip(row[1::2], row[::2], strict=True)) == SENT_VALUES


def test_a_sessions_time_out_ends_the_query(uri: str) -> None:
    frame = frame_of(uri, endless("dask_session"), session={"adbc.flight.sql.session.option.statement_timeout": "1s"})
    with pytest.raises(adbc.Error, match="longer than the 1 s that its session gives to a statement"):
        frame.compute()
    assert states_of_endless(uri, "dask_session") == ["killed"]


def test_a_query_whose_parts_nobody_reads_any_more_ends_with_the_servers_patience(impatient: str) -> None:
    sql = endless("dask_left")
    with pytest.raises(adbc.Error, match="DeadlineExceeded"):
        frame_of(impatient, sql, call_seconds=1).compute()
    assert ended_states(impatient, sql) == ["killed"]
