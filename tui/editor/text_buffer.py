"""What an editor does to a text: lines, a caret, a selection, undo. Knows no screen."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_UNDO = 500
MAX_UNDO_CHARS = 100_000_000  # of all texts that are kept to go back to; the last one is kept however long it is
_WORD = re.compile(r"\w+|[^\w\s]+")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line and a column, both from 0. The column may be one past the last character."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class _Snapshot:
    lines: tuple[str, ...]
    caret: Place
    characters: int


class TextBuffer:
    """A text being edited. Places outside it are moved to the nearest inside. ``version`` grows with every change."""

    def __init__(self, text: str = "") -> None:
        self.lines: list[str] = _split(text)
        self.caret = Place(0, 0)
        self.anchor: Place | None = None
        self.version = 0
        self._wanted_column: int | None = None
        self._undo: list[_Snapshot] = []
        self._redo: list[_Snapshot] = []
        self._typing_at: Place | None = None

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def is_longer_than(self, characters: int) -> bool:
        """Whether the text has more characters, line ends left out."""
        return sum(map(len, self.lines)) > characters

    def clamp(self, place: Place) -> Place:
        line = min(max(place.line, 0), len(self.lines) - 1)
        return Place(line, min(max(place.column, 0), len(self.lines[line])))

    def offset(self, place: Place) -> int:
        """How many characters are before ``place`` in :attr:`text`."""
        return sum(len(line) + 1 for line in self.lines[: place.line]) + place.column

    def place(self, offset: int) -> Place:
        """The inverse of :meth:`offset`."""
        for number, line in enumerate(self.lines):
            if offset <= len(line):
                return Place(number, max(offset, 0))
            offset -= len(line) + 1
        return Place(len(self.lines) - 1, len(self.lines[-1]))

    # -- selection ------------------------------------------------------------------------------------------------

    @property
    def selection(self) -> tuple[Place, Place] | None:
        """The selected stretch, first place first; None when nothing is selected."""
        if self.anchor is None or self.anchor == self.caret:
            return None
        return (self.anchor, self.caret) if self.anchor < self.caret else (self.caret, self.anchor)

    def selected_text(self) -> str:
        stretch = self.selection
        return "" if stretch is None else self.between(*stretch)

    def between(self, start: Place, end: Place) -> str:
        if start.line == end.line:
            return self.lines[start.line][start.column : end.column]
        middle = self.lines[start.line + 1 : end.line]
        return "\n".join([self.lines[start.line][start.column :], *middle, self.lines[end.line][: end.column]])

    def select_all(self) -> None:
        self.anchor = Place(0, 0)
        self.caret = Place(len(self.lines) - 1, len(self.lines[-1]))

    # -- moving ---------------------------------------------------------------------------------------------------

    def go(self, place: Place, *, select: bool = False) -> None:
        """Moves the caret; ``select`` keeps or starts a selection, without it the selection is dropped."""
        if select and self.anchor is None:
            self.anchor = self.caret
        if not select:
            self.anchor = None
        self.caret = self.clamp(place)
        self._wanted_column = None
        self._typing_at = None

    def move_lines(self, lines: int, *, select: bool = False) -> None:
        """Up or down, coming back to the same column after shorter lines."""
        wanted = self.caret.column if self._wanted_column is None else self._wanted_column
        line = self.caret.line + lines
        if line < 0:
            self.go(Place(0, 0), select=select)
        elif line >= len(self.lines):
            self.go(Place(len(self.lines) - 1, len(self.lines[-1])), select=select)
        else:
            self.go(Place(line, wanted), select=select)
        self._wanted_column = wanted

    def move_columns(self, columns: int, *, select: bool = False) -> None:
        self.go(self.place(self.offset(self.caret) + columns), select=select)

    def move_words(self, direction: int, *, select: bool = False) -> None:
        self.go(self._word_edge(direction), select=select)

    def home(self, *, select: bool = False) -> None:
        """To the first character that is not a space, or to the start of the line when already there."""
        line = self.lines[self.caret.line]
        indent = len(line) - len(line.lstrip())
        self.go(Place(self.caret.line, 0 if self.caret.column == indent else indent), select=select)

    def end(self, *, select: bool = False) -> None:
        self.go(Place(self.caret.line, len(self.lines[self.caret.line])), select=select)

    # -- changing -------------------------------------------------------------------------------------------------

    def insert(self, text: str) -> None:
        """Puts ``text`` at the caret, in place of the selection. Letters typed in a row are undone together."""
        goes_on = len(text) == 1 and text.isalnum() and self._typing_at == self.caret and self.selection is None
        if not goes_on:
            self._remember()
        self._remove_selection()
        start = self.caret
        line = self.lines[start.line]
        pieces = _split(text)
        tail = line[start.column :]
        pieces[0] = line[: start.column] + pieces[0]
        end = Place(start.line + len(pieces) - 1, len(pieces[-1]))
        pieces[-1] += tail
        self.lines[start.line : start.line + 1] = pieces
        self.caret = end
        self.anchor = None
        self._wanted_column = None
        self._typing_at = end if len(text) == 1 and text.isalnum() else None
        self.version += 1

    def newline(self) -> None:
        """A line break that keeps the indentation of the line."""
        line = self.lines[self.caret.line][: self.caret.column]
        self.insert("\n" + line[: len(line) - len(line.lstrip())])

    def replace(self, start: Place, end: Place, text: str) -> None:
        """Puts ``text`` in place of a stretch."""
        self.anchor, self.caret = start, end
        self.insert(text)

    def delete(self, columns: int) -> None:
        """Deletes the selection, else one character behind (1) or before (-1) the caret."""
        if self.selection is None:
            self.anchor = self.caret
            self.caret = self.place(self.offset(self.caret) + columns)
        self._delete_stretch()

    def delete_word(self, direction: int) -> None:
        if self.selection is None:
            self.anchor = self.caret
            self.caret = self._word_edge(direction)
        self._delete_stretch()

    def delete_to_end(self) -> str:
        """Deletes to the end of the line, or the line break there; returns what it deleted."""
        line = self.caret.line
        end = Place(line, len(self.lines[line]))
        if self.caret == end and line + 1 < len(self.lines):
            end = Place(line + 1, 0)
        return self._cut(self.caret, end)

    def delete_line(self) -> str:
        """Deletes the whole line; returns it."""
        line = self.caret.line
        end = Place(line + 1, 0) if line + 1 < len(self.lines) else Place(line, len(self.lines[line]))
        return self._cut(Place(line, 0), end)

    def indent(self, spaces: int) -> None:
        """Moves the lines of the selection right, or left for a negative number."""
        stretch = self.selection or (self.caret, self.caret)
        self._remember()
        for number in range(stretch[0].line, stretch[1].line + 1):
            line = self.lines[number]
            self.lines[number] = " " * spaces + line if spaces > 0 else line[min(-spaces, len(line) - len(line.lstrip())) :]
        self.caret = self.clamp(Place(self.caret.line, self.caret.column + spaces))
        self.anchor = None if self.anchor is None else self.clamp(Place(self.anchor.line, self.anchor.column + spaces))

    def toggle_comment(self) -> None:
        """Puts ``-- `` before the lines of the selection, or takes it away if all have it."""
        stretch = self.selection or (self.caret, self.caret)
        self._remember()
        numbers = [n for n in range(stretch[0].line, stretch[1].line + 1) if self.lines[n].strip()]
        remove = all(self.lines[n].lstrip().startswith("--") for n in numbers)
        for number in numbers:
            line = self.lines[number]
            at = len(line) - len(line.lstrip())
            self.lines[number] = line[:at] + (line[at + 2 :].removeprefix(" ") if remove else "-- " + line[at:])
        self.caret = self.clamp(self.caret)

    def undo(self) -> bool:
        return self._step(self._undo, self._redo)

    def redo(self) -> bool:
        return self._step(self._redo, self._undo)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _cut(self, start: Place, end: Place) -> str:
        removed = self.between(start, end)
        self.anchor, self.caret = start, end
        self._delete_stretch()
        return removed

    def _delete_stretch(self) -> None:
        if self.selection is None:
            self.anchor = None
            return
        self._remember()
        self._remove_selection()

    def _remove_selection(self) -> None:
        stretch = self.selection
        if stretch is None:
            return
        start, end = stretch
        joined = self.lines[start.line][: start.column] + self.lines[end.line][end.column :]
        self.lines[start.line : end.line + 1] = [joined]
        self.caret, self.anchor = start, None

    def _word_edge(self, direction: int) -> Place:
        text = self.text
        offset = self.offset(self.caret)
        if direction > 0:
            return self.place(next((match.end() for match in _WORD.finditer(text, offset)), len(text)))
        edges = [match.start() for match in _WORD.finditer(text) if match.start() < offset]
        return self.place(edges[-1] if edges else 0)

    def _remember(self) -> None:
        self._undo.append(self._snapshot())
        kept, characters = 0, 0
        for snapshot in reversed(self._undo[-MAX_UNDO:]):
            characters += snapshot.characters
            if kept and characters > MAX_UNDO_CHARS:
                break
            kept += 1
        del self._undo[:-kept]
        self._redo.clear()
        self._typing_at = None
        self.version += 1

    def _snapshot(self) -> _Snapshot:
        return _Snapshot(tuple(self.lines), self.caret, sum(map(len, self.lines)))

    def _step(self, source: list[_Snapshot], target: list[_Snapshot]) -> bool:
        if not source:
            return False
        target.append(self._snapshot())
        snapshot = source.pop()
        self.lines = list(snapshot.lines)
        self.caret = self.clamp(snapshot.caret)
        self.anchor = None
        self._typing_at = None
        self.version += 1
        return True


def _split(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
