"""Results larger than one message of gRPC may be where nobody says otherwise, and what a program that has read them prints."""

from __future__ import annotations

from functools import cache

import duckdb

MANY_ROWS = """
    SELECT range AS i, (range % 1000)::INTEGER AS k, (range % 100000 / 100)::DECIMAL(12, 2) AS price,
        DATE '2024-01-01' + (range % 366)::INTEGER AS day, TIMESTAMP '2024-01-01' + to_milliseconds(range) AS at, 'text ' || range AS s
    FROM range(6000000)
"""
LONG_TEXTS = "SELECT range AS i, repeat('é', (400 + range * range % 211)::INTEGER) AS s FROM range(60000)"
LARGE = (MANY_ROWS, LONG_TEXTS)
"""Six million rows of six columns, 335 MB of Arrow; and 60 MB of texts, of which about 3,000 fill a message to within a text's length of
its limit."""
ONE_LARGE_ROW = "SELECT 7::BIGINT AS i, repeat('x', 5000000) AS s"
"""A row that fits into no message of 4 MiB."""


@cache
def summary(sql: str) -> str:
    """What the programs print of a result: its rows, the sum of its first column, the bytes of its last."""
    with duckdb.connect() as kernel:
        rows = kernel.execute(f"SELECT count(*), sum(i), sum(strlen(s)) FROM ({sql})").fetchall()
    return " ".join(str(value) for value in rows[0])
