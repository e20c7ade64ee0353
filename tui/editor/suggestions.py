"""The list of candidates that opens at the caret when a word is completed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import urwid

from tui.draw.canvas import Line, cut, draw, fit, width
from tui.editor.completion import Candidate

MAX_ROWS = 8
MAX_DETAIL_COLUMNS = 40


@dataclass
class Suggestions:
    """Candidates for the word that begins at the offset ``start`` of a text; ``here`` is the number of the current one.

    Those that nobody has ``asked`` for came by themselves while one typed: none is lit until Tab or ↓ is pressed.
    """

    start: int
    candidates: Sequence[Candidate]
    here: int = 0
    asked: bool = True

    @property
    def chosen(self) -> str:
        """What stands in the text when the current one is taken."""
        return self.candidates[self.here].text

    def move(self, rows: int) -> None:
        """Makes another one current; from the last it goes on with the first."""
        self.here = (self.here + rows) % len(self.candidates)

    def over(self, canvas: urwid.Canvas, size: tuple[int, int], column: int, row: int) -> urwid.Canvas:
        """``canvas`` with the list over it: under ``row``, or above where there is more room, its names in line with ``column``."""
        columns, rows = size
        below, above = rows - row - 1, row
        height = min(MAX_ROWS, len(self.candidates), max(below, above))
        first = max(0, min(self.here - height // 2, len(self.candidates) - height))
        shown = self.candidates[first : first + height]
        names = max(width(item.text) for item in shown) + 1
        details = max(width(_detail(item)) for item in shown)
        span = min(columns, names + details + 2)
        lines: list[Line] = []
        for number, item in enumerate(shown, first):
            here = number == self.here and self.asked
            name = fit(" " + item.text, min(names + 1, span))
            rest = fit(_detail(item), max(0, span - width(name)))
            lines.append([("popup.here" if here else "popup", name), ("popup.here" if here else "popup.dim", rest)])
        left = max(0, min(column - 1, columns - span))
        top = row + 1 if height <= below else row - height
        combined = urwid.CanvasOverlay(draw(lines, span, height), urwid.CompositeCanvas(canvas), left, top)
        combined.cursor = canvas.cursor
        return combined


def _detail(item: Candidate) -> str:
    return cut(f" {item.kind}  {item.detail}" if item.detail else f" {item.kind}", MAX_DETAIL_COLUMNS)
