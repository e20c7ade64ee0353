"""What the keys of the list of queries do."""

from __future__ import annotations

from dataclasses import dataclass

from tui.actions.dropping import Dropping
from tui.actions.killing import Killing
from tui.editor.documents import Documents
from tui.keys import Actions
from tui.link.runs import RunBook
from tui.panes.views import Views


@dataclass(frozen=True)
class QueryActions:
    """Acts on the run that is current in the list."""

    views: Views
    documents: Documents
    book: RunBook
    killing: Killing
    dropping: Dropping

    def table(self) -> Actions:
        return {
            "open": lambda: self.views.queries_split.go(lower=True),
            "kill": lambda: self.killing.run(self.views.queries.run),
            "drop": lambda: self.dropping.run(self.views.queries.run),
            "kill all": self.killing.all_runs,
            "together": self.book.go_together,
            "again": self._again,
            "run": self.run,
            "edit": self._edit,
        }

    def run(self) -> None:
        """Lets the statements that wait to be told go, one after another; where none waits, runs the current query again."""
        if self.book.parked():
            self.book.go()
        else:
            self._again()

    def _again(self) -> None:
        run = self.views.queries.run
        if run is not None:
            self.views.list_run(self.book.again(run))

    def _edit(self) -> None:
        """Goes to where the statement came from; to a new tab with it if that is closed."""
        run = self.views.queries.run
        if run is None:
            return
        document = None if run.origin is None else self.documents.find(run.origin.document)
        if document is not None and run.origin is not None:
            self.documents.go(self.documents.documents.index(document))
            document.editor.buffer.go(document.editor.buffer.place(run.origin.start))
        else:
            document = self.documents.add(run.sql)
        document.run = run
        self.views.editor_panel.show(run)
        self.views.write()
