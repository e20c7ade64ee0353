"""Random joins of few small tables, some written in the order of their key: often, rows of one matter only with keys of another."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

TABLES = {"f": ("k", "j", "v"), "g": ("k", "j", "v"), "s": ("k", "j", "y"), "u": ("k", "j", "y")}
"""Their columns: keys, and what conditions or aggregates ask for. ``f`` and ``g`` are in the order of ``k``."""
JOINS = ("JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", ",")


def write_tables(root: Path) -> None:
    """Small row groups, NULLs, keys that are in one table alone, and some that are there often."""
    pick = random.Random(7)

    def values(rows: int, most: int) -> list[int | None]:
        return [None if pick.random() < 0.1 else pick.randint(0, most) for _ in range(rows)]

    for name, rows in (("f", 60), ("g", 40), ("s", 14), ("u", 9)):
        columns = {column: values(rows, 4 if column == "y" else 30) for column in TABLES[name]}
        if "v" in columns:
            columns["k"].sort(key=lambda key: (key is None, key or 0))
        data = pa.table({column: pa.array(found, pa.int64()) for column, found in columns.items()})
        pq.write_table(data, root / f"{name}.parquet", row_group_size=3)


@dataclass
class JoinMaker:
    """Makes queries from a seed. Each gives one row: counts and sums over all columns of what is joined."""

    pick: random.Random
    seen: list[str] = field(default_factory=list)
    """The tables in FROM, by the aliases ``a0``, ``a1`` …"""

    def query(self) -> str:
        """The next query."""
        self.seen = []
        source = self._relation()
        for _ in range(self.pick.choice((1, 1, 2, 2, 3))):
            source = self._joined(source)
        visible = range(len(self.seen))
        asked = [f"count(a{place}.k), sum(a{place}.k), sum(a{place}.{TABLES[self.seen[place]][2]})" for place in visible]
        terms = [self._term() for _ in range(self.pick.choice((0, 1, 1, 2, 3)))]
        where = f" WHERE {' AND '.join(terms)}" if terms else ""
        return f"SELECT count(*), {', '.join(asked)} FROM {source}{where}"

    def _new(self) -> tuple[int, str]:
        name = self.pick.choice(tuple(TABLES))
        self.seen.append(name)
        return len(self.seen) - 1, name

    def _relation(self) -> str:
        place, name = self._new()
        if self.pick.random() < 0.25:
            return f"({self._subquery(name)}) AS a{place}"
        return f"{name} AS a{place}"

    def _subquery(self, name: str) -> str:
        last = TABLES[name][2]
        where = f" WHERE {self._selects(name, '')}" if self.pick.random() < 0.7 else ""
        return self.pick.choice((
            f"SELECT * FROM {name}{where}",
            f"SELECT DISTINCT k, j, {last} FROM {name}{where} ORDER BY 1",
            f"SELECT k, j, sum({last}) AS {last} FROM {name}{where} GROUP BY k, j",
            f"SELECT k, max(j) AS j, min({last}) AS {last} FROM {name}{where} GROUP BY k HAVING count(*) > 1",
            f"SELECT any_value(k ORDER BY k) AS k, j, max({last}) AS {last} FROM {name}{where} GROUP BY j",
            f"SELECT k, j, {last} FROM {name}{where} ORDER BY k DESC, j, {last} LIMIT 7",
            f"SELECT k, j, rank() OVER (ORDER BY k, j, {last}) AS {last} FROM {name}{where}",
            f"SELECT q.k, q.j, q.{last} FROM {name} AS q LEFT JOIN u AS w ON q.j = w.k{where.replace('WHERE ', 'WHERE q.')}",
        ))  # fmt: skip

    def _joined(self, left: str) -> str:
        kind, before = self.pick.choice(JOINS), len(self.seen)
        right = self._relation()
        if self.pick.random() < 0.3:
            inside = self._relation()
            on = self._equal(range(before, len(self.seen) - 1), [len(self.seen) - 1])
            right = f"({right} {self.pick.choice(JOINS[:-1])} {inside} ON {on})"
        if kind == ",":
            return f"{left} CROSS JOIN {right}"
        terms = [self._equal(range(before), range(before, len(self.seen)))]
        if self.pick.random() < 0.5:
            place = self.pick.randrange(len(self.seen))
            terms.append(self._selects(self.seen[place], f"a{place}."))
        return f"{left} {kind} {right} ON {' AND '.join(terms)}"

    def _equal(self, left: range | list[int], right: range | list[int]) -> str:
        one, other = self.pick.choice(list(left)), self.pick.choice(list(right))
        sides = [f"a{one}.{self.pick.choice('kkj')}", f"a{other}.{self.pick.choice('kkj')}"]
        self.pick.shuffle(sides)
        return " = ".join(sides)

    def _selects(self, name: str, prefix: str) -> str:
        column = TABLES[name][2]
        return f"{prefix}{column} {self.pick.choice(('=', '=', '<', '>'))} {self.pick.randint(0, 4 if column == 'y' else 30)}"

    def _term(self) -> str:
        pick = self.pick
        places = range(len(self.seen))
        place = pick.choice(places)
        drawn = pick.random()
        if drawn < 0.35:
            return self._selects(self.seen[place], f"a{place}.")
        if drawn < 0.5:
            return self._equal(places, places)
        if drawn < 0.55:
            return f"({self._equal(places, places)} OR {self._selects(self.seen[place], f'a{place}.')})"
        name, key, outer = pick.choice(tuple(TABLES)), pick.choice("kkj"), f"a{place}.{pick.choice('kkj')}"
        selects = f" AND {self._selects(name, 'i.')}" if pick.random() < 0.7 else ""
        correlated = f"i.{key} = {outer}{selects}"
        match pick.choice(("exists", "in", "scalar", "counted", "correlated in", "joined")):
            case "exists":
                term = f"EXISTS (SELECT 1 FROM {name} AS i WHERE {correlated})"
            case "joined":
                join = pick.choice(("LEFT JOIN", "JOIN", "RIGHT JOIN"))
                term = f"EXISTS (SELECT 1 FROM u AS h {join} {name} AS i ON i.k = h.k WHERE {correlated})"
            case "counted":
                term = f"EXISTS (SELECT count(*) FROM {name} AS i WHERE {correlated})"
            case "in":
                term = f"{outer} IN (SELECT i.{key} FROM ({self._subquery(name)}) AS i WHERE true{selects})"
            case "correlated in":
                term = f"a{place}.j IN (SELECT i.j FROM {name} AS i WHERE {correlated})"
            case _:
                term = f"coalesce((SELECT max(i.{TABLES[name][2]}) FROM {name} AS i WHERE {correlated}), 2) > 1"
        match pick.choice(("", "", "NOT", "inside")):
            case "NOT":
                return f"NOT ({term})"
            case "inside":
                return f"NOT {term}" if term.startswith("EXISTS") else term.replace(" IN (", " NOT IN (", 1)
            case _:
                return term
