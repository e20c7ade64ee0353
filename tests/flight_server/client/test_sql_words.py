from __future__ import annotations

import duckdb
import pytest

from flight_server.client.sql_words import FUNCTIONS, KEYWORDS, quoted
from planner.limits import SqlLimits
from planner.parse import parse, print_sql

GRAMMAR = {"coalesce", "extract", "ifnull", "percentile_cont", "percentile_disc"}  # the kernel's parser knows these, its catalog does not
OURS = {"read_files"}


def column(query: str) -> list[str]:
    return [str(row[0]) for row in duckdb.connect().sql(query).fetchall()]


def test_no_word_stands_twice() -> None:
    assert len(KEYWORDS) == len(set(KEYWORDS))
    assert len(FUNCTIONS) == len(set(FUNCTIONS))


def test_every_function_that_is_offered_is_there() -> None:
    known = column("SELECT function_name FROM duckdb_functions()")
    assert set(FUNCTIONS) - set(known) - GRAMMAR - OURS == set()


@pytest.mark.parametrize("name", ["plain_1", "_", "date_of"])
def test_a_plain_name_is_written_as_it_is(name: str) -> None:
    assert quoted(name) == name


@pytest.mark.parametrize("name", ["Mixed", "two words", "select", "default", "", "1a", "é"])
def test_other_names_are_written_in_quotes(name: str) -> None:
    assert quoted(name) == f'"{name}"'
    assert quoted('a"b') == '"a""b"'


def test_a_name_that_is_a_word_of_sql_too_is_written_so_that_it_is_a_name() -> None:
    kernels = column("SELECT keyword_name FROM duckdb_keywords()")
    for word in {*kernels, *FUNCTIONS, *(keyword.lower() for keyword in KEYWORDS)}:
        name = quoted(word)
        parsed = parse(f"SELECT {name}, {name}.{name} FROM (SELECT 1 AS {name}) AS {name} WHERE {name} = 1 ORDER BY {name}", SqlLimits())
        printed = print_sql(parsed.ast, parsed.scanned.chain_terms)
        answer = duckdb.connect().sql(printed)
        assert (answer.columns[0], answer.fetchall()) == (word, [(1, 1)]), printed
