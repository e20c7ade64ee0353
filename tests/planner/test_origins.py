"""Which tables the columns of a result come from."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner import PlanOptions, plan
from planner.origins import TABLE_KEY
from tests.planner.memory_catalog import FolderCatalog

PEOPLE = ["people"] * 4  # id, name, age, city


def origins(sql: str, catalog: FolderCatalog) -> list[str | None]:
    told = [(field.metadata or {}).get(TABLE_KEY) for field in plan(sql, catalog, PlanOptions()).schema]
    return [None if table is None else table.decode() for table in told]


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT id, NAME AS who, age + 1 AS older FROM people", ["people", "people", None]),
        ("SELECT * FROM people", PEOPLE),
        ("FROM People", PEOPLE),
        ("SELECT p.id, p.* FROM people AS p", ["people", *PEOPLE]),
        ("SELECT volley.main.people.id FROM people", ["people"]),
        ("SELECT p.id, o.id, name, amount FROM people p JOIN orders o ON p.id = o.person_id", ["people", "orders", "people", "orders"]),
        ("SELECT *, 1 AS one FROM people p, people q", [*PEOPLE, *PEOPLE, None]),
        ("SELECT id FROM people GROUP BY id ORDER BY id LIMIT 1", ["people"]),
        ("SELECT count(*) AS n, city FROM people GROUP BY ALL", [None, "people"]),
        ("SELECT DISTINCT city FROM people", ["people"]),
        ("SELECT people.id FROM people, range(3) AS r(n)", ["people"]),
    ],
)
def test_columns_of_tables_are_told(sql: str, tables: list[str | None], catalog: FolderCatalog) -> None:
    assert origins(sql, catalog) == tables


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS id",
        "SELECT id FROM (SELECT id FROM people)",
        "WITH people AS (SELECT 1 AS id) SELECT id FROM people",
        "SELECT id FROM people UNION ALL SELECT id FROM orders",
        "SELECT id FROM people p JOIN (SELECT 1 AS n) x ON true",
        "SELECT id FROM people JOIN orders USING (id)",
        "SELECT a FROM people AS p(a, b, c, d)",
        "SELECT upper(name) AS name FROM people",
        "SELECT * FROM read_files('people.parquet')",
        "SELECT table_name FROM information_schema.tables",
        "SUMMARIZE people",
        "SELECT name AS id, id FROM (VALUES (1, 'x')) AS people(id, name)",
        "DESCRIBE people",
    ],
)
def test_what_comes_from_no_table_or_from_several_is_not(sql: str, catalog: FolderCatalog) -> None:
    assert set(origins(sql, catalog)) == {None}


@pytest.mark.parametrize(
    "sql", ["SELECT * EXCLUDE (age) FROM people", "SELECT *, age FROM people NATURAL JOIN orders", "SELECT COLUMNS('i.*') FROM people"]
)
def test_where_it_cannot_be_told_which_columns_there_are_nothing_is(sql: str, catalog: FolderCatalog) -> None:
    assert set(origins(sql, catalog)) == {None}


def test_names_are_one_where_the_kernel_says_so(tmp_path: Path) -> None:
    for table, column in (("large", "Ä"), ("small", "ä")):
        pq.write_table(pa.table({column: [1]}), tmp_path / f"{table}.parquet")
    catalog = FolderCatalog(tmp_path)
    assert origins("SELECT Ä, ä FROM large, small", catalog) == ["large", "small"]
    assert origins("SELECT Ö.Ä, Ö.* FROM large AS Ö", catalog) == ["large", "large"]


def test_a_name_that_is_a_tables_and_a_columns_is_not_told(catalog: FolderCatalog) -> None:
    assert origins("SELECT city.name, name FROM people AS city", catalog) == [None, "people"]
