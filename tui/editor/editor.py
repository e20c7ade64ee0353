"""The SQL editor: a text with colours, line numbers, completion, and the mark of an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import urwid

from flight_server.protocol.messages import TableStatus
from tui import keys
from tui.draw.canvas import draw, fit, width
from tui.draw.pasting import Pasted
from tui.editor.completion import Completion, complete
from tui.editor.highlight import highlight
from tui.editor.lines import Mark, Window, shown, text_line
from tui.editor.suggestions import Suggestions
from tui.editor.text_buffer import Place, TextBuffer

INDENT = 2
MAX_OFFERED_CHARS = 50_000  # in longer texts, completion comes only when it is asked for: typing must stay quick
_OFFERED = re.compile(r"\w\w$|[\w\"]\.$")
PLACEHOLDER = (
    "-- Write SQL here.  F5 runs the statement under the cursor,  Tab completes,  F1 lists all keys.",
    "-- Tables are on F6,  statements from before on Ctrl-R.",
)


@dataclass
class Pasteboard:
    """What was cut or copied last."""

    text: str = ""


class Editor(urwid.Widget):
    """Edits a :class:`TextBuffer`. ``act(action)`` is called for keys that the editor itself does nothing for."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(
        self,
        text: str = "",
        act: Callable[[str], None] = lambda _action: None,
        tables: Callable[[], Sequence[TableStatus]] = lambda: (),
        pasteboard: Pasteboard | None = None,
    ) -> None:
        super().__init__()
        self.buffer = TextBuffer(text)
        self.act = act
        self.mark: Mark | None = None
        self.pasteboard = Pasteboard() if pasteboard is None else pasteboard
        self._tables = tables
        self._top = 0
        self._left = 0
        self._suggestions: Suggestions | None = None
        self._pasting: list[str] | None = None
        self._named: tuple[int, Place] | None = None

    # -- drawing --------------------------------------------------------------------------------------------------

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        columns, rows = size
        gutter = self._gutter()
        room = max(1, columns - gutter)
        self._scroll(room, rows)
        runs = highlight(self.buffer.lines, self._top, rows)
        window = Window(gutter, self._left, room)
        lines = [text_line(self.buffer, self._top + row, run, self.mark, window) for row, run in enumerate(runs)]
        if self.buffer.lines == [""]:
            lines = [[("gutter.here", fit("1", gutter - 1, right=True) + " "), ("dim", PLACEHOLDER[0])]]
            lines.append([("gutter", " " * gutter), ("dim", PLACEHOLDER[1])])
        caret = self.buffer.caret
        x = gutter + width(shown(self.buffer.lines[caret.line][self._left : caret.column]))
        y = caret.line - self._top
        cursor = (x, y) if focus and x < columns and 0 <= y < rows else None
        canvas = draw(lines, columns, rows, cursor=cursor)
        if self._suggestions is not None and focus and rows > 2:
            return self._with_suggestions(canvas, size, self._suggestions)
        return canvas

    def _with_suggestions(self, canvas: urwid.Canvas, size: tuple[int, int], suggestions: Suggestions) -> urwid.Canvas:
        start = self.buffer.place(suggestions.start)
        column = self._gutter() + width(shown(self.buffer.lines[start.line][self._left : start.column]))
        return suggestions.over(canvas, size, column, self.buffer.caret.line - self._top)

    def _gutter(self) -> int:
        return max(3, len(str(len(self.buffer.lines))) + 1) + 1

    def _scroll(self, room: int, rows: int) -> None:
        """Moves the window so that the caret is in it."""
        caret = self.buffer.caret
        self._top = max(0, min(self._top, caret.line, len(self.buffer.lines) - 1), caret.line - rows + 1)
        first = caret.column  # of the characters before the caret, those that there is room for
        line, left = self.buffer.lines[caret.line], room - 1
        while first > 0 and (left := left - width(shown(line[first - 1]))) >= 0:
            first -= 1
        self._left = max(first, min(self._left, caret.column))

    # -- keys -----------------------------------------------------------------------------------------------------

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        if self._take_paste(key):
            return None
        if self._suggestions is not None and self._suggestions_key(key):
            self._invalidate()
            return None
        version = self.buffer.version
        handled = self._move(key, max(1, size[1] - 1)) or self._edit(key) or self._command(key)
        if self.buffer.version != version:
            self.mark = None
            self.act("changed")
        self._invalidate()
        return None if handled else key

    def _move(self, key: str, page: int) -> bool:
        select = key.startswith("shift ")
        buffer = self.buffer
        match key.removeprefix("shift "):
            case "left":
                buffer.move_columns(-1, select=select)
            case "right":
                buffer.move_columns(1, select=select)
            case "up":
                buffer.move_lines(-1, select=select)
            case "down":
                buffer.move_lines(1, select=select)
            case "page up":
                buffer.move_lines(-page, select=select)
            case "page down":
                buffer.move_lines(page, select=select)
            case "home":
                buffer.home(select=select)
            case "end" | "ctrl e":
                buffer.end(select=select)
            case "ctrl left" | "meta b":
                buffer.move_words(-1, select=select)
            case "ctrl right" | "meta f":
                buffer.move_words(1, select=select)
            case "ctrl home":
                buffer.go(Place(0, 0), select=select)
            case "ctrl end":
                buffer.go(Place(len(buffer.lines), 0), select=select)
                buffer.end(select=select)
            case _:
                return False
        return True

    def _edit(self, key: str) -> bool:
        buffer = self.buffer
        match key:
            case "enter":
                buffer.newline()
            case "backspace" | "ctrl h":
                self._backspace()
            case "delete":
                buffer.delete(1)
            case "ctrl backspace" | "meta backspace":
                buffer.delete_word(-1)
            case "ctrl delete" | "meta d":
                buffer.delete_word(1)
            case "shift tab":
                buffer.indent(-INDENT)
            case _ if len(key) == 1 and key.isprintable():
                buffer.insert(key)
                self._refresh_suggestions()
                if self._suggestions is None:
                    self._offer()
            case _:
                return False
        return True

    def _command(self, key: str) -> bool:
        buffer = self.buffer
        match keys.action("editor", key):
            case None:
                return False
            case "complete":
                self._complete(key)
            case "undo":
                buffer.undo()
            case "redo":
                buffer.redo()
            case "select all":
                buffer.select_all()
            case "comment":
                buffer.toggle_comment()
            case "kill line":
                self.pasteboard.text = buffer.delete_to_end()
            case "copy" if buffer.selection is not None:
                self.pasteboard.text = buffer.selected_text()
                self.act("copied")
            case "cut":
                self.pasteboard.text = buffer.selected_text() or buffer.lines[buffer.caret.line] + "\n"
                self.act("copied")
                if buffer.selection is None:
                    buffer.delete_line()
                else:
                    buffer.delete(1)
            case "paste":
                buffer.insert(self.pasteboard.text)
            case found:
                self.act(found)
        return True

    def _backspace(self) -> None:
        before = self.buffer.lines[self.buffer.caret.line][: self.buffer.caret.column]
        only_indent = before and not before.strip() and len(before) % INDENT == 0
        self.buffer.delete(-INDENT if only_indent and self.buffer.selection is None else -1)
        self._refresh_suggestions()

    def _take_paste(self, key: str) -> bool:
        """What the terminal pastes is put in as it is: no indentation, no completion, one step to undo."""
        if key == "begin paste":
            self._pasting = []
        elif key == "end paste":
            text, self._pasting = "".join(self._pasting or []), None
            self.insert(text)
        elif self._pasting is not None:
            named = {"enter": "\n", "tab": "\t", "ctrl j": "\n"}
            self._pasting.append(key if isinstance(key, Pasted) or len(key) == 1 else named.get(key, ""))
        else:
            return False
        return True

    # -- completion -----------------------------------------------------------------------------------------------

    def _complete(self, key: str) -> None:
        buffer = self.buffer
        before = buffer.lines[buffer.caret.line][: buffer.caret.column]
        if key == "tab" and buffer.selection is not None:
            buffer.indent(INDENT)
            return
        if key == "tab" and (not before.strip() or (before[-1].isspace() and not before.rstrip().lower().endswith(("from", "join")))):
            buffer.insert(" " * (INDENT - len(before) % INDENT))
            return
        found = complete(buffer.text, buffer.offset(buffer.caret), self._tables())
        if found is None:
            self.act("nothing to complete")
            return
        self._suggestions = Suggestions(found.start, found.candidates)
        if len(found.candidates) == 1:
            self._accept()

    def _suggestions_key(self, key: str) -> bool:
        assert self._suggestions is not None
        match key:
            case "tab" if not self._suggestions.asked and len(self._suggestions.candidates) == 1:
                self._accept()
            case "tab" | "down" if not self._suggestions.asked:
                self._suggestions.asked = True
            case "up" | "enter" if not self._suggestions.asked:
                self._suggestions = None
                return False
            case "up":
                self._suggestions.move(-1)
            case "down":
                self._suggestions.move(1)
            case "tab" | "enter":
                self._accept()
            case "esc":
                self._suggestions = None
            case "backspace":
                return False
            case _ if len(key) == 1 and (key.isalnum() or key == "_"):
                return False
            case _:
                self._suggestions = None
                return False
        return True

    def _refresh_suggestions(self) -> None:
        """Narrows the open list to what has been typed since."""
        if self._suggestions is None:
            return
        found = complete(self.buffer.text, self.buffer.offset(self.buffer.caret), self._tables())
        asked, start = self._suggestions.asked, self._suggestions.start
        if found is None or found.start != start:
            self._suggestions = None
        else:
            self._suggestions = Suggestions(start, found.candidates) if asked else self._worth_offering(found)

    def _offer(self) -> None:
        """Opens the list by itself: behind two letters of a word that it can go on with, or behind a table and a dot."""
        before = self.buffer.lines[self.buffer.caret.line][: self.buffer.caret.column]
        if not _OFFERED.search(before) or self.buffer.is_longer_than(MAX_OFFERED_CHARS):
            return
        found = complete(self.buffer.text, self.buffer.offset(self.buffer.caret), self._tables())
        self._suggestions = None if found is None else self._worth_offering(found)

    def _worth_offering(self, found: Completion) -> Suggestions | None:
        """The candidates that begin with what is typed; None where there are none, or it is one of them already."""
        typed = self.buffer.text[found.start : self.buffer.offset(self.buffer.caret)].lower()
        begun = [candidate for candidate in found.candidates if candidate.text.lower().strip('"').startswith(typed.strip('"'))]
        if not begun or any(candidate.text.lower().rstrip("(") == typed for candidate in begun):
            return None
        return Suggestions(found.start, begun, asked=False)

    def _accept(self) -> None:
        taken, self._suggestions = self._suggestions, None
        assert taken is not None
        self.buffer.replace(self.buffer.place(taken.start), self.buffer.caret, taken.chosen)
        self.mark = None
        self.act("changed")

    # -- mouse ----------------------------------------------------------------------------------------------------

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        if event == "mouse press" and button in (4, 5):
            self.buffer.move_lines(-3 if button == 4 else 3)
        elif button == 1 and event in ("mouse press", "mouse drag"):
            self._suggestions = None
            line = min(self._top + row, len(self.buffer.lines) - 1)
            self.buffer.go(Place(line, self._column_at(line, col - self._gutter())), select=event == "mouse drag")
        else:
            return False
        self._invalidate()
        return True

    def _column_at(self, line: int, x: int) -> int:
        """The character of a line that is drawn ``x`` columns behind the gutter; the end of the line behind its last."""
        text, column = self.buffer.lines[line], self._left
        while column < len(text) and (x := x - width(shown(text[column]))) >= 0:
            column += 1
        return column

    # -- for others -----------------------------------------------------------------------------------------------

    def set_mark(self, mark: Mark | None) -> None:
        """Marks an error and brings it into sight."""
        self.mark = mark
        if mark is not None:
            self.buffer.go(mark.place)
        self._invalidate()

    def insert(self, text: str) -> None:
        """Puts in a text that was not typed here. What a list of candidates was about is not there any more."""
        self._suggestions = None
        self.buffer.insert(text)
        self.mark = None
        self.act("changed")
        self._invalidate()

    def insert_name(self, name: str) -> None:
        """Puts in a name, behind a comma if one was put in just before, and behind a space where it would run into a word."""
        buffer = self.buffer
        before = buffer.lines[buffer.caret.line][: buffer.caret.column][-1:]
        ends_word = before.isalnum() or before in ("_", '"')
        gap = ", " if self._named == (buffer.version, buffer.caret) else " " if before and ends_word else ""
        self.insert(gap + name)
        self._named = (buffer.version, buffer.caret)

    def take(self, text: str) -> None:
        """Puts another text in place of all; the caret stays at its line and column, and it can be undone."""
        caret = self.buffer.caret
        self.buffer.select_all()
        self.insert(text)
        self.buffer.go(caret)

    def position(self) -> str:
        caret = self.buffer.caret
        return f"{caret.line + 1}:{caret.column + 1}"
