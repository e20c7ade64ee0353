"""What a user sees: the thing, the place with a caret, the remedy; and no name that is only ours."""

from __future__ import annotations

import re

import pytest

from planner import PlanOptions, plan
from planner.errors import (
    AccessRefused,
    InvalidQuery,
    LimitExceeded,
    NotReadOnly,
    NotSupported,
    PlannerError,
    Position,
    SqlSyntaxError,
    Status,
    UnknownColumn,
    UnknownTable,
)
from planner.survey import MAX_PARAMETERS
from tests.planner.memory_catalog import FolderCatalog, scalars


def refusal(sql: str, catalog: FolderCatalog, kind: type[PlannerError]) -> str:
    with pytest.raises(PlannerError) as caught:
        plan(sql, catalog, PlanOptions())
    assert type(caught.value) is kind
    text = str(caught.value)
    assert "in_0" not in text
    assert "LINE" not in text
    return text


def caret_of(text: str) -> str:
    """What the caret line of a message underlines."""
    lines = text.split("\n")
    place = next(number for number, line in enumerate(lines) if line.strip() and set(line.strip()) == {"^"})
    start = lines[place].index("^")
    return lines[place - 1][start : len(lines[place])]


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        ("SELECT 1\n  FROM '/x.csv' AS x", (2, 8)),
        ("SELECT '/x.csv'\nFROM '/x.csv'", (2, 6)),
        ("SELECT name, '/x.csv' AS a FROM people JOIN '/x.csv' AS x ON true", (1, 45)),
        ("FROM people, '/x.csv'", (1, 14)),
        ("DESCRIBE '/x.csv'", (1, 10)),
        ("SUMMARIZE '/x.csv'", (1, 11)),
        ("EXPLAIN FROM '/x.csv'", (1, 14)),
        ("WITH a AS (FROM '/x.csv') FROM a", (1, 17)),
        ("SELECT 1 FROM read_files(\n  '/x.csv'\n)", (2, 3)),
    ],
)
def test_a_path_that_cannot_be_read_is_underlined(sql: str, place: tuple[int, int], catalog: FolderCatalog) -> None:
    text = refusal(sql, catalog, AccessRefused)
    assert text.startswith("'/x.csv' is outside the connections (line {}, column {})\n".format(*place))
    assert caret_of(text) == "'/x.csv'"


@pytest.mark.parametrize(
    ("sql", "kind", "caret"),
    [
        ("SELECT * FRM people", SqlSyntaxError, "FRM"),
        ("SELEC 1", SqlSyntaxError, "SELEC"),
        ("SELECT 1\nFROM people\nWHERE AND", SqlSyntaxError, "AND"),
        ("SELECT nam FROM people", UnknownColumn, "nam"),
        ("SELECT p.nam FROM people p", UnknownColumn, "nam"),
        ("SELECT name FROM people WHERE ? = nope", InvalidQuery, "?"),
        ("SELECT 1 FROM poeple", UnknownTable, "poeple"),
        ("SELECT 1 FROM other.people", UnknownTable, "other.people"),
        ("SELECT x.name FROM people", InvalidQuery, "x"),
        ("SELECT sum(name) FROM people", InvalidQuery, "sum"),
        ("SELECT nope(name) FROM people", InvalidQuery, "nope"),
        ("SELECT name, count(*) FROM people", InvalidQuery, "name"),
        ("SELECT people.id FROM people, orders WHERE id = 1", InvalidQuery, "id"),
        ("SELECT current_setting('threads')", AccessRefused, "current_setting"),
        ("INSERT INTO people VALUES (1)", NotReadOnly, "INSERT"),
        ("WITH d AS (DELETE FROM people RETURNING *) SELECT * FROM d", NotReadOnly, "DELETE FROM people RETURNING *"),
        ("SELECT 1 INTO copied", NotReadOnly, "copied"),
        ("SELECT * FROM read_csv('x')", AccessRefused, "read_csv"),
    ],
)
def test_the_caret_points_at_the_cause(sql: str, kind: type[PlannerError], caret: str, catalog: FolderCatalog) -> None:
    text = refusal(sql, catalog, kind)
    underlined = caret_of(text)
    assert underlined == caret or caret.startswith(underlined)


def test_near_columns_and_all_columns_are_named(catalog: FolderCatalog) -> None:
    text = refusal("SELECT naem FROM people", catalog, UnknownColumn)
    assert "Did you mean name?" in text
    assert "Columns: id, name, age, city." in text


def test_near_tables_are_named(catalog: FolderCatalog) -> None:
    assert "Did you mean people?" in refusal("SELECT 1 FROM Peple", catalog, UnknownTable)
    assert "Tables: empty, events, orders, people." in refusal("SELECT 1 FROM zzz", catalog, UnknownTable)


def test_statuses_fit_the_errors() -> None:
    assert UnknownTable.status is Status.NOT_FOUND
    assert {kind.status for kind in (NotSupported, NotReadOnly)} == {Status.UNIMPLEMENTED}
    assert {kind.status for kind in (SqlSyntaxError, LimitExceeded, UnknownColumn, InvalidQuery, AccessRefused)} == {
        Status.INVALID_ARGUMENT
    }


def test_the_kernels_depth_limit_is_a_limit(catalog: FolderCatalog) -> None:
    text = refusal("SELECT " + "+".join(["1"] * 3_000), catalog, LimitExceeded)
    assert "SET" not in text


@pytest.mark.parametrize(
    "sql",
    [
        "FROM ?",
        "SELECT id AS $1 FROM people",
        "SELECT people.? FROM people",
        "SELECT id::? FROM people",
        "SELECT * EXCLUDE (?) FROM people",
    ],
)
def test_a_parameter_where_a_name_belongs_is_told_so(sql: str, catalog: FolderCatalog) -> None:
    text = refusal(sql, catalog, SqlSyntaxError)
    assert caret_of(text) in ("?", "$1")
    assert text.endswith("A parameter stands for a value. Names of tables, columns and types are written into the statement.")


@pytest.mark.parametrize("number", [str(MAX_PARAMETERS + 1), "1000000000", "1" * 5_000], ids=["one more", "a billion", "too long"])
def test_the_number_of_a_parameter_has_a_limit(number: str, catalog: FolderCatalog) -> None:
    text = refusal(f"SELECT id FROM people WHERE id = ${number}", catalog, LimitExceeded)
    assert "at most 65,535 parameters (line 1, column 34)" in text
    assert "n = ANY(?)" in text


@pytest.mark.parametrize("text", ["$0", "$00", "$name", ":name", "$\N{SUPERSCRIPT TWO}"])
def test_a_parameter_without_a_number_is_told_where_it_stands(text: str, catalog: FolderCatalog) -> None:
    assert caret_of(refusal(f"SELECT {text}", catalog, InvalidQuery)) == text


def test_places_after_parameters_are_right(catalog: FolderCatalog) -> None:
    with pytest.raises(UnknownColumn) as caught:
        plan("SELECT ?, ?, nope FROM people", catalog, PlanOptions(), parameters=scalars(1, 2))
    assert caught.value.position is not None
    assert caught.value.position.column == len("SELECT ?, ?, n")


@pytest.mark.parametrize(
    ("sql", "kind", "advice"),
    [
        ("SET threads = 4", NotReadOnly, "configuration"),
        ("RESET threads", NotReadOnly, "configuration"),
        ("INSTALL spatial", NotReadOnly, "no extensions"),
        ("LOAD spatial", NotReadOnly, "no extensions"),
        ("PRAGMA table_info('people')", NotReadOnly, "DESCRIBE t"),
        ("USE other", UnknownTable, "names alone"),
        ("COPY people TO 'x.parquet'", NotReadOnly, "flight query"),
        ("ATTACH 'x.db'", NotReadOnly, "configuration"),
        ("CREATE VIEW v AS SELECT 1", NotReadOnly, "WITH name AS"),
        ("SELECT st_area(name) FROM people", NotSupported, "without that"),
        ("SELECT name::inet FROM people", NotSupported, "without that"),
        ("SELECT list_transform([1], x -> x + 1)", InvalidQuery, "lambda x: x + 1"),
        ("SELECT 1 FROM people p ASOF JOIN orders o MATCH_CONDITION (p.id >= o.id)", SqlSyntaxError, "behind ON"),
    ],
)
def test_advice_can_be_followed(sql: str, kind: type[PlannerError], advice: str, catalog: FolderCatalog) -> None:
    text = refusal(sql, catalog, kind)
    assert advice in text
    assert not re.search(r"INSTALL \w+;|LOAD \w+;|https?:", text)


@pytest.mark.parametrize(
    ("sql", "kind", "place", "message"),
    [
        ("SELECT name, o.name FROM people p JOIN orders o ON true", UnknownColumn, "name FROM", "there is no column 'name' in o"),
        ("SELECT id, (SELECT id FROM orders WHERE orders.name = 'x') FROM people", UnknownColumn, "name =", "no column 'name' in orders"),
        ("SELECT age FROM people WHERE id IN (SELECT id FROM orders o WHERE o.age > 1)", UnknownColumn, "age >", "no column 'age' in o"),
        ("SELECT id AS a, a.b FROM people", InvalidQuery, "a.b", 'table "a" not found'),
    ],
)
def test_of_names_that_are_there_twice_the_one_that_is_wrong_is_pointed_at(
    sql: str, kind: type[PlannerError], place: str, message: str, catalog: FolderCatalog
) -> None:
    with pytest.raises(PlannerError) as caught:
        plan(sql, catalog, PlanOptions())
    assert type(caught.value) is kind
    assert message in str(caught.value)
    assert caught.value.position == Position(1, sql.index(place) + 1)


def test_a_column_that_another_table_has_is_no_remedy(catalog: FolderCatalog) -> None:
    assert "Did you mean" not in refusal("SELECT name FROM orders, (SELECT name AS n FROM people)", catalog, UnknownColumn)


def test_the_ways_to_call_an_operator_are_cut(catalog: FolderCatalog) -> None:
    lines = refusal("SELECT name + id FROM people", catalog, InvalidQuery).split("\n")
    assert len(lines) < 20
    assert lines[-1].endswith("more")
