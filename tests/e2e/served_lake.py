"""The tables that the servers of these tests have, and DuckDB over the same files."""

from __future__ import annotations

from pathlib import Path

import duckdb

EVENT_FILES = 12
EVENTS_PER_FILE = 40_000
EVENTS = EVENT_FILES * EVENTS_PER_FILE
ROW_GROUP_ROWS = 8_192


def write_lake(root: Path) -> None:
    """``events``: many files of several row groups; ``people`` and ``kinds``: small; ``odd``: NULLs, NaN, text beyond ASCII."""
    kernel = duckdb.connect()
    kernel.execute("SET threads = 2")
    (root / "events").mkdir(parents=True)
    for number in range(EVENT_FILES):
        kernel.execute(
            f"""COPY (
                SELECT i AS id, (i * 7919) % 1000 AS kind_id, 'person-' || (i % 977) AS person, (i * 31 % 100003) / 8.0 AS amount,
                    DATE '2020-01-01' + (i % 1500)::INTEGER AS day, CASE WHEN i % 11 = 0 THEN NULL ELSE i % 97 END AS maybe
                FROM range({number * EVENTS_PER_FILE}, {(number + 1) * EVENTS_PER_FILE}) t(i)
            ) TO '{root}/events/part-{number:02}.parquet' (FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP_ROWS})"""
        )
    kernel.execute(f"COPY (SELECT i AS kind_id, 'kind ' || (i % 10) AS kind FROM range(1000) t(i)) TO '{root}/kinds.parquet'")
    kernel.execute(f"COPY (SELECT 'person-' || i AS person, i % 90 AS age FROM range(977) t(i)) TO '{root}/people.parquet'")
    kernel.execute(
        f"""COPY (SELECT * FROM (VALUES (1, 'ä', 1.5::DOUBLE, [1, 2]), (2, NULL, 'NaN'::DOUBLE, []), (3, '', NULL, NULL),
            (4, 'it''s "quoted"', '-inf'::DOUBLE, [NULL, 3])) t(id, word, number, list)) TO '{root}/odd.parquet'"""
    )


def oracle_over(lake: Path) -> duckdb.DuckDBPyConnection:
    """DuckDB with a view for each table of ``lake``."""
    kernel = duckdb.connect(config={"threads": 2})
    kernel.execute("SET GLOBAL integer_division = true")
    kernel.execute("SET GLOBAL default_null_order = 'postgres'")
    kernel.execute("SET GLOBAL TimeZone = 'UTC'")
    for entry in sorted(lake.iterdir()):
        pattern = f"{entry}/*.parquet" if entry.is_dir() else str(entry)
        kernel.execute(f"CREATE VIEW {entry.stem} AS FROM read_parquet('{pattern}')")
    return kernel
