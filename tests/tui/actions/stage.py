"""What actions work with, made for tests: a server in memory, threads that run in place, and somebody who answers all dialogs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import urwid

from tests.tui.fake_server import FakeServer
from tests.tui.inline import InlineBackground, InlineFollower
from tui.actions.clipboard import Clipboard
from tui.actions.dropping import Dropping
from tui.actions.killing import Killing
from tui.draw.canvas import Line
from tui.draw.chrome import Mood
from tui.draw.popup import Choice, Completer, Dialogs
from tui.editor.documents import Documents
from tui.editor.saved_tabs import SavedTabs
from tui.link.run import Run
from tui.link.runs import RunBook
from tui.link.session import Session
from tui.panes.catalog_pane import CatalogPane
from tui.panes.cluster_pane import ClusterPane
from tui.panes.views import Views

NOW = 1_000_000.0


class Answers(Dialogs):
    """Dialogs that are answered at once: prompts with ``typed``, questions with ``agrees``, lists with the choice of value ``chosen``.

    ``asked`` are their titles, and of questions and prompts what they say.
    """

    def __init__(self) -> None:
        super().__init__(urwid.SolidFill(" "))
        self.typed: str | None = None
        self.agrees = False
        self.chosen: str | None = None
        self.asked: list[str] = []
        self.texts: list[str] = []

    def prompt(
        self,
        title: str,
        label: str,
        text: str,
        entered: Callable[[str], None],
        *,
        hint: str = "",
        completer: Completer | None = None,
    ) -> None:
        self.asked.append(f"{title}: {text}")
        if self.typed is not None:
            entered(self.typed)

    def ask(self, title: str, question: str, yes: Callable[[], None], *, answer: str = "yes") -> None:
        self.asked.append(f"{title}: {question}")
        if self.agrees:
            yes()

    def choose(self, title: str, choices: Sequence[Choice], chosen: Callable[[Choice], None], *, footer: str) -> None:
        self.asked.append(title)
        for choice in choices:
            if choice.value == self.chosen:
                chosen(choice)

    def show_text(self, title: str, lines: Sequence[Line], *, footer: str = "Esc closes") -> None:
        self.asked.append(title)
        self.texts += ["".join(text for _, text in line) for line in lines]

    def show_widget(self, title: str, widget: urwid.Widget) -> None:
        self.asked.append(title)


class FakeScreen:
    """A terminal with a clipboard; counts how often it was cleared."""

    def __init__(self) -> None:
        self.clipboard = ""
        self.cleared = 0
        self.palettes: list[object] = []

    def copy_to_clipboard(self, text: str) -> None:
        self.clipboard = text

    def clear(self) -> None:
        self.cleared += 1

    def register_palette(self, entries: object) -> None:
        self.palettes.append(entries)


@dataclass
class Stage:
    """The collaborators; ``said`` is what the last line told, newest last."""

    server: FakeServer = field(default_factory=lambda: FakeServer({"t": pa.table({"n": list(range(100)), "s": ["x"] * 100})}))
    background: InlineBackground = field(default_factory=InlineBackground)
    dialogs: Answers = field(default_factory=Answers)
    screen: FakeScreen = field(default_factory=FakeScreen)
    said: list[tuple[str, Mood]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.follower = InlineFollower(self.server.status)
        self.book = RunBook(self.server, self.background, self.post, clock=lambda: NOW, follower=self.follower)
        self.session = Session(self.server, self.background, self.post, "grpc://fake")
        self.documents = Documents(lambda _action: None, lambda: self.session.tables)
        self.views = Views(
            self.documents,
            lambda: self.book.runs,
            ClusterPane(lambda _action: None),
            CatalogPane(self.background, self.server.query, lambda _action: None),
            lambda _action: None,
            clock=lambda: NOW,
        )
        self.book.changed.append(self.views.changed)
        self.killing = Killing(self.book, self.server, self.background, self.dialogs, self.say)
        self.dropping = Dropping(self.book, self.server, self.background, self.dialogs, self.say)
        self.tabs = SavedTabs(None)
        self.clipboard = Clipboard(self.documents, self.screen, self.say)

    @staticmethod
    def post(call: Callable[[], None], /) -> None:
        call()

    def say(self, text: str, mood: Mood = "ok", /) -> None:
        self.said.append((text, mood))

    def write(self, text: str) -> None:
        """Puts a text into the current tab, with the caret behind it."""
        self.documents.current.editor.insert(text)

    @property
    def text(self) -> str:
        return self.documents.current.editor.buffer.text

    def running(self, sql: str = "SELECT * FROM t") -> Run:
        """A run that goes on until the server releases it."""
        self.server.held = True
        return self.book.run(sql)
