"""The SQL editor: a text with colours, line numbers, completion, and the mark of an error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import urwid

from flight_server.protocol.messages import TableStatus
from tui import keys
from tui.draw.canvas import Line, Segment, cut, draw, fit, width
from tui.editor.completion import Candidate, complete
from tui.editor.highlight import highlight
from tui.editor.text_buffer import Place, TextBuffer

INDENT = 2
POPUP_ROWS = 8
PLACEHOLDER = (
    "-- Write SQL here.  F5 runs the statement under the cursor,  Tab completes,  F1 lists all keys.",
    "-- Tables are on F6,  statements from before on Ctrl-R.",
)


@dataclass(frozen=True, slots=True)
class Mark:
    """An error's place in the text, and what it says."""

    place: Place
    message: str


@dataclass
class _Popup:
    """Candidates for the word that begins at ``start``; ``here`` is the chosen one."""

    start: int
    candidates: Sequence[Candidate]
    here: int = 0


class Editor(urwid.Widget):
    """Edits a :class:`TextBuffer`. ``act(action)`` is called for keys that the editor itself does nothing for."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(
        self,
        text: str = "",
        act: Callable[[str], None] = lambda _action: None,
        tables: Callable[[], Sequence[TableStatus]] = lambda: (),
    ) -> None:
        super().__init__()
        self.buffer = TextBuffer(text)
        self.act = act
        self.mark: Mark | None = None
        self.clipboard = ""
        self._tables = tables
        self._top = 0
        self._left = 0
        self._popup: _Popup | None = None
        self._pasting: list[str] | None = None

    # -- drawing --------------------------------------------------------------------------------------------------

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        columns, rows = size
        gutter = self._gutter()
        room = max(1, columns - gutter)
        self._scroll(room, rows)
        runs = highlight(self.buffer.lines, self._top, rows)
        lines = [self._line(self._top + row, run, gutter, room) for row, run in enumerate(runs)]
        if self.buffer.lines == [""]:
            lines = [[("gutter.here", fit("1", gutter - 1, right=True) + " "), ("dim", PLACEHOLDER[0])]]
            lines.append([("gutter", " " * gutter), ("dim", PLACEHOLDER[1])])
        caret = self.buffer.caret
        x = gutter + width(self.buffer.lines[caret.line][self._left : caret.column])
        y = caret.line - self._top
        cursor = (x, y) if focus and x < columns and 0 <= y < rows else None
        canvas = draw(lines, columns, rows, cursor=cursor)
        if self._popup is not None and focus and rows > 2:
            return self._with_popup(canvas, columns, rows, y)
        return canvas

    def _line(self, number: int, runs: list[tuple[str, int]], gutter: int, room: int) -> Line:
        here = number == self.buffer.caret.line
        wrong = self.mark is not None and self.mark.place.line == number
        attribute = "gutter.error" if wrong else "gutter.here" if here else "gutter"
        label = ("▶" if wrong else "") + str(number + 1)
        text = self.buffer.lines[number]
        attributes = [name for name, length in runs for _ in range(length)]
        attributes += ["text"] * (len(text) - len(attributes))
        self._paint_selection(number, attributes)
        if wrong:
            self._paint_mark(text, attributes)
        segments: list[Segment] = [(attribute, fit(label, gutter - 1, right=True) + " ")]
        shown = text[self._left : self._left + room]
        start = 0
        for position in range(1, len(shown) + 1):
            same = position < len(shown) and attributes[self._left + position] == attributes[self._left + start]
            if not same:
                segments.append((attributes[self._left + start], shown[start:position]))
                start = position
        return segments

    def _paint_selection(self, number: int, attributes: list[str]) -> None:
        stretch = self.buffer.selection
        if stretch is None or not stretch[0].line <= number <= stretch[1].line:
            return
        start = stretch[0].column if number == stretch[0].line else 0
        end = stretch[1].column if number == stretch[1].line else len(attributes)
        attributes[start:end] = ["selection"] * (end - start)

    def _paint_mark(self, text: str, attributes: list[str]) -> None:
        assert self.mark is not None
        start = min(self.mark.place.column, max(0, len(text) - 1))
        end = start + 1
        while end < len(text) and (text[end].isalnum() or text[end] in "_."):
            end += 1
        attributes[start:end] = ["error.mark"] * (min(end, len(text)) - start)

    def _with_popup(self, canvas: urwid.Canvas, columns: int, rows: int, caret_row: int) -> urwid.Canvas:
        popup = self._popup
        assert popup is not None
        below, above = rows - caret_row - 1, caret_row
        height = min(POPUP_ROWS, len(popup.candidates), max(below, above))
        first = max(0, min(popup.here - height // 2, len(popup.candidates) - height))
        shown = popup.candidates[first : first + height]
        names = max(width(item.text) for item in shown) + 1
        details = max(width(_detail(item)) for item in shown)
        span = min(columns, names + details + 2)
        lines: list[Line] = []
        for number, item in enumerate(shown, first):
            here = number == popup.here
            name = fit(" " + item.text, min(names + 1, span))
            rest = fit(_detail(item), max(0, span - width(name)))
            lines.append([("popup.here" if here else "popup", name), ("popup.here" if here else "popup.dim", rest)])
        start = self.buffer.place(popup.start)
        left = self._gutter() + width(self.buffer.lines[start.line][self._left : start.column]) - 1
        left = max(0, min(left, columns - span))
        top = caret_row + 1 if height <= below else caret_row - height
        combined = urwid.CanvasOverlay(draw(lines, span, height), urwid.CompositeCanvas(canvas), left, top)
        combined.cursor = canvas.cursor
        return combined

    def _gutter(self) -> int:
        return max(3, len(str(len(self.buffer.lines))) + 1) + 1

    def _scroll(self, room: int, rows: int) -> None:
        """Moves the window so that the caret is in it."""
        caret = self.buffer.caret
        self._top = max(0, min(self._top, caret.line, len(self.buffer.lines) - 1), caret.line - rows + 1)
        self._left = max(0, min(self._left, caret.column), caret.column - room + 1)

    # -- keys -----------------------------------------------------------------------------------------------------

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        if self._take_paste(key):
            return None
        if self._popup is not None and self._popup_key(key):
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
                self._refresh_popup()
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
                self.clipboard = buffer.delete_to_end()
            case "copy" if buffer.selection is not None:
                self.clipboard = buffer.selected_text()
                self.act("copied")
            case "cut":
                self.clipboard = buffer.selected_text() or buffer.lines[buffer.caret.line] + "\n"
                self.act("copied")
                if buffer.selection is None:
                    buffer.delete_line()
                else:
                    buffer.delete(1)
            case "paste":
                buffer.insert(self.clipboard)
            case found:
                self.act(found)
        return True

    def _backspace(self) -> None:
        before = self.buffer.lines[self.buffer.caret.line][: self.buffer.caret.column]
        only_indent = before and not before.strip() and len(before) % INDENT == 0
        self.buffer.delete(-INDENT if only_indent and self.buffer.selection is None else -1)
        self._refresh_popup()

    def _take_paste(self, key: str) -> bool:
        """What the terminal pastes is put in as it is: no indentation, no completion, one step to undo."""
        if key == "begin paste":
            self._pasting = []
        elif key == "end paste":
            text, self._pasting = "".join(self._pasting or []), None
            self.buffer.insert(text)
            self.mark = None
            self.act("changed")
            self._invalidate()
        elif self._pasting is not None:
            self._pasting.append({"enter": "\n", "tab": "    ", "ctrl j": "\n"}.get(key, key if len(key) == 1 else ""))
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
        self._popup = _Popup(found.start, found.candidates)
        if len(found.candidates) == 1:
            self._accept()

    def _popup_key(self, key: str) -> bool:
        assert self._popup is not None
        match key:
            case "up":
                self._popup.here = (self._popup.here - 1) % len(self._popup.candidates)
            case "down":
                self._popup.here = (self._popup.here + 1) % len(self._popup.candidates)
            case "tab" | "enter":
                self._accept()
            case "esc":
                self._popup = None
            case "backspace":
                return False
            case _ if len(key) == 1 and (key.isalnum() or key == "_"):
                return False
            case _:
                self._popup = None
                return False
        return True

    def _refresh_popup(self) -> None:
        """Narrows the open list to what has been typed since."""
        if self._popup is None:
            return
        found = complete(self.buffer.text, self.buffer.offset(self.buffer.caret), self._tables())
        self._popup = None if found is None or found.start != self._popup.start else _Popup(found.start, found.candidates)

    def _accept(self) -> None:
        popup, self._popup = self._popup, None
        assert popup is not None
        self.buffer.replace(self.buffer.place(popup.start), self.buffer.caret, popup.candidates[popup.here].text)
        self.mark = None
        self.act("changed")

    # -- mouse ----------------------------------------------------------------------------------------------------

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        if event == "mouse press" and button in (4, 5):
            self.buffer.move_lines(-3 if button == 4 else 3)
        elif button == 1 and event in ("mouse press", "mouse drag"):
            self._popup = None
            line = min(self._top + row, len(self.buffer.lines) - 1)
            self.buffer.go(Place(line, self._left + max(0, col - self._gutter())), select=event == "mouse drag")
        else:
            return False
        self._invalidate()
        return True

    # -- for others -----------------------------------------------------------------------------------------------

    def set_mark(self, mark: Mark | None) -> None:
        """Marks an error and brings it into sight."""
        self.mark = mark
        if mark is not None:
            self.buffer.go(mark.place)
        self._invalidate()

    def insert(self, text: str) -> None:
        self.buffer.insert(text)
        self.act("changed")
        self._invalidate()

    def position(self) -> str:
        caret = self.buffer.caret
        return f"{caret.line + 1}:{caret.column + 1}"


def _detail(item: Candidate) -> str:
    return cut(f" {item.kind}  {item.detail}" if item.detail else f" {item.kind}", 40)
