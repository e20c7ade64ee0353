"""Two widgets one above the other, of which the upper can make room for the lower."""

from __future__ import annotations

import urwid

SHARES = (20, 30, 40, 50, 60, 70)


class SplitScreen(urwid.WidgetWrap):
    """``share`` per cent of the rows belong to the upper widget; zoomed, the lower one has them all."""

    def __init__(self, upper: urwid.Widget, lower: urwid.Widget, share: int = 40) -> None:
        self.upper = upper
        self.lower = lower
        self._share = share
        self._zoomed = False
        self._pile = urwid.Pile([("weight", share, upper), ("weight", 100 - share, lower)])
        super().__init__(self._pile)

    @property
    def zoomed(self) -> bool:
        """Whether the lower widget has all rows."""
        return self._zoomed

    @property
    def in_lower(self) -> bool:
        return self._pile.focus is self.lower

    def go(self, *, lower: bool) -> None:
        """Moves the focus."""
        if not lower and self._zoomed:
            self.zoom()
        self._pile.focus_position = len(self._pile.contents) - 1 if lower else 0

    def zoom(self) -> None:
        """Gives all rows to the lower widget, or back."""
        self._zoomed = not self._zoomed
        self._arrange(lower=True)

    def grow(self, direction: int) -> None:
        """More rows for the upper widget, or fewer."""
        nearest = min(range(len(SHARES)), key=lambda number: abs(SHARES[number] - self._share))
        self._share = SHARES[max(0, min(nearest + direction, len(SHARES) - 1))]
        self._arrange(lower=self.in_lower)

    def _arrange(self, *, lower: bool) -> None:
        low = (self.lower, self._pile.options("weight", 100 - self._share))
        up = (self.upper, self._pile.options("weight", self._share))
        self._pile.contents = [low] if self._zoomed else [up, low]
        self._pile.focus_position = 0 if self._zoomed or not lower else 1

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        # The widget with the focus alone decides: a pile of its own would move the focus at the last row.
        rows = self._pile.get_item_rows(size, focus=True)
        here = self._pile.focus_position
        found = self._pile.focus.keypress((size[0], rows[here]), key)
        return None if found is None else str(found)
