"""Whole queries: blocks of every shape, subqueries, CTEs, set operations, order and limits."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.quoting import quote_name
from tests.planner.random_queries.aggregates import Aggregates
from tests.planner.random_queries.expressions import INEXACT, Expressions, Visible
from tests.planner.random_queries.lake import RandomTable
from tests.planner.random_queries.relations import Joined, Names, Relations, Source
from tests.planner.random_queries.subqueries import Subqueries

SET_OPERATORS = ("UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL")
SET_KINDS = ("int", "text", "date", "bool", "decimal")


@dataclass(frozen=True, slots=True)
class RandomQuery:
    """A query whose rows are determined; ``ordered``: their order is, too. ``constructs`` are what it is made of.

    ``named``: all its columns have names of their own, not those that a kernel makes up.
    """

    sql: str
    ordered: bool
    constructs: frozenset[str]
    named: bool = True


@dataclass(frozen=True, slots=True)
class Block:
    """A SELECT with the columns that it gives, whose names are theirs alone."""

    sql: str
    columns: tuple[tuple[str, str], ...]
    ordered: bool = False


class QueryMaker:
    """Makes queries over some tables, from a seed."""

    def __init__(self, seed: int, tables: Sequence[RandomTable]) -> None:
        self.pick = random.Random(seed)
        self.names = Names()
        self.expressions = Expressions(self.pick)
        self.aggregates = Aggregates(self.expressions)
        self.relations = Relations(self.expressions, tables, self.names, self._derived)
        self.subqueries = Subqueries(self.expressions, self.aggregates, self.relations, self.names)
        self.ctes: tuple[Source, ...] = ()
        self.has_ctes = False

    def query(self) -> RandomQuery:
        """The next query."""
        self.names.used = 0
        self.names.constructs.clear()
        self.ctes = ()
        self.has_ctes = self.pick.random() < 0.22
        head = self._with() if self.has_ctes else ""
        block = self._finished(self._block(2), top=True)
        return RandomQuery(head + block.sql, block.ordered, frozenset(self.names.constructs))

    def _with(self) -> str:
        parts = []
        for number in range(self.pick.choice((1, 1, 2))):
            self._uses("CTE")
            block = self._finished(self._block(1), top=False)
            name = self.pick.choice(("c", "Cte", "with it")) + str(number)
            word = self.pick.choice(("", "", "", "MATERIALIZED ", "NOT MATERIALIZED "))
            parts.append(f"{quote_name(name)} AS {word}({block.sql})")
            self.ctes = (*self.ctes, Source(quote_name(name), block.columns))
        if self.pick.random() < 0.06:
            self._uses("recursive CTE")
            table, sql = self.relations.table()
            key = quote_name(self.pick.choice([column.name for column in table.fields if column.kind == "int"]))
            start = f"SELECT {key} % 3 AS n FROM {sql} UNION SELECT n + 1 FROM r WHERE n < 5"
            self.ctes = (*self.ctes, Source("r", (("n", "int"),)))
            return f"WITH RECURSIVE r(n) AS ({start}), {', '.join(parts)} "
        return f"WITH {', '.join(parts)} "

    def _derived(self, depth: int) -> Source:
        block = self._finished(self._block(depth), top=False)
        return Source(f"({block.sql})", block.columns)

    def _uses(self, *constructs: str) -> None:
        self.names.constructs.update(constructs)

    def _block(self, depth: int) -> Block:
        drawn = self.pick.random()
        if drawn < 0.26:
            return self._rows(depth)
        if drawn < 0.36:
            return self._windows(depth)
        if drawn < 0.66:
            return self._grouped(depth)
        if drawn < 0.76:
            return self._whole_aggregate(depth)
        if drawn < 0.83:
            return self._distinct(depth)
        if drawn < 0.87:
            return self._distinct_on(depth)
        if drawn < 0.90:
            return self._pivot()
        return self._set_operation(depth)

    def _rows(self, depth: int) -> Block:
        joined = self.relations.from_list(depth, self.ctes)
        visible = joined.visible
        items = [self.expressions.value(visible) for _ in range(self.pick.randint(1, 4))]
        if depth and self.pick.random() < 0.2:
            items.append(self.subqueries.scalar(visible, self.ctes))
        if self.pick.random() < 0.08:
            return self._star(depth)
        if self.pick.random() < 0.04:
            self._uses("unnest")
            items.append(("unnest([1, NULL])", "int"))
        return self._select(items, joined.sql, self._where(joined, depth))

    def _star(self, depth: int) -> Block:
        """All columns of one relation, or all but one."""
        self._uses("*")
        joined = self.relations.from_list(depth, self.ctes, (0,))
        left_out = self.pick.choice(joined.visible)
        kept = [column for column in joined.visible if column is not left_out]
        if self.pick.random() < 0.5 or not kept or self.has_ctes:  # the parser has no dialect with both EXCLUDE and MATERIALIZED
            return Block(f"SELECT * FROM {joined.sql}{self._where(joined, depth)}", _columns(joined.visible))
        listed = f"* EXCLUDE ({quote_name(left_out.label)})"
        return Block(f"SELECT {listed} FROM {joined.sql}{self._where(joined, depth)}", _columns(kept))

    def _windows(self, depth: int) -> Block:
        self._uses("window")
        joined = self.relations.from_list(depth, self.ctes)
        items = [self.expressions.value(joined.visible, 0) for _ in range(self.pick.randint(1, 2))]
        tail = self._where(joined, depth)
        usable = [column for column in joined.visible if column.kind != INEXACT]
        if self.pick.random() < 0.3 and usable:
            self._uses("QUALIFY")
            key = self.expressions.column(joined.visible)
            partition = f"PARTITION BY {key.sql} " if key else ""
            alone = self.pick.random() < 0.5
            call = "row_number()" if alone else self.pick.choice(("rank()", "dense_rank()"))
            tail += f" QUALIFY {call} OVER ({partition}ORDER BY {self.expressions.total_order(usable)}) <= 2"
            items += [] if alone else [self.aggregates.window(joined.visible, alike=True)]
            return self._select(items, joined.sql, tail)
        items += [self.aggregates.window(joined.visible, alike=place > 0) for place in range(self.pick.choice((1, 1, 2)))]
        if self.pick.random() < 0.15 and (key := self.expressions.column(joined.visible)) is not None:
            self._uses("WINDOW")
            items.append(("count(*) OVER w", "int"))
            tail += f" WINDOW w AS (PARTITION BY {key.sql})"
        return self._select(items, joined.sql, tail)

    def _grouped(self, depth: int) -> Block:
        self._uses("GROUP BY")
        pick = self.pick
        joined = self.relations.from_list(depth, self.ctes)
        sets = pick.random() < 0.22
        keys = [
            self.expressions.value(joined.visible, 0 if sets or pick.random() < 0.6 else 1) for _ in range(pick.choice((1, 1, 2, 2, 3)))
        ]
        keys = list(dict.fromkeys(keys))
        items = [(sql, kind) for sql, kind in keys if pick.random() < 0.85]
        calls = [self.aggregates.aggregate(joined.visible) for _ in range(pick.choice((0, 1, 1, 2, 3)))]
        if not items and not calls:
            calls = [("count(*)", "int")]
        constants = any(not any(column.sql in sql for column in joined.visible) for sql, _ in keys)
        if sets and not constants:
            group = self._grouping_sets([sql for sql, _ in keys])
            if pick.random() < 0.5:
                calls.append((f"GROUPING({', '.join(sql for sql, _ in keys[:2])})", "int"))
            return self._select(items + calls, joined.sql, self._where(joined, depth) + group + self._having(joined.visible, [], depth))
        shown = items + calls
        group = self._group_by(keys, items)
        if depth and pick.random() < 0.12:
            self._uses("aggregate over aggregates' subquery")
            shown.append(self.subqueries.scalar([Visible(sql, kind, "") for sql, kind in keys], self.ctes))
        made = self._select(shown, joined.sql, self._where(joined, depth) + group + self._having(joined.visible, keys, depth))
        if keys and items and pick.random() < 0.12:
            self._uses("window of groups")
            rows = self.expressions.total_order([Visible(sql, kind, "") for sql, kind in keys if kind != INEXACT])
            partition = pick.choice(("", f"PARTITION BY {keys[0][0]} "))
            call = pick.choice(("row_number()", "row_number()", "rank()"))
            return replace(made, sql=f"{made.sql} QUALIFY {call} OVER ({partition}ORDER BY {rows}) <= {pick.choice((1, 1, 2))}")
        if pick.random() < 0.1 and not any(kind == INEXACT for _, kind in shown):
            self._uses("DISTINCT of groups")
            return replace(made, sql=made.sql.replace("SELECT", "SELECT DISTINCT", 1))
        return made

    def _group_by(self, keys: list[tuple[str, str]], items: list[tuple[str, str]]) -> str:
        """GROUP BY of expressions, positions, aliases, or ALL where all keys are shown."""
        drawn = self.pick.random()
        if drawn < 0.15 and len(items) == len(keys):
            self._uses("GROUP BY ALL")
            return " GROUP BY ALL"
        terms = []
        for key in keys:
            place = items.index(key) if key in items else None
            if place is not None and 0.15 <= drawn < 0.35:
                self._uses("GROUP BY position")
                terms.append(str(place + 1))
            elif place is not None and 0.35 <= drawn < 0.5:
                self._uses("GROUP BY alias")
                terms.append(f"c{place}")
            else:
                terms.append(key[0])
        return f" GROUP BY {', '.join(terms)}"

    def _grouping_sets(self, keys: list[str]) -> str:
        word = self.pick.choice(("ROLLUP", "CUBE", "GROUPING SETS"))
        self._uses(word)
        if word != "GROUPING SETS":
            if len(keys) > 1 and self.pick.random() < 0.4:
                self._uses("sets beside a key")
                return f" GROUP BY {keys[0]}, {word} ({', '.join(keys[1:])})"
            return f" GROUP BY {word} ({', '.join(keys)})"
        chosen = [self.pick.sample(keys, self.pick.randint(0, len(keys))) for _ in range(self.pick.randint(1, 3))] + [keys]
        listed = ("(" + ", ".join(one) + ")" for one in chosen)
        return f" GROUP BY GROUPING SETS ({', '.join(listed)})"

    def _having(self, visible: Sequence[Visible], keys: list[tuple[str, str]], depth: int) -> str:
        drawn = self.pick.random()
        if drawn < 0.12:
            self._uses("HAVING")
            sql, kind = self.aggregates.exact(visible)
            return f" HAVING {self.expressions.condition([Visible(sql, kind, '')], 1)}"
        if drawn < 0.18 and keys:
            self._uses("HAVING")
            return f" HAVING {self.expressions.condition([Visible(sql, kind, '') for sql, kind in keys], 1)}"
        if drawn < 0.22 and keys and depth:
            self._uses("HAVING")
            return f" HAVING {self.subqueries.condition([Visible(sql, kind, '') for sql, kind in keys], self.ctes)}"
        return ""

    def _whole_aggregate(self, depth: int) -> Block:
        self._uses("aggregate of all")
        joined = self.relations.from_list(depth, self.ctes)
        if self.pick.random() < 0.08:
            self._uses("LIMIT")
            few = f"SELECT 1 FROM {joined.sql}{self._where(joined, depth)} LIMIT {self.pick.choice((0, 2, 20))}"
            return Block(f"SELECT count(*) AS c0 FROM ({few}) AS few", (("c0", "int"),))
        calls = [self.aggregates.aggregate(joined.visible) for _ in range(self.pick.randint(1, 4))]
        having = ""
        if self.pick.random() < 0.1:
            self._uses("HAVING")
            having = f" HAVING {self.expressions.condition([Visible('count(*)', 'int', '')], 1)}"
        return self._select(calls, joined.sql, self._where(joined, depth) + having)

    def _distinct(self, depth: int) -> Block:
        self._uses("DISTINCT")
        joined = self.relations.from_list(depth, self.ctes)
        items = [self.expressions.value(joined.visible) for _ in range(self.pick.randint(1, 3))]
        made = self._select(items, joined.sql, self._where(joined, depth))
        return replace(made, sql=made.sql.replace("SELECT", "SELECT DISTINCT", 1))

    def _distinct_on(self, depth: int) -> Block:
        self._uses("DISTINCT ON")
        joined = self.relations.from_list(depth, self.ctes, (0,))
        usable = [column for column in joined.visible if column.kind != INEXACT]
        keys = [column.sql for column in self.pick.sample(usable, min(len(usable), self.pick.choice((1, 1, 2))))]
        if not keys:
            return self._rows(depth)
        made = self._select([self.expressions.value(joined.visible) for _ in range(2)], joined.sql, self._where(joined, depth))
        rest = self.expressions.total_order(usable)
        sql = made.sql.replace("SELECT", f"SELECT DISTINCT ON ({', '.join(keys)})", 1)
        return replace(
            made, sql=f"SELECT * FROM ({sql} ORDER BY {', '.join(keys)}, {rest}) AS {quote_name(self.names.alias(self.expressions))}"
        )

    def _pivot(self) -> Block:
        table, sql = self.relations.table()
        keys = [column.name for column in table.fields if column.kind == "int"]
        others = [column.name for column in table.fields if column.kind not in ("list", "struct", "interval", "float")]
        key, other = self.pick.choice(keys), self.pick.choice(others)
        if key == other:
            return self._rows(0)
        self._uses("PIVOT")
        inner = f"(SELECT {quote_name(key)} AS a, {quote_name(other)} AS b FROM {sql})"
        kind = next(column.kind for column in table.fields if column.name == other)
        call, result = self.pick.choice((("count(*)", "int"), ("max(b)", kind)))
        columns = (("one", result), ("two", result)) if "max" in call else (("b", kind), ("one", result), ("two", result))
        return Block(f"SELECT * FROM {inner} PIVOT ({call} FOR a IN (1 AS one, 2 AS two))", columns)

    def _set_operation(self, depth: int) -> Block:
        kinds = [self.pick.choice(SET_KINDS) for _ in range(self.pick.randint(1, 3))]
        operands = [self._branch(kinds, depth) for _ in range(self.pick.choice((2, 2, 2, 3)))]
        if self.pick.random() < 0.15:
            self._uses("UNION BY NAME")
            return Block(f"{operands[0]} UNION ALL BY NAME {operands[1]}", tuple((f"c{place}", kind) for place, kind in enumerate(kinds)))
        if self.pick.random() < 0.15:
            operands[-1] = f"({operands[-1]} ORDER BY ALL LIMIT 3)"
        sql = operands[0]
        for operand in operands[1:]:
            word = self.pick.choice(SET_OPERATORS)
            self._uses(word)
            sql = f"({sql}) {word} ({operand})" if self.pick.random() < 0.3 else f"{sql} {word} {operand}"
        return Block(sql, tuple((f"c{place}", kind) for place, kind in enumerate(kinds)))

    def _branch(self, kinds: list[str], depth: int) -> str:
        joined = self.relations.from_list(depth - 1, self.ctes)
        items = []
        for kind in kinds:
            column = self.expressions.column(joined.visible, kind)
            items.append(column.sql if column and self.pick.random() < 0.9 else self.expressions.literal(kind))
        listed = ", ".join(f"{sql} AS c{place}" for place, sql in enumerate(items))
        group = ""
        if self.pick.random() < 0.15 and kinds[-1] == "int":
            listed = ", ".join([*(f"{sql} AS c{place}" for place, sql in enumerate(items[:-1])), f"count(*) AS c{len(items) - 1}"])
            group = " GROUP BY ALL" if items[:-1] else ""
        return f"SELECT {listed} FROM {joined.sql}{self._where(joined, depth)}{group}"

    def _select(self, items: Sequence[tuple[str, str]], source: str, tail: str) -> Block:
        listed = ", ".join(f"{sql} AS c{place}" for place, (sql, _) in enumerate(items))
        return Block(f"SELECT {listed} FROM {source}{tail}", tuple((f"c{place}", kind) for place, (_, kind) in enumerate(items)))

    def _where(self, joined: Joined, depth: int) -> str:
        terms = [*joined.terms]
        terms += [self.expressions.condition(joined.visible, 1) for _ in range(self.pick.choice((0, 0, 0, 0, 1, 1, 2)))]
        if depth and self.pick.random() < 0.25:
            terms.append(self.subqueries.condition(joined.visible, self.ctes))
        return f" WHERE {' AND '.join(terms)}" if terms else ""

    def _finished(self, block: Block, *, top: bool) -> Block:
        """With ORDER BY and LIMIT or without. The order is of all columns, so that what LIMIT leaves is determined."""
        pick = self.pick
        if pick.random() > (0.4 if top else 0.2) or any(kind == INEXACT for _, kind in block.columns):
            return block
        order = pick.choice(("ALL", "places", "names"))
        terms = [str(place + 1) if order == "places" else quote_name(name) for place, (name, _) in enumerate(block.columns)]
        pick.shuffle(terms)
        listed = ", ".join(term + pick.choice(("", "", " DESC", " NULLS FIRST")) for term in terms)
        self._uses("ORDER BY")
        sql = f"{block.sql} ORDER BY {'ALL' if order == 'ALL' else listed}"
        if pick.random() < 0.6 or not top:
            self._uses("LIMIT")
            sql += f" LIMIT {pick.choice((0, 1, 3, 10, 10, 10, 100, 1000))}{pick.choice(('', '', '', ' OFFSET 2', ' OFFSET 5'))}"
        return Block(sql, block.columns, True)


def _columns(visible: Sequence[Visible]) -> tuple[tuple[str, str], ...]:
    return tuple((column.label, column.kind) for column in visible)
