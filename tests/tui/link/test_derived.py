from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from tui.link import derived
from tui.link.derived import Derived


def test_sorting_goes_up_down_and_away() -> None:
    base = Derived("SELECT 1 AS a")
    up = base.sorted_by(1)
    down = up.sorted_by(1)
    assert "ORDER BY 1 ASC NULLS LAST" in up.sql
    assert "ORDER BY 1 DESC NULLS LAST" in down.sql
    assert down.sorted_by(1).sql == base.sql


@pytest.mark.parametrize("base", ["SELECT * FROM t ORDER BY a DESC LIMIT 3", "SELECT a, a FROM t -- note", "VALUES (2), (1), (3)"])
def test_derived_statements_run(base: str) -> None:
    connection = duckdb.connect()
    connection.register("t", pa.table({"a": [3, 1, 2]}))
    found = connection.sql(Derived(base).sorted_by(1).sql).fetchall()
    assert [row[0] for row in found] == [1, 2, 3]


def test_filters_add_up_and_an_empty_one_takes_them_away() -> None:
    wanted = Derived("SELECT * FROM t").filtered(derived.equals("a b", "it's", number=False)).filtered('"n" > 3')
    assert "WHERE (\"a b\" = 'it''s') AND (\"n\" > 3)" in wanted.sql
    assert wanted.filtered(" ").sql == "SELECT * FROM t"
    assert derived.equals("n", None, number=True) == '"n" IS NULL'


def test_each_chip_can_be_taken_away_alone() -> None:
    asked = Derived("SELECT 1 AS a", ("a = 1", "a < 2"), order=1, ascending=False)
    chips = asked.chips(["a"])
    for number in range(len(chips)):
        assert asked.without(number).chips(["a"]) == chips[:number] + chips[number + 1 :]
    assert Derived("SELECT 1", ("a", "b")).without(0) == Derived("SELECT 1", ("b",))
