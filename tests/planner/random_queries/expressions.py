"""Expressions over what is visible: literals, conditions and values of one row, by their kind."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

INEXACT = "inexact"
"""The kind of values whose last digits hang on the order of additions: they are shown, and nothing else is done with them."""
RATIO = "ratio"
"""Doubles that are the same in any order, but whose sums are not."""
ORDERED_KINDS = ("int", "decimal", "float", "text", "date", "time", "timestamp", "timestamptz")
LITERALS = {
    "int": ("0", "1", "1", "2", "5", "7", "-3"),
    "decimal": ("0", "1.0", "0.5", "1.50", "-0.3"),
    "float": ("0.25::DOUBLE", "1.0::DOUBLE", "'nan'::DOUBLE", "'inf'::DOUBLE", "-2.5::DOUBLE"),
    RATIO: ("1.0::DOUBLE", "0.0::DOUBLE", "2.0::DOUBLE"),
    "text": ("'a'", "'A'", "''", "'Rome'", "'it''s'", "'日本'"),
    "bool": ("true", "false"),
    "date": ("DATE '2024-01-01'", "DATE '2024-01-03'", "DATE '1914-06-28'"),
    "time": ("TIME '10:00:00'", "TIME '23:59:00'"),
    "timestamp": ("TIMESTAMP '2024-01-01 01:00:00'", "TIMESTAMP '2024-01-02 00:00:00'"),
    "timestamptz": ("TIMESTAMPTZ '2024-06-01 01:00:00+00'", "TIMESTAMPTZ '2024-06-01 03:00:00+02'"),
    "blob": ("'ab'::BLOB", "''::BLOB"),
    "uuid": ("'00000000-0000-0000-0000-000000000001'::UUID",),
    "list": ("[1, 2]", "[1, NULL]", "[]::INTEGER[]"),
    "struct": ("struct_pack(a := 1, b := 'x')",),
    "interval": ("INTERVAL 2 DAY", "INTERVAL 0 DAY"),
    "enum": ("'a'::ENUM ('Rome', 'a', 'b')", "'Rome'::ENUM ('Rome', 'a', 'b')"),
    "bits": ("1::UTINYINT::BIT", "5::UTINYINT::BIT"),
    INEXACT: ("0.0::DOUBLE",),
}


@dataclass(frozen=True, slots=True)
class Visible:
    """A value that an expression may use: how SQL calls it, its kind, and the name of the column that it is."""

    sql: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Expressions:
    """Makes random expressions of columns. What it makes has the same value for a row wherever it is evaluated, and does not fail."""

    pick: random.Random

    def column(self, columns: Sequence[Visible], *kinds: str) -> Visible | None:
        """A column of one of the kinds (none: of any that can be compared), if there is one."""
        fitting = [column for column in columns if (column.kind in kinds if kinds else column.kind != INEXACT)]
        return self.pick.choice(fitting) if fitting else None

    def condition(self, columns: Sequence[Visible], depth: int = 2) -> str:
        """Something to stand in WHERE: it holds for some of the rows, mostly."""
        pick = self.pick
        if depth and pick.random() < 0.3:
            left, right = self.condition(columns, depth - 1), self.condition(columns, depth - 1)
            return pick.choice((f"({left} OR {right})", f"({left} AND {right})", f"NOT ({left})", f"({left}) IS NOT TRUE"))
        column = self.column(columns)
        if column is None:
            return pick.choice(("true", "1 = 1", "NULL IS NULL"))
        name, one, two = column.sql, self.literal(column.kind), self.literal(column.kind)
        forms = [f"{name} IS NOT NULL", f"{name} IS DISTINCT FROM {one}", f"{name} <> {one}", f"coalesce({name} <> {one}, true)"]
        forms += [f"{name} NOT IN ({one}, {two})", f"({name} = {one} OR {name} IS NULL)", f"({name} = {one}) IS NOT TRUE"]
        if pick.random() < 0.3:
            forms = [f"{name} IS NULL", f"{name} = {one}", f"{name} IN ({one}, {two})", f"{name} IN ({one}, NULL)"]
            forms += [f"{name} NOT IN ({one}, NULL)", f"{name} = NULL"]
        if column.kind in ORDERED_KINDS:
            forms += [f"{name} {pick.choice(('<', '<=', '>', '>='))} {one}"] * 3 + [f"{name} NOT BETWEEN {one} AND {two}"]
        if column.kind == "text":
            forms += [f"{name} LIKE '{pick.choice(('a%', '%o%', '_', '%ä%'))}'", f"length({name}) > 1", f"{name} ILIKE 'R%'"]
        if column.kind == "bool":
            forms += [name, f"NOT {name}"]
        if column.kind == "list":
            forms += [f"list_contains({name}, 1)", f"len({name}) > 1"]
        other = self.column([other for other in columns if other is not column], column.kind)
        if other is not None:
            forms += [f"{name} = {other.sql}", f"{name} IS DISTINCT FROM {other.sql}"]
        return pick.choice(forms)

    def literal(self, kind: str) -> str:
        """A value of a kind, as SQL."""
        return self.pick.choice(LITERALS[kind])

    def value(self, columns: Sequence[Visible], depth: int = 1) -> tuple[str, str]:
        """An expression and its kind."""
        pick = self.pick
        column = self.column(columns)
        if column is None:
            kind = pick.choice(("int", "text"))
            return self.literal(kind), kind
        if depth == 0 or pick.random() < 0.55:
            return column.sql, column.kind
        name, kind = column.sql, column.kind
        other = self.column([other for other in columns if other is not column], kind)
        forms = [(f"CASE WHEN {self.condition(columns, 1)} THEN {name} END", kind), (f"({name} IS NULL)", "bool")]
        forms += [(f"coalesce({name}, {self.literal(kind)})", kind), (f"nullif({name}, {self.literal(kind)})", kind)]
        if other is not None:
            forms += [(f"coalesce({name}, {other.sql})", kind), (f"({name} = {other.sql})", "bool")]
            if kind in ORDERED_KINDS:
                forms += [(f"greatest({name}, {other.sql})", kind), (f"least({name}, {other.sql})", kind)]
        match kind:
            case "int":
                forms += [(f"({name} % 3)", "int"), (f"({name} % 100 + 1)", "int"), (f"({name} % 10) * 2", "int")]
                forms += [(f"{name}::VARCHAR", "text"), (f"(({name} % 8) / 4.0)::DOUBLE", "float"), (f"({name} % 5)::HUGEINT", "int")]
                forms += [(f"abs({name} % 5)::UHUGEINT", "int"), (f"abs({name} % 7)::UTINYINT::BIT", "bits")]
            case "decimal":
                forms += [(f"({name} + 1)", "decimal"), (f"round({name}, 0)", "decimal"), (f"{name}::VARCHAR", "text")]
            case "float":
                forms += [(f"({name} * 2)", "float"), (f"isnan({name})", "bool"), (f"-{name}", RATIO)]
            case "text":
                forms += [(f"upper({name})", "text"), (f"length({name})", "int"), (f"{name} || 'x'", "text"), (f"{name}[1]", "text")]
                forms += [(f"try_cast({name} AS ENUM ('Rome', 'a', 'b'))", "enum")]
            case "bool":
                forms += [(f"NOT {name}", "bool"), (f"{name}::INTEGER", "int")]
            case "date":
                forms += [(f"year({name})", "int"), (f"({name} + 1)", "date"), (f"date_trunc('month', {name})", "timestamp")]
            case "timestamp" | "timestamptz":
                forms += [(f"date_trunc('day', {name})", kind), (f"hour({name})", "int"), (f"{name}::DATE", "date")]
            case "time":
                forms += [(f"hour({name})", "int")]
            case "list":
                forms += [(f"len({name})", "int"), (f"{name}[1]", "int"), (f"list_concat({name}, [1])", "list")]
            case "struct":
                forms += [(f"struct_extract({name}, 'a')", "int"), (f"struct_extract({name}, 'b')", "text")]
            case "blob" | "uuid" | "interval" | "enum" | "bits":
                forms += [(f"{name}::VARCHAR", "text")]
        return pick.choice(forms)

    def total_order(self, columns: Sequence[Visible]) -> str:
        """An ORDER BY of all columns: rows that it does not tell apart are equal."""
        pick = self.pick
        terms = [column.sql + pick.choice(("", "", " DESC", " NULLS FIRST", " DESC NULLS LAST")) for column in columns]
        pick.shuffle(terms)
        return ", ".join(terms)
