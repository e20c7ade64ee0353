from __future__ import annotations

import pytest

from planner.operations import title


@pytest.mark.parametrize(
    ("sql", "tables", "expected"),
    [
        ("SELECT * FROM in_0 WHERE a > 1", ["t"], "scan t"),
        ("SELECT 1", [], "values"),
        ("SELECT count(*) FROM in_0", ["t"], "aggregate: t"),
        ("SELECT count(*) FILTER (WHERE a > 1) FROM in_0", ["t"], "aggregate: t"),
        ("SELECT a, sum(b) FROM in_0 GROUP BY a ORDER BY 2 LIMIT 3", ["t"], "aggregate, sort, limit: t"),
        ("SELECT * FROM in_0 JOIN in_1 USING (k) WHERE a > 1", ["t", "u"], "join, filter: t, u"),
        ("SELECT * FROM in_0, in_1 WHERE in_0.k = in_1.k", ["t", "u"], "join, filter: t, u"),
        ("SELECT * FROM in_0 UNION ALL SELECT * FROM in_1", ["t", "u"], "union: t, u"),
        ("SELECT sum(a) OVER (PARTITION BY b ORDER BY c) FROM in_0", ["t"], "window: t"),
        ("SELECT string_agg(a ORDER BY b) FROM in_0", ["t"], "aggregate: t"),
        ("SELECT * FROM (SELECT a FROM in_0 ORDER BY a) AS d", ["t"], "sort: t"),
        ("SELECT DISTINCT a FROM in_0 AS x, in_0 AS y", ["t", "t"], "join, distinct: t"),
        ("SELECT 'a JOIN b ORDER BY c', \"GROUP\" FROM in_0 -- LIMIT", ["t"], "scan t"),
        ("SELECT * EXCEPT (a) FROM in_0", ["t"], "scan t"),
        ("SELECT finalize(combine_aggr(to_aggregate_state(a, 'sum', ['BIGINT']))) FROM in_0", ["t"], "aggregate: t"),
    ],
)
def test_a_fragment_is_called_by_what_it_does(sql: str, tables: list[str], expected: str) -> None:
    assert title(sql, tables) == expected


def test_one_relation_of_several_tables_is_no_join() -> None:
    assert title("SELECT sum(n) FROM in_0", ["t", "u"], 1) == "aggregate: t, u"
    assert title("SELECT sum(n) FROM in_0, in_1", ["t"], 2) == "join, aggregate: t"
