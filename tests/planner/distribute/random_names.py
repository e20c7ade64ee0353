"""Random statements out of few words, most of which mean something in several ways."""

from __future__ import annotations

import random
from collections.abc import Sequence

COLUMNS = {
    "t": ["a", "b", "k", "s STRUCT(a INTEGER, x INTEGER)"],
    "u": ["a", "c", "k", "t STRUCT(a INTEGER, b INTEGER)"],
    "w": ["x", "b", "k"],
    "two": ["a", "b", "k"],
    "lists": ["x", "c", "l INTEGER[]"],
}
_NAMES = ("a", "b", "k", "c", "x", "z")
_ALIASES = ("t", "u", "w", "q", "a", "s", "c", "o", "p")


class Statements:
    """``tables`` are those that FROM may name, CTEs too, with the columns that they may have. ``shown`` are those of the last SELECT."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.shown: list[str] = []
        self.tables: dict[str, Sequence[str]] = {
            name: [column.partition(" ")[0] for column in columns] for name, columns in COLUMNS.items()
        }

    def chance(self, probability: float) -> bool:
        return self.pick.random() < probability

    def statement(self) -> str:
        return self.query(())

    def query(self, outer: Sequence[str], depth: int = 0, columns: int | None = None) -> str:
        """``outer`` are names of the blocks around that may be used."""
        before = dict(self.tables)
        with_ctes = ""
        if depth < 2 and self.chance(0.15):
            name = self.pick.choice(("c", "t", "v", "r"))
            listed = f"({', '.join(self.pick.sample(_NAMES, 2))})" if self.chance(0.3) else ""
            recursive = self.chance(0.2)
            body = self.query(outer, depth + 1, columns=2)
            if recursive:
                body = f"SELECT a, b FROM t UNION ALL SELECT {self.pick.choice(_NAMES)}, 1 FROM {name} WHERE {self.pick.choice(_NAMES)} < 3"
            with_ctes = f"WITH {'RECURSIVE ' if recursive else ''}{name}{listed} AS ({body}) "
            self.tables[name] = listed.strip("()").split(", ") if listed else self.shown
        body = self.select(outer, depth, columns)
        shown = self.shown
        if self.chance(0.08):
            body = f"{body} {self.pick.choice(('UNION ALL', 'UNION', 'EXCEPT'))} {self.select(outer, depth, columns)}"
        self.tables, self.shown = before, shown
        return with_ctes + body

    def select(self, outer: Sequence[str], depth: int, columns: int | None) -> str:
        froms, names = self.from_list(outer, depth)
        inside = (*names, *outer[:6])
        grouped = self.chance(0.25)
        wanted = columns or self.pick.randint(1, 3)
        keys = list({name.rpartition(".")[2]: name for name in (self.name(inside), self.name(inside))}.values())
        items = []
        for _ in range(wanted):
            if grouped:
                item = self.pick.choice(keys) if self.chance(0.6) else f"{self.pick.choice(('sum', 'max'))}({self.name(inside)})"
            elif columns is None and self.chance(0.12):
                item = self.pick.choice(("*", f"{self.pick.choice(froms[1])}.*", f"* EXCLUDE ({self.pick.choice(_NAMES)})"))
            else:
                item = self.expression(inside, depth)
            aliased = "*" not in item and self.chance(0.35)
            items.append(f"{item} AS {self.pick.choice(_NAMES)}" if aliased else item)
        aliases = [item.rpartition(" AS ")[2] for item in items if " AS " in item]
        for place, key in enumerate(keys):
            renamed = [alias for item, alias in zip(items, aliases, strict=False) if item == f"{key} AS {alias}"]
            if renamed and self.chance(0.4):
                keys[place] = renamed[0]
        shown = [name for item in items for name in self.names_of(item, names)]
        sql = f"SELECT {self.distinct(inside)}{', '.join(items)} FROM {froms[0]}"
        if self.chance(0.4):
            sql += f" WHERE {self.condition((*inside, *aliases), depth)}"
        if grouped:
            sql += f" GROUP BY {self.groups(keys)}"
            if self.chance(0.4):
                sql += f" HAVING {self.pick.choice([*keys, *aliases, f'sum({self.name(inside)})'])} > 1"
        elif self.chance(0.1):
            sql += f" QUALIFY row_number() OVER (ORDER BY {self.name(inside)}) < 3 AND {self.condition((*inside, *aliases), depth)}"
        if columns is None and self.chance(0.35) and "UNION" not in sql:
            order = self.pick.choice([*keys, *aliases, self.expression((*inside, *aliases), depth), "1"])
            sql += f" ORDER BY {order}"
        self.shown = shown
        return sql

    def names_of(self, item: str, names: Sequence[str]) -> list[str]:
        """The names of an item's columns, more or less."""
        if "*" in item:
            return [name.rpartition(".")[2] for name in names]
        last = item.rpartition(" ")[2].rpartition(".")[2]
        return [last] if last.isidentifier() else []

    def distinct(self, names: Sequence[str]) -> str:
        if self.chance(0.05):
            return f"DISTINCT ON ({self.name(names)}) "
        return "DISTINCT " if self.chance(0.05) else ""

    def groups(self, keys: Sequence[str]) -> str:
        listed = ", ".join(keys)
        return self.pick.choice((listed, listed, listed, f"ROLLUP ({listed})", "ALL"))

    def from_list(self, outer: Sequence[str], depth: int) -> tuple[tuple[str, list[str]], list[str]]:
        """A FROM list and the aliases in it, and names that may be used."""
        names: list[str] = []
        aliases: list[str] = []
        items = []
        for _ in range(self.pick.choice((1, 1, 1, 2, 2, 3))):
            items.append(self.item(names, aliases, outer, depth))
        return (", ".join(items), aliases), names

    def item(self, names: list[str], aliases: list[str], outer: Sequence[str], depth: int) -> str:
        start = len(names)
        sql = self.relation(names, aliases, outer, depth)
        while self.chance(0.3):
            kind = self.pick.choice(("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN", "NATURAL JOIN"))
            left = {name.rpartition(".")[2] for name in names[start:]}
            middle = len(names)
            right = self.relation(names, aliases, outer, depth)
            common = sorted(left & {name.rpartition(".")[2] for name in names[middle:]})
            if self.chance(0.1):
                right = f"({right} JOIN {self.relation(names, aliases, outer, depth)} ON {self.condition(names, depth)})"
                right += f" AS {self.pick.choice(_ALIASES)}" if self.chance(0.3) else ""
            sql += f" {kind} {right}"
            if "NATURAL" not in kind:
                using = common and self.chance(0.5)
                sql += f" USING ({self.pick.choice(common)})" if using else f" ON {self.condition(names, depth)}"
        return sql

    def relation(self, names: list[str], aliases: list[str], outer: Sequence[str], depth: int) -> str:
        if depth < 2 and self.chance(0.2):
            alias = self.alias(aliases)
            lateral = self.chance(0.4)
            around = (*names, *outer) if lateral else outer
            sql = f"{'LATERAL ' if lateral else ''}({self.query(around, depth + 1, self.pick.choice((None, 2)))})"
            listed = f"({', '.join(self.pick.sample(_NAMES, 2))})" if self.chance(0.2) else ""
            sql += f" AS {alias}{listed}"
            columns: Sequence[str] = (*listed.strip("()").split(", "), *self.shown[2:]) if listed else self.shown
        elif self.chance(0.08):
            alias = self.alias(aliases)
            sql = self.pick.choice((f"range(3) AS {alias}", f"(VALUES (1, 2)) AS {alias}(a, x)", f"unnest([1, 2]) AS {alias}(k)"))
            columns = (alias, "a", "x", "k")
        else:
            table = self.pick.choice(list(self.tables))
            alias = self.alias(aliases) if table in aliases or self.chance(0.4) else table
            renamed = f"({', '.join(self.pick.sample(_NAMES, 2))})" if alias != table and self.chance(0.1) else ""
            sql = table if alias == table else f"{table} AS {alias}{renamed}"
            columns = self.tables[table]
        aliases.append(alias)
        names += [f"{alias}.{column}" for column in columns]
        return sql

    def alias(self, used: Sequence[str]) -> str:
        """An alias, seldom one that FROM has already."""
        free = [alias for alias in _ALIASES if alias not in used]
        return self.pick.choice(free if free and self.chance(0.97) else _ALIASES)

    def name(self, names: Sequence[str]) -> str:
        if not names or self.chance(0.06):
            return self.pick.choice(("s.a", "t.a", "t.s.x", "t.t.a", *_NAMES))
        name = self.pick.choice(names)
        last = name.rpartition(".")[2]
        alone = sum(other.rpartition(".")[2] == last for other in names) == 1
        return last if self.chance(0.6 if alone else 0.05) else name

    def expression(self, names: Sequence[str], depth: int) -> str:
        pick = self.pick.random()
        if pick < 0.7:
            return self.name(names)
        if pick < 0.8:
            return f"{self.name(names)} + {self.name(names)}"
        if pick < 0.85:
            return f"sum({self.name(names)}) OVER (PARTITION BY {self.name(names)} ORDER BY {self.name(names)})"
        if pick < 0.9:
            parameter = self.pick.choice(_NAMES)
            return f"list_sum(list_transform([1], lambda {parameter}: {parameter} + {self.name(names)}))"
        if depth < 2:
            return f"(SELECT max({self.name(names)}) FROM {self.subquery_tail(names, depth)})"
        return "1"

    def subquery_tail(self, names: Sequence[str], depth: int) -> str:
        (froms, _), inner = self.from_list(names, depth + 1)
        return f"{froms} WHERE {self.condition((*inner, *names[:8]), depth + 1)}"

    def condition(self, names: Sequence[str], depth: int) -> str:
        pick = self.pick.random()
        if pick < 0.75 or depth >= 2:
            return f"{self.name(names)} = {self.name(names)}"
        if pick < 0.85:
            return f"{'NOT ' if self.chance(0.3) else ''}EXISTS (SELECT 1 FROM {self.subquery_tail(names, depth)})"
        if pick < 0.93:
            return f"{self.name(names)} IN ({self.query(names, depth + 1, 1)})"
        return f"({self.condition(names, depth)} AND {self.condition(names, depth)})"
