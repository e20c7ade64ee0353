"""What the keys of the catalog do."""

from __future__ import annotations

from dataclasses import dataclass

from flight_server.client.sql_words import quoted
from tui.draw.chrome import Say
from tui.draw.popup import Dialogs
from tui.editor.documents import Documents
from tui.editor.text_buffer import Place
from tui.keys import Actions
from tui.link.session import Session
from tui.panes.catalog_pane import CatalogPane
from tui.panes.views import Views


@dataclass(frozen=True)
class CatalogActions:
    """Acts on the table or column of the current line."""

    catalog: CatalogPane
    documents: Documents
    session: Session
    views: Views
    dialogs: Dialogs
    say: Say

    def table(self) -> Actions:
        return {
            "insert": self._insert,
            "query": self._query,
            "reload": self.session.load_tables,
            "filter": lambda: self.dialogs.prompt("Show tables with", "text ", self.catalog.text, self.catalog.set_filter),
        }

    def _insert(self) -> None:
        word = self.catalog.word()
        if word is not None:
            self.documents.current.editor.insert_name(word)
            self.say(f"put {word} into the editor")

    def _query(self) -> None:
        """Puts a SELECT of the table behind what stands in the editor, and goes there."""
        table = self.catalog.table
        if table is None:
            return
        text = f"SELECT *\nFROM {quoted(table.name)}"
        editor = self.documents.current.editor
        before = editor.buffer.text.rstrip()
        editor.buffer.go(Place(len(editor.buffer.lines), 0))
        editor.buffer.end()
        editor.insert((("\n" if before.endswith(";") else ";\n") if before else "") + text)
        self.views.write()
