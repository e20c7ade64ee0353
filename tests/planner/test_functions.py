"""Which functions may be evaluated apart from other rows; the lists are held to the kernel's own catalog, in both directions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import duckdb
import pytest

from planner import PlanOptions, plan
from planner.functions import CLOCK_VALUES, ROW_BY_ROW, VALUES_WITHOUT_PARENTHESES, is_refused_scalar
from tests.planner.memory_catalog import FolderCatalog, connect

SPLIT_UP = PlanOptions(workers=3, distribute_rows=0, split_rows=150)

SYNTAX = {"coalesce": "coalesce(1, 2)", "ifnull": "ifnull(1, 2)", "try": "try(1)", "columns": "columns('a') FROM (SELECT 1 AS a)"}
"""What the kernel's parser turns into something else, so that its catalog does not have it."""

LEFT_OUT = {
    *("age", "ago"),  # read the clock
    *("generate_subscripts", "regexp_split_to_table", "unpivot_list"),  # make rows
    *("geomean", "geometric_mean", "json_group_array", "json_group_object", "json_group_structure"),  # aggregate
    *("variant_group_array", "wavg", "weighted_avg"),  # aggregate
    *("alias", "assert_true"),  # tell the expression's text; raise an error
    *("current_catalog", "current_database", "current_role", "current_schema", "current_schemas", "current_user", "session_user"),
    *("user", "version"),  # tell of the session or the process
    *("col_description", "format_pg_type", "format_type", "map_to_pg_oid", "map_type_id_to_pg_oid", "obj_description"),
    *("shobj_description", "pg_size_pretty", "pg_typeof", "inet_client_addr", "inet_client_port", "inet_server_addr"),
    "inet_server_port",
}
"""Of the kernel's consistent scalars and of its macros those that are not row by row, or that nobody needs to be."""
LEFT_OUT_PREFIXES = ("__", "collate_", "icu_collate_", "pg_", "has_")


class Overloads(NamedTuple):
    """A function of the kernel: the types and stabilities that its overloads have, and the bodies of a macro."""

    types: frozenset[str]
    stabilities: frozenset[str | None]
    bodies: tuple[str, ...]

    @property
    def consistent(self) -> bool:
        """A scalar with an overload that is the same always, and none that is volatile."""
        return self.types <= {"scalar", "macro", "table"} and "VOLATILE" not in self.stabilities and "CONSISTENT" in self.stabilities


@cache
def kernel_functions() -> dict[str, Overloads]:
    """All that the kernel's catalog has, by name in lower case, but those that stand in FROM or PRAGMA only."""
    rows = (
        duckdb.connect()
        .execute(
            """
            SELECT lower(function_name), list(DISTINCT function_type), list(DISTINCT stability),
                   list(DISTINCT macro_definition) FILTER (WHERE macro_definition IS NOT NULL AND function_type = 'macro')
            FROM duckdb_functions() GROUP BY ALL
            """
        )
        .fetchall()
    )
    found = {name: Overloads(frozenset(kinds), frozenset(stable), tuple(bodies or ())) for name, kinds, stable, bodies in rows}
    return {name: function for name, function in found.items() if function.types & {"scalar", "macro", "aggregate", "window"}}


def calls(body: str) -> set[str]:
    """The functions that a macro's body calls, as the kernel's parser sees it, and the kinds of what is no row's own value."""
    (text,) = duckdb.connect().execute("SELECT json_serialize_sql('SELECT ' || ?)", [body]).fetchone() or ("",)
    assert '"error":false' in text
    called = set(re.findall(r'"function_name":"(\w+)"', text))
    return called | set(re.findall(r'"class":"(WINDOW|SUBQUERY)"', text))


def unjudged() -> Iterator[str]:
    """Scalars and macros of the kernel that no list knows."""
    for name, function in kernel_functions().items():
        named = name.isidentifier() and name not in ROW_BY_ROW and name not in LEFT_OUT and not name.startswith(LEFT_OUT_PREFIXES)
        if named and (function.bodies or function.consistent) and not is_refused_scalar(name):
            yield name


def test_each_function_of_the_kernel_is_judged() -> None:
    assert len(kernel_functions()) > 900
    assert sorted(unjudged()) == [], "a new kernel: put each of them into ROW_BY_ROW, or into LEFT_OUT with the reason"


def test_what_is_row_by_row_is_a_consistent_scalar_of_the_kernel() -> None:
    known = kernel_functions()
    gone = [name for name in ROW_BY_ROW - SYNTAX.keys() if name not in known]
    assert gone == []
    others = [name for name in ROW_BY_ROW - SYNTAX.keys() if not known[name].bodies and not known[name].consistent]
    assert others == [], "they are aggregates, or volatile"


def test_macros_that_are_row_by_row_call_nothing_else() -> None:
    macros = {name: function.bodies for name, function in kernel_functions().items() if function.bodies and name in ROW_BY_ROW}
    assert len(macros) > 50
    assert {name: others for name, bodies in macros.items() for body in bodies if (others := calls(body) - ROW_BY_ROW)} == {}
    assert calls("(SELECT sum(x) OVER ())") == {"SUBQUERY", "WINDOW", "sum"}


def test_operators_are_row_by_row() -> None:
    operators = {name: function for name, function in kernel_functions().items() if not name.isidentifier()}
    assert len(operators) > 30
    assert [name for name, function in operators.items() if not function.consistent] == []


def test_what_is_left_out_is_there() -> None:
    known = kernel_functions()
    assert sorted(name for name in LEFT_OUT if name not in known) == []


@pytest.mark.parametrize("name", sorted(SYNTAX))
def test_syntax_that_looks_like_a_function_is_there(name: str) -> None:
    assert name in ROW_BY_ROW
    assert len(duckdb.connect().execute(f"SELECT {SYNTAX[name]}").fetchall()) == 1


def test_the_names_that_tell_the_time_without_parentheses_are_known() -> None:
    connection = duckdb.connect()
    words = {word for (word,) in connection.execute("SELECT keyword_name FROM duckdb_keywords()").fetchall()}

    def means_something(name: str) -> bool:
        try:
            connection.sql(f'SELECT "{name}"')
        except duckdb.BinderException:
            return False
        return True

    values = {name for name in words | kernel_functions().keys() | CLOCK_VALUES if name.isidentifier() and means_something(name)}
    assert values == VALUES_WITHOUT_PARENTHESES
    assert values - CLOCK_VALUES == {"current_catalog", "current_role", "current_schema", "current_user", "session_user", "user"}


@pytest.mark.parametrize(
    "expression",
    [
        "main.sum(id)",
        "system.main.sum(id)",
        '"SUM"(id)',
        "id.sum()",
        "orders.id.sum()",
        "main.random()",
        "list_transform([id], lambda x: x + random())",
        "ago(INTERVAL 1 HOUR)",
        '"current_date"',
        'amount + epoch("localtimestamp"::TIMESTAMP)',
        "wavg(id, amount)",
        "main.geomean(id)",
        "main.unnest([id])",
    ],
)
def test_no_spelling_makes_it_row_by_row(expression: str, catalog: FolderCatalog) -> None:
    made = plan(f"SELECT {expression} FROM orders", catalog, SPLIT_UP)
    assert [fragment.parallel for fragment in made.fragments] == [True, False]


@pytest.mark.parametrize("expression", ["upper(note)", "main.upper(note)", "coalesce(id, 1)", "note[1:2]", "note.upper()"])
def test_what_is_known_to_be_row_by_row_runs_split_by_split(expression: str, catalog: FolderCatalog) -> None:
    made = plan(f"SELECT id FROM orders WHERE {expression} IS NOT NULL", catalog, SPLIT_UP)
    assert [fragment.parallel for fragment in made.fragments] == [True]


def with_later_kernel(catalog: FolderCatalog) -> FolderCatalog:
    """The catalog of a kernel that has an aggregate and a scalar which no list of ours knows."""
    catalog.connection = connect()
    catalog.connection.execute("CREATE MACRO brand_new_sum(x) AS sum(x)")
    catalog.connection.execute("CREATE MACRO brand_new_sign(x) AS x > random()")
    return catalog


def test_a_function_of_a_later_kernel_is_evaluated_where_all_rows_are(catalog: FolderCatalog) -> None:
    made = plan("SELECT brand_new_sum(id) FROM orders", with_later_kernel(catalog), SPLIT_UP)
    assert [fragment.parallel for fragment in made.fragments] == [True, False]
    assert "brand_new_sum" not in made.fragments[0].sql


def test_a_condition_with_a_function_of_a_later_kernel_stays_where_it_was_written(catalog: FolderCatalog) -> None:
    sql = "SELECT count(*) FROM orders WHERE brand_new_sign(amount) AND upper(note) > 'N'"
    made = plan(sql, with_later_kernel(catalog), SPLIT_UP)
    first, last = (fragment.sql for fragment in made.fragments)
    assert "brand_new_sign" not in first
    assert "brand_new_sign" in last
    assert "upper" in first
