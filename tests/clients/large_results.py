"""Results larger than one message of gRPC may be where nobody says otherwise, and what a program that has read them prints."""

from __future__ import annotations

import duckdb

MANY_ROWS = """
    SELECT range AS i, range % 1000 AS k, range / 4.0 AS price, TIMESTAMP '2024-01-01' + to_seconds(range) AS at, range % 2 = 0 AS even,
        'row ' || range || ' of a million, each with a text like this one at its end' AS s
    FROM range(1000000)
"""
LONG_TEXTS = "SELECT range AS i, repeat('é', (400 + range * range % 211)::INTEGER) AS s FROM range(60000)"
LARGE = (MANY_ROWS, LONG_TEXTS)
"""A million rows of six columns, 100 MB; and texts of which about 3,000 fill a message to within a text's length of its limit, 60 MB."""
ONE_LARGE_ROW = "SELECT 7::BIGINT AS i, repeat('x', 5000000) AS s"
"""A row that fits into no message of 4 MiB."""


def summary(sql: str) -> str:
    """What the programs print of a result: its rows, the sum of its first column, the bytes of its last."""
    with duckdb.connect() as kernel:
        rows = kernel.execute(f"SELECT count(*), sum(i), sum(strlen(s)) FROM ({sql})").fetchall()
    return " ".join(str(value) for value in rows[0])
