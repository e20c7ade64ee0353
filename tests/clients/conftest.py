"""One server in the test's process, over files that programs in other languages ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from flight_server.process.launch import embedded
from flight_server.settings.config import Config, LimitsConfig

BIG_ROWS = 400_000

_KINDS = """
    SELECT 1 AS id, TRUE AS yes, 1::TINYINT AS i8, 2::SMALLINT AS i16, 3::BIGINT AS i64, 4::UTINYINT AS u8, 5::UBIGINT AS u64,
        1.5::FLOAT AS f32, 2.5::DOUBLE AS f64, 12.34::DECIMAL(9, 2) AS dec, 'grüß' AS text, '\\x00\\xFF'::BLOB AS bin,
        DATE '2024-02-29' AS day, TIME '12:30:00' AS clock, TIMESTAMP '2024-02-29 12:30:00.123456' AS at,
        TIMESTAMPTZ '2024-02-29 12:30:00+00' AS tz, [1, 2] AS lst, {'a': 1, 'b': 'x'} AS rec, MAP {'k': 1} AS dict,
        INTERVAL 1 DAY AS gap, '88188cca-5b19-408b-a4c2-31eb2fdf21f0'::UUID AS u
"""

OTHER_KINDS = """
    SELECT union_value(num := 1) AS u, 'a'::ENUM ('a', 'b') AS e, 170141183460469231731687303715884105727::HUGEINT AS h, 2::UHUGEINT AS uh,
        TIMETZ '12:00:00+02' AS t, '101'::BIT AS b, TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS n, [1, 2]::INTEGER[2] AS a
"""
"""A row of types that Parquet files do not keep."""


@pytest.fixture(scope="session", name="lake")
def _lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``big``: i from 0, and s = 'row i'. ``kinds``: a column of each type, one row of values and one of NULLs."""
    folder = tmp_path_factory.mktemp("clients-lake")
    with duckdb.connect() as kernel:
        kernel.execute(f"COPY (SELECT range AS i, 'row ' || range AS s FROM range({BIG_ROWS})) TO '{folder}/big.parquet'")
        kernel.execute(f"COPY ({_KINDS} UNION ALL BY NAME SELECT 2 AS id) TO '{folder}/kinds.parquet'")
    return folder


@pytest.fixture(scope="session", name="uri")
def _uri(lake: Path) -> Iterator[str]:
    with embedded(Config(data_roots=(str(lake),), threads=2, memory_bytes=1 << 30)) as uri:
        yield uri


@pytest.fixture(name="impatient", scope="module")
def _impatient(lake: Path) -> Iterator[str]:
    """A server that waits half a second only for somebody who reads a query on."""
    with embedded(Config(data_roots=(str(lake),), threads=1, memory_bytes=512 << 20, limits=LimitsConfig(abandon_seconds=0.5))) as uri:
        yield uri
