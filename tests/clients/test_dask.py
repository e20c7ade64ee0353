"""dask reads the parts of one result side by side: each partition of its frame is one of ``adbc_execute_partitions``."""

from __future__ import annotations

import adbc_driver_flightsql.dbapi as adbc
import pandas
import pytest

from tests.clients.conftest import BIG_ROWS

PARTS = 4


def test_a_frame_of_partitions_has_each_row_once(uri: str) -> None:
    dataframe = pytest.importorskip("dask.dataframe", reason="dask is not installed")
    options = {"adbc.flight.sql.rpc.call_header.x-volley-endpoints": str(PARTS)}
    with adbc.connect(uri, options, autocommit=True) as connection, connection.cursor() as cursor:
        partitions, schema = cursor.adbc_execute_partitions("SELECT i, s FROM big")

    def read(partition: bytes) -> pandas.DataFrame:
        with adbc.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.adbc_read_partition(partition)
            return cursor.fetch_df()

    frame = dataframe.from_map(read, partitions, meta=schema.empty_table().to_pandas())
    assert frame.npartitions == PARTS
    assert sum(len(part) > 0 for part in frame.partitions) > 1
    assert len(frame) == BIG_ROWS
    assert frame["i"].sum().compute() == BIG_ROWS * (BIG_ROWS - 1) // 2
    assert frame["i"].nunique().compute() == BIG_ROWS
    assert frame["s"].max().compute() == max(f"row {i}" for i in range(BIG_ROWS))
