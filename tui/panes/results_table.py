"""The table of a result: draws the rows that are in sight, whatever their number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import urwid

from tui import keys
from tui.draw import cells
from tui.draw.amounts import count
from tui.draw.canvas import Line, Segment, clip, draw, fit, width
from tui.link.row_source import RowSource

HEADER_ROWS = 2
MAX_COLUMN = 40  # columns on the screen of one column of the result, unless made wider by hand
MIN_COLUMN = 3
WHEEL_ROWS = 3


@dataclass
class _Column:
    """A column as it is drawn. ``whole``: a part of a value would be another one. ``chosen``: its width was set by hand."""

    name: str
    type: str
    number: bool
    whole: bool
    width: int
    chosen: bool = False


class ResultsTable(urwid.Widget):
    """Shows a :class:`RowSource`; ``act(action)`` is called for keys that are not about moving. Without it they are passed on."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(self, source: RowSource, act: Callable[[str], None] | None = None) -> None:
        super().__init__()
        self.source = source
        self.act = act
        self.row = 0
        self.column = 0
        self.top = 0
        self.left = 0
        self.search = ""
        self.sorted_by: tuple[str, bool] | None = None
        self.columns = [_column(field) for field in source.schema]
        self._body_rows = 20
        self._spans: list[tuple[int, int, int]] = []
        source.changed = self._invalidate

    # -- drawing --------------------------------------------------------------------------------------------------

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        columns, rows = size
        self._body_rows = max(1, rows - HEADER_ROWS)
        self._settle()
        data = self._data()
        self._fit_columns(data)
        gutter = max(3, len(count(max(1, self.source.rows)))) + 1
        room = columns - gutter - 1
        spans = self._visible_columns(room)
        if more := _more(self._hidden(spans)):
            spans = self._visible_columns(room - len(more))
        self._spans = [(number, start + gutter, span) for number, start, span in spans]
        lines: list[Line] = [*self._header(spans, gutter, columns, focus)]
        lines += [self._row(self.top + offset, data.get(self.top + offset), spans, gutter, focus) for offset in range(self._rows_shown())]
        return draw(self._with_scrollbar(lines, columns, rows), columns, rows)

    def _data(self) -> dict[int, list[tuple[str, bool]]]:
        """The texts of the rows in sight, by row number; each with whether it is NULL."""
        result: dict[int, list[tuple[str, bool]]] = {}
        for piece in self.source.window(self.top, self._body_rows):
            texts = [[(cells.one_line(v), v is None) for v in cells.values(column)] for column in piece.table.columns]
            for offset in range(piece.table.num_rows):
                result[piece.start + offset] = [column[offset] for column in texts]
        return result

    def _header(self, spans: list[tuple[int, int, int]], gutter: int, columns: int, focus: bool) -> list[Line]:
        """Names and types; at both ends, how many columns are out of sight there."""
        names: list[Segment] = [("header.here", fit(f"‹{self.left}" if self.left else "", gutter))]
        types: list[Segment] = [("header.type", fit("", gutter))]
        for number, _, span in spans:
            column = self.columns[number]
            arrow = "" if self.sorted_by is None or self.sorted_by[0] != column.name else " ▲" if self.sorted_by[1] else " ▼"
            here = focus and number == self.column
            names.append(("header.here" if here else "header", fit(column.name + arrow, span, right=column.number)))
            names.append(("header", "  "))
            types.append(("header.type", fit(column.type, span, right=column.number) + "  "))
        more = _more(self._hidden(spans))
        if not more:
            return [[*names, ("header", "")], [*types, ("header.type", "")]]
        room = max(0, columns - len(more) - 1)
        return [[*clip([*names, ("header", "")], room, "header"), ("header.here", more)], [*types, ("header.type", "")]]

    def _hidden(self, spans: list[tuple[int, int, int]]) -> int:
        """How many columns are out of sight at the right."""
        return len(self.columns) - spans[-1][0] - 1 if spans else 0

    def _row(
        self, number: int, texts: list[tuple[str, bool]] | None, spans: list[tuple[int, int, int]], gutter: int, focus: bool
    ) -> list[Segment]:
        here = number == self.row
        prefix = "row" if here else "cell"
        line: list[Segment] = [("gutter.here" if here else "gutter", fit(count(number + 1), gutter - 1, right=True) + " ")]
        if texts is None and number == self.top and self.source.error is not None:
            return [*line, ("error", f"these rows cannot be read: {self.source.error.message}")]
        if texts is None:
            return [*line, ("cell.loading", "·" * max(0, sum(span + 2 for _, _, span in spans) - 2))]
        for column_number, _, span in spans:
            column = self.columns[column_number]
            text, null = texts[column_number]
            kind = ".null" if null else ".number" if column.number else ""
            attribute = prefix + kind
            if self.search and not null and self.search in text.lower():
                attribute = "found"
            if here and focus and column_number == self.column:
                attribute = "here.null" if null else "here"
            line.append((attribute, fit(text, span, right=column.number)))
            line.append((prefix, "  "))
        return [*line, (prefix, "")]

    def _with_scrollbar(self, lines: list[Line], columns: int, rows: int) -> list[Line]:
        total, seen = self.source.rows, self._body_rows
        if total <= seen:
            return lines
        track = max(1, rows - HEADER_ROWS)
        thumb = max(1, track * seen // total)
        first = round((track - thumb) * self.top / max(1, total - seen))
        result: list[Line] = []
        for number, line in enumerate(lines):
            at = number - HEADER_ROWS
            mark: Segment = ("rule", " ") if at < 0 else ("chart", "█") if first <= at < first + thumb else ("rule", "│")
            result.append([*clip(line, columns - 1, "cell"), mark])
        return result

    def _visible_columns(self, room: int) -> list[tuple[int, int, int]]:
        """Column number, first screen column and width of those in sight, the current one among them."""
        self.left = min(self.left, self.column)
        while self.left < self.column and sum(c.width + 2 for c in self.columns[self.left : self.column + 1]) - 2 > room:
            self.left += 1
        spans: list[tuple[int, int, int]] = []
        start = 0
        for number in range(self.left, len(self.columns)):
            column = self.columns[number]
            span = min(column.width, room - start)
            if span < min(MIN_COLUMN, column.width) or (column.whole and span < column.width and spans):
                break
            spans.append((number, start, span))
            start += span + 2
        return spans

    def _fit_columns(self, data: dict[int, list[tuple[str, bool]]]) -> None:
        """Columns grow with what comes into sight, and never shrink by themselves: nothing jumps while scrolling."""
        for number, column in enumerate(self.columns):
            if not column.chosen:
                widest = max((width(row[number][0]) for row in data.values()), default=0)
                if self.sorted_by is not None and self.sorted_by[0] == column.name:
                    widest = max(widest, width(column.name) + 2)
                column.width = max(column.width, min(widest, MAX_COLUMN))

    def _rows_shown(self) -> int:
        return max(0, min(self._body_rows, self.source.rows - self.top))

    def _settle(self) -> None:
        """Keeps the current row inside the result and in sight."""
        last = max(0, self.source.rows - 1)
        self.row = min(max(0, self.row), last)
        self.column = min(max(0, self.column), max(0, len(self.columns) - 1))
        self.top = min(max(self.top, self.row - self._body_rows + 1), self.row)
        self.top = max(0, min(self.top, self.source.rows - self._body_rows))

    # -- keys and mouse -------------------------------------------------------------------------------------------

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        page = max(1, size[1] - HEADER_ROWS - 1)
        moves = {"up": (-1, 0), "down": (1, 0), "page up": (-page, 0), "page down": (page, 0), " ": (page, 0)}
        moves |= {"left": (0, -1), "right": (0, 1), "home": (0, -len(self.columns)), "end": (0, len(self.columns))}
        if key in moves:
            self.move(*moves[key])
            return None
        match keys.action("results", key):
            case None:
                return key
            case "first row":
                self.go(0)
            case "last row":
                self.go(self.source.rows - 1)
                if self.act is not None and not self.source.closed:
                    self.act("last row")
            case "wider":
                self._resize(2)
            case "narrower":
                self._resize(-2)
            case _ if self.act is None:
                return key
            case found:
                self.act(found)
        return None

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        if event not in ("mouse press", "mouse drag"):
            return False
        if button in (4, 5):
            self.move(-WHEEL_ROWS if button == 4 else WHEEL_ROWS, 0)
            return True
        if button != 1:
            return False
        if col == size[0] - 1 and row >= HEADER_ROWS and self.source.rows > self._body_rows:
            self.go(round((self.source.rows - 1) * (row - HEADER_ROWS) / max(1, self._body_rows - 1)))
            return True
        for number, start, span in self._spans:
            if start <= col < start + span + 2:
                again = number == self.column and self.top + row - HEADER_ROWS == self.row
                self.column = number
                if row >= HEADER_ROWS:
                    self.go(self.top + row - HEADER_ROWS)
                if self.act is not None and event == "mouse press" and (row < HEADER_ROWS or again):
                    self.act("sort" if row < HEADER_ROWS else "open cell")
        self._invalidate()
        return True

    def move(self, rows: int, columns: int) -> None:
        if abs(rows) > 1:
            self.top += rows
        self.column += columns
        self.go(self.row + rows)

    def go_column(self, column: int) -> None:
        """Makes ``column`` the current one; it comes into sight when the table is drawn."""
        self.column = column
        self._invalidate()

    def go(self, row: int) -> None:
        """Makes ``row`` the current one and brings it into sight."""
        self.row = row
        self._settle()
        self._invalidate()

    def value(self) -> Any:
        """The value of the current cell, or None where it is NULL or not here yet."""
        values = self.row_values()
        return None if values is None or not values else values[self.column]

    def row_values(self) -> list[Any] | None:
        """The values of the current row; None while they are not here."""
        for piece in self.source.window(self.row, 1):
            return [cells.values(column)[0] for column in piece.table.columns]
        return None

    def positions(self) -> Sequence[str]:
        """Where the current cell is, for the line above the table: row and column, or the row alone where there is less room."""
        if not self.source.rows:
            return ()
        row = f"{count(self.row + 1)}/{count(self.source.made)}{'' if self.source.closed else '+'}"
        return f"column {self.column + 1}/{len(self.columns)}  {row}", row

    def _resize(self, by: int) -> None:
        if not self.columns:
            return
        column = self.columns[self.column]
        column.width = max(MIN_COLUMN, column.width + by)
        column.chosen = True
        self._invalidate()


def _more(columns: int) -> str:
    return f" {columns}›" if columns else ""


def _column(field: pa.Field) -> _Column:
    return _Column(field.name, cells.type_name(field.type), cells.is_number(field.type), cells.is_whole(field.type), _first_width(field))


def _first_width(field: pa.Field) -> int:
    return int(min(MAX_COLUMN, max(MIN_COLUMN, width(field.name), len(cells.type_name(field.type)))))
