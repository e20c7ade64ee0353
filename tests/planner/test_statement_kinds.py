"""EXPLAIN, SHOW, DESCRIBE, VALUES, read_files and parameters."""

from __future__ import annotations

import datetime

import pytest

from planner import PlanOptions, explain_text, parameter_count, plan
from planner.errors import InvalidQuery, SqlSyntaxError
from tests.planner.memory_catalog import FolderCatalog, plan_rows, run_plan


def rows(sql: str, catalog: FolderCatalog, *parameters: object) -> list[tuple[object, ...]]:
    return plan_rows(run_plan(plan(sql, catalog, parameters=parameters)))


def test_show_tables(catalog: FolderCatalog) -> None:
    shown = plan("SHOW TABLES", catalog)
    assert shown.schema.names == ["name"]
    assert plan_rows(run_plan(shown)) == [("empty",), ("events",), ("orders",), ("people",)]


def test_show_tables_of_nothing(catalog: FolderCatalog) -> None:
    catalog.tables.clear()
    assert rows("SHOW TABLES", catalog) == []


@pytest.mark.parametrize("sql", ["DESCRIBE people", "DESCRIBE PEOPLE", "DESC main.people", "DESCRIBE SELECT * FROM people"])
def test_describe(sql: str, catalog: FolderCatalog) -> None:
    shown = plan(sql, catalog)
    assert shown.schema.names == ["column_name", "column_type", "null"]
    assert plan_rows(run_plan(shown)) == [
        ("id", "BIGINT", "YES"),
        ("name", "VARCHAR", "YES"),
        ("age", "BIGINT", "YES"),
        ("city", "VARCHAR", "YES"),
    ]


def test_explain_gives_the_plans_lines(catalog: FolderCatalog) -> None:
    lines = [line for (line,) in rows("EXPLAIN SELECT name FROM people WHERE age > 'x'[1]::INT", catalog)]
    assert lines == plan("SELECT name FROM people WHERE age > 'x'[1]::INT", catalog).text.split("\n")
    assert any("scan people" in str(line) for line in lines)


def test_explain_analyze_is_the_query_with_another_answer(catalog: FolderCatalog) -> None:
    asked = plan("EXPLAIN ANALYZE SELECT count(*) FROM orders", catalog)
    assert asked.analyze
    assert asked.schema.names == ["plan"]
    assert plan_rows(run_plan(asked)) == [(1000,)]
    assert explain_text(asked) == asked.text


def test_values(catalog: FolderCatalog) -> None:
    assert rows("VALUES (1, 'a'), (2, 'b')", catalog) == [(1, "a"), (2, "b")]


def test_read_files(catalog: FolderCatalog) -> None:
    assert rows("SELECT count(*) FROM read_files('ord*.parquet')", catalog) == [(1000,)]
    assert rows("SELECT f.name FROM read_files(?) AS f WHERE f.id = 1", catalog, "people.parquet") == [("Ada",)]


@pytest.mark.parametrize("arguments", ["", "1", "'a', 'b'", "name", "'a' || 'b'"])
def test_read_files_takes_one_string(arguments: str, catalog: FolderCatalog) -> None:
    with pytest.raises(InvalidQuery, match="one string"):
        plan(f"SELECT 1 FROM read_files({arguments})", catalog)


def test_parameters_become_literals(catalog: FolderCatalog) -> None:
    assert rows("SELECT name FROM people WHERE age > ? AND city = ?", catalog, 30, "Rome") == [("Ada",)]
    assert rows("SELECT $2, $1, $2", catalog, "a", -1) == [(-1, "a", -1)]
    assert rows("SELECT 1 - ?, ?", catalog, -5, datetime.date(2024, 1, 2)) == [(6, datetime.date(2024, 1, 2))]
    assert rows("SELECT ?", catalog, "'; DROP TABLE people; --") == [("'; DROP TABLE people; --",)]


def test_parameters_prune_as_literals_do(catalog: FolderCatalog) -> None:
    scan = plan("SELECT id FROM orders WHERE id = ?", catalog, parameters=[7]).fragments[0].inputs[0]
    assert (scan.row_groups_kept, scan.row_groups_total) == (1, 10)  # type: ignore[union-attr]


@pytest.mark.parametrize("parameters", [None, [], [1], [1, 2, 3]])
def test_a_wrong_number_of_parameters_is_refused(parameters: list[object] | None, catalog: FolderCatalog) -> None:
    with pytest.raises(InvalidQuery, match="values came with it"):
        plan("SELECT ?, ?", catalog, parameters=parameters)


def test_parameters_without_placeholders_are_refused(catalog: FolderCatalog) -> None:
    with pytest.raises(InvalidQuery, match="takes 0 parameters"):
        plan("SELECT 1", catalog, parameters=[1])


@pytest.mark.parametrize(("sql", "count"), [("SELECT 1", 0), ("SELECT ?, '?'", 1), ("SELECT $3", 3), ("SELECT ?, ? -- ?", 2)])
def test_parameters_are_counted(sql: str, count: int) -> None:
    assert parameter_count(sql) == count


def test_counting_parameters_needs_sql_that_parses() -> None:
    with pytest.raises(SqlSyntaxError):
        parameter_count("SELECT ? FRM x")


def test_limits_come_from_the_options(catalog: FolderCatalog) -> None:
    from planner.errors import LimitExceeded

    for options in (PlanOptions(max_sql_bytes=10), PlanOptions(max_tokens=3), PlanOptions(max_nesting=2), PlanOptions(max_chain_terms=1)):
        with pytest.raises(LimitExceeded):
            plan("SELECT ((1 + 2)) + 3 + 4", catalog, options)
