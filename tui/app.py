"""The program: puts the screen, the link to the server and the actions together, and runs the loop."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
import weakref
from collections.abc import Callable, Sequence

import urwid

from flight_server.client import Client
from planner.errors import Status, VolleyError
from tui import keys
from tui.actions.catalog_actions import CatalogActions
from tui.actions.charting import Charting
from tui.actions.clipboard import Clipboard
from tui.actions.cluster_actions import ClusterActions
from tui.actions.dropping import Dropping
from tui.actions.editor_actions import EditorActions
from tui.actions.exporting import Exporting
from tui.actions.killing import Killing
from tui.actions.query_actions import QueryActions
from tui.actions.result_actions import ResultActions
from tui.actions.screen_actions import ScreenActions
from tui.draw.chrome import KeyLine, Title
from tui.draw.pasting import Pasted, PastingScreen
from tui.draw.popup import Dialogs
from tui.draw.themes import NAMES, choose_theme, count_colours, palette
from tui.editor.documents import Documents
from tui.editor.history import History, state_folder
from tui.editor.saved_tabs import KEEP_SECONDS, SavedTabs
from tui.link.background import Background, Post
from tui.link.follower import Follower
from tui.link.own_queries import own_query
from tui.link.run import Run
from tui.link.runs import RunBook
from tui.link.server import Server
from tui.link.session import Link, Session
from tui.log import stderr_aside
from tui.panes.catalog_pane import CatalogPane
from tui.panes.cluster_pane import ClusterPane
from tui.panes.views import Views

TICK_SECONDS = 0.2


class CannotOpen(VolleyError):
    """The terminal UI cannot be opened as asked."""

    status = Status.INVALID_ARGUMENT


class Shell(urwid.Frame):
    """Title, the current view, footer. Keys that hold everywhere come first, unless a dialog is open."""

    def __init__(
        self,
        body: urwid.Widget,
        header: urwid.Widget,
        footer: urwid.Widget,
        press: Callable[[str], bool],
    ) -> None:
        super().__init__(body, header, footer)
        self._press = press

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        if not isinstance(key, Pasted) and self._press(key):
            return None
        rest = super().keypress(size, key)
        return None if rest is None else str(rest)


class App:
    """Everything, put together. ``run()`` returns when the user leaves.

    ``post``, ``background`` and ``follower`` stand for the threads, which tests replace.
    """

    def __init__(
        self,
        server: Server,
        uri: str,
        *,
        files: Sequence[str] = (),
        run: bool = False,
        tabs: SavedTabs | None = None,
        theme: str | None = None,
        history: History | None = None,
        screen: urwid.BaseScreen | None = None,
        post: Post | None = None,
        background: Background | None = None,
        follower: Follower | None = None,
    ) -> None:
        self._files = tuple(files)
        self._run_files = run
        self._tabs = SavedTabs(None) if tabs is None else tabs
        self._kept_at = time.monotonic()
        self._not_kept: str | None = None
        self.history = history if history is not None else History(None)
        self.post = self._call_on_loop if post is None else post
        self.background = Background(self.post) if background is None else background
        self.session = Session(server, self.background, self.post, uri)
        self.book = RunBook(server, self.background, self.post, follower=follower)
        self._recorded: weakref.WeakSet[Run] = weakref.WeakSet()
        self._ended: weakref.WeakSet[Run] = weakref.WeakSet()
        self.documents = Documents(self.act, lambda: self.session.tables)
        self.views = Views(
            self.documents,
            lambda: self.book.runs,
            ClusterPane(self.act),
            CatalogPane(self.background, lambda sql: own_query(server, sql, "sample"), self.act),
            self.act,
        )
        self.title = Title(uri, self.views.go)
        self.footer = KeyLine(time.monotonic, lambda key: self.loop.process_input([key]))
        self.dialogs = Dialogs(Shell(self.views, self.title, self.footer, self._press_everywhere))
        chosen = choose_theme(theme, os.environ)
        shown = PastingScreen() if screen is None else screen
        self.loop = urwid.MainLoop(self.dialogs, palette(chosen), shown, unhandled_input=self._unhandled)
        if screen is None:
            self.loop.screen.set_terminal_properties(colors=count_colours(theme))
        self._wire_actions(server, chosen)
        self.views.switched.append(self._view_switched)
        self.book.changed.append(self._run_changed)
        self.session.link_changed.append(self._link_changed)
        self.session.pulsed.append(self._pulsed)
        self.session.tables_changed.append(self._tables_changed)

    def _wire_actions(self, server: Server, theme: str) -> None:
        """Gives each group of actions what it works with; what holds everywhere is in every table."""
        views, documents, book, dialogs, say = self.views, self.documents, self.book, self.dialogs, self.footer.say
        clipboard = Clipboard(documents, self.loop.screen, say)
        killing = Killing(book, server, self.background, dialogs, say)
        exporting = Exporting(lambda: views.panel.run, server, self.background, self.post, dialogs, say)
        dropping = Dropping(book, server, self.background, dialogs, say)
        screen = ScreenActions(views, book, killing, dialogs, self.loop.screen, theme, documents, self._tabs, say)
        self._editing = EditorActions(documents, views, book, self.session, self.history, killing, clipboard, dialogs, say)
        listed = QueryActions(views, documents, book, killing, dropping)
        everywhere = {**screen.table(), "run": lambda: listed.run() if views.name == "queries" else self._editing.run()}
        self._looking = ResultActions(
            lambda: views.panel,
            book,
            server,
            self.background,
            dialogs,
            clipboard,
            exporting,
            dropping,
            say,
            views.replace,
            views.leave,
        )
        self._charting = Charting(lambda: views.panel, lambda: self.session.tables, server, self.background, say)
        results = {**self._looking.table(), **self._charting.table()}
        own: dict[str, keys.Actions] = {
            "editor": self._editing.table(),
            "tables": {
                "insert": views.beside.insert,
                "unfold": lambda: views.beside.fold(away=False),
                "fold": lambda: views.beside.fold(away=True),
                "back": views.beside.leave,
            },
            "results": results,
            "plan": results,
            "chart": results,
            "queries": listed.table(),
            "cluster": ClusterActions(views.cluster, views, book, killing, dropping, self.session, dialogs).table(),
            "catalog": CatalogActions(views.catalog, documents, self.session, views, dialogs, say).table(),
        }
        self._actions: dict[str, keys.Actions] = {context: {**everywhere, **table} for context, table in own.items()}

    def run(self) -> None:
        """Runs until the user leaves; the terminal is as before afterwards."""
        self.loop.set_alarm_in(0, self._started)
        # Asked to end from outside, the terminal is given back as it was, too.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda _number, _frame: self.post(self._leave))
        try:
            self.loop.run()
        finally:
            self.keep_tabs()
            self._tabs.close()
            self.session.close()
            self.book.close()
            self.background.close()

    def _call_on_loop(self, call: Callable[[], None], /) -> None:
        """Hands a call to the thread of the loop; dropped once the loop has ended."""
        try:
            self.loop.call_from_thread(call)
        except RuntimeError:
            return

    @staticmethod
    def _leave() -> None:
        raise urwid.ExitMainLoop

    def act(self, action: str) -> None:
        """Does what a key's action says where one is; what is no action there does nothing."""
        found = self._actions[self.views.context()].get(action)
        if found is not None:
            found()
        self._show_context()

    def open_files(self) -> None:
        """Opens the tabs of the last sitting, and the files that the program was started with, whose statements it lists."""
        notes = self._tabs.restore(self.documents)
        if self._files:
            self._editing.list_files(self._files, run=self._run_files)
        if notes:
            self.footer.say("; ".join(notes), "bad")

    def keep_tabs(self) -> None:
        """Writes the tabs for the next start. That they cannot be written is told, once until they can be again."""
        self._kept_at = time.monotonic()
        try:
            self._tabs.keep(self.documents)
        except VolleyError as error:
            if self._not_kept != str(error):
                self.footer.say(str(error), "bad")
            self._not_kept = str(error)
        else:
            self._not_kept = None

    def _look_at_files(self) -> None:
        """Takes what others have written into the files of the tabs, or says so."""
        notes = self.documents.refresh()
        if notes:
            self.footer.say("; ".join(notes))

    # -- events ---------------------------------------------------------------------------------------------------

    def _started(self, _loop: urwid.MainLoop, _data: object) -> None:
        # Ctrl-C, Ctrl-Z, Ctrl-S and Ctrl-Q are keys of the editor here, not signals of the terminal.
        self.loop.screen.tty_signal_keys(intr="undefined", quit="undefined", start="undefined", stop="undefined", susp="undefined")
        self.session.start()
        self._tick(self.loop, None)
        self.open_files()

    def _tick(self, _loop: urwid.MainLoop, _data: object) -> None:
        """Moves what moves by itself: spinners, times, messages that are over."""
        self.footer.tick()
        if time.monotonic() - self._kept_at >= KEEP_SECONDS:
            self._look_at_files()
            self.keep_tabs()
        active = self.book.active()
        self.title.show(running=len(active))
        self._looking.tick()
        self._charting.tick()
        if active:
            self.views.tick()
        self.loop.set_alarm_in(TICK_SECONDS, self._tick)

    def _run_changed(self, run: Run) -> None:
        self.views.changed(run)
        self.title.show(running=len(self.book.active()))
        if run.over and run not in self._ended:
            self._ended.add(run)
            if run.state == "failed":
                self.documents.mark_error(run)
                self._looking.mend(run)
        if (run.over or run.held) and run not in self._recorded:
            self._recorded.add(run)
            if run.derived is None and run.state != "lost":
                self.history.add(run.sql, run.shown_state, run.rows, run.elapsed(time.time()))

    def _link_changed(self, link: Link) -> None:
        self.title.show(link=link)
        if link == "up":
            self.book.retry()
        elif self.session.link_error is not None:
            self.footer.say(str(self.session.link_error), "bad")

    def _pulsed(self) -> None:
        pulse = self.session.pulse
        if pulse is not None:
            self.views.cluster.refresh(pulse.workers, pulse.queries, time.time(), more=pulse.more, everything=self.session.everything)

    def _tables_changed(self) -> None:
        self.views.catalog.refresh(self.session.tables, self.session.tables_error, loaded=self.session.tables_loaded)
        self.views.tables_changed()

    def _view_switched(self) -> None:
        self.title.show(view=self.views.name)
        self._show_context()

    def _show_context(self) -> None:
        self.footer.show(self.views.context())

    # -- keys -----------------------------------------------------------------------------------------------------

    def _press_everywhere(self, key: str) -> bool:
        found = keys.action("everywhere", key)
        if found is None:
            return False
        self.act(found)
        return True

    def _unhandled(self, key: object) -> bool:
        if key == "?":
            self.act("help")
        self._show_context()
        return True


def main(
    uri: str,
    files: Sequence[str] = (),
    *,
    run: bool = False,
    token: str | None = None,
    tls_ca: str | bytes | None = None,
    theme: str | None = None,
) -> int:
    """Opens the terminal UI on the server at ``uri``; returns the exit status when the user leaves.

    ``files`` are texts of SQL statements, which are listed, and run if ``run`` says so.
    ``theme`` is ``dark``, ``light``, ``16`` or ``mono``.
    Raises ``VolleyError`` if ``uri`` is none, there is no such theme, or this is no terminal. A server that is not there is waited for.
    """
    if theme not in (None, *NAMES):
        raise CannotOpen(f"there is no theme {theme!r}", remedy=f"choose one of: {', '.join(NAMES)}")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CannotOpen("the terminal UI needs a terminal", remedy="in scripts, use `flight query` or `flight run`")
    # Terminals show UTF-8 whatever the locale says: it may be one that is not installed there, as over SSH.
    urwid.set_encoding("utf8")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    with Client(uri, token=token, tls_ca=tls_ca) as client:
        history, tabs = History(state_folder() / "history.jsonl"), SavedTabs(state_folder())
        app = App(client, uri, files=files, run=run, theme=theme, history=history, tabs=tabs)
        with stderr_aside(state_folder() / "tui.log"):
            app.run()
    return 0
