"""Names and texts in SQL."""

from __future__ import annotations

import duckdb
import pytest

from planner.quoting import quote_name, quote_text

ODD = ["a", "A b", 'say "hi"', "it's", '"', "'", "select", "ä\n;--", "a.b", "\\", "%s"]


@pytest.mark.parametrize("name", ODD)
def test_a_quoted_name_is_the_name(name: str) -> None:
    assert duckdb.connect().sql(f"SELECT 1 AS {quote_name(name)}").columns == [name]


@pytest.mark.parametrize("text", [*ODD, ""])
def test_a_quoted_text_is_the_text(text: str) -> None:
    assert duckdb.connect().sql(f"SELECT {quote_text(text)}").fetchall() == [(text,)]
