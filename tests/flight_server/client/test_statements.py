from __future__ import annotations

import contextlib
from collections.abc import Sequence

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flight_server.client.statements import is_complete, split_statements, statement_at
from planner.errors import SqlSyntaxError
from planner.limits import SqlLimits, scan_sql


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
        (r"SELECT E'it\'s; fine'", [r"SELECT E'it\'s; fine'"]),
        (r"SELECT e'a\\'; SELECT E'a''\';'", [r"SELECT e'a\\'", r"SELECT E'a''\';'"]),
        (r"SELECT 'a\'; SELECT fe'b\'; SELECT 1", [r"SELECT 'a\'", r"SELECT fe'b\'", "SELECT 1"]),
        (r"SELECT U&'a\'; SELECT U&'b;'", [r"SELECT U&'a\'", "SELECT U&'b;'"]),
        ("SELECT `a``;b`; SELECT 2", ["SELECT `a``;b`", "SELECT 2"]),
        ("SELECT 1 -- one; two\r; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT $é$;$é$; SELECT $€$;$€$", ["SELECT $é$;$é$", "SELECT $€$;$€$"]),
        ("SELECT 1 AS a€$$; SELECT 2 AS b$$", ["SELECT 1 AS a€$$", "SELECT 2 AS b$$"]),
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


VALUES = (
    *("1", "1.5e-3", "0x1F", "1_000", "-1", "4/2", "4-1", "$1", "[1, 2]", "{'a': ';'}", "(SELECT 1)", "x->>';'", "@$$;$$"),
    *("';'", "''", "'it''s;'", r"'\'", "'a\n;'", "'--;'", "'/*;'", "'$$;'", "'é;€'", "N'a;'", "X'3B'", r"U&'a\003B;'"),
    *(r"E';'", r"e'it\'s;'", r"E'\\'", r"E'a''\';\''", r"E'\n;'", "E''"),
    *("$$;$$", "$$'$$", "$a$;$$;$a$", "$a$$b$;$a$", "$_$;$_$", "$é1$;$é1$", "$€$;$€$", "$$--;$$", "$$/*$$"),
    *('";"', '"it""s;"', '"\'"', '"--;"', "`;`", "`a``;`", "a$b$c", "a$$", "é$b$", "a€$$", "e", "E", "u"),
)
BLANKS = (" ", "\n", "\t ", " -- ;\n", " --'\r", ' --"$$/*\n', "/*;*/", " /*'*/ ", " /* /* ; */ ; */ ", "/*--*/", "/*$$*/", "/*/;*/")
DANGEROUS = (
    *("'", "E'", "e'", "U&'", "\\", "''", '"', '""', "`", "$", "$$", "$a$", "/*", "*/", "--", "-", "/"),
    *("\n", "\r", ";", ";", " ", "1", "a", "é", ","),
)
ITEMS = st.tuples(st.sampled_from(BLANKS), st.sampled_from(VALUES), st.sampled_from(("", *BLANKS))).map("".join)
SELECTS = st.lists(ITEMS, min_size=1, max_size=4).map(lambda items: "SELECT" + ",".join(items))
ENDS = st.sampled_from((";", ";;", " ;\n", ";/*;*/", ";--;\n"))


def as_the_kernel_splits(source: str) -> list[str] | None:
    """The statements of ``source`` as the kernel has them: comments around them, and the semicolons, still on; None if it refuses."""
    try:
        return [statement.query for statement in duckdb.extract_statements(source)]
    except duckdb.Error:
        return None


@given(st.lists(SELECTS, min_size=1, max_size=4), ENDS)
def test_a_file_is_split_where_the_kernel_splits_it(statements: Sequence[str], end: str) -> None:
    source = end.join(statements)
    kernels = as_the_kernel_splits(source)
    assert kernels is not None, source
    assert [texts(statement) for statement in kernels] == [[text] for text in texts(source)]
    assert len(kernels) == len(statements)


@given(st.lists(st.sampled_from(DANGEROUS), max_size=20).map(lambda parts: "SELECT " + "".join(parts)))
@example(r"SELECT E'it\'s; fine'")
def test_what_the_kernel_can_read_at_all_is_split_as_it_does(source: str) -> None:
    kernels = as_the_kernel_splits(source)
    if kernels is not None:
        assert [texts(statement) for statement in kernels] == [[text] for text in texts(source)]


@given(st.lists(st.sampled_from((*DANGEROUS, *VALUES, *BLANKS)), max_size=20).map("".join))
def test_the_server_takes_each_statement_for_one(source: str) -> None:
    for text in texts(source):
        with contextlib.suppress(SqlSyntaxError):  # nonsense may be refused for what it is, such as two texts side by side
            assert scan_sql(text, SqlLimits()).original == text


def test_the_place_of_an_error_is_that_in_the_whole_text() -> None:
    _, second = split_statements("SELECT 1;\n\n  SELECT a,\n   b FROM t;\n")
    assert second.placed("no column 'a' (line 1, column 8)\n  SELECT a,\n         ^") == (3, 10, "no column 'a'\n  SELECT a,\n         ^")
    assert second.placed("no column 'b' (line 2, column 4)\nWrite c.") == (4, 4, "no column 'b'\nWrite c.")
    assert second.placed("no room") == (3, None, "no room")
