"""What is refused before the parser sees it, and how places in the text survive rewriting."""

from __future__ import annotations

import threading

import pytest

from planner.errors import InvalidQuery, LimitExceeded, Position, SqlSyntaxError, position_at
from planner.limits import SqlLimits, scan_sql
from planner.parse import parse, print_sql

LIMITS = SqlLimits()
TOO_LONG = {
    "or": "SELECT 1 WHERE " + " OR ".join(["1=1"] * 15_000),
    "plus": "SELECT " + "+".join(["1"] * 30_000),
    "concatenation": "SELECT " + "||".join(["'a'"] * 30_000),
    "casts": "SELECT 1" + "::int" * 30_000,
    "subscripts": "SELECT x" + "[1]" * 30_000,
    "dots": "SELECT a" + ".b" * 30_000,
    "signs": "SELECT " + "- " * 30_000 + "1",
    "nots": "SELECT " + "NOT " * 30_000 + "TRUE",
    "intervals": "SELECT " + "interval " * 30_000 + "'1'",
    "pivots": "SELECT * FROM t " + "PIVOT (sum(a) FOR b IN (1)) " * 30_000,
    "unions": " UNION ".join(["SELECT 1"] * 3_000),
    "joins": "SELECT 1 FROM t " + "JOIN t USING (a) " * 1_500,
    "tables with commas": "SELECT 1 FROM " + ", ".join(["t"] * 1_500),
    "parentheses": "SELECT " + "(" * 10_000 + "1" + ")" * 10_000,
    "brackets": "SELECT " + "[" * 10_000,
    "cases": "SELECT " + "CASE WHEN TRUE THEN " * 3_000 + "1" + " END" * 3_000,
    "bytes": "SELECT '" + "x" * 5_000_000 + "'",
    "wide characters": "SELECT '" + "ü" * 600_000 + "'",
    "tokens": "SELECT " + ",".join(["1"] * 250_000),
}


@pytest.mark.parametrize("sql", TOO_LONG.values(), ids=TOO_LONG.keys())
def test_too_much_is_refused_by_its_tokens(sql: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        scan_sql(sql, LIMITS)
    assert len(str(caught.value)) < 500


def test_commas_that_list_no_tables_are_no_joins() -> None:
    columns = ", ".join(["a"] * 1_500)
    scan_sql(f"SELECT a IS DISTINCT FROM b, {columns} FROM t WHERE a IN ({columns}) GROUP BY {columns}", LIMITS)


@pytest.mark.parametrize("sql", ["SELECT " + "+".join(["1"] * 19_000), "SELECT 1 WHERE " + " OR ".join(["a"] * 19_000)])
def test_the_longest_chains_parse_and_print_on_a_small_stack(sql: str) -> None:
    printed: list[str] = []

    def run() -> None:
        parsed = parse(sql, LIMITS)
        printed.append(print_sql(parsed.ast, parsed.scanned.chain_terms))

    before = threading.stack_size(1 << 20)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert printed[0].replace(" ", "") == sql.replace(" ", "")


def test_flat_lists_are_no_chains() -> None:
    sql = "SELECT 1 IN (" + ",".join(map(str, range(50_000))) + ")"
    assert scan_sql(sql, LIMITS).chain_terms < 5


def test_operators_in_strings_comments_and_names_do_not_count() -> None:
    noise = "+" * 30_000
    for quoted in (
        f"'{noise}'",
        f'"{noise}"',
        f"$${noise}$$",
        f"$tag${noise}$tag$",
        f"1 /* {noise} /* nested */ {noise} */",
        f"1 --{noise}\n",
    ):
        assert scan_sql(f"SELECT {quoted}", LIMITS).chain_terms == 0


@pytest.mark.parametrize("sql", ["", "  \n", ";", "-- only a comment", "/* this too */ ;"])
def test_nothing_is_no_statement(sql: str) -> None:
    with pytest.raises(SqlSyntaxError, match="no statement"):
        scan_sql(sql, LIMITS)


def test_a_second_statement_is_refused_where_it_starts() -> None:
    with pytest.raises(InvalidQuery, match="one statement") as caught:
        scan_sql("SELECT 1;\n  SELECT 2", LIMITS)
    assert caught.value.position == Position(2, 3)


@pytest.mark.parametrize("sql", ["SELECT 1;", "SELECT ';';", "SELECT 1; -- done"])
def test_one_statement_may_end_in_a_semicolon(sql: str) -> None:
    assert ";" not in scan_sql(sql, LIMITS).text.replace("';'", "")


def test_a_nul_character_is_refused_with_its_place() -> None:
    with pytest.raises(SqlSyntaxError, match="NUL") as caught:
        scan_sql("SELECT\n \0", LIMITS)
    assert caught.value.position == Position(2, 2)


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT ?, '?', ?", "SELECT $1, '?', $2"),
        ("SELECT ?2, ?1", "SELECT $2, $1"),
        ("SELECT 1_000", "SELECT 1000 "),
        ("SELECT 0xFF", "SELECT 255 "),
        ("SELECT a_1, _2", "SELECT a_1, _2"),
    ],
)
def test_spellings_that_the_parser_misreads_are_rewritten(sql: str, text: str) -> None:
    assert scan_sql(sql, LIMITS).text == text


def test_places_are_those_of_the_users_text() -> None:
    sql = "SELECT ?, ?,\n ?, x"
    scanned = scan_sql(sql, LIMITS)
    column = scanned.text.split("\n")[1].index("x") + 1
    assert scanned.position(2, column) == position_at(sql, sql.index("x"))
