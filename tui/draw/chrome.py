"""The first and the last line of the screen: views and server above, keys or a message below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import urwid

from tui import keys
from tui.draw.canvas import Line, Segment, cut, draw, fit, width

VIEWS: tuple[tuple[str, str, str], ...] = (
    ("editor", "F2", "Editor"),
    ("queries", "F3", "Queries"),
    ("cluster", "F4", "Cluster"),
    ("catalog", "F6", "Catalog"),
)
Mood = Literal["ok", "bad"]
TOAST_SECONDS: dict[Mood, float] = {"ok": 4.0, "bad": 8.0}


class Say(Protocol):
    """Tells something in the last line of the screen, for some seconds."""

    def __call__(self, text: str, mood: Mood = "ok", /) -> None: ...


class Title(urwid.Widget):
    """The views, with the current one lit, and the server at the right."""

    _sizing = frozenset([urwid.FLOW])

    def __init__(self, uri: str, go: Callable[[str], None]) -> None:
        super().__init__()
        self.view = "editor"
        self.running = 0
        self.link = "connecting"
        self._uri = uri.removeprefix("grpc://").removeprefix("grpc+tcp://")
        self._go = go
        self._spans: list[tuple[int, int, str]] = []

    def show(self, *, view: str | None = None, running: int | None = None, link: str | None = None) -> None:
        before = (self.view, self.running, self.link)
        self.view = view or self.view
        self.running = self.running if running is None else running
        self.link = link or self.link
        if before != (self.view, self.running, self.link):
            self._invalidate()

    def rows(self, size: tuple[int], focus: bool = False) -> int:
        return 1

    def render(self, size: tuple[int], focus: bool = False) -> urwid.Canvas:
        columns = size[0]
        line: list[Segment] = [("title", " » Volley "), ("title.dim", " ")]
        used = 11
        self._spans = []
        for name, key, label in VIEWS:
            busy = f" ▶{self.running}" if name == "queries" and self.running else ""
            text = f" {key} {label}{busy} "
            line.append(("title.tab.on" if name == self.view else "title.tab", text))
            self._spans.append((used, used + len(text), name))
            used += len(text)
        server = self._server(max(0, columns - used))
        line += [("title.dim", " " * max(0, columns - used - width(server[1]))), server]
        return draw([line], columns, 1)

    def _server(self, room: int) -> Segment:
        match self.link:
            case "up":
                return ("link.up", cut(f" ● {self._uri} ", room))
            case "lost":
                return ("link.lost", cut(f" ✗ no server at {self._uri}, trying again ", room))
            case _:
                return ("title.dim", cut(f" ◌ {self._uri} … ", room))

    def mouse_event(self, size: tuple[int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        for start, end, name in self._spans:
            if event == "mouse press" and button == 1 and start <= col < end:
                self._go(name)
        return True


@dataclass(frozen=True, slots=True)
class _Toast:
    text: str
    mood: Mood
    until: float


class KeyLine(urwid.Widget):
    """The keys of where one is; for some seconds, a message instead."""

    _sizing = frozenset([urwid.FLOW])

    def __init__(self, clock: Callable[[], float], press: Callable[[str], None]) -> None:
        super().__init__()
        self.context = "editor"
        self._clock = clock
        self._press = press
        self._toast: _Toast | None = None
        self._spans: list[tuple[int, int, str]] = []

    def show(self, context: str) -> None:
        if context != self.context:
            self.context = context
            self._invalidate()

    def say(self, text: str, mood: Mood = "ok") -> None:
        """Shows a message for a while."""
        self._toast = _Toast(" ".join(text.split()), mood, self._clock() + TOAST_SECONDS[mood])
        self._invalidate()

    def tick(self) -> None:
        """Takes a message away when its time is over."""
        if self._toast is not None and self._clock() >= self._toast.until:
            self._toast = None
            self._invalidate()

    def rows(self, size: tuple[int], focus: bool = False) -> int:
        return 1

    def render(self, size: tuple[int], focus: bool = False) -> urwid.Canvas:
        columns = size[0]
        if self._toast is not None:
            attribute = "toast.ok" if self._toast.mood == "ok" else "toast.bad"
            return draw([[(attribute, fit(f" {self._toast.text}", columns))]], columns, 1)
        line: list[Segment] = []
        self._spans = []
        used = 0
        help_wide = len("F1") + len("keys") + 3
        for label, word in [*keys.footer(self.context), ("F1", "keys"), ("Ctrl-Q", "quit")]:
            wide = len(label) + len(word) + 3
            # However narrow the line, it says where all keys are listed.
            if used + wide > columns - (help_wide if label not in ("F1", "Ctrl-Q") and columns > 2 * help_wide else 0):
                continue
            line += [("footer.key", f" {label}"), ("footer", f" {word} ")]
            self._spans.append((used, used + wide, label))
            used += wide
        return draw([self._filled(line)], columns, 1)

    def mouse_event(self, size: tuple[int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        for start, end, label in self._spans:
            if event == "mouse press" and button == 1 and start <= col < end:
                found = next((key.keys[0] for key in keys.KEYS if key.label == label and key.context in (self.context, "everywhere")), None)
                if found is not None:
                    self._press(found)
        return True

    @staticmethod
    def _filled(line: list[Segment]) -> Line:
        return [*line, ("footer", "")]
