"""The link to a server: whether it is there, what it runs, which tables it has. Looks every second, on a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from flight_server.protocol.messages import QueryLine, TableStatus, WorkerStatus
from planner.errors import Status, VolleyError
from tui.link.background import Background, Post, as_volley_error
from tui.link.server import Server

PULSE_SECONDS = 1.0
PULSE_TIMEOUT = 5.0
LISTED = 100  # queries that are listed, and so many more each time that more are asked for
AWAY = frozenset((Status.UNAVAILABLE, Status.DEADLINE_EXCEEDED, Status.CANCELLED))
Link = Literal["connecting", "up", "lost"]


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a look at the server showed. ``more``: there are queries that are older than these."""

    workers: list[WorkerStatus]
    queries: list[QueryLine]
    more: bool
    seconds: float


@dataclass
class Session:
    """Belongs to the thread of the loop. ``link_changed`` and ``pulsed`` are called there.

    ``listed`` are the queries that a look asks for, the newest; ``everything``: also those that programs ask for themselves.
    """

    server: Server
    background: Background
    post: Post
    uri: str
    link: Link = "connecting"
    link_error: VolleyError | None = None
    pulse: Pulse | None = None
    listed: int = LISTED
    everything: bool = False
    tables: list[TableStatus] = field(default_factory=list)
    tables_error: VolleyError | None = None
    tables_loaded: bool = False
    link_changed: list[Callable[[Link], None]] = field(default_factory=list)
    pulsed: list[Callable[[], None]] = field(default_factory=list)
    tables_changed: list[Callable[[], None]] = field(default_factory=list)
    _closed: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Starts looking at the server."""
        threading.Thread(target=self._look_on, name="tui-pulse", daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    def load_tables(self) -> None:
        """Asks for the catalog again."""
        self.background.submit(self.server.tables, self._take_tables, self._tables_failed)

    def list_more(self) -> None:
        """Lists more queries, if there are more."""
        if self.pulse is not None and self.pulse.more:
            self.listed += LISTED
            self.background.submit(self.look, lambda _none: None)

    def list_everything(self) -> None:
        """Lists what programs ask for themselves, too, or no longer."""
        self.everything = not self.everything
        self.background.submit(self.look, lambda _none: None)

    def look(self) -> None:
        """One look at the server; waits for it, so not for the thread of the loop."""
        began = time.monotonic()
        try:
            workers = self.server.workers(timeout=PULSE_TIMEOUT)
            listed = self.listed
            found = self.server.queries(everything=self.everything, limit=listed + 1, timeout=PULSE_TIMEOUT)
            pulse = Pulse(workers, found[:listed], len(found) > listed, time.monotonic() - began)
        except Exception as raised:
            error = as_volley_error(raised)
            self.post(lambda: self._failed(error))
        else:
            self.post(lambda: self._take(pulse))

    def _look_on(self) -> None:
        while not self._closed.is_set():
            self.look()
            self._closed.wait(PULSE_SECONDS)

    def _take(self, pulse: Pulse) -> None:
        self.pulse = pulse
        self._set_link("up", None)
        for listener in self.pulsed:
            listener()

    def _failed(self, error: VolleyError) -> None:
        """A server that answers with an error is there all the same."""
        self._set_link("lost" if error.status in AWAY else "up", error)

    def _set_link(self, link: Link, error: VolleyError | None) -> None:
        self.link_error = error
        if link == self.link:
            return
        self.link = link
        if link == "up":
            self.load_tables()
        for listener in self.link_changed:
            listener(link)

    def _take_tables(self, tables: list[TableStatus]) -> None:
        self.tables = sorted(tables, key=lambda table: (table.connection, table.name.lower()))
        self.tables_error = None
        self.tables_loaded = True
        for listener in self.tables_changed:
            listener()

    def _tables_failed(self, error: VolleyError) -> None:
        self.tables_error = error
        for listener in self.tables_changed:
            listener()
