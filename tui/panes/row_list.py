"""A list of lines of which one is current; it keeps its place when the lines change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import urwid

from tui.draw.canvas import Line, draw


@dataclass(frozen=True, slots=True)
class ListRow:
    """A line, and the key by which it is known when the list is made anew."""

    key: str
    line: Line


class RowList(urwid.Widget):
    """Draws ``header`` and the rows. ``moved(key)`` is called when another row becomes current, ``opened(key)`` on a second click."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(self, moved: Callable[[str], None] = lambda _key: None, opened: Callable[[str], None] = lambda _key: None) -> None:
        super().__init__()
        self.header: list[Line] = []
        self.rows: list[ListRow] = []
        self.empty = ""
        self.here = 0
        self._top = 0
        self._chosen = False
        self._moved = moved
        self._opened = opened

    def set_rows(self, rows: Sequence[ListRow], header: Sequence[Line] = ()) -> None:
        """Shows other rows; the current one stays current if it is still there, once somebody has chosen one."""
        key = self.key if self._chosen else None
        self.rows = list(rows)
        self.header = list(header)
        self.here = next((number for number, row in enumerate(self.rows) if row.key == key), self.here)
        self.here = max(0, min(self.here, len(self.rows) - 1))
        self._invalidate()

    @property
    def key(self) -> str | None:
        """The key of the current row; None if there are no rows."""
        return self.rows[self.here].key if 0 <= self.here < len(self.rows) else None

    def select(self, key: str) -> None:
        """Makes the row with ``key`` current, if there is one."""
        for number, row in enumerate(self.rows):
            if row.key == key:
                self._go(number)

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        columns, rows = size
        room = max(1, rows - len(self.header))
        self._top = max(0, min(self._top, self.here, len(self.rows) - room), self.here - room + 1)
        lines: list[Line] = list(self.header)
        for number, row in enumerate(self.rows[self._top : self._top + room], self._top):
            if number == self.here:
                attribute = "list.here" if focus else "list.away"
                lines.append([*((attribute, text) for _, text in row.line), (attribute, "")])
            else:
                lines.append(row.line)
        if not self.rows and self.empty:
            lines += [[("dim", line)] for line in self.empty.splitlines()]
        return draw(lines, columns, rows)

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        page = max(1, size[1] - len(self.header) - 1)
        moves = {"up": -1, "down": 1, "page up": -page, "page down": page, "home": -len(self.rows), "end": len(self.rows)}
        if key not in moves:
            return key
        target = max(0, min(self.here + moves[key], len(self.rows) - 1))
        if target == self.here and key in ("up", "down"):
            return key
        self._go(target)
        return None

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        if event != "mouse press" or button not in (1, 4, 5):
            return False
        if button in (4, 5):
            self.keypress(size, "up" if button == 4 else "down")
            return True
        number = self._top + row - len(self.header)
        if 0 <= number < len(self.rows) and row >= len(self.header):
            again = number == self.here
            self._go(number)
            if again:
                self._opened(self.rows[number].key)
        return True

    def _go(self, number: int) -> None:
        if not self.rows:
            return
        changed = number != self.here
        self._chosen = True
        self.here = max(0, min(number, len(self.rows) - 1))
        self._invalidate()
        if changed:
            self._moved(self.rows[self.here].key)
