"""The program: the screen, its views, the loop, and what the keys do that are about more than one widget."""

from __future__ import annotations

import os
import signal
import sys
import time
import weakref
from collections.abc import Callable, Sequence

import urwid

from flight_server.client import Client
from flight_server.client.statements import split_statements
from planner.errors import Status, VolleyError
from tui import keys
from tui.actions.result_actions import ResultActions
from tui.actions.view_actions import ViewActions
from tui.draw.canvas import Line, fit
from tui.draw.chrome import Footer, Mood, Title
from tui.draw.popup import Dialogs
from tui.draw.themes import NAMES, choose_theme, count_colours, palette
from tui.editor.documents import Documents
from tui.editor.history import History, state_folder
from tui.link.background import Background
from tui.link.runs import Follower, Origin, Run, RunBook
from tui.link.server import Server
from tui.link.session import Link, Session
from tui.log import stderr_aside
from tui.panes.catalog_pane import CatalogPane
from tui.panes.cluster_pane import ClusterPane
from tui.panes.queries_pane import QueriesPane
from tui.panes.run_panel import RunPanel, RunView
from tui.panes.split import Split

TICK_SECONDS = 0.2
EDITOR_HINT = " Results show here. F5 runs the statement under the cursor."
QUERIES_HINT = " Choose a query above."


class CannotOpen(VolleyError):
    """The terminal UI cannot be opened as asked."""

    status = Status.INVALID_ARGUMENT


class Shell(urwid.Frame):
    """Title, the current view, footer. Keys that hold everywhere come first, unless a dialog is open."""

    def __init__(self, body: urwid.Widget, header: urwid.Widget, footer: urwid.Widget, press: Callable[[str], bool]) -> None:
        super().__init__(body, header, footer)
        self._press = press

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        if self._press(key):
            return None
        rest = super().keypress(size, key)
        return None if rest is None else str(rest)


class App:
    """Everything, put together. ``run()`` returns when the user leaves."""

    def __init__(
        self,
        server: Server,
        uri: str,
        *,
        files: Sequence[str] = (),
        theme: str | None = None,
        history: History | None = None,
        screen: urwid.BaseScreen | None = None,
        background: Background | None = None,
        follower: Follower | None = None,
    ) -> None:
        self._files = tuple(files)
        self.history = history if history is not None else History(None)
        self.background = Background(self.post) if background is None else background
        self.session = Session(server, self.background, self.post, uri)
        self.book = RunBook(server, self.background, self.post, follower=follower)
        self.server = server
        self._views: weakref.WeakKeyDictionary[Run, RunView] = weakref.WeakKeyDictionary()
        self._recorded: weakref.WeakSet[Run] = weakref.WeakSet()
        self.editor_panel = RunPanel(self._view_of, self.act)
        self.editor_panel.hint = EDITOR_HINT
        self.queries_panel = RunPanel(self._view_of, self.act)
        self.queries_panel.hint = QUERIES_HINT
        self.documents = Documents(self.act, lambda: self.session.tables, self._document_switched)
        self.queries = QueriesPane(lambda: self.book.runs, self.queries_panel.show, self.act)
        self.cluster = ClusterPane(self.act)
        self.catalog = CatalogPane(self.background, server.query, self.act)
        self.editor_view = Split(self.documents, self.editor_panel)
        self.queries_view = Split(self.queries, self.queries_panel)
        self.title = Title(uri, self.go)
        self.footer = Footer(time.monotonic, self._press_shown)
        self.shell = Shell(self.editor_view, self.title, self.footer, self._press_everywhere)
        self.dialogs = Dialogs(self.shell)
        self.theme = choose_theme(theme, os.environ)
        self.loop = urwid.MainLoop(self.dialogs, palette(self.theme), screen, unhandled_input=self._unhandled)
        if screen is None:
            self.loop.screen.set_terminal_properties(colors=count_colours(theme))
        self.results = ResultActions(
            self._panel, self.book, server, self.background, self.post, self.dialogs, self.say, self.copy, self._replaced
        )
        self.view_actions = ViewActions(self)
        self.book.changed.append(self._run_changed)
        self.session.link_changed.append(self._link_changed)
        self.session.pulsed.append(self._pulsed)
        self.session.tables_changed.append(self._tables_changed)

    def run(self) -> None:
        """Runs until the user leaves; the terminal is as before afterwards."""
        self.loop.set_alarm_in(0, self._started)
        # Asked to end from outside, the terminal is given back as it was, too.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda _number, _frame: self.post(self._leave))
        try:
            self.loop.run()
        finally:
            self.session.close()
            self.book.close()
            self.background.close()

    def post(self, call: Callable[[], None]) -> None:
        """Hands a call to the thread of the loop; dropped once the loop has ended."""
        try:
            self.loop.call_from_thread(call)
        except RuntimeError:
            return

    @staticmethod
    def _leave() -> None:
        raise urwid.ExitMainLoop

    def say(self, text: str, mood: Mood = "ok") -> None:
        """A message in the last line."""
        self.footer.say(text, mood, 8.0 if mood == "bad" else 4.0)

    def copy(self, text: str) -> None:
        """Puts a text on the clipboard of the terminal."""
        self.documents.current.editor.clipboard = text
        if hasattr(self.loop.screen, "copy_to_clipboard"):
            self.loop.screen.copy_to_clipboard(text)
        self.say(f"copied: {text}" if len(text) < 60 and "\n" not in text else f"copied {len(text):,} characters")

    def go(self, view: str) -> None:
        """Shows a view."""
        widgets = {"editor": self.editor_view, "queries": self.queries_view, "cluster": self.cluster, "catalog": self.catalog}
        self.shell.body = widgets[view]
        self.title.show(view=view)
        if view == "catalog":
            self.catalog.shown()
        if view == "queries":
            self.queries.refresh(time.time())
            self.queries_panel.show(self.queries.run)
        self._show_context()

    @property
    def view(self) -> str:
        return str(self.title.view)

    def context(self) -> str:
        """The table of keys that holds where the focus is."""
        match self.view:
            case "editor":
                return self.editor_panel.context if self.editor_view.in_lower else "editor"
            case "queries":
                return self.queries_panel.context if self.queries_view.in_lower else "queries"
            case other:
                return other

    # -- actions --------------------------------------------------------------------------------------------------

    def act(self, action: str) -> None:
        """Does what a key's action says."""
        context = self.context()
        if context in ("results", "plan", "chart") and self.results.act(action):
            self._show_context()
            return
        self.view_actions.act(context, action)
        self._show_context()

    def start(self, statements: Sequence[tuple[str, Origin | None]], *, together: int = 1) -> None:
        """Runs one statement in sight of the editor, or several as a list."""
        if not statements:
            self.say("there is no statement here", "bad")
            return
        document = self.documents.current
        document.editor.set_mark(None)
        if len(statements) == 1:
            document.run = self.book.run(*statements[0])
            self.editor_panel.show(document.run)
            return
        runs = self.book.run_all(statements, together)
        document.run = runs[0]
        self.editor_panel.show(runs[0])
        self.go("queries")
        self.queries.list.select(str(runs[0].number))
        self.queries_panel.show(runs[0])

    def toggle_theme(self) -> None:
        self.theme = "light" if self.theme == "dark" else "dark"
        self.loop.screen.register_palette(palette(self.theme))
        self.loop.screen.clear()

    def help(self) -> None:
        """All keys, those of where one is first."""
        here = self.context()
        lines: list[Line] = []
        for name in sorted(keys.TITLES, key=lambda item: (item != here, item != "everywhere")):
            lines.append([("dialog.title", keys.TITLES[name])])
            lines += [[("footer.key", f" {fit(k.label, 10)}"), ("dialog", f" {k.text}")] for k in keys.KEYS if k.context == name]
            lines.append([("dialog", "")])
        self.dialogs.show_text("Keys", lines)

    # -- events ---------------------------------------------------------------------------------------------------

    def _started(self, _loop: urwid.MainLoop, _data: object) -> None:
        # Ctrl-C, Ctrl-Z, Ctrl-S and Ctrl-Q are keys of the editor here, not signals of the terminal.
        self.loop.screen.tty_signal_keys(intr="undefined", quit="undefined", start="undefined", stop="undefined", susp="undefined")
        self.session.start()
        self._tick(self.loop, None)
        self._load_files()

    def _load_files(self) -> None:
        statements: list[tuple[str, Origin | None]] = []
        for name in self._files:
            try:
                document = self.documents.open(name)
            except VolleyError as error:
                self.say(str(error), "bad")
                continue
            text = document.editor.buffer.text
            statements += [(item.text, Origin(document.number, item.start)) for item in split_statements(text)]
        if statements:
            runs = self.book.run_all(statements)
            self.go("queries")
            self.queries_panel.show(runs[0])

    def _tick(self, _loop: urwid.MainLoop, _data: object) -> None:
        """Moves what moves by itself: spinners, times, messages that are over."""
        self.footer.tick()
        active = self.book.active()
        self.title.show(running=len(active))
        if active:
            if self.view == "queries":
                self.queries.refresh(time.time())
            for panel in (self.editor_panel, self.queries_panel):
                if panel.run is not None and not panel.run.over:
                    panel._invalidate()
        self.loop.set_alarm_in(TICK_SECONDS, self._tick)

    def _run_changed(self, run: Run) -> None:
        self.editor_panel.changed(run)
        self.queries_panel.changed(run)
        if self.view == "queries":
            self.queries.refresh(time.time())
        self.title.show(running=len(self.book.active()))
        if run.over and run not in self._recorded:
            self._recorded.add(run)
            if run.state == "failed":
                self.documents.mark_error(run)
            if run.derived is None and run.state != "lost":
                self.history.add(run.sql, run.state, run.rows, run.elapsed(time.time()))
        if self.queries_panel.run is None and self.book.runs:
            self.queries_panel.show(self.queries.run)

    def _link_changed(self, link: Link) -> None:
        self.title.show(link=link)
        if link == "up":
            self.book.retry()
        elif self.session.link_error is not None:
            self.say(str(self.session.link_error), "bad")

    def _pulsed(self) -> None:
        pulse = self.session.pulse
        if pulse is not None:
            self.cluster.refresh(pulse.workers, pulse.queries, time.time())

    def _tables_changed(self) -> None:
        self.catalog.refresh(self.session.tables, self.session.tables_error, loaded=self.session.tables_loaded)

    def _document_switched(self) -> None:
        if hasattr(self, "documents"):
            self.editor_panel.show(self.documents.current.run)

    def _replaced(self, old: Run, new: Run) -> None:
        """A derived query takes the place of the one it was made from."""
        view = self._view_of(old)
        self._view_of(new).mode = view.mode
        for document in self.documents.documents:
            if document.run is old:
                document.run = new
        self._panel().show(new)
        if self.view == "queries":
            self.queries.refresh(time.time())
            self.queries.list.select(str(new.number))

    def _view_of(self, run: Run) -> RunView:
        view = self._views.get(run)
        if view is None:
            view = self._views[run] = RunView(run, self.act)
        return view

    def _panel(self) -> RunPanel:
        return self.queries_panel if self.view == "queries" else self.editor_panel

    def _show_context(self) -> None:
        self.footer.show(self.context())

    # -- keys -----------------------------------------------------------------------------------------------------

    def _press_everywhere(self, key: str) -> bool:
        found = keys.action("everywhere", key)
        if found is None:
            return False
        self.act(found)
        return True

    def _press_shown(self, key: str) -> None:
        self.loop.process_input([key])

    def _unhandled(self, key: object) -> bool:
        if key == "?":
            self.help()
        self._show_context()
        return True


def main(
    uri: str, files: Sequence[str] = (), *, token: str | None = None, tls_ca: str | bytes | None = None, theme: str | None = None
) -> int:
    """Opens the terminal UI on the server at ``uri``; returns the exit status when the user leaves.

    ``files`` are texts of SQL statements, which are listed and run. ``theme`` is ``dark``, ``light``, ``16`` or ``mono``.
    Raises ``VolleyError`` if ``uri`` is none, there is no such theme, or this is no terminal. A server that is not there is waited for.
    """
    if theme not in (None, *NAMES):
        raise CannotOpen(f"there is no theme {theme!r}", remedy=f"choose one of: {', '.join(NAMES)}")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CannotOpen("the terminal UI needs a terminal", remedy="in scripts, use `flight query` or `flight run`")
    with Client(uri, token=token, tls_ca=tls_ca) as client:
        app = App(client, uri, files=files, theme=theme, history=History(state_folder() / "history.jsonl"))
        with stderr_aside(state_folder() / "tui.log"):
            app.run()
    return 0
