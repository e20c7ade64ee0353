"""The tables beside the editor, where the screen is wide enough: those of the statement at the cursor first, with their columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import urwid

from flight_server.client.sql_words import quoted
from flight_server.protocol.messages import TableStatus
from tui.draw.amounts import short_count
from tui.draw.canvas import Line, draw, fit
from tui.panes.split import SplitScreen

WIDE = 120
"""So many columns of the screen are enough for both."""
SIDE_COLUMNS = 36
WHEEL_LINES = 3


class EditorWithTables(urwid.Widget):
    """Shows ``main``, and beside it ``tables()``; of these, ``mentioned()`` stand first and open. A click calls ``insert(name)``."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(
        self,
        main: SplitScreen,
        tables: Callable[[], Sequence[TableStatus]],
        mentioned: Callable[[], Sequence[TableStatus]],
        insert: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._main = main
        self._tables = tables
        self._mentioned = mentioned
        self._insert = insert
        self._top = 0
        self._names: list[str | None] = []

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        main, side = self._sizes(size)
        if not side:
            return urwid.CompositeCanvas(self._main.render(size, focus))
        rows = size[1]
        lines = self._lines(side)
        self._top = max(0, min(self._top, len(lines) - rows))
        rule = draw([[("rule", "│")]] * rows, 1, rows)
        return urwid.CanvasJoin(
            [
                (self._main.render((main, rows), focus), None, True, main),
                (rule, None, False, 1),
                (draw(lines[self._top :], side, rows), None, False, side),
            ]
        )

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        found = self._main.keypress((self._sizes(size)[0], size[1]), key)
        self._invalidate()
        return None if found is None else str(found)

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        main, side = self._sizes(size)
        self._invalidate()
        if col < main:
            return bool(self._main.mouse_event((main, size[1]), event, button, col, row, focus))
        if not side or event != "mouse press":
            return False
        if button in (4, 5):
            self._top += -WHEEL_LINES if button == 4 else WHEEL_LINES
        elif button == 1 and self._top + row < len(self._names):
            name = self._names[self._top + row]
            if name is not None:
                self._insert(name)
        return True

    def _sizes(self, size: tuple[int, int]) -> tuple[int, int]:
        """The columns of both; none for the tables where there is no room, or one wants the results on the whole screen."""
        beside = size[0] >= WIDE and not self._main.zoomed
        return (size[0] - SIDE_COLUMNS - 1, SIDE_COLUMNS) if beside else (size[0], 0)

    def _lines(self, columns: int) -> list[Line]:
        """The lines of the tables; ``_names`` gets what each stands for."""
        lines: list[Line] = [[("tab", fit(" F6 Catalog", columns))]]
        self._names = [None]
        mentioned = self._mentioned()
        for table in [*mentioned, *(table for table in self._tables() if table not in mentioned)]:
            rows = "?" if table.rows is None else short_count(table.rows)
            name = fit(f" {table.name}", columns - 9)
            lines.append([("strong" if table in mentioned else "text", name), ("dim", fit(f"{rows} ", 9, right=True))])
            self._names.append(quoted(table.name))
            for column in table.columns if table in mentioned else ():
                lines.append([("text", fit(f"   {column.name}", columns - 14)), ("dim", fit(f" {column.type.lower()}", 14))])
                self._names.append(quoted(column.name))
        return lines
