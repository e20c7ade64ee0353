"""Killing queries: one of this sitting, all of them, or one that somebody else started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flight_server.protocol.messages import ENDED, QueryLine
from tui.draw.amounts import plural
from tui.draw.chrome import Say
from tui.draw.popup import Dialogs
from tui.link.background import Background
from tui.link.run import Run
from tui.link.runs import RunBook
from tui.link.server import Server

SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Killing:
    """Asks where it is not plain what is meant, kills, and says so."""

    book: RunBook
    server: Server
    background: Background
    dialogs: Dialogs
    say: Say

    def run(self, run: Run | None) -> None:
        """Kills a run; nothing if there is none or it is over."""
        if run is not None and not run.over:
            self.book.kill(run)
            self.say(f"killing query {run.number}")

    def all_runs(self) -> None:
        """Asks, then kills all runs that are not over."""
        active = [*self.book.active(), *self.book.held(), *self.book.parked()]
        if active:
            question = f"Kill {plural(len(active), 'query')} that are not over?" if len(active) > 1 else "Kill the query that is not over?"
            self.dialogs.ask("Kill all", question, lambda: self._each(active), answer="kill")

    def query(self, query: QueryLine | None) -> None:
        """Asks, then kills a query of the server, whoever started it."""
        if query is None or query.state in ENDED:
            self.say("choose a query that is queued or running", "bad")
            return
        statement = " ".join(query.sql.split())[:SHOWN_CHARACTERS]
        question = f"{statement}\n\nowner {query.owner or '-'}, {query.state}. Kill it?"
        self.dialogs.ask("Kill a query", question, lambda: self._on_server(query.query_id), answer="kill")

    def _each(self, runs: Sequence[Run]) -> None:
        for run in runs:
            self.run(run)

    def _on_server(self, query_id: str) -> None:
        self.background.submit(
            lambda: self.server.kill(query_id), lambda _status: self.say("killed"), lambda error: self.say(str(error), "bad")
        )
