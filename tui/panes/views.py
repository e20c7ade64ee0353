"""What is between title and footer: the editor, the queries, the cluster or the catalog, one at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import urwid

from tui.editor.documents import Documents
from tui.link.run import Run
from tui.panes.catalog_pane import CatalogPane
from tui.panes.cluster_pane import ClusterPane
from tui.panes.editor_with_tables import EditorWithTables
from tui.panes.queries_pane import QueriesPane
from tui.panes.run_panel import RunPanel, RunViews
from tui.panes.split import SplitScreen

EDITOR_HINT = " Results show here. F5 runs the statement under the cursor."
QUERIES_HINT = " Choose a query above."


class Views(urwid.WidgetPlaceholder):
    """Shows one view. Below the editor and below the list of queries is a panel with the run that was chosen there.

    ``runs()`` are all runs; ``act(action)`` is called for keys that others must act on; ``switched`` are called when another view shows.
    """

    def __init__(
        self,
        documents: Documents,
        runs: Callable[[], Sequence[Run]],
        cluster: ClusterPane,
        catalog: CatalogPane,
        act: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.switched: list[Callable[[], None]] = []
        self.name = "editor"
        self._trail: list[str] = []
        self._opened = False
        self._came = False
        self._documents = documents
        self._clock = clock
        self._run_views = RunViews(act)
        self.editor_panel = RunPanel(self._run_views.of, act, EDITOR_HINT)
        self.queries_panel = RunPanel(self._run_views.of, act, QUERIES_HINT)
        self.queries = QueriesPane(runs, self.queries_panel.show, act)
        self.cluster = cluster
        self.catalog = catalog
        self.editor_split = SplitScreen(documents, self.editor_panel)
        self.beside = EditorWithTables(self.editor_split, lambda: catalog.tables, documents.mentioned, self._insert, act)
        self.queries_split = SplitScreen(self.queries, self.queries_panel)
        documents.switched.append(lambda: self.editor_panel.show(documents.current.run))
        super().__init__(self.beside)

    # -- where one is ---------------------------------------------------------------------------------------------

    def context(self) -> str:
        """The table of keys that holds where the focus is."""
        match self.name:
            case "editor" if self.beside.in_tables:
                return "tables"
            case "editor":
                return self.editor_panel.context if self.editor_split.in_lower else "editor"
            case "queries":
                return self.queries_panel.context if self.queries_split.in_lower else "queries"
            case other:
                return other

    @property
    def panel(self) -> RunPanel:
        """The panel in sight; the editor's where there is none."""
        return self.queries_panel if self.name == "queries" else self.editor_panel

    @property
    def split(self) -> SplitScreen | None:
        """The view that is shown, if it has an upper and a lower part."""
        return {"editor": self.editor_split, "queries": self.queries_split}.get(self.name)

    # -- going elsewhere ------------------------------------------------------------------------------------------

    def go(self, name: str) -> None:
        """Shows a view; :meth:`back` comes back from it."""
        if name != self.name:
            self._trail = [*(before for before in self._trail if before not in (name, self.name)), self.name]
        self._show(name)

    def back(self) -> None:
        """Shows the view that was shown before this one."""
        if self._trail:
            self._show(self._trail.pop())

    def leave(self) -> None:
        """Goes to the other part of the view; from a run or a text that was opened from another view, back there."""
        if self.split is None:
            return
        if self._opened and self.split.in_lower:
            self.split.go(lower=False)
            self.back()
        elif self._came and self._trail and not self.split.in_lower:
            self.go(self._trail[-1])  # from where Esc comes back to the text
        else:
            self.split.go(lower=not self.split.in_lower)

    def go_to_tables(self) -> None:
        """Goes to the tables beside the editor; to the catalog where there is no room for them."""
        if self.name != "editor":
            self.go("editor")
        if not self.beside.enter():
            self.go("catalog")

    def stay(self) -> None:
        """One works in the editor now, and did not just come to look: from here, Esc goes to the results."""
        self._came = False

    def open_run(self, run: Run) -> None:
        """Goes to what a run of another view shows."""
        self.list_run(run)
        self.queries_split.go(lower=True)
        self._opened = True

    def _show(self, name: str) -> None:
        self._opened = self._came = False
        self.beside.leave()
        widgets = {"editor": self.beside, "queries": self.queries_split, "cluster": self.cluster, "catalog": self.catalog}
        self.original_widget = widgets[name]
        self.name = name
        if name == "catalog":
            self.catalog.shown()
        if name == "queries":
            self._refresh_list()
            self.queries_panel.show(self.queries.run)
        for listener in self.switched:
            listener()

    def tables_changed(self) -> None:
        """Takes the tables that the catalog has now."""
        self.beside._invalidate()

    def _insert(self, name: str) -> None:
        self._documents.current.editor.insert_name(name)

    def write(self) -> None:
        """Goes to the editor, into the text; Esc comes back from it until something is run."""
        came = self.name != "editor"
        self.go("editor")
        self.editor_split.go(lower=False)
        self._came = came

    def list_run(self, run: Run) -> None:
        """Goes to the list of queries, to a run in it."""
        self.go("queries")
        self.queries.list.select(str(run.number))
        self.queries_panel.show(run)

    # -- what happens ---------------------------------------------------------------------------------------------

    def changed(self, run: Run) -> None:
        """Takes what has become known of a run."""
        if run.dropped:
            self._forget(run)
        self.editor_panel.changed(run)
        self.queries_panel.changed(run)
        if self.name == "queries":
            self._refresh_list()
        if self.queries_panel.run is None:
            self.queries_panel.show(self.queries.run)

    def _forget(self, run: Run) -> None:
        """Shows a run that was dropped no more."""
        for document in self._documents.documents:
            if document.run is run:
                document.run = None
        self._refresh_list()
        if self.editor_panel.run is run:
            self.editor_panel.show(self._documents.current.run)
        if self.queries_panel.run is run:
            self.queries_panel.show(self.queries.run)

    def replace(self, old: Run, new: Run) -> None:
        """Shows ``new``, a query derived from ``old``, wherever that was shown, in the same way."""
        self._run_views.of(new).follow(self._run_views.of(old))
        for document in self._documents.documents:
            if document.run is old:
                document.run = new
        self.panel.show(new)
        if self.name == "queries":
            self._refresh_list()
            self.queries.list.select(str(new.number))

    def tick(self) -> None:
        """Moves what moves by itself while queries run: spinners and times."""
        if self.name == "queries":
            self._refresh_list()
        for panel in (self.editor_panel, self.queries_panel):
            if panel.run is not None and not panel.run.over:
                panel._invalidate()

    def _refresh_list(self) -> None:
        self.queries.refresh(self._clock())
