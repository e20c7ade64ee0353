"""The tabs of the editor: texts, the files they came from, and the run that each shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import urwid

from flight_server.client.statements import Statement, split_statements, statement_at
from flight_server.protocol.messages import TableStatus
from tui.draw.canvas import Line, Segment, cut, draw, fit, width
from tui.editor.completion import mentioned_tables
from tui.editor.editor import MAX_OFFERED_CHARS, Editor, Pasteboard
from tui.editor.lines import Mark
from tui.editor.text_buffer import Place
from tui.editor.text_files import FileError, FileText, TextForm, read_text, stamp, write_text
from tui.link.run import Run

_POSITION = re.compile(r"\(line (\d+), column (\d+)\)")


class KeptTab(msgspec.Struct, frozen=True):
    """A tab as it is kept for the next start. ``saved`` is the text in the file, None where it is ``text`` itself."""

    number: int
    text: str
    path: str | None = None
    saved: str | None = None
    line: int = 0
    column: int = 0


@dataclass(eq=False)
class Document:
    """A tab: its text, its file if it has one, and the text as it was saved.

    ``run`` is the one whose results it shows, ``marked`` the one whose error is marked in it. ``seen`` is the file's stamp when it
    was looked at last.
    """

    number: int
    editor: Editor
    path: Path | None
    saved: str
    run: Run | None = None
    marked: Run | None = None
    form: TextForm = field(default_factory=TextForm)
    seen: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        return f"query {self.number}" if self.path is None else self.path.name

    @property
    def changed(self) -> bool:
        return self.editor.buffer.text != self.saved and (self.path is not None or bool(self.editor.buffer.text.strip()))


class Documents(urwid.Widget):
    """The row of tabs and the editor of the current one. ``act(action)`` comes from the editor; ``switched`` are called at another tab.

    All tabs share one pasteboard.
    """

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(self, act: Callable[[str], None], tables: Callable[[], Sequence[TableStatus]]) -> None:
        super().__init__()
        self.switched: list[Callable[[], None]] = []
        self._act = act
        self._tables = tables
        self.pasteboard = Pasteboard()
        self._made = 0
        self._spans: list[tuple[int, int]] = []
        self.documents: list[Document] = []
        self.here = 0
        self.add("")

    @property
    def current(self) -> Document:
        return self.documents[self.here]

    def add(self, text: str, path: Path | None = None) -> Document:
        """Opens a tab; an empty one that was never used gives way to it."""
        self._made += 1
        editor = Editor(text, self._act, self._tables, self.pasteboard)
        # As the editor has it, tabs and line ends made its own: a file that was only opened has not been changed.
        document = Document(self._made, editor, path, editor.buffer.text)
        if self.documents and not self.current.editor.buffer.text and self.current.path is None and self.current.run is None and text:
            document.number = self.current.number
            self._made -= 1
            self.documents[self.here] = document
        else:
            self.documents.append(document)
            self.here = len(self.documents) - 1
        self._tell_switched()
        return document

    def open(self, path: str) -> Document:
        """Opens a file in a tab, or goes to the tab that has it. Raises ``FileError``."""
        file = Path(path).expanduser()
        for number, document in enumerate(self.documents):
            if document.path is not None and document.path.absolute() == file.absolute():
                self.go(number)
                return document
        found = read_text(file)
        document = self.add(found.text, file)
        document.form = found.form
        return document

    def save(self, path: str | None = None, document: Document | None = None) -> Path:
        """Writes a tab, the current one if none is named, to its file, or to ``path``. Raises ``FileError``."""
        document = self.current if document is None else document
        target = document.path if path is None else Path(path).expanduser()
        assert target is not None
        text = document.editor.buffer.text
        write_text(target, document.form.whole(text))
        document.path, document.saved, document.seen = target, text, stamp(target)
        self._invalidate()
        return target

    def refresh(self) -> list[str]:
        """Looks at files that were changed elsewhere: a tab without changes takes the new text. Returns what its user should know."""
        notes = []
        for document in self.documents:
            seen = None if document.path is None else stamp(document.path)
            if seen == document.seen or document.path is None:
                continue
            document.seen = seen
            found = changed_elsewhere(document)
            if isinstance(found, FileText) and not document.changed:
                document.editor.take(found.text)
                document.saved, document.form = document.editor.buffer.text, found.form
                notes.append(f"{document.name} was changed elsewhere and is read anew")
            elif found is not None:
                notes.append(f"{document.name} was changed elsewhere, and here: Ctrl-S asks before it writes over it")
        return notes

    def close(self) -> None:
        """Closes the current tab; the last one is emptied."""
        del self.documents[self.here]
        if not self.documents:
            self.add("")
        self.go(min(self.here, len(self.documents) - 1))

    def go(self, number: int) -> None:
        self.here = number % len(self.documents)
        self._tell_switched()

    def unsaved(self) -> list[Document]:
        """The tabs whose text is in no file as it stands."""
        return [document for document in self.documents if document.changed]

    def forget_changes(self) -> None:
        """Takes unsaved texts away: files are as they were saved, tabs without a file are gone."""
        for document in self.unsaved():
            if document.path is not None:
                document.editor.take(document.saved)
        self.documents = [document for document in self.documents if document.path is not None]
        if not self.documents:
            self.add("")
        self.go(min(self.here, len(self.documents) - 1))

    # -- the next start -------------------------------------------------------------------------------------------

    def kept(self) -> tuple[list[KeptTab], int]:
        """The tabs that hold something, and which of them is in sight."""
        shown = [document for document in self.documents if document.path is not None or document.editor.buffer.text]
        return [_kept(document) for document in shown], shown.index(self.current) if self.current in shown else max(0, len(shown) - 1)

    def restore(self, tabs: Sequence[KeptTab], here: int) -> list[str]:
        """Opens tabs as they were kept; returns what its user should know: files that are gone, or were changed elsewhere.

        A file whose tab held no change is read anew; an unsaved text stays as it is.
        """
        notes: list[str] = []
        opened: list[Document] = []
        for tab in tabs:
            document = self._reopened(tab, notes)
            document.number = tab.number
            opened.append(document)
        self._made = max([self._made, *(document.number for document in self.documents)])
        if opened:
            self.go(self.documents.index(opened[min(max(0, here), len(opened) - 1)]))
        return notes

    def _reopened(self, tab: KeptTab, notes: list[str]) -> Document:
        """The tab as it was kept; what its user should know goes to ``notes``."""
        path = None if tab.path is None else Path(tab.path)
        text, saved, form = tab.text, tab.text if tab.saved is None else tab.saved, TextForm()
        if path is not None:
            try:
                file = read_text(path)
            except FileError as error:
                notes.append(str(error))
                saved = ""  # what the tab holds is all that is left of it
            else:
                form = file.form
                if text == saved:
                    text = file.text
                elif file.text.rstrip("\n") != saved.rstrip("\n"):
                    notes.append(f"{path} was changed elsewhere since: Ctrl-S asks before it writes over it")
                saved = file.text if text == file.text else saved
        document = self.add(text, path)
        document.saved, document.form, document.seen = saved, form, None if path is None else stamp(path)
        document.editor.buffer.go(Place(tab.line, tab.column))
        return document

    def adopt(self, tabs: Sequence[KeptTab]) -> list[str]:
        """Opens tabs that another sitting had, but for files that are open here and have no changes there; returns what one should know.

        A file that is open here and has changes there comes as a text of its own. The tab in sight stays in sight.
        """
        here = self.current
        names: list[str] = []
        notes: list[str] = []
        paths = {document.path for document in self.documents if document.path is not None}
        for tab in tabs:
            if tab.path is None or Path(tab.path) not in paths:
                names.append(self._reopened(tab, notes).name)
            elif tab.saved is not None:
                names.append(self.add(tab.text).name)
        self.go(self.documents.index(here) if here in self.documents else 0)
        return [f"tabs of another sitting are here, too: {', '.join(names)}", *notes] if names else notes

    def find(self, number: int) -> Document | None:
        """The tab of that number, if it is still open."""
        return next((document for document in self.documents if document.number == number), None)

    def mentioned(self) -> list[TableStatus]:
        """The tables that the statement under the cursor names; none in a text that is too long to look through at every key."""
        buffer = self.current.editor.buffer
        if buffer.is_longer_than(MAX_OFFERED_CHARS):
            return []
        return mentioned_tables(buffer.text, buffer.offset(buffer.caret), self._tables())

    def wanted(self) -> list[Statement]:
        """What "run" means now: the statements of the selection, or the one under the cursor."""
        buffer = self.current.editor.buffer
        stretch = buffer.selection
        if stretch is None:
            found = statement_at(buffer.text, buffer.offset(buffer.caret))
            return [] if found is None else [found]
        base, line = buffer.offset(stretch[0]), stretch[0].line
        return [Statement(s.text, base + s.start, base + s.end, line + s.line) for s in split_statements(buffer.selected_text())]

    def mark_error(self, run: Run) -> None:
        """Marks the place that a failed run's message names, if the statement still stands where it was."""
        if run.origin is None or run.error is None:
            return
        document = self.find(run.origin.document)
        match = _POSITION.search(run.error.message)
        if document is None or (match is None and not run.error.message.rstrip().endswith("EOF")):
            return
        buffer = document.editor.buffer
        if buffer.text[run.origin.start : run.origin.start + len(run.sql)] != run.sql:
            return
        end = buffer.place(run.origin.start + len(run.sql))
        if match is None:
            # A statement that ends too soon is wrong at its end; messages of that kind name no place.
            place = buffer.place(run.origin.start + len(run.sql) - 1)
        else:
            place = min(Place(int(match.group(1)) - 1, int(match.group(2)) - 1), end)
        document.marked = run
        document.editor.set_mark(Mark(place, run.error.message))

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        columns, rows = size
        if rows < 2 or columns < 8:
            return draw([], columns, rows)
        head = draw([self._bar(columns, focus)], columns, 1)
        mark = self.current.editor.mark
        # The results of the same statement tell it whole, right below.
        told = mark is None or self.current.marked is self.current.run
        notes: list[Line] = [] if mark is None or told else [[("error", " " + line)] for line in mark.message.splitlines()[:1]]
        body = self.current.editor.render((columns, max(1, rows - 1 - len(notes))), focus)
        parts = [(head, None, False), (body, None, True)]
        if notes and rows > 2:
            parts.append((draw(notes, columns, len(notes)), None, False))
        return urwid.CanvasCombine(parts)

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        found = self.current.editor.keypress((size[0], max(1, size[1] - 1)), key)
        self._invalidate()
        return None if found is None else str(found)

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        self._invalidate()
        if row > 0:
            return self.current.editor.mouse_event((size[0], size[1] - 1), event, button, col, row - 1, focus)
        for number, (start, end) in enumerate(self._spans):
            if event == "mouse press" and start <= col < end:
                self.go(number)
        return True

    def _tell_switched(self) -> None:
        self._invalidate()
        for listener in self.switched:
            listener()

    def _bar(self, columns: int, focus: bool) -> Line:
        """The tabs, from one on that leaves room for the current one; at the right, where the caret is."""
        position = f" {self.current.editor.position()} "
        room = max(0, columns - len(position))
        labels = [f" {document.name}{' ●' if document.changed else ''} " for document in self.documents]
        first = 0
        while first < self.here and sum(map(width, labels[first : self.here + 1])) > room - bool(first):
            first += 1
        line: list[Segment] = [("tab", "‹")] if first else []
        used = len(line)
        self._spans = [(0, 0)] * first
        for number, label in enumerate(labels[first:], first):
            shown = cut(label, room - used)
            here = number == self.here
            line.append(("tab.on.focus" if here and focus else "tab.on" if here else "tab", shown))
            self._spans.append((used, used + width(shown)))
            used += width(shown)
        line.append(("tab", fit(position, columns - used, right=True)))
        return [*line, ("tab", "")]


def _kept(document: Document) -> KeptTab:
    buffer = document.editor.buffer
    path = None if document.path is None else str(document.path.absolute())
    saved = None if document.saved == buffer.text else document.saved
    return KeptTab(document.number, buffer.text, path, saved, buffer.caret.line, buffer.caret.column)


def changed_elsewhere(document: Document) -> FileText | FileError | None:
    """What a tab's file holds now, or why that cannot be read, if it is not what was read or saved here; None if it is, or is gone."""
    if document.path is None or not document.path.is_file():
        return None
    try:
        found = read_text(document.path)
    except FileError as error:
        return error
    return None if found.text.rstrip("\n") == document.saved.rstrip("\n") else found
