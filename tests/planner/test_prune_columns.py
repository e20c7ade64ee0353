"""Which columns a scan keeps."""

from __future__ import annotations

import pytest

from planner import PlanOptions, plan
from tests.planner.memory_catalog import FolderCatalog, scans

ALL = ("id", "name", "age", "city")


def kept(sql: str, catalog: FolderCatalog) -> list[tuple[str, ...]]:
    return [tuple(column.name for column in scan.columns) for scan in scans(plan(sql, catalog, PlanOptions()))]


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT name FROM people", [("name",)]),
        ("SELECT NAME FROM people WHERE Age > 1", [("name", "age")]),
        ("SELECT people.name.upper(), city.length() FROM people", [("name", "city")]),
        ("SELECT main.upper(name) FROM people", [("name",)]),
        ("SELECT 1 FROM people", [()]),
        ("SELECT count(*) FROM people", [()]),
        ("SELECT * FROM people", [ALL]),
        ("SELECT p.* FROM people p, orders o", [ALL, ()]),
        ("SELECT people FROM people", [ALL]),
        ("SELECT count(people) FROM people", [ALL]),
        ("SELECT #1 FROM people", [ALL]),
        ("SELECT COLUMNS(c -> c LIKE 'a%') FROM people", [ALL]),
        ("SELECT count(*) FROM people GROUP BY city ORDER BY max(age)", [("age", "city")]),
        ("SELECT count(*) FROM people GROUP BY GROUPING SETS ((city), (name))", [("name", "city")]),
        ("SELECT sum(age) OVER (PARTITION BY city ORDER BY id) FROM people", [("id", "age", "city")]),
        ("SELECT a.y FROM people AS a(x, y)", [ALL]),
        ("SELECT a.name FROM people a JOIN people b ON a.id = b.id", [("id", "name"), ("id",)]),
        ("SELECT a.name FROM people a JOIN people b USING (id)", [("id", "name"), ("id",)]),
        ("SELECT note FROM people NATURAL JOIN orders", [ALL, ("id", "person_id", "amount", "note")]),
        ("SELECT d.name FROM (SELECT * FROM people) d", [ALL]),
        ("SELECT d.name FROM (SELECT name, age FROM people) d", [("name", "age")]),
        ("SELECT name FROM people WHERE EXISTS (SELECT * FROM orders o WHERE o.person_id = people.id)", [("id", "name"), ("person_id",)]),
        ("SELECT name FROM people WHERE EXISTS (SELECT * FROM orders WHERE amount > age)", [("name", "age"), ("amount",)]),
        ("SELECT * FROM people PIVOT (count(*) FOR city IN ('Rome'))", [ALL]),
        ("SELECT main.people.name FROM main.people", [("name",)]),
        ("SELECT id FROM people UNION SELECT amount FROM orders ORDER BY id", [("id",), ("id", "amount")]),
    ],
)
def test_a_scan_keeps_what_may_be_meant(sql: str, columns: list[tuple[str, ...]], catalog: FolderCatalog) -> None:
    if "->" in sql:
        sql = sql.replace("c -> c", "lambda c: c")
    assert kept(sql, catalog) == columns


def test_no_unpruned_scan_goes_without_a_table_order(catalog: FolderCatalog) -> None:
    (scan,) = scans(plan("SELECT city, id FROM people", catalog, PlanOptions()))
    assert [column.name for column in scan.columns] == ["id", "city"]
    assert [column.name for column in scan.table_columns] == list(ALL)
