from __future__ import annotations

import pytest

from flight_server.protocol.messages import ColumnStatus, TableStatus
from tui.editor.completion import complete

TABLES = [
    TableStatus("lineitem", columns=[ColumnStatus("l_orderkey", "BIGINT"), ColumnStatus("l_tax", "DECIMAL(15,2)")], rows=6_001_215),
    TableStatus("orders", columns=[ColumnStatus("o_orderkey", "BIGINT")]),
    TableStatus("Odd Name", columns=[ColumnStatus("select", "BIGINT")]),
]


def texts(source: str) -> list[str]:
    """The candidates at the ``|`` in ``source``."""
    found = complete(source.replace("|", ""), source.index("|"), TABLES)
    return [] if found is None else [candidate.text for candidate in found.candidates]


def test_after_from_come_tables() -> None:
    assert texts("SELECT * FROM |") == ["lineitem", "orders", '"Odd Name"']
    assert texts("SELECT * FROM lineitem JOIN o|")[0] == "orders"


def test_columns_of_the_tables_mentioned_come_first() -> None:
    assert texts("SELECT l_| FROM lineitem")[:2] == ["l_orderkey", "l_tax"]


def test_behind_an_alias_and_a_dot_come_its_columns() -> None:
    assert texts("SELECT o.| FROM orders o") == ["o_orderkey"]
    assert texts("SELECT l.l_t| FROM orders o JOIN lineitem AS l ON true") == ["l_tax"]
    assert texts("SELECT nobody.| FROM orders") == []


def test_keywords_and_functions_follow_the_case_that_is_typed() -> None:
    assert texts("sel|")[0] == "select"
    assert texts("SEL|")[0] == "SELECT"
    assert "date_trunc(" in texts("SELECT date_|")


def test_only_the_statement_under_the_cursor_counts() -> None:
    assert "o_orderkey" not in texts("SELECT 1 FROM orders; SELECT l_| FROM lineitem")


@pytest.mark.parametrize(
    "source", ["SELECT l_orderkey, | FROM orders", "SELECT a, b FROM orders WHERE |", "SELECT 'x, y', b FROM orders GROUP BY |"]
)
def test_commas_before_from_hide_no_table(source: str) -> None:
    assert texts(source)[:1] == ["o_orderkey"]


def test_queries_that_have_a_name_in_the_statement_come_with_their_columns() -> None:
    totals = "WITH totals AS (SELECT o_orderkey, sum(o_price) AS total FROM orders GROUP BY 1)"
    assert texts(f"{totals} SELECT * FROM |")[:2] == ["totals", "lineitem"]
    assert texts(f"{totals} SELECT | FROM totals")[:2] == ["o_orderkey", "total"]
    assert texts(f"{totals} SELECT t.| FROM totals t") == ["o_orderkey", "total"]
    assert texts("SELECT s.| FROM (SELECT l_tax AS tax, * FROM lineitem) AS s") == ["tax", "l_orderkey", "l_tax"]
    assert texts("WITH orders AS (SELECT 1 AS one) SELECT orders.| FROM orders") == ["one"]


@pytest.mark.parametrize(
    "source",
    [
        "SELECT 'sel|",
        "-- sel|",
        "SELECT /* sel|",
        "SELECT 1 xyzzy|",
        "SELECT E'it\\'s sel|",
        "SELECT $$ sel|",
        "SELECT $q$ $$ sel|",
        "SELECT /* /* */ sel|",
    ],
)
def test_nothing_in_strings_and_comments_and_for_unknown_words(source: str) -> None:
    assert texts(source) == []


@pytest.mark.parametrize(
    "source",
    ["SELECT E'it\\'s', sel|", "SELECT 'it''s' + sel|", "SELECT $q$ ' $q$, sel|", "/* /* ' */ */ sel|", "-- don't\nsel|", '"a--b" sel|'],
)
def test_behind_strings_and_comments_words_come_again(source: str) -> None:
    assert "select" in texts(source)


def test_a_name_in_quotes_is_completed_where_it_has_just_begun() -> None:
    assert texts('SELECT * FROM "Odd|') == ['"Odd Name"']


def test_a_word_that_is_whole_already_completes_to_nothing() -> None:
    assert texts("SELECT * FROM orders|") == []
