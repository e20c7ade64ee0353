"""EXPLAIN, SHOW, DESCRIBE, VALUES, read_files and parameters."""

from __future__ import annotations

import copy
import datetime
import json
from collections.abc import Mapping

import pyarrow as pa
import pytest
import sqloxide

from planner import PlanOptions, plan, prepare
from planner.catalog import Column
from planner.errors import InvalidQuery, LimitExceeded, NotReadOnly, NotSupported, PlannerError, SqlSyntaxError, UnknownTable
from planner.limits import DEFAULT_LIMITS, SqlLimits
from tests.planner.memory_catalog import FolderCatalog, plan_rows, run_plan, scalars


def rows(sql: str, catalog: FolderCatalog, *parameters: object) -> list[tuple[object, ...]]:
    return plan_rows(run_plan(plan(sql, catalog, PlanOptions(), parameters=scalars(*parameters))))


def test_show_tables(catalog: FolderCatalog) -> None:
    shown = plan("SHOW TABLES", catalog, PlanOptions())
    assert shown.schema.names == ["name"]
    assert plan_rows(run_plan(shown)) == [("empty",), ("events",), ("orders",), ("people",)]


def test_show_tables_of_nothing(catalog: FolderCatalog) -> None:
    catalog.tables.clear()
    assert rows("SHOW TABLES", catalog) == []


@pytest.mark.parametrize("sql", ["DESCRIBE people", "DESCRIBE PEOPLE", "DESC main.people", "DESCRIBE SELECT * FROM people"])
def test_describe(sql: str, catalog: FolderCatalog) -> None:
    shown = plan(sql, catalog, PlanOptions())
    assert shown.schema.names == ["column_name", "column_type", "null"]
    assert plan_rows(run_plan(shown)) == [
        ("id", "BIGINT", "YES"),
        ("name", "VARCHAR", "YES"),
        ("age", "BIGINT", "YES"),
        ("city", "VARCHAR", "YES"),
    ]


PEOPLE = [("id", "BIGINT", "YES"), ("name", "VARCHAR", "YES"), ("age", "BIGINT", "YES"), ("city", "VARCHAR", "YES")]


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("SHOW TABLES FROM main", [("empty",), ("events",), ("orders",), ("people",)]),
        ("SHOW TABLES IN volley.main LIKE 'e%'", [("empty",), ("events",)]),
        ("SHOW TABLES LIKE 'E%'", []),
        ("SHOW TABLES ILIKE 'PEO%'", [("people",)]),
        ("SHOW ALL TABLES", [("empty",), ("events",), ("orders",), ("people",)]),
        ("SHOW VIEWS", []),
        ("SHOW SCHEMAS", [("volley", "main"), ("volley", "information_schema")]),
        ("SHOW SCHEMAS LIKE 'm%'", [("volley", "main")]),
        ("SHOW DATABASES", [("volley",)]),
        ("SHOW", [("empty",), ("events",), ("orders",), ("people",)]),
        ("SHOW people", PEOPLE),
        ("SHOW main.people", PEOPLE),
        ('SHOW "People"', PEOPLE),
        ("SHOW COLUMNS FROM people", PEOPLE),
        ("SHOW COLUMNS IN volley.main.people", PEOPLE),
        ("SHOW COLUMNS FROM people FROM main", PEOPLE),
        ("SHOW COLUMNS FROM people LIKE '%am%'", [("name", "VARCHAR", "YES")]),
        ("DESCRIBE TABLE people", PEOPLE),
        ("DESC people;", PEOPLE),
        ("DESCRIBE TABLE volley.main.people -- all", PEOPLE),
        ("SHOW CREATE TABLE people", [("people", 'CREATE TABLE "people" ("id" BIGINT, "name" VARCHAR, "age" BIGINT, "city" VARCHAR)')]),
    ],
)
def test_questions_about_tables(sql: str, answer: list[tuple[str, ...]], catalog: FolderCatalog) -> None:
    assert rows(sql, catalog) == answer


@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        ("SHOW TABLES FROM other", UnknownTable, "no schema 'other'"),
        ("SHOW COLUMNS FROM poeple", UnknownTable, "Did you mean people"),
        ("SHOW poeple", UnknownTable, "Did you mean people"),
        ("SHOW COLUMNS", InvalidQuery, "SHOW COLUMNS FROM"),
        ("SHOW TABLES WHERE name = 'people'", NotSupported, "information_schema"),
        ("SHOW CREATE VIEW people", NotSupported, "SHOW CREATE TABLE"),
        ("EXPLAIN EXPLAIN SELECT 1", SqlSyntaxError, "take a query or a table"),
        ("EXPLAIN DESCRIBE people", SqlSyntaxError, "FROM (DESCRIBE t)"),
        ("EXPLAIN (BUFFERS) SELECT 1", NotSupported, "no option BUFFERS"),
        ("EXPLAIN (FORMAT graphviz) SELECT 1", NotSupported, "no format GRAPHVIZ"),
        ("EXPLAIN (FORMAT JSON) DELETE FROM people", NotReadOnly, "DELETE"),
    ],
)
def test_questions_that_have_no_answer(sql: str, error: type[PlannerError], message: str, catalog: FolderCatalog) -> None:
    with pytest.raises(error) as caught:
        plan(sql, catalog, PlanOptions())
    assert message in str(caught.value)


PLAN_FORMS = [
    "EXPLAIN VERBOSE",
    "EXPLAIN (FORMAT TEXT)",
    "EXPLAIN FORMAT TEXT",
    "EXPLAIN (VERBOSE, ANALYZE false)",
    "EXPLAIN (FORMAT 'text')",
]
RUN_FORMS = ["EXPLAIN (ANALYZE)", "EXPLAIN (ANALYZE on, FORMAT TEXT)", "EXPLAIN ANALYZE VERBOSE", "EXPLAIN (VERBOSE, ANALYZE)"]
RUN_JSON_FORMS = ["EXPLAIN (ANALYZE, FORMAT JSON)", "EXPLAIN (FORMAT json, ANALYZE true)", "EXPLAIN ANALYZE FORMAT JSON"]
JSON_FORMS = ["EXPLAIN (FORMAT JSON)", "EXPLAIN (VERBOSE, FORMAT json)", "EXPLAIN FORMAT JSON", "EXPLAIN (FORMAT 'json')"]


@pytest.mark.parametrize("explain", PLAN_FORMS)
def test_forms_of_explain_that_give_the_plan(explain: str, catalog: FolderCatalog) -> None:
    assert rows(f"{explain} SELECT id FROM people", catalog) == rows("EXPLAIN SELECT id FROM people", catalog)


@pytest.mark.parametrize("explain", RUN_FORMS)
def test_forms_of_explain_that_run_the_query(explain: str, catalog: FolderCatalog) -> None:
    assert plan(f"{explain} SELECT id FROM people", catalog, PlanOptions()).analyze == "text"


@pytest.mark.parametrize("explain", RUN_JSON_FORMS)
def test_forms_of_explain_that_run_the_query_and_tell_it_in_json(explain: str, catalog: FolderCatalog) -> None:
    asked = plan(f"{explain} FROM people SELECT id", catalog, PlanOptions())
    assert (asked.analyze, asked.schema.names) == ("json", ["plan"])


@pytest.mark.parametrize("explain", ["EXPLAIN", "EXPLAIN ANALYZE", "EXPLAIN VERBOSE", "EXPLAIN (ANALYZE, FORMAT TEXT)"])
def test_a_query_in_parentheses_is_explained(explain: str, catalog: FolderCatalog) -> None:
    for query in ("(SELECT id FROM people)", "((SELECT id FROM people))", "(FROM people)", "(TABLE people)", "(SUMMARIZE people)"):
        asked = plan(f"{explain} {query}", catalog, PlanOptions())
        assert asked.analyze == ("text" if "ANALYZE" in explain else None)
        assert asked.schema.names == ["plan"]


@pytest.mark.parametrize("explain", JSON_FORMS)
def test_explain_as_json(explain: str, catalog: FolderCatalog) -> None:
    options = PlanOptions(workers=3, distribute_rows=0)
    ((text,),) = plan_rows(run_plan(plan(f"{explain} SELECT count(*) AS n FROM orders WHERE id < 150", catalog, options)))
    document = json.loads(str(text))
    assert document["columns"] == [{"name": "n", "type": "BIGINT"}]
    assert not document["plan"]["parallel"]
    producer = document["plan"]["inputs"][0]["from"]
    assert producer["parallel"]
    (scan,) = producer["inputs"]
    assert (scan["table"], scan["row_groups"], scan["row_groups_total"]) == ("orders", 2, 10)


def test_explain_gives_the_plans_lines(catalog: FolderCatalog) -> None:
    lines = [line for (line,) in rows("EXPLAIN SELECT name FROM people WHERE age > 'x'[1]::INT", catalog)]
    assert lines == plan("SELECT name FROM people WHERE age > 'x'[1]::INT", catalog, PlanOptions()).text.split("\n")
    assert any("scan people" in str(line) for line in lines)


def test_explain_analyze_is_the_query_with_another_answer(catalog: FolderCatalog) -> None:
    asked = plan("EXPLAIN ANALYZE SELECT count(*) FROM orders", catalog, PlanOptions())
    assert asked.analyze == "text"
    assert asked.schema.names == ["plan"]
    assert plan_rows(run_plan(asked)) == [(1000,)]


def test_values(catalog: FolderCatalog) -> None:
    assert rows("VALUES (1, 'a'), (2, 'b')", catalog) == [(1, "a"), (2, "b")]


def test_read_files(catalog: FolderCatalog) -> None:
    assert rows("SELECT count(*) FROM read_files('ord*.parquet')", catalog) == [(1000,)]
    assert rows("SELECT f.name FROM read_files(?) AS f WHERE f.id = 1", catalog, "people.parquet") == [("Ada",)]


@pytest.mark.parametrize("arguments", ["", "1", "'a', 'b'", "name", "'a' || 'b'"])
def test_read_files_takes_one_string(arguments: str, catalog: FolderCatalog) -> None:
    with pytest.raises(InvalidQuery, match="one string"):
        plan(f"SELECT 1 FROM read_files({arguments})", catalog, PlanOptions())


def test_parameters_become_literals(catalog: FolderCatalog) -> None:
    assert rows("SELECT name FROM people WHERE age > ? AND city = ?", catalog, 30, "Rome") == [("Ada",)]
    assert rows("SELECT $2, $1, $2", catalog, "a", -1) == [(-1, "a", -1)]
    assert rows("SELECT 1 - ?, ?", catalog, -5, datetime.date(2024, 1, 2)) == [(6, datetime.date(2024, 1, 2))]
    assert rows("SELECT name FROM people WHERE name LIKE ? ESCAPE ? OR name ILIKE ? ESCAPE $2", catalog, "Ad!a", "!", "b_B") == [
        ("Ada",),
        ("Bob",),
    ]
    assert rows("SELECT 1::SMALLINT UNSIGNED, ?::SMALLINT unsigned", catalog, 5) == [(1, 5)]
    assert rows("SELECT ?", catalog, "'; DROP TABLE people; --") == [("'; DROP TABLE people; --",)]


def test_parameters_prune_as_literals_do(catalog: FolderCatalog) -> None:
    scan = plan("SELECT id FROM orders WHERE id = ?", catalog, PlanOptions(), parameters=scalars(7)).fragments[0].inputs[0]
    assert (scan.row_groups_kept, scan.row_groups_total) == (1, 10)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT ?, ? + age, -$1 AS minus FROM people", ["$1", "($2 + age)", "minus"]),
        ("SELECT * FROM (SELECT ? + 1, people.age + ? FROM people)", ["($1 + 1)", "(people.age + $2)"]),
        ("SELECT (SELECT max(age) + ? FROM people), $2::INTEGER", ["(SELECT (max(age) + $1) FROM people)", "CAST($2 AS INTEGER)"]),
        ("WITH c AS (SELECT ?) SELECT *, 'in_0' || $2 FROM c", ["$1", "('in_0' || $2)"]),
        ("SELECT ? UNION ALL SELECT ?", ["$1"]),
        ("SELECT max(COLUMNS(lambda c: c = 'age' OR c = ?::VARCHAR)), $2 FROM people", ["age", "$2"]),
        ("SELECT age + ? FROM people GROUP BY age + $2", ["(age + $1)"]),
    ],
)
def test_a_column_is_called_after_the_parameter_and_not_after_its_value(sql: str, names: list[str], catalog: FolderCatalog) -> None:
    for value in (7, "7", None) if "+" not in sql.replace("'", "") else (7, 8):
        values = scalars(value, value)[: 1 if "2" not in sql and sql.count("?") == 1 else 2]
        assert plan(sql, catalog, PlanOptions(), values).schema.names == names


def test_a_value_has_its_own_type_and_gives_way_where_it_must(catalog: FolderCatalog) -> None:
    assert rows("SELECT typeof(?), typeof(age + ?) FROM people LIMIT 1", catalog, 5, 5) == [("BIGINT", "BIGINT")]
    assert rows("SELECT DATE '2024-01-31' + ?, lpad('x', ?, '.')", catalog, 1, 3) == [(datetime.date(2024, 2, 1), "..x")]
    assert rows("SELECT DATE '2024-01-31' + ?, lpad('x', ?, '.')", catalog, None, 3) == [(None, "..x")]
    with pytest.raises(InvalidQuery, match="DATE, BIGINT"):
        rows("SELECT DATE '2024-01-31' + ?", catalog, 2**40)


@pytest.mark.parametrize(
    ("sql", "one", "other", "shared"),
    [
        ("SELECT id FROM orders WHERE amount < ? AND note LIKE ?", (1.5, "a%"), (2.5, "b"), True),
        ("SELECT id FROM (SELECT * FROM orders WHERE id IN (SELECT id FROM people WHERE age = ?))", (1,), (2**40,), True),
        ("SELECT id FROM orders WHERE id = ?", (1,), (1.0,), False),
        ("SELECT id FROM orders WHERE note = ?", ("a",), ("nul \0",), False),
        ("SELECT id FROM orders WHERE note = ?", ("a",), (None,), False),
        ("SELECT id + ? FROM orders WHERE id = $1", (1,), (2,), False),
        ("SELECT id FROM orders LIMIT ?", (1,), (2,), False),
        ("SELECT max(COLUMNS(lambda c: c = ?)) FROM orders", ("id",), ("note",), False),
        ("SELECT id FROM orders WHERE DATE '2024-01-01' + ? > DATE '2024-01-01'", (1,), (2,), False),
    ],
)
def test_other_values_share_a_schema_where_they_cannot_tell_it(
    sql: str, one: tuple[object, ...], other: tuple[object, ...], shared: bool, catalog: FolderCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []
    result_schema = catalog.result_schema

    def noted(sql: str, inputs: Mapping[str, tuple[Column, ...]], same_as: str | None = None) -> pa.Schema:
        asked.append(same_as)
        return result_schema(sql, inputs)

    monkeypatch.setattr(catalog, "result_schema", noted)
    for values in (one, other):
        plan(sql, catalog, PlanOptions(), scalars(*values))
    assert (asked[0] is not None and asked[0] == asked[-1]) is shared


def test_a_number_is_no_place_in_the_list_of_columns(catalog: FolderCatalog) -> None:
    assert rows("SELECT name FROM people ORDER BY ?, id LIMIT 1", catalog, 1) == [("Ada",)]
    assert rows("SELECT name, DATE '2024-01-31' + ? FROM people ORDER BY (?), id DESC LIMIT 1", catalog, 1, 1)[0][0] == "Eve"
    with pytest.raises(InvalidQuery, match="GROUP BY"):
        rows("SELECT name, count(*) FROM people GROUP BY ?", catalog, 1)


@pytest.mark.parametrize("parameters", [None, [], [1], [1, 2, 3]])
def test_a_wrong_number_of_parameters_is_refused(parameters: list[object] | None, catalog: FolderCatalog) -> None:
    with pytest.raises(InvalidQuery, match="came with it"):
        plan("SELECT ?, ?", catalog, PlanOptions(), parameters=None if parameters is None else scalars(*parameters))


def test_parameters_without_placeholders_are_refused(catalog: FolderCatalog) -> None:
    with pytest.raises(InvalidQuery, match="takes 0 parameters, and 1 came"):
        plan("SELECT 1", catalog, PlanOptions(), parameters=scalars(1))


@pytest.mark.parametrize(("sql", "count"), [("SELECT 1", 0), ("SELECT ?, '?'", 1), ("SELECT $3", 3), ("SELECT ?, ? -- ?", 2)])
def test_parameters_are_counted(sql: str, count: int) -> None:
    assert prepare(sql, DEFAULT_LIMITS).parameter_count() == count


LIMITS = (
    SqlLimits(sql_bytes=10),
    SqlLimits(tokens=3),
    SqlLimits(nesting=2),
    SqlLimits(chain_terms=1),
    SqlLimits(joins=0),
    SqlLimits(set_operations=0),
)


@pytest.mark.parametrize("limits", LIMITS)
def test_limits_hold_for_planning_and_for_preparing(limits: SqlLimits, catalog: FolderCatalog) -> None:
    sql = "SELECT ((1 + 2)) + 3 + 4 FROM people, orders UNION ALL SELECT ?"
    assert prepare(sql, DEFAULT_LIMITS).parameter_count() == 1
    with pytest.raises(LimitExceeded):
        prepare(sql, limits)
    with pytest.raises(LimitExceeded):
        plan(sql, catalog, PlanOptions(limits=limits), [1])


@pytest.mark.parametrize(
    ("sql", "error"),
    [("SELECT ? FRM x", SqlSyntaxError), ("INSERT INTO x VALUES (?)", NotReadOnly), ("PREPARE p AS SELECT 1", NotSupported)],
)
def test_what_cannot_be_planned_cannot_be_prepared(sql: str, error: type[PlannerError]) -> None:
    with pytest.raises(error):
        prepare(sql, DEFAULT_LIMITS)


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the parser was given."""
    seen: list[str] = []
    parse_sql = sqloxide.parse_sql

    def counted(sql: str, dialect: str) -> object:
        seen.append(sql)
        return parse_sql(sql=sql, dialect=dialect)

    monkeypatch.setattr(sqloxide, "parse_sql", counted)
    return seen


def test_a_prepared_statement_is_parsed_once(catalog: FolderCatalog, parses: list[str]) -> None:
    statement = prepare("SELECT main.people.name FROM people WHERE age > ? AND city = ?", DEFAULT_LIMITS)
    assert statement.parameter_types(catalog) == (pa.int64(), pa.string())
    for values, names in (((30, "Rome"), [("Ada",)]), ((30, "Oslo"), [("Bob",)]), ((99, "Oslo"), [])):
        assert plan_rows(run_plan(plan(statement, catalog, PlanOptions(), scalars(*values)))) == names
    assert len(parses) == 1


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("SELECT main.people.*, - - volley.people.id, ? FROM main.people WHERE people.age > ? + 1 ORDER BY main.people.id", [1, 2]),
        ("EXPLAIN SELECT main.orders.id FROM orders, read_files(?) AS f WHERE main.orders.id = f.id", ["people.parquet"]),
        ("SELECT count(*) FROM orders WHERE id = ? AND EXISTS (SELECT 1 FROM people WHERE main.people.id = main.orders.id)", [3]),
    ],
)
def test_planning_leaves_a_prepared_statement_as_it_was(sql: str, values: list[object], catalog: FolderCatalog) -> None:
    statement = prepare(sql, DEFAULT_LIMITS)
    before = copy.deepcopy(statement.parsed.ast)
    made = [plan(statement, catalog, PlanOptions(workers=3, distribute_rows=0), scalars(*values)) for _ in range(2)]
    statement.parameter_types(catalog)
    assert statement.parsed.ast == before
    assert made[0] == made[1] == plan(sql, catalog, PlanOptions(workers=3, distribute_rows=0), scalars(*values))
