"""What the keys of the editor do beyond editing: run, open and save, look into the history."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flight_server.client.statements import Statement, split_statements
from planner.errors import VolleyError
from tui.actions.clipboard import Clipboard
from tui.actions.killing import Killing
from tui.actions.paths import complete_path
from tui.draw.amounts import count, plural, seconds
from tui.draw.chrome import Say
from tui.draw.popup import Choice, Dialogs
from tui.editor.documents import Document, Documents, changed_elsewhere
from tui.editor.history import History
from tui.editor.text_buffer import Place
from tui.keys import Actions
from tui.link.run import Origin
from tui.link.runs import TOGETHER, RunBook
from tui.link.session import Session
from tui.panes.views import Views

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class EditorActions:
    """Acts on the current tab."""

    documents: Documents
    views: Views
    book: RunBook
    session: Session
    history: History
    killing: Killing
    clipboard: Clipboard
    dialogs: Dialogs
    say: Say
    clock: Callable[[], float] = time.time

    def table(self) -> Actions:
        documents = self.documents
        return {
            "run": self.run,
            "run all": lambda: self._run_all(1),
            "run together": lambda: self._run_all(TOGETHER),
            "explain": self._explain,
            "history": self._search_history,
            "open": lambda: self.dialogs.prompt("Open a file", "file ", "", self._open, completer=complete_path),
            "save": self._save,
            "new tab": self._new_tab,
            "close tab": self._close_tab,
            "next tab": lambda: documents.go(documents.here + 1),
            "previous tab": lambda: documents.go(documents.here - 1),
            "copy": self._interrupt,
            "copied": lambda: self.clipboard.copy(documents.pasteboard.text),
            "nothing to complete": self._nothing_to_complete,
            "go to line": lambda: self.dialogs.prompt("Go to line", "line ", "", self._go_to_line),
            "smaller editor": lambda: self.views.editor_split.grow(-1),
            "larger editor": lambda: self.views.editor_split.grow(1),
        }

    # -- running --------------------------------------------------------------------------------------------------

    def list_files(self, paths: Sequence[str], *, run: bool) -> None:
        """Opens files and lists all their statements, which run at once or when they are told to. One that cannot be opened is told."""
        statements: list[tuple[str, Origin | None]] = []
        for path in paths:
            document = self._opened(path)
            if document is not None:
                statements += _of(document, split_statements(document.editor.buffer.text))
        if statements:
            self.views.list_run(self.book.run_all(statements, 1 if run else 0)[0])
            if not run:
                self.say(f"{plural(len(statements), 'statement')} listed: F5 runs them, t together")

    def run(self) -> None:
        """Runs what is selected, or the statement under the cursor, from wherever one is: the results show under the editor."""
        if self.views.name != "editor":
            self.views.go("editor")
        self._start(_of(self.documents.current, self.documents.wanted()))

    def _run_all(self, together: int) -> None:
        document = self.documents.current
        self._start(_of(document, split_statements(document.editor.buffer.text)), together)

    def _explain(self) -> None:
        wanted = self.documents.wanted()
        if wanted:
            self._start([(f"EXPLAIN {wanted[0].text}", None)])

    def _start(self, statements: Sequence[tuple[str, Origin | None]], together: int = 1) -> None:
        """Runs one statement in sight of the editor, or several as a list."""
        if not statements:
            self.say("there is no statement here", "bad")
            return
        document = self.documents.current
        document.editor.set_mark(None)
        self.views.stay()
        if len(statements) == 1:
            document.run = self.book.run(*statements[0])
        else:
            document.run = self.book.run_all(statements, together)[0]
            self.views.list_run(document.run)
        self.views.editor_panel.show(document.run)

    def _interrupt(self) -> None:
        """Ctrl-C without a selection: what people press to stop a query."""
        run = self.documents.current.run
        if run is not None and not run.over and not run.held:
            self.killing.run(run)
        else:
            self.say("nothing is selected and no query runs here; Ctrl-Q leaves")

    # -- text -----------------------------------------------------------------------------------------------------

    def _search_history(self) -> None:
        now = self.clock()
        choices = [
            Choice(" ".join(entry.sql.split()), f"{entry.state} {_ago(now - entry.at)}  {count(entry.rows)} rows", entry.sql)
            for entry in self.history.newest()
        ]
        self.dialogs.choose("History", choices, self._insert_statement, footer="type to search, Enter takes it")

    def _insert_statement(self, choice: Choice) -> None:
        editor = self.documents.current.editor
        before = editor.buffer.text[: editor.buffer.offset(editor.buffer.caret)].rstrip()
        text = choice.value if choice.value.rstrip().endswith(";") else choice.value + ";"
        if before:
            editor.buffer.end()
            text = ("\n" if before.endswith(";") else ";\n") + text
        editor.insert(text)

    def _nothing_to_complete(self) -> None:
        loading = not self.session.tables_loaded and self.session.link == "up"
        self.say("the server's tables are still being read" if loading else "nothing to complete here")

    def _go_to_line(self, text: str) -> None:
        editor = self.documents.current.editor
        if text.strip().isdigit():
            editor.buffer.go(Place(int(text) - 1, 0))
            editor._invalidate()

    # -- tabs and files -------------------------------------------------------------------------------------------

    def _open(self, path: str) -> None:
        self._opened(path.strip())

    def _opened(self, path: str) -> Document | None:
        try:
            return self.documents.open(path)
        except VolleyError as error:
            self.say(str(error), "bad")
            return None

    def _save(self) -> None:
        document = self.documents.current
        if document.path is None:
            self.dialogs.prompt("Save as", "file ", f"query-{document.number}.sql", self._save_to, completer=complete_path)
        elif changed_elsewhere(document) is not None:
            question = f"{document.path} was changed elsewhere since. Write over it?"
            self.dialogs.ask("Save", question, lambda: self._save_as(None), answer="write over it")
        else:
            self._save_as(None)

    def _save_to(self, path: str) -> None:
        """Saves under a name that was typed; asks before another file is written over."""
        target = Path(path.strip()).expanduser()
        if not path.strip():
            return
        if target.exists():
            self.dialogs.ask("Save as", f"{target} is there. Write over it?", lambda: self._save_as(str(target)), answer="write over it")
        else:
            self._save_as(str(target))

    def _save_as(self, path: str | None) -> None:
        try:
            self.say(f"saved {self.documents.save(path)}")
        except VolleyError as error:
            self.say(str(error), "bad")

    def _new_tab(self) -> None:
        self.documents.add("")

    def _close_tab(self) -> None:
        document = self.documents.current
        if document.changed:
            self.dialogs.ask("Close the tab", f"{document.name} is not saved. Close it?", self.documents.close, answer="close")
        else:
            self.documents.close()


def _of(document: Document, statements: Sequence[Statement]) -> list[tuple[str, Origin | None]]:
    """Statements with the place that they come from."""
    buffer = document.editor.buffer
    columns = [buffer.place(statement.start).column + 1 for statement in statements]
    return [(s.text, Origin(document.number, s.start, s.line, column)) for s, column in zip(statements, columns, strict=True)]


def _ago(span: float) -> str:
    return f"{seconds(span)} ago" if span < DAY_SECONDS else f"{int(span // DAY_SECONDS)} d ago"
