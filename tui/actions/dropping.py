"""Removing queries with their results: one of this sitting, or any of the user's at the server."""

from __future__ import annotations

from dataclasses import dataclass

from flight_server.protocol.messages import ENDED, QueryLine
from planner.errors import VolleyError
from tui.actions.killing import SHOWN_CHARACTERS
from tui.draw.amounts import size
from tui.draw.chrome import Say
from tui.draw.popup import Dialogs
from tui.link.background import Background
from tui.link.run import Run
from tui.link.runs import RunBook
from tui.link.server import Server


@dataclass(frozen=True)
class Dropping:
    """Asks where something is lost that others may wait for, drops, and says so."""

    book: RunBook
    server: Server
    background: Background
    dialogs: Dialogs
    say: Say

    def run(self, run: Run | None) -> None:
        """Drops a run: its rows go, here and at the server. Asks first if it still runs."""
        if run is None or run.dropped:
            return
        if run.over or run.held or run.state == "waiting":
            self._run(run)
        else:
            question = f"Query {run.number} is not over. Kill it and remove it?"
            self.dialogs.ask("Drop", question, lambda: self._run(run), answer="drop")

    def query(self, query: QueryLine | None) -> None:
        """Asks, then drops a query of the server and what is stored of it."""
        if query is None:
            self.say("choose a query", "bad")
            return
        statement = " ".join(query.sql.split())[:SHOWN_CHARACTERS]
        what = f"its result, {size(query.result.bytes)}" if query.state in ENDED else f"it is {query.state}"
        self.dialogs.ask("Drop a query", f"{statement}\n\n{what}. Remove it?", lambda: self._query(query), answer="drop")

    def _run(self, run: Run) -> None:
        self.book.drop(run, lambda: self.say(f"query {run.number} dropped"), self._failed)

    def _query(self, query: QueryLine) -> None:
        for run in self.book.runs:
            if run.query_id == query.query_id:
                self._run(run)
                return
        self.background.submit(lambda: self.server.drop(query.query_id), lambda _status: self.say("dropped"), self._failed)

    def _failed(self, error: VolleyError) -> None:
        self.say(str(error), "bad")
