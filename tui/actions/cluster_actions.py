"""What the keys of the cluster view do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from flight_server.protocol.messages import ENDED
from tui.actions.dropping import Dropping
from tui.actions.killing import Killing
from tui.draw.popup import Dialogs
from tui.keys import Actions
from tui.link.runs import RunBook
from tui.link.session import Session
from tui.panes.cluster_pane import ClusterPane, QueryFilter
from tui.panes.views import Views


@dataclass(frozen=True)
class ClusterActions:
    """Acts on the query of the server that is current in the list."""

    cluster: ClusterPane
    views: Views
    book: RunBook
    killing: Killing
    dropping: Dropping
    session: Session
    dialogs: Dialogs
    clock: Callable[[], float] = time.time

    def table(self) -> Actions:
        return {
            "open": self._open,
            "kill": lambda: self.killing.query(self.cluster.query),
            "drop": lambda: self.dropping.query(self.cluster.query),
            "more": self.session.list_more,
            "everything": self.session.list_everything,
            "filter": lambda: self.dialogs.prompt("Show queries with", "text ", self.cluster.filter.text, self._filter),
            "sort": lambda: self.cluster.set_filter(self.cluster.filter.next_sort(), self.clock()),
        }

    def _filter(self, text: str) -> None:
        self.cluster.set_filter(QueryFilter(text.strip(), self.cluster.filter.sort), self.clock())

    def _open(self) -> None:
        """Shows the query as one of this sitting: its plan while it runs, else its results."""
        query = self.cluster.query
        if query is None:
            return
        self.views.open_run(self.book.follow(query))
        if query.state not in ENDED:
            self.views.queries_panel.set_mode("plan")
