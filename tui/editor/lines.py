"""A line of the editor as it is drawn: its number, its colours, and what of it is selected or wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.draw.canvas import Line, Segment, fit, visible
from tui.editor.text_buffer import Place, TextBuffer

TAB_COLUMNS = 4  # a tab is drawn in so many, wherever it stands


@dataclass(frozen=True, slots=True)
class Mark:
    """An error's place in the text, and what it says."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Window:
    """The columns of the line's number, the first character that is drawn, and the columns that there are for it and those behind it."""

    gutter: int
    left: int
    room: int


def shown(text: str) -> str:
    """``text`` as it is drawn, character by character."""
    return visible(text.replace("\t", " " * TAB_COLUMNS))


def text_line(buffer: TextBuffer, number: int, runs: Sequence[tuple[str, int]], mark: Mark | None, window: Window) -> Line:
    """The line ``number`` of a text, coloured by ``runs``."""
    here = number == buffer.caret.line
    wrong = mark is not None and mark.place.line == number
    attribute = "gutter.error" if wrong else "gutter.here" if here else "gutter"
    label = ("▶" if wrong else "") + str(number + 1)
    text = buffer.lines[number]
    attributes = [name for name, length in runs for _ in range(length)]
    attributes += ["text"] * (len(text) - len(attributes))
    _paint_selection(buffer, number, attributes)
    if wrong and mark is not None:
        _paint_mark(mark.place.column, text, attributes)
    segments: list[Segment] = [(attribute, fit(label, window.gutter - 1, right=True) + " ")]
    piece = text[window.left : window.left + window.room]
    start = 0
    for position in range(1, len(piece) + 1):
        same = position < len(piece) and attributes[window.left + position] == attributes[window.left + start]
        if not same:
            segments.append((attributes[window.left + start], shown(piece[start:position])))
            start = position
    return segments


def _paint_selection(buffer: TextBuffer, number: int, attributes: list[str]) -> None:
    stretch = buffer.selection
    if stretch is None or not stretch[0].line <= number <= stretch[1].line:
        return
    start = stretch[0].column if number == stretch[0].line else 0
    end = stretch[1].column if number == stretch[1].line else len(attributes)
    attributes[start:end] = ["selection"] * (end - start)


def _paint_mark(column: int, text: str, attributes: list[str]) -> None:
    start = min(column, max(0, len(text) - 1))
    end = start + 1
    while end < len(text) and (text[end].isalnum() or text[end] in "_."):
        end += 1
    attributes[start:end] = ["error.mark"] * (min(end, len(text)) - start)
