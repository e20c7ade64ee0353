"""Random tables as Parquet files: every type, NULLs, skew, duplicates, nothing at all, in one file or many, in key order or not."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from planner.quoting import quote_text
from tests.planner.memory_catalog import connect
from tests.planner.random_queries.compared_catalog import ComparedCatalog

SPECIAL_DOUBLES = (float("nan"), float("inf"), float("-inf"))
NAMES = (
    ("id", "int"), ("k", "int"), ("g", "int"), ("v", "int"), ("Group", "int"), ("name", "text"), ("city", "text"), ("two words", "text"),
    ("amount", "decimal"), ("price", "decimal"), ("x", "float"), ("y", "float"), ("flag", "bool"), ("d", "date"), ("t", "time"),
    ("at", "timestamp"), ("seen", "timestamptz"), ("order", "int"), ("Ärger", "text"), ("raw", "blob"), ("u", "uuid"), ("l", "list"),
    ("s", "struct"), ("span", "interval"),
)  # fmt: skip
"""Columns' names, each of one kind wherever it stands: so that tables have names in common that can be compared."""
TYPES = {
    "int": ("TINYINT", "SMALLINT", "INTEGER", "INTEGER", "BIGINT", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
    "decimal": ("DECIMAL(4,1)", "DECIMAL(9,2)", "DECIMAL(18,4)", "DECIMAL(38,6)"),
    "float": ("FLOAT", "DOUBLE", "DOUBLE"),
    "text": ("VARCHAR",),
    "bool": ("BOOLEAN",),
    "date": ("DATE",),
    "time": ("TIME",),
    "timestamp": ("TIMESTAMP",),
    "timestamptz": ("TIMESTAMP WITH TIME ZONE",),
    "blob": ("BLOB",),
    "uuid": ("UUID",),
    "list": ("INTEGER[]",),
    "struct": ("STRUCT(a INTEGER, b VARCHAR)",),
    "interval": ("INTERVAL",),
}
ARROW = {
    "TINYINT": pa.int8(), "SMALLINT": pa.int16(), "INTEGER": pa.int32(), "BIGINT": pa.int64(), "UTINYINT": pa.uint8(),
    "USMALLINT": pa.uint16(), "UINTEGER": pa.uint32(), "UBIGINT": pa.uint64(), "DECIMAL(4,1)": pa.decimal128(4, 1),
    "DECIMAL(9,2)": pa.decimal128(9, 2), "DECIMAL(18,4)": pa.decimal128(18, 4), "DECIMAL(38,6)": pa.decimal128(38, 6),
    "FLOAT": pa.float32(), "DOUBLE": pa.float64(), "VARCHAR": pa.string(), "BOOLEAN": pa.bool_(), "DATE": pa.date32(),
    "TIME": pa.time64("us"), "TIMESTAMP": pa.timestamp("us"), "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"), "BLOB": pa.binary(),
    "UUID": pa.uuid(), "INTEGER[]": pa.list_(pa.int32()),
    "STRUCT(a INTEGER, b VARCHAR)": pa.struct([("a", pa.int32()), ("b", pa.string())]),
    "INTERVAL": pa.month_day_nano_interval(),
}  # fmt: skip
WORDS = ("", "a", "A", "b", "ab", "Rome", "rome", "Łódź", "日本", "🙂", "it's", "100%", 'q"q', "ä", "z" * 40)
MOST_ROW_GROUPS = 30
SHARED_DOMAIN = (0, 1, 1, 1, 2, 3, 4, 5, 7, 9)
"""Integers that most key columns draw from: few, so that joins find partners, and the 1 more often than the others."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a random table: ``kind`` says what it can be compared with."""

    name: str
    kind: str
    type: str


@dataclass(frozen=True, slots=True)
class RandomTable:
    """A table, as the maker of queries knows it."""

    name: str
    fields: tuple[Field, ...]
    rows: int
    layout: str


class Lake(ComparedCatalog):
    """A folder of random tables."""

    def __init__(self, root: Path, seed: int) -> None:
        self.made = _TableMaker(random.Random(seed), root).tables()
        super().__init__(root)


class _TableMaker:
    def __init__(self, pick: random.Random, root: Path) -> None:
        self.pick = pick
        self.root = root
        self.usual = {name: pick.choice(TYPES[kind]) for name, kind in NAMES}
        """The type of a column in most tables: what divides two tables is of one type in both."""

    def tables(self) -> tuple[RandomTable, ...]:
        names = self.pick.sample(["a", "b", "orders", "People", "select", "two tables", "Straße", "t"], 5)
        shapes: list[tuple[int, str]] = [(self.pick.choice((0, 1)), "one file")]
        shapes += [(self.pick.randint(2, 12), self.pick.choice(("one file", "files", "groups")))]
        shapes += [
            (self.pick.randint(15, 60), layout)
            for layout in self.pick.sample(("groups", "files", "ordered", "ordered", "ordered files", "hive"), 3)
        ]
        if self.pick.random() < 0.3:
            shapes[2] = (self.pick.randint(150, 400), shapes[2][1])
        return tuple(self.table(name, rows, layout) for name, (rows, layout) in zip(names, shapes, strict=True))

    def table(self, name: str, rows: int, layout: str) -> RandomTable:
        pick = self.pick
        chosen = [NAMES[0], NAMES[1], *pick.sample(NAMES[2:], pick.randint(3, 8))]
        pick.shuffle(chosen)
        spans = any(kind == "interval" for _, kind in chosen)
        if spans:
            layout = "files"
        fields = tuple(Field(label, kind, self.usual[label] if pick.random() < 0.7 else pick.choice(TYPES[kind])) for label, kind in chosen)
        columns = {field.name: self.column(field, rows) for field in fields}
        if layout in ("ordered", "ordered files"):
            key = pick.choice(("id", "k"))
            order = sorted(range(rows), key=lambda row: (columns[key][row] is None, columns[key][row] or 0))
            columns = {label: [values[row] for row in order] for label, values in columns.items()}
        data = pa.table([pa.array(columns[field.name], ARROW[field.type]) for field in fields], names=[field.name for field in fields])
        if layout == "hive":
            part = Field("part", "int", "BIGINT")
            fields = (*fields, part)
            for value in range(pick.randint(1, 4)):
                self.write(
                    data.filter(pa.array([row % 4 == value for row in range(rows)], pa.bool_())), self.root / name / f"part={value}", spans
                )
        elif layout in ("files", "ordered files"):
            cuts = sorted({0, rows, *(pick.randint(0, rows) for _ in range(pick.randint(1, 4)))})
            if len(cuts) == 1:
                cuts = [0, rows]
            for number, (start, stop) in enumerate(itertools.pairwise(cuts)):
                self.write(data.slice(start, stop - start), self.root / name, spans, f"part-{number}")
            if pick.random() < 0.3:
                self.write(data.slice(0, 0), self.root / name, spans, "part-x-empty")
        else:
            self.write(data, self.root, spans, name)
        return RandomTable(name, fields, rows, layout)

    def write(self, data: pa.Table, folder: Path, by_kernel: bool, name: str = "part") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.parquet"
        if by_kernel:  # pyarrow writes no intervals, and the kernel no small row groups
            connection = connect()
            connection.register("data", data)
            connection.execute(f"COPY (SELECT * FROM data) TO {quote_text(str(path))} (FORMAT parquet)")
        else:
            pq.write_table(data, path, row_group_size=max(len(data) // MOST_ROW_GROUPS, self.pick.choice((1, 3, 5, 10, 50))))

    def column(self, field: Field, rows: int) -> list[Any]:
        value = self.maker(field, rows)
        most = 0.8 if field.name == "k" else 1.0 if field.name != "id" and self.pick.random() < 0.2 else 0.1
        nulls = self.pick.choice((0.0, 0.0, 0.1, 0.3, most))
        if field.name == "id" and self.pick.random() < 0.6:  # a key: each value once
            return list(range(rows)) if rows < 120 or "TINY" not in field.type else [row % 120 for row in range(rows)]
        return [None if self.pick.random() < nulls else value() for _ in range(rows)]

    def maker(self, field: Field, rows: int) -> Callable[[], Any]:
        pick = self.pick
        match field.kind:
            case "int":
                large = field.type in ("BIGINT", "UBIGINT") and field.name in ("v", "g") and pick.random() < 0.4
                if large:
                    return lambda: pick.choice((0, 1, 2**62, 2**63 - 1, 17))
                signed = not field.type.startswith("U")
                if field.name in ("k", "g") and rows < 40 and pick.random() < 0.3:  # most rows have one key
                    return lambda: 1 if pick.random() < 0.6 else pick.choice(SHARED_DOMAIN)
                if field.name in ("id", "k", "g") or pick.random() < 0.5:
                    return lambda: pick.choice(SHARED_DOMAIN)
                return lambda: pick.randint(-50 if signed else 0, 50)
            case "decimal":
                scale = int(field.type[-2])
                return lambda: Decimal(pick.choice((0, 1, 1, 2, 5, -3, 150, 99))).scaleb(-min(scale, pick.randint(0, 2)))
            case "float":
                special = pick.random() < 0.5
                return lambda: (
                    pick.choice(SPECIAL_DOUBLES) if special and pick.random() < 0.1 else pick.choice((0.0, 0.25, 0.5, 1.0, 1.0, -2.5, 7.0))
                )
            case "text":
                few = pick.sample(WORDS, pick.randint(1, len(WORDS)))
                return lambda: pick.choice(few)
            case "bool":
                return lambda: pick.random() < 0.5
            case "date":
                return lambda: dt.date(2024, 1, 1) + dt.timedelta(days=pick.choice((0, 0, 1, 2, 30, 31, 365, -40000)))
            case "time":
                return lambda: dt.time(pick.choice((0, 10, 23)), pick.choice((0, 59)), 0, pick.choice((0, 999999)))
            case "timestamp":
                return lambda: dt.datetime(2024, 1, 1) + dt.timedelta(hours=pick.choice((0, 1, 1, 5, 24, 25, 1000)))
            case "timestamptz":
                return lambda: dt.datetime(2024, 6, 1, tzinfo=dt.UTC) + dt.timedelta(hours=pick.choice((0, 1, 1, 5, 24, 1000)))
            case "blob":
                return lambda: pick.choice((b"", b"\x00", b"ab", b"\xff\xfe"))
            case "uuid":
                return lambda: uuid.UUID(int=pick.choice((0, 1, 2, 2**127, 2**128 - 1))).bytes
            case "list":
                return lambda: [pick.choice((1, 2, None)) for _ in range(pick.randint(0, 3))]
            case "struct":
                return lambda: {"a": pick.choice((1, 2, None)), "b": pick.choice(("x", "ä", None))}
            case _:
                return lambda: pa.MonthDayNano([0, pick.choice((0, 1, 2, 40)), 0])
