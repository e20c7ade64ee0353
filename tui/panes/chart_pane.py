"""The chart of a result's column: of the rows that are loaded, or of all rows by a query of its own."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import urwid

from tui import keys
from tui.draw import cells, chart
from tui.draw.amounts import count
from tui.draw.canvas import Line, cut, draw
from tui.link.row_source import RowSource

BINS = 120
WHOLE_BINS = BINS // 2  # of a histogram that the server counts
FEW_ROWS = 60  # up to this many rows, each gets its own bar


class ChartPane(urwid.Widget):
    """Draws the column at ``column``. ``act(action)`` is called for keys that are not about the column."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(self, source: RowSource, act: Callable[[str], None]) -> None:
        super().__init__()
        self.source = source
        self.column = self._first_number()
        self._act = act
        self._whole: dict[int, chart.Histogram | chart.Bars] = {}
        self._asked: set[int] = set()
        self._failed: set[int] = set()
        self._drawn: tuple[tuple[int, int, int, int], chart.Histogram | chart.Bars | None] | None = None

    @property
    def is_partial(self) -> bool:
        """Whether rows are missing in what is drawn, and nobody has tried to count them."""
        return self.column not in self._asked | self._failed and not self._has_all()

    def ask_whole(self) -> int | None:
        """The column to count over all rows, if that has not been asked yet, and they are not here."""
        if self.column in self._asked or self._has_all() or not len(self.source.schema):
            return None
        self._asked.add(self.column)
        self._invalidate()
        return self.column

    def set_whole(self, column: int, found: chart.Histogram | chart.Bars | None) -> None:
        """The chart over all rows; None when the query for it failed."""
        if found is None:
            self._asked.discard(column)
            self._failed.add(column)
        else:
            self._whole[column] = found
        self._invalidate()

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        columns, rows = size
        if not len(self.source.schema):
            return draw([[("dim", " nothing to draw")]], columns, rows)
        field = self.source.schema.field(self.column)
        found = self._whole.get(self.column)
        bins = max(4, min(BINS, (columns - 8) // 2 if columns < 100 else (columns - 8) // 3))
        if found is None:
            found = self._loaded(bins)
        title = f" {field.name} {cells.type_name(field.type)} "
        lines: list[Line] = [[("strong", title), ("dim", cut(self._scope(found), max(0, columns - len(title))))]]
        if found is None:
            lines.append([("dim", " no values in the rows that are loaded")])
        elif isinstance(found, chart.Histogram):
            lines += chart.draw_histogram(found, columns - 1, rows - 1)
        else:
            lines += chart.draw_bars(found, columns - 1, rows - 1)
        return draw(lines, columns, rows)

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        if key in ("left", "right") and len(self.source.schema):
            self.column = (self.column + (1 if key == "right" else -1)) % len(self.source.schema)
            self._invalidate()
            return None
        found = keys.action("chart", key)
        if found is None:
            return key
        self._act(found)
        return None

    def _loaded(self, bins: int) -> chart.Histogram | chart.Bars | None:
        state = (self.column, bins, self.source.loaded_rows(), self.source.rows)
        if self._drawn is None or self._drawn[0] != state:
            self._drawn = (state, self._compute(bins))
        return self._drawn[1]

    def _compute(self, bins: int) -> chart.Histogram | chart.Bars | None:
        if not self.source.rows:
            return None
        pieces = [piece.table for piece in self.source.loaded()]
        if not pieces:
            self.source.window(0, 1)
            return None
        table = pa.concat_tables(pieces)
        column = table.column(self.column)
        if not cells.is_number(column.type):
            return chart.frequencies(column)
        if table.num_rows == self.source.rows <= FEW_ROWS and (labels := self._labels(table)) is not None:
            return chart.bars_of_rows(labels, [None if value is None else float(value) for value in column.to_pylist()])
        return chart.histogram(column, bins)

    def _labels(self, table: pa.Table) -> list[str] | None:
        """Names for the rows: the values of the columns that are no numbers, else of the first other whole number; None without."""
        others = [number for number in range(table.num_columns) if number != self.column]
        named = [number for number in others if not cells.is_number(table.schema.field(number).type)]
        chosen = named or [number for number in others if pa.types.is_integer(table.schema.field(number).type)][:1]
        if not chosen:
            return None
        texts = [[cells.one_line(value) for value in cells.values(table.column(number))] for number in chosen]
        return [" ".join(row) for row in zip(*texts, strict=True)]

    def _has_all(self) -> bool:
        return self.source.closed and self.source.loaded_rows() >= self.source.rows

    def _scope(self, found: chart.Histogram | chart.Bars | None) -> str:
        missing = f", {count(found.missing)} {self._missing()}" if isinstance(found, chart.Histogram) and found.missing else ""
        if self.column in self._whole and found is not None:
            return f"all {count(found.rows)} rows{missing}"
        loaded = self.source.loaded_rows()
        if self._has_all():
            return f"all {count(loaded)} rows{missing}"
        more = "counting all …" if self.column in self._asked else "a: all"
        made = f"{count(self.source.made)}{'' if self.source.closed else '+'}"
        return f"{count(loaded)} loaded of {made} rows{missing} — {more}"

    def _missing(self) -> str:
        return "NULL or NaN" if pa.types.is_floating(self.source.schema.field(self.column).type) else "NULL"

    def _first_number(self) -> int:
        return next((number for number, field in enumerate(self.source.schema) if cells.is_number(field.type)), 0)


def histogram_of(table: pa.Table) -> chart.Histogram | None:
    """The histogram that ``derived.histogram_sql`` counted; None if there was no number."""
    rows = table.to_pylist()
    if not rows:
        return None
    low, high = float(rows[0]["low"]), float(rows[0]["high"])
    counts = [0] * (WHOLE_BINS if low != high else 1)
    for row in rows:
        counts[min(row["bin"], len(counts) - 1)] += row["n"]
    return chart.Histogram(low, high, tuple(counts), rows[0]["missing"])


def bars_of(table: pa.Table) -> chart.Bars:
    """The bars that ``derived.frequencies_sql`` counted."""
    rows = table.to_pylist()
    labels = tuple(cells.one_line(row["value"]) for row in rows)
    values = rows[0]["found"] if rows else 0
    return chart.Bars(labels, tuple(float(row["n"]) for row in rows), values - len(rows), rows[0]["total"] if rows else 0)
