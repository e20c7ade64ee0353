"""The tables beside the editor, where the screen is wide enough: those of the statement at the cursor first, with their columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import urwid

from flight_server.client.sql_words import quoted
from flight_server.protocol.messages import ColumnStatus, TableStatus
from tui import keys
from tui.draw.amounts import short_count
from tui.draw.canvas import Line, Segment, draw, fit
from tui.panes.split import SplitScreen

WIDE = 120
"""So many columns of the screen are enough for both."""
SIDE_COLUMNS = 36
WHEEL_LINES = 3
TITLE = " Tables  Alt-C"


@dataclass(frozen=True, slots=True)
class _Row:
    """A line: a table, or one of its columns."""

    table: TableStatus
    column: ColumnStatus | None = None

    @property
    def name(self) -> str:
        """The name as it is written in SQL."""
        return quoted(self.table.name if self.column is None else self.column.name)

    @property
    def place(self) -> tuple[str, str]:
        """What it is known by when the lines are made anew."""
        return self.table.name, "" if self.column is None else self.column.name


class EditorWithTables(urwid.Widget):
    """Shows ``main``, and beside it ``tables()``; of these, ``mentioned()`` stand first and open.

    A click on a name calls ``insert(name)``; ``act(action)`` is called for keys of the tables that are not about moving.
    """

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(
        self,
        main: SplitScreen,
        tables: Callable[[], Sequence[TableStatus]],
        mentioned: Callable[[], Sequence[TableStatus]],
        insert: Callable[[str], None],
        act: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._main = main
        self._tables = tables
        self._mentioned = mentioned
        self._insert = insert
        self._act = act
        self._top = 0
        self._page = 1
        self._beside = False
        self._entered = False
        self._here = ("", "")
        self._unfolded: set[str] = set()
        self._folded: set[str] = set()
        self._rows: list[_Row] = []

    # -- for others -----------------------------------------------------------------------------------------------

    @property
    def in_tables(self) -> bool:
        """Whether keys are for the tables; never where there is no room for them."""
        return self._entered and self._beside

    def enter(self) -> bool:
        """Gives the keys to the tables; says whether they are in sight."""
        self._entered = self._beside
        self._invalidate()
        return self._entered

    def leave(self) -> None:
        """Gives the keys back to what is beside the tables."""
        self._entered = False
        self._invalidate()

    def insert(self) -> None:
        """Puts the name of the current line into the text."""
        row = self._current()
        if row is not None:
            self._insert(row.name)
            self._invalidate()

    def fold(self, *, away: bool) -> None:
        """Takes the columns of the current table away, or shows them."""
        row = self._current()
        if row is not None:
            name = row.table.name
            (self._folded if away else self._unfolded).add(name)
            (self._unfolded if away else self._folded).discard(name)
            self._here = (name, "") if away else self._here
            self._invalidate()

    # -- drawing --------------------------------------------------------------------------------------------------

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        main, side = self._sizes(size)
        self._beside = bool(side)
        if not side:
            return urwid.CompositeCanvas(self._main.render(size, focus))
        rows = size[1]
        self._page = max(1, rows - 1)
        mentioned = self._mentioned()
        self._rows = self._made(mentioned)
        here = self._index()
        if self.in_tables:
            self._top = max(min(self._top, here), here - self._page + 1)
        self._top = max(0, min(self._top, len(self._rows) - self._page))
        lines: list[Line] = [[("tab.on.focus" if self.in_tables else "tab", fit(TITLE, side))]]
        for number, row in enumerate(self._rows[self._top : self._top + self._page], self._top):
            line = _line(row, side, row.table in mentioned)
            lines.append([("list.here", text) for _, text in line] if self.in_tables and number == here else line)
        rule = draw([[("rule", "│")]] * rows, 1, rows)
        return urwid.CanvasJoin(
            [
                (self._main.render((main, rows), focus and not self.in_tables), None, True, main),
                (rule, None, False, 1),
                (draw(lines, side, rows), None, False, side),
            ]
        )

    def _sizes(self, size: tuple[int, int]) -> tuple[int, int]:
        """The columns of both; none for the tables where there is no room, or one wants the results on the whole screen."""
        beside = size[0] >= WIDE and not self._main.zoomed
        return (size[0] - SIDE_COLUMNS - 1, SIDE_COLUMNS) if beside else (size[0], 0)

    def _made(self, mentioned: Sequence[TableStatus]) -> list[_Row]:
        rows: list[_Row] = []
        for table in [*mentioned, *(table for table in self._tables() if table not in mentioned)]:
            rows.append(_Row(table))
            if table.name in self._unfolded or (table in mentioned and table.name not in self._folded):
                rows += [_Row(table, column) for column in table.columns]
        return rows

    def _index(self) -> int:
        """The number of the current line; of its table where it is gone, else the first."""
        places = [row.place for row in self._rows]
        wanted = (self._here, (self._here[0], ""))
        return next((places.index(place) for place in wanted if place in places), 0)

    def _current(self) -> _Row | None:
        return self._rows[self._index()] if self._rows else None

    # -- keys and mouse -------------------------------------------------------------------------------------------

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        self._invalidate()
        if self.in_tables:
            return self._tables_key(key)
        found = self._main.keypress((self._sizes(size)[0], size[1]), key)
        return None if found is None else str(found)

    def _tables_key(self, key: str) -> str | None:
        all_rows = len(self._rows)
        moves = {"up": -1, "down": 1, "page up": -self._page, "page down": self._page, "home": -all_rows, "end": all_rows}
        found = keys.action("tables", key)
        if key in moves and self._rows:
            self._here = self._rows[max(0, min(self._index() + moves[key], all_rows - 1))].place
        elif found is not None:
            self._act(found)
        else:
            return key
        return None

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        main, side = self._sizes(size)
        self._invalidate()
        if col < main:
            self._entered = self._entered and event != "mouse press"
            return bool(self._main.mouse_event((main, size[1]), event, button, col, row, focus))
        if not side or event != "mouse press":
            return False
        number = self._top + row - 1
        if button in (4, 5):
            by = -WHEEL_LINES if button == 4 else WHEEL_LINES
            self._top = max(0, min(self._top + by, len(self._rows) - self._page))
            if self.in_tables:
                self._here = self._rows[max(self._top, min(self._index(), self._top + self._page - 1, len(self._rows) - 1))].place
        elif button == 1 and row > 0 and number < len(self._rows):
            self._here = self._rows[number].place
            self._insert(self._rows[number].name)
        return True


def _line(row: _Row, columns: int, strong: bool) -> list[Segment]:
    if row.column is not None:
        return [("text", fit(f"   {row.column.name}", columns - 14)), ("dim", fit(f" {row.column.type.lower()}", 14))]
    rows = "?" if row.table.rows is None else short_count(row.table.rows)
    return [("strong" if strong else "text", fit(f" {row.table.name}", columns - 9)), ("dim", fit(f"{rows} ", 9, right=True))]
