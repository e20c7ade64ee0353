from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight_server.client.statements import is_complete, split_statements, statement_at


def texts(source: str) -> list[str]:
    return [statement.text for statement in split_statements(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", []),
        (" ;; ; -- nothing\n/* ; */", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';' ; SELECT 'it''s; fine'", ["SELECT ';'", "SELECT 'it''s; fine'"]),
        ('SELECT "a;""b" FROM t; SELECT 2', ['SELECT "a;""b" FROM t', "SELECT 2"]),
        ("SELECT 1 -- one; two\n; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT /* a; /* b; */ c; */ 1; SELECT 2", ["SELECT /* a; /* b; */ c; */ 1", "SELECT 2"]),
        ("SELECT $$a;b$$; SELECT $t$ ; $$ ; $t$", ["SELECT $$a;b$$", "SELECT $t$ ; $$ ; $t$"]),
        ("SELECT a$b$c; SELECT $1; SELECT 2", ["SELECT a$b$c", "SELECT $1", "SELECT 2"]),
        ("SELECT 4 / 2 - -1; SELECT a->'b;'", ["SELECT 4 / 2 - -1", "SELECT a->'b;'"]),
        ("SELECT 'open; SELECT 2", ["SELECT 'open; SELECT 2"]),
        ("SELECT 1 /* open; SELECT 2", ["SELECT 1"]),
        ("SELECT $x$ open; SELECT 2", ["SELECT $x$ open; SELECT 2"]),
    ],
)
def test_semicolons_end_statements_only_outside_quotes_and_comments(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


def test_a_statement_knows_its_place() -> None:
    source = "-- first\nSELECT 1;\n\n/* then */ SELECT\n 2;"
    first, second = split_statements(source)
    assert (first.start, first.end, first.line) == (9, 17, 2)
    assert source[second.start : second.end] == "SELECT\n 2"
    assert second.line == 4


@pytest.mark.parametrize(
    ("offset", "expected"),
    [(0, "SELECT 1"), (8, "SELECT 1"), (9, "SELECT 1"), (10, "SELECT 2"), (14, "SELECT 2"), (99, "SELECT 2")],
)
def test_the_statement_at_the_cursor(offset: int, expected: str) -> None:
    found = statement_at("SELECT 1;\nSELECT 2;\n", offset)
    assert found is not None
    assert found.text == expected


def test_no_statement_at_the_cursor_of_an_empty_text() -> None:
    assert statement_at("-- nothing", 3) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [("SELECT 1", False), ("SELECT 1;", True), ("SELECT 1; -- done", True), ("SELECT ';", False), ("SELECT 1; x", False), ("", False)],
)
def test_complete_means_ended_by_a_semicolon(source: str, expected: bool) -> None:
    assert is_complete(source) is expected


@given(st.text(alphabet="a';\"-/*$ \n", max_size=40))
def test_any_text_is_split_without_loss_of_place(source: str) -> None:
    end = 0
    for statement in split_statements(source):
        assert statement.start >= end
        assert source[statement.start : statement.end] == statement.text
        assert statement.text.lstrip() == statement.text != ""
        assert statement.line == source.count("\n", 0, statement.start) + 1
        end = statement.end
