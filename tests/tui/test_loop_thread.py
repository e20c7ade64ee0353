"""Nothing that waits for the server runs on the thread of the loop: keys show at once, however slow the server is."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import urwid
from urwid import testing

from tests.tui.fake_server import FakeServer
from tui.app import App
from tui.keys import KEYS, TITLES

SIZE = (140, 30)
WAITS_SECONDS = 30.0


class SlowServer(FakeServer):
    """Answers only while ``answers`` is set. Who asks on the thread of the loop is remembered, and refused instead of kept waiting."""

    def __init__(self) -> None:
        super().__init__({"t": pa.table({"n": list(range(3000)), "name": ["x"] * 3000})})
        self.answers = threading.Event()
        self.answers.set()
        self.asked_on_the_loop = 0
        self._loop = threading.current_thread()

    def _answer(self) -> None:
        if threading.current_thread() is self._loop:
            self.asked_on_the_loop += 1
            raise AssertionError("the server was asked on the thread of the loop")
        self.answers.wait(WAITS_SECONDS)
        super()._answer()


class Program:
    """The program with threads of its own, on this thread as that of the loop."""

    def __init__(self) -> None:
        self.server = SlowServer()
        self.posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.app = App(self.server, "grpc://fake", screen=testing.ScriptedScreen(size=SIZE), theme="dark", post=self.posted.put)

    def keys(self, *keys: str) -> str:
        self.app.loop.process_input(list(keys))
        return self.text()

    def text(self) -> str:
        return "\n".join(testing.render_text(self.app.dialogs, SIZE, focus=True, strip=True))

    def until(self, reached: Callable[[], bool]) -> None:
        """Does what the threads post until ``reached()``."""
        while not reached():
            assert self.server.asked_on_the_loop == 0
            self.posted.get(timeout=WAITS_SECONDS)()
            self.text()

    def look(self) -> None:
        """One look at the server, as the session's own thread takes them."""
        self.app.background.submit(self.app.session.look, lambda _none: None)

    def go(self, context: str) -> None:
        """To where the keys of a context hold, with the query on the screen wherever one is."""
        views = self.app.views
        while self.app.dialogs.depth:
            self.app.dialogs.close()
        run = self.app.book.runs[0]
        if context in ("queries", "cluster", "catalog"):
            views.go(context)
            views.queries_split.go(lower=False)
        else:
            views.write()
            views.editor_panel.show(run)
            views.editor_panel.set_mode(context if context in ("plan", "chart") else "results")
            views.editor_split.go(lower=context in ("results", "plan", "chart"))
        if context == "tables":
            self.text()
            views.go_to_tables()
        if context == "plan":
            self.keys("home", "down", "down")  # to an exchange

    def close(self) -> None:
        """Lets those who wait go, without an answer."""
        self.server.down = True
        self.server.answers.set()
        self.app.session.close()
        self.app.book.close()
        self.app.background.close()
        for thread in self.app.background._threads:
            thread.join(WAITS_SECONDS)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """A query runs, its first rows are here, and from now on the server answers nobody."""
    monkeypatch.chdir(tmp_path)  # what is saved and exported
    made = Program()
    made.server.held = True
    made.keys(*"select * from t", "f5")
    run = made.app.book.runs[0]
    made.until(lambda: run.source is not None and run.source.loaded_rows() == 1000)
    made.look()
    made.until(lambda: made.app.session.tables_loaded and made.app.session.pulse is not None)
    made.server.answers.clear()
    yield made
    made.close()


def test_what_is_typed_shows_while_the_server_answers_nobody(program: Program) -> None:
    shown = program.keys("ctrl t", *"select 1 as typed", "f5", *" -- and on")
    assert "select 1 as typed -- and on" in shown
    assert "submitting" in shown
    for key, seen in (("f3", "2 queries"), ("f4", "2 workers"), ("f6", "1 table"), ("f2", "and on")):
        assert seen in program.keys(key)
    assert program.server.asked_on_the_loop == 0


@pytest.mark.parametrize("context", TITLES)
def test_no_key_asks_the_server_on_the_thread_of_the_loop(program: Program, context: str) -> None:
    for key in KEYS:
        if key.context == context:
            program.go(context)
            assert program.app.views.context() == (context if context != "everywhere" else "editor")
            with contextlib.suppress(urwid.ExitMainLoop):
                program.keys(key.keys[0], "enter")  # where a dialog has opened, Enter says yes
    assert program.server.asked_on_the_loop == 0
