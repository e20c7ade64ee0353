from __future__ import annotations

import duckdb
import pytest

from flight_server.client.named_queries import named_queries

TABLES = {"orders": ["id", "amount", "day"], "odd name": ["select", "n"]}


def read(sql: str) -> dict[str, tuple[str, ...]]:
    """The named queries of a statement, with their columns."""
    return {query.name: query.columns for query in named_queries(sql, 0, lambda table: TABLES.get(table.lower(), []))}


@pytest.fixture(scope="module")
def kernel() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE orders AS SELECT 1 AS id, 2.5 AS amount, DATE '2024-01-01' AS day")
    connection.execute('CREATE TABLE "odd name" AS SELECT 1 AS "select", 2 AS n')
    return connection


@pytest.mark.parametrize(
    ("body", "left_out"),
    [
        ("SELECT id, o.amount, day AS d, amount * 2 twice FROM orders o", 0),
        ("SELECT * FROM orders", 0),
        ('SELECT o.*, n FROM orders AS o, "odd name"', 0),
        ('SELECT x.n, y."select" FROM "odd name" x JOIN "odd name" y USING (n)', 0),
        ("FROM orders", 0),
        ("FROM orders SELECT id, day", 0),
        ('SELECT DISTINCT day FROM orders WHERE id IN (SELECT n FROM "odd name")', 0),
        ('SELECT count(*) AS "how many", max(amount) FROM orders GROUP BY day', 1),
        ("SELECT total: sum(amount), CASE WHEN true THEN 1 END AS flag FROM orders", 0),
        ("SELECT id, E'it\\'s; , FROM', $$a, b$$ AS text FROM orders /* , c */", 1),
        ("WITH a AS (SELECT id FROM orders) SELECT id, id + 1 AS next FROM a", 0),
        ('SELECT id FROM orders UNION ALL SELECT n FROM "odd name"', 0),
        ("SELECT id::VARCHAR AS text, amount + id FROM orders", 1),
    ],
)
def test_columns_are_those_that_the_kernel_says_as_far_as_they_can_be_read(
    kernel: duckdb.DuckDBPyConnection, body: str, left_out: int
) -> None:
    told = [name for name, *_ in kernel.sql(f"SELECT * FROM ({body})").description]
    for sql in (f"WITH q AS ({body}) SELECT * FROM q", f"SELECT * FROM ({body}) AS q", f"SELECT 1 FROM orders, ({body}) q"):
        found = read(sql)["q"]
        assert set(found) <= set(told)
        assert len(found) == len(told) - left_out


def test_queries_read_each_other_and_names_in_the_head_come_first() -> None:
    sql = "WITH RECURSIVE a(x, y) AS (SELECT id, day FROM orders), b AS NOT MATERIALIZED (SELECT *, 1 AS one FROM a) SELECT * FROM b"
    assert read(sql) == {"a": ("x", "y"), "b": ("x", "y", "one")}


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("WITH a AS (SELECT id, amo", {"a": ("id", "amo")}),
        ("WITH a AS (SELECT id FROM orders) SELECT ", {"a": ("id",)}),
        ("WITH a AS (", {}),
        ("SELECT (SELECT id FROM orders) AS n, sum(x) OVER w FROM t WINDOW w AS (PARTITION BY id), v AS (ORDER BY id)", {}),
        ("SELECT * FROM f(1) AS g", {}),
        ("", {}),
        ("WITH a AS (SELECT id FROM orders) SELECT * FROM a WHERE id IN (" + "1, " * 5_000 + "2)", {}),
    ],
)
def test_what_is_still_being_written_or_is_none_is_no_trouble(sql: str, found: dict[str, tuple[str, ...]]) -> None:
    assert read(sql) == found
