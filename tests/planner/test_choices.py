"""What EXPLAIN says of the ways to divide a query's tables: which one was taken, which one was next, and what speaks against the rest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from planner import PlanOptions, plan
from planner.choices import MOST_OPEN, MOST_SHUT, Considered, DividedTable, PlanChoice, choice_lines, division_words
from tests.planner.memory_catalog import FolderCatalog, run_plan

OPTIONS = PlanOptions(workers=3, distribute_rows=500, split_rows=250, share_values=1, start_bytes=0)
LINES = DividedTable("in_0", "lines", "ranges", "line_order")
ORDERS = DividedTable("in_1", "orders", "ranges", "order_key")


@pytest.fixture
def sized(data: Path) -> FolderCatalog:
    """The tests' tables, each value of 8 bytes in its file."""
    return FolderCatalog(data, value_bytes=8)


def told(sql: str, catalog: FolderCatalog, options: PlanOptions = OPTIONS) -> list[str]:
    """What stands under the tree of a statement's plan."""
    lines = plan(sql, catalog, options).text.split("\n")
    return lines[next((place for place, line in enumerate(lines) if line.startswith(("divided", "not divided"))), len(lines)) :]


def test_a_division_is_told_in_words() -> None:
    assert division_words((LINES, ORDERS)) == "lines and orders by ranges of line_order = order_key"
    assert division_words((DividedTable("in_0", "lines"),)) == "lines split by split"
    by_hash = (DividedTable("in_0", "a", "hash", "k"), DividedTable("in_1", "b", "hash", "k"))
    assert division_words(by_hash) == "a and b by hash of k"
    assert division_words((*by_hash, DividedTable("in_2", "c"))) == "a and b by hash of k, c split by split"
    assert division_words(()) == ""


def test_the_best_way_that_was_not_taken_is_the_runner_up() -> None:
    open_ways = [Considered((DividedTable("in_0", name),), saved) for name, saved in (("b", 2_000_000), ("c", -5_000_000))]
    shut = Considered((DividedTable("in_0", "e"),), None, "the clock is read")
    assert list(choice_lines(PlanChoice((Considered((LINES, ORDERS), 7e9),), (*open_ways, shut)))) == [
        "divided: lines and orders by ranges of line_order = order_key: about 7.0 GB less for the busiest worker than for one worker alone",
        "  runner-up b split by split: about 2.0 MB less for the busiest worker",
        "  or c split by split: about 5.0 MB more for the busiest worker",
        "  not e split by split: the clock is read",
    ]


def test_only_so_many_ways_are_told() -> None:
    shut = [Considered((DividedTable(f"in_{place}", f"t{place}"),), None, "the clock is read") for place in range(MOST_SHUT + 2)]
    open_ways = [Considered((DividedTable("in_9", f"u{place}"),), -1e6 * place) for place in range(MOST_OPEN + 1)]
    lines = list(choice_lines(PlanChoice((), (*open_ways, *shut), "no way is open")))
    assert lines[0] == "not divided: no way is open"
    assert [line.split()[0] for line in lines[1:-1]] == ["runner-up", "or", "not", "not", "not", "not"]
    assert lines[-1] == "  and 3 ways more, which EXPLAIN (FORMAT JSON) tells"


def test_a_table_that_is_read_twice_is_told_by_its_alias_and_then_by_its_input(sized: FolderCatalog) -> None:
    lines = told("SELECT count(*) FROM orders a, orders b, people WHERE a.person_id = b.person_id AND people.id = a.id", sized)
    assert any("orders (a) split by split" in line for line in lines)
    lines = told("SELECT count(note) FROM orders WHERE amount < (SELECT avg(amount) FROM orders)", sized)
    assert any("orders (in_0) split by split" in line for line in lines)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT name FROM people", "people has 5 rows to read, and tables of fewer than 500 are not worth it"),
        ("SELECT count(*) FROM orders", "no division spares the busiest worker anything"),
        ("SELECT id FROM orders WHERE amount < random()", "no way is open"),
    ],
)
def test_why_nothing_is_divided(sized: FolderCatalog, sql: str, expected: str) -> None:
    assert told(sql, sized)[0] == f"not divided: {expected}"


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT name FROM people LEFT JOIN orders ON person_id = people.id", "the rows of the left join's other side would come from"),
        ("SELECT id FROM orders WHERE amount < random()", "random may be another in each share"),
        ("SELECT note FROM orders LIMIT 3", "a LIMIT ends the scan early"),
    ],
)
def test_what_forbids_a_way_is_named(sized: FolderCatalog, sql: str, why: str) -> None:
    assert any(line.startswith("  not orders split by split: ") and why in line for line in told(sql, sized))


def test_never_and_one_worker_have_no_choice(sized: FolderCatalog) -> None:
    sql = "SELECT person_id, sum(amount) FROM orders GROUP BY 1"
    assert told(sql, sized, replace(OPTIONS, distribute="never")) == ["not divided: distribute is never"]
    assert told(sql, sized, replace(OPTIONS, workers=1)) == []
    assert told("SELECT 1", sized) == []


def test_a_table_without_statistics_is_named(sized: FolderCatalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sized, "row_groups", lambda _file: None)
    assert told("SELECT note FROM orders", sized) == ["not divided: how many rows orders has is not known without reading it"]


def test_the_document_has_all_of_it(sized: FolderCatalog) -> None:
    sql = "SELECT name, sum(amount) FROM orders JOIN people ON person_id = people.id GROUP BY name"
    document = json.loads(run_plan(plan(f"EXPLAIN (FORMAT JSON) {sql}", sized, OPTIONS))["plan"][0].as_py())
    by_splits: list[dict[str, str | None]] = [{"input": "in_0", "table": "orders", "by": "splits", "column": None}]
    by_ranges: list[dict[str, str | None]] = [
        {**by_splits[0], "by": "ranges", "column": "person_id"},
        {"input": "in_1", "table": "people", "by": "ranges", "column": "id"},
    ]
    choice = document["choice"]
    assert [way["divided"] for way in choice["taken"]] == [by_splits]
    assert choice["taken"][0]["spared_bytes"] > 0
    refused = {"divided": by_ranges, "spared_bytes": None, "why_not": "they are not written in the order of that key"}
    assert refused in choice["others"]
    by_hash = [{**table, "by": "hash"} for table in by_ranges]
    (runner_up,) = (way for way in choice["others"] if way["divided"] == by_hash)
    assert runner_up["spared_bytes"] < choice["taken"][0]["spared_bytes"]
    assert choice["not_divided"] is None
    assert document["plan"]["inputs"][0]["estimated_bytes"] > 0
    assert document["plan"]["inputs"][0]["from"]["divided"] == by_splits
