"""Rows as box-drawn tables for the terminal: types under the names, NULL distinct, numbers to the right, as wide as fits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal

import pyarrow as pa
import pyarrow.types as pt
from rich.box import ROUNDED, Box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flight_server.client.text_columns import as_text, is_number
from flight_server.client.uncut_tables import UncutColumn, record_text, table_text

MAX_CELL_CHARS = 2_000
MIN_TEXT_CELLS = 12
MAX_NUMBER_CELLS = 40
GAP_CELLS = 3  # a column's border and padding
UNCUT_CELLS = 100_000
"""A console so wide cuts nothing."""
ROWS_PER_TABLE = 1_000
NULL = "NULL"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TYPE_NAMES = {
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "uint8": "utinyint",
    "uint16": "usmallint",
    "uint32": "uinteger",
    "uint64": "ubigint",
    "float": "float",
    "double": "double",
    "string": "varchar",
    "large_string": "varchar",
    "string_view": "varchar",
    "bool": "boolean",
    "binary": "blob",
    "date32[day]": "date",
    "month_day_nano_interval": "interval",
    "null": "null",
}


@dataclass(frozen=True, slots=True)
class TableStyle:
    """How a table is drawn, and what is said where not all of its columns fit."""

    null: str = NULL
    box: Box | None = ROUNDED
    too_wide: str = "widen the terminal, or use --format json"


PLAIN_STYLE = TableStyle()


@dataclass(frozen=True, slots=True)
class Cells:
    """A column ready to be shown: its name, its type in SQL's words, and its values as text (None for NULL)."""

    name: str
    type: str
    right: bool
    values: tuple[str | None, ...]


def cells_of(table: pa.Table) -> list[Cells]:
    """The columns of ``table`` as text. Meant for what fits on a screen, not for whole results."""
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        values = [value for chunk in column.chunks for value in as_text(chunk).to_pylist()]
        shown = tuple(None if value is None else printable(value) for value in values)
        columns.append(Cells(printable(field.name), type_name(field.type), is_number(field.type), shown))
    return columns


def printable(text: str) -> str:
    """``text`` on one line, with nothing in it that a terminal obeys."""
    if len(text) > MAX_CELL_CHARS:
        text = text[: MAX_CELL_CHARS - 1] + "…"
    return _CONTROL.sub(lambda found: _ESCAPES.get(found[0]) or f"\\x{ord(found[0]):02x}", text)


def type_name(kind: pa.DataType) -> str:
    """An Arrow type in SQL's words: ``bigint``, ``decimal(15,2)``, ``integer[]``, ``struct(a integer)``."""
    if isinstance(kind, pa.BaseExtensionType):
        return str(getattr(kind, "type_name", kind.extension_name.rpartition(".")[2]))
    if pt.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pt.is_timestamp(kind):
        unit = {"s": "_s", "ms": "_ms", "ns": "_ns"}.get(kind.unit, "")
        return f"timestamp{unit}" if kind.tz is None else "timestamp with time zone"
    if pt.is_time(kind):
        return "time"
    if pt.is_dictionary(kind):
        return "enum"
    if pt.is_fixed_size_list(kind):
        return f"{type_name(kind.value_type)}[{kind.list_size}]"
    if pt.is_list(kind) or pt.is_large_list(kind):
        return f"{type_name(kind.value_type)}[]"
    if pt.is_map(kind):
        return f"map({type_name(kind.key_type)}, {type_name(kind.item_type)})"
    if pt.is_struct(kind):
        return "struct(" + ", ".join(f"{field.name} {type_name(field.type)}" for field in kind) + ")"
    if pt.is_union(kind):
        return "union"
    return _TYPE_NAMES.get(str(kind), str(kind))


def natural_width(columns: Sequence[Cells], types: bool = True, style: TableStyle = PLAIN_STYLE) -> int:
    """The width in which nothing of a table is cut."""
    return 1 + sum(_natural_cells(column, types, style.null) + GAP_CELLS for column in columns)


def uncut_table(columns: Sequence[Cells], *, types: bool = True, style: TableStyle = PLAIN_STYLE, colours: bool = False) -> str:
    """What :func:`print_table` prints where there is room for everything."""
    made = [UncutColumn(cells.name, cells.type if types else None, cells.right, cells.values, style.null, colours) for cells in columns]
    return table_text(made, style.box)


def uncut_record(columns: Sequence[Cells], first_row: int = 1, *, style: TableStyle = PLAIN_STYLE, colours: bool = False) -> str:
    """What :func:`print_record` prints."""
    rows = list(zip(*(column.values for column in columns), strict=True))
    return record_text([column.name for column in columns], rows, first_row, style.null, colours)


def print_table(console: Console, columns: Sequence[Cells], *, types: bool = True, style: TableStyle = PLAIN_STYLE) -> None:
    """Prints the columns side by side; those in the middle give way to a ``…`` where the console is too narrow for all."""
    if not console.is_terminal and natural_width(columns, types, style) <= console.width:
        console.file.write(uncut_table(columns, types=types, style=style))
        return
    wants = [_natural_cells(column, types, style.null) for column in columns]
    shown = _that_fit(columns, wants, console.width)
    widths = _widths(
        [wants[index] for index in shown], [_least(columns[index], wants[index]) for index in shown], console.width, len(columns)
    )
    table = Table(box=style.box, header_style="bold")
    gap = next((place for place, index in enumerate(shown) if index != place), len(shown)) if len(shown) < len(columns) else None
    for place, index in enumerate(shown):
        if place == gap:
            table.add_column("…", width=1)
        column = columns[index]
        header = Text(column.name)
        if types:
            header.append("\n" + column.type, style="dim not bold")
        justify: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(header, justify=justify, no_wrap=True, overflow="ellipsis", width=widths[place])
    for row in range(len(columns[0].values) if columns else 0):
        cells = [_cell(columns[index].values[row], style.null) for index in shown]
        if gap is not None:
            cells.insert(gap, Text("…", style="dim"))
        table.add_row(*cells)
    console.print(table)
    if len(shown) < len(columns):
        left_out = len(columns) - len(shown)
        console.print(Text(f"… {left_out} more column{'s' if left_out > 1 else ''}: {style.too_wide}", style="dim"))


def write_tables(batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO) -> int:
    """Writes all rows as tables of up to ``ROWS_PER_TABLE`` rows, nothing cut to a width: one that is wide enough for all would need
    to have seen all. Returns the rows.
    """
    rows = 0
    waiting: list[pa.RecordBatch] = []

    def write() -> None:
        table = pa.Table.from_batches(waiting, schema)
        sink.write(uncut_table(cells_of(table.slice(0, ROWS_PER_TABLE))).encode())
        waiting[:] = table.slice(ROWS_PER_TABLE).to_batches()

    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        while sum(part.num_rows for part in waiting) >= ROWS_PER_TABLE:
            write()
    if rows == 0 or any(part.num_rows for part in waiting):
        write()
    return rows


def print_record(console: Console, columns: Sequence[Cells], first_row: int = 1, style: TableStyle = PLAIN_STYLE) -> None:
    """Prints each row as a list of ``name │ value`` lines, for rows too wide to be a table."""
    if not console.is_terminal:
        console.file.write(uncut_record(columns, first_row, style=style))
        return
    width = max((cell_len(column.name) for column in columns), default=0)
    for row in range(len(columns[0].values) if columns else 0):
        console.print(Text(f"─ row {first_row + row} ".ljust(width + 12, "─"), style="dim"))
        for column in columns:
            line = Text(column.name + " " * (width - cell_len(column.name)), style="bold")
            console.print(line.append(" │ ", style="dim not bold").append_text(_cell(column.values[row], style.null)), soft_wrap=True)


def _cell(value: str | None, null: str) -> Text:
    return Text(null, style="dim italic") if value is None else Text(value)


def _natural_cells(column: Cells, types: bool, null: str) -> int:
    """The width at which nothing of the column is cut."""
    words = [column.name, null if None in column.values else "", *(value for value in column.values if value is not None)]
    return max(1, *map(cell_len, words), cell_len(column.type) if types else 0)


def _least(column: Cells, natural: int) -> int:
    """The width below which a column is better left out: half a number is a wrong number."""
    return min(natural, MAX_NUMBER_CELLS if column.right else MIN_TEXT_CELLS)


def _that_fit(columns: Sequence[Cells], wants: Sequence[int], width: int) -> list[int]:
    """Indexes of the columns that there is room for: all, or as many of the first and last as fit, at least one."""
    needs = [_least(column, want) + GAP_CELLS for column, want in zip(columns, wants, strict=True)]
    if sum(needs) + 1 <= width:
        return list(range(len(columns)))
    room = width - 1 - (1 + GAP_CELLS)
    left, right = 0, len(columns)
    while left < right:
        index = left if left <= len(columns) - right else right - 1
        if needs[index] > room and (left, right) != (0, len(columns)):
            break
        room -= needs[index]
        left, right = (left + 1, right) if index == left else (left, right - 1)
    return [*range(left), *range(right, len(columns))]


def _widths(wants: Sequence[int], least: Sequence[int], width: int, total: int) -> list[int]:
    """Each shown column's width: what it wants where there is room, otherwise an even share of what is left over its least."""
    spare = width - 1 - sum(least) - GAP_CELLS * len(wants) - (1 + GAP_CELLS if len(wants) < total else 0)
    widths = list(least)
    narrow = [index for index in range(len(wants)) if widths[index] < wants[index]]
    while spare > 0 and narrow:
        share = max(1, spare // len(narrow))
        for index in narrow[: spare // share]:
            given = min(share, wants[index] - widths[index])
            widths[index] += given
            spare -= given
        narrow = [index for index in narrow if widths[index] < wants[index]]
    return widths
