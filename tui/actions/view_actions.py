"""What the keys of the views do: run, open and save, look into the history, kill, go from one view to another."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import urwid

from flight_server.client.statements import split_statements
from flight_server.protocol.messages import ENDED
from planner.errors import VolleyError
from tui.draw.amounts import count, plural, seconds
from tui.draw.popup import Choice
from tui.editor.completion import quoted
from tui.editor.text_buffer import Place
from tui.link.runs import TOGETHER, Origin, Run
from tui.panes.cluster_pane import QueryFilter

if TYPE_CHECKING:
    from tui.app import App


class ViewActions:
    """Acts on the whole program."""

    def __init__(self, app: App) -> None:
        self._app = app

    def act(self, context: str, action: str) -> None:
        """Does what a key's action says in a context; unknown ones do nothing."""
        if action.startswith("view "):
            self._app.go(action.removeprefix("view "))
            return
        found = self._of(context).get(action) or self._everywhere().get(action)
        if found is not None:
            found()

    def _everywhere(self) -> dict[str, Callable[[], None]]:
        app = self._app
        return {
            "help": app.help,
            "quit": self.quit,
            "kill": self._kill_shown,
            "theme": app.toggle_theme,
            "redraw": app.loop.screen.clear,
            "zoom": self._zoom,
            "leave": self._leave,
        }

    def _of(self, context: str) -> dict[str, Callable[[], None]]:
        match context:
            case "editor":
                return self._editor()
            case "queries":
                return self._queries()
            case "cluster":
                return self._cluster()
            case "catalog":
                return self._catalog()
            case _:
                return {}

    # -- editor ---------------------------------------------------------------------------------------------------

    def _editor(self) -> dict[str, Callable[[], None]]:
        app = self._app
        documents = app.documents
        return {
            "run": lambda: self._run(1),
            "run all": lambda: self._run_all(1),
            "run together": lambda: self._run_all(TOGETHER),
            "explain": self._explain,
            "history": self._history,
            "open": lambda: app.dialogs.prompt("Open a file", "file ", "", self._open),
            "save": self._save,
            "new tab": lambda: self._ignore(documents.add("")),
            "close tab": self._close_tab,
            "next tab": lambda: documents.go(documents.here + 1),
            "previous tab": lambda: documents.go(documents.here - 1),
            "copy": self._interrupt,
            "copied": lambda: app.copy(documents.current.editor.clipboard),
            "nothing to complete": self._nothing_to_complete,
            "go to line": lambda: app.dialogs.prompt("Go to line", "line ", "", self._go_to_line),
            "smaller editor": lambda: app.editor_view.grow(-1),
            "larger editor": lambda: app.editor_view.grow(1),
        }

    @staticmethod
    def _ignore(_value: object) -> None:
        return

    def _run(self, together: int) -> None:
        number = self._app.documents.current.number
        self._app.start([(item.text, Origin(number, item.start)) for item in self._app.documents.wanted()], together=together)

    def _run_all(self, together: int) -> None:
        document = self._app.documents.current
        statements = split_statements(document.editor.buffer.text)
        self._app.start([(item.text, Origin(document.number, item.start)) for item in statements], together=together)

    def _explain(self) -> None:
        wanted = self._app.documents.wanted()
        if wanted:
            self._app.start([(f"EXPLAIN {wanted[0].text}", None)])

    def _history(self) -> None:
        entries = self._app.history.newest()
        choices = [
            Choice(" ".join(entry.sql.split()), f"{entry.state} {_ago(time.time() - entry.at)}  {count(entry.rows)} rows", entry.sql)
            for entry in entries
        ]
        self._app.dialogs.choose("History", choices, self._insert_statement, footer="type to search, Enter takes it")

    def _insert_statement(self, choice: Choice) -> None:
        buffer = self._app.documents.current.editor.buffer
        before = buffer.text[: buffer.offset(buffer.caret)].rstrip()
        text = choice.value if choice.value.rstrip().endswith(";") else choice.value + ";"
        if before:
            buffer.end()
            text = ("\n" if before.endswith(";") else ";\n") + text
        self._app.documents.current.editor.insert(text)

    def _open(self, path: str) -> None:
        try:
            self._app.documents.open(path.strip())
        except VolleyError as error:
            self._app.say(str(error), "bad")

    def _save(self) -> None:
        document = self._app.documents.current
        if document.path is None:
            self._app.dialogs.prompt("Save as", "file ", f"query-{document.number}.sql", self._save_as)
        else:
            self._save_as(None)

    def _save_as(self, path: str | None) -> None:
        try:
            self._app.say(f"saved {self._app.documents.save(path)}")
        except VolleyError as error:
            self._app.say(str(error), "bad")

    def _close_tab(self) -> None:
        app = self._app
        if app.documents.current.changed:
            app.dialogs.ask("Close the tab", f"{app.documents.current.name} is not saved. Close it?", app.documents.close, answer="close")
        else:
            app.documents.close()

    def _interrupt(self) -> None:
        """Ctrl-C without a selection: what people press to stop a query."""
        run = self._app.documents.current.run
        if run is not None and not run.over:
            self._kill(run)
        else:
            self._app.say("nothing is selected and no query runs here; Ctrl-Q leaves")

    def _nothing_to_complete(self) -> None:
        loading = not self._app.session.tables_loaded and self._app.session.link == "up"
        self._app.say("the server's tables are still being read" if loading else "nothing to complete here")

    def _go_to_line(self, text: str) -> None:
        editor = self._app.documents.current.editor
        if text.strip().isdigit():
            editor.buffer.go(Place(int(text) - 1, 0))
            editor._invalidate()

    # -- queries --------------------------------------------------------------------------------------------------

    def _queries(self) -> dict[str, Callable[[], None]]:
        app = self._app
        return {
            "open": lambda: app.queries_view.go(lower=True),
            "kill": lambda: self._kill(app.queries.run),
            "kill all": self._kill_all,
            "together": app.book.go_together,
            "again": self._again,
            "edit": self._edit,
        }

    def _again(self) -> None:
        run = self._app.queries.run
        if run is not None:
            new = self._app.book.run(run.sql, run.origin, run.derived)
            self._app.queries.refresh(time.time())
            self._app.queries.list.select(str(new.number))

    def _edit(self) -> None:
        run = self._app.queries.run
        if run is None:
            return
        document = None if run.origin is None else self._app.documents.find(run.origin.document)
        if document is not None and run.origin is not None:
            self._app.documents.go(self._app.documents.documents.index(document))
            document.editor.buffer.go(document.editor.buffer.place(run.origin.start))
        else:
            document = self._app.documents.add(run.sql)
        document.run = run
        self._app.editor_panel.show(run)
        self._app.go("editor")
        self._app.editor_view.go(lower=False)

    def _kill_all(self) -> None:
        active = self._app.book.active()
        if active:
            question = f"Kill {plural(len(active), 'query')} that are not over?" if len(active) > 1 else "Kill the query that is not over?"
            self._app.dialogs.ask("Kill all", question, lambda: self._kill_these(active), answer="kill")

    def _kill_these(self, runs: list[Run]) -> None:
        for run in runs:
            self._kill(run)

    def _kill(self, run: Run | None) -> None:
        if run is not None and not run.over:
            self._app.book.kill(run)
            self._app.say(f"killing query {run.number}")

    def _kill_shown(self) -> None:
        app = self._app
        if app.view == "cluster":
            self._kill_on_server()
        else:
            self._kill(app.queries_panel.run if app.view == "queries" else app.editor_panel.run)

    # -- cluster --------------------------------------------------------------------------------------------------

    def _cluster(self) -> dict[str, Callable[[], None]]:
        app = self._app
        return {
            "open": self._open_query,
            "kill": self._kill_on_server,
            "filter": lambda: app.dialogs.prompt("Show queries with", "text ", app.cluster.filter.text, self._filter_queries),
            "sort": lambda: app.cluster.set_filter(app.cluster.filter.next_sort(), time.time()),
        }

    def _filter_queries(self, text: str) -> None:
        self._app.cluster.set_filter(QueryFilter(text.strip(), self._app.cluster.filter.sort), time.time())

    def _open_query(self) -> None:
        query = self._app.cluster.query
        if query is None:
            return
        run = self._app.book.follow(query)
        self._app.go("queries")
        self._app.queries.list.select(str(run.number))
        self._app.queries_panel.show(run)
        self._app.queries_view.go(lower=True)
        if query.state not in ENDED:
            self._app.queries_panel.set_mode("plan")

    def _kill_on_server(self) -> None:
        query = self._app.cluster.query
        if query is None or query.state in ENDED:
            self._app.say("choose a query that is queued or running", "bad")
            return
        app = self._app

        def kill() -> None:
            app.background.submit(
                lambda: app.server.kill(query.query_id),
                lambda _status: app.say("killed"),
                lambda error: app.say(str(error), "bad"),
            )

        statement = " ".join(query.sql.split())[:200]
        app.dialogs.ask("Kill a query", f"{statement}\n\nowner {query.owner or '-'}, {query.state}. Kill it?", kill, answer="kill")

    # -- catalog --------------------------------------------------------------------------------------------------

    def _catalog(self) -> dict[str, Callable[[], None]]:
        app = self._app
        return {
            "insert": self._insert_name,
            "query": self._query_table,
            "reload": app.session.load_tables,
            "filter": lambda: app.dialogs.prompt("Show tables with", "text ", app.catalog.text, app.catalog.set_filter),
        }

    def _insert_name(self) -> None:
        word = self._app.catalog.word()
        if word is not None:
            self._app.documents.current.editor.insert(word)
            self._app.say(f"put {word} into the editor")

    def _query_table(self) -> None:
        table = self._app.catalog.table
        if table is None:
            return
        text = f"SELECT *\nFROM {quoted(table.name)}"
        editor = self._app.documents.current.editor
        before = editor.buffer.text.rstrip()
        editor.buffer.go(Place(len(editor.buffer.lines), 0))
        editor.buffer.end()
        editor.insert((("\n" if before.endswith(";") else ";\n") if before else "") + text)
        self._app.go("editor")
        self._app.editor_view.go(lower=False)

    # -- everywhere -----------------------------------------------------------------------------------------------

    def quit(self) -> None:
        active = self._app.book.active()
        if not active:
            raise urwid.ExitMainLoop
        choices = [
            Choice("kill them and leave", "", "kill"),
            Choice("leave; they go on at the server", "", "leave"),
            Choice("stay", "", "stay"),
        ]
        self._app.dialogs.choose(f"{plural(len(active), 'query')} not over", choices, self._quit_as, footer="Enter")

    def _quit_as(self, choice: Choice) -> None:
        if choice.value == "stay":
            return
        if choice.value == "kill":
            killed = [run.query_id for run in self._app.book.active() if run.query_id is not None]
            self._app.background.submit(
                lambda: [self._app.server.kill(query_id) for query_id in killed], lambda _done: self._exit(), lambda _error: self._exit()
            )
            return
        self._exit()

    def _exit(self) -> None:
        raise urwid.ExitMainLoop

    def _zoom(self) -> None:
        if self._app.view == "editor":
            self._app.editor_view.zoom()
        elif self._app.view == "queries":
            self._app.queries_view.zoom()

    def _leave(self) -> None:
        split = self._app.queries_view if self._app.view == "queries" else self._app.editor_view
        split.go(lower=not split.in_lower)


def _ago(span: float) -> str:
    return f"{seconds(span)} ago" if span < 86_400 else f"{int(span // 86_400)} d ago"
