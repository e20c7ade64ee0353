"""Records that wait in an exchange, as they are at this moment."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import urwid

from tui.draw.amounts import plural
from tui.draw.canvas import cut, draw
from tui.link.background import Background
from tui.link.row_source import RowSource
from tui.panes.results_table import ResultsTable

PEEK_ROWS = 40


class PeekPane(urwid.Widget):
    """A line that says what waits, and the first rows of it. While nothing waits, the rows that were seen last stay."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._background = background
        self._told = ""
        self.table: ResultsTable | None = None

    def show(self, batches: Sequence[pa.RecordBatch]) -> None:
        """Takes what waits now; one stays at the same row and column."""
        self._invalidate()
        if not batches:
            self._told = "no record waits now; these were the last"
            return
        rows = pa.Table.from_batches(batches)
        self._told = f"{plural(len(batches), 'record')}, {plural(rows.num_rows, 'row')} waiting"
        before = self.table
        self.table = ResultsTable(RowSource.of_table(rows.slice(0, PEEK_ROWS), self._background))
        self.table.source.changed = self._invalidate
        if before is not None:
            self.table.row, self.table.top, self.table.column = before.row, before.top, before.column

    def end(self) -> None:
        """The query is over: nothing will wait any more."""
        self._told = "the query is over; these were the last records"
        self._invalidate()

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        columns, rows = size
        head = draw([[("dim", cut(f" {self._told}", columns))]], columns, 1)
        if self.table is None or rows < 2:
            return draw([[("dim", cut(f" {self._told}", columns))]], columns, rows)
        return urwid.CanvasCombine([(head, None, False), (self.table.render((columns, rows - 1), focus), None, True)])

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        if self.table is None:
            return key
        found = self.table.keypress((size[0], max(1, size[1] - 1)), key)
        self._invalidate()
        return None if found is None else str(found)

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        self._invalidate()
        return self.table is not None and row > 0 and self.table.mouse_event((size[0], size[1] - 1), event, button, col, row - 1, focus)
