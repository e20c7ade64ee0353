"""The chart of all rows of a result: counted by the server, by itself where that is quick, else when somebody asks for it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from flight_server.client.sql_scope import tables_in_scope
from flight_server.protocol.messages import TableStatus
from planner.errors import VolleyError
from tui.draw import cells
from tui.draw.chrome import Say
from tui.editor.completion import mentioned_tables
from tui.keys import Actions
from tui.link import derived
from tui.link.background import Background
from tui.link.own_queries import own_query
from tui.link.run import Run
from tui.link.server import Server
from tui.panes.chart_pane import WHOLE_BINS, ChartPane, bars_of, histogram_of
from tui.panes.run_panel import RunPanel

_MAY_READ_MORE = re.compile(r"(?:\bfrom|\bjoin|,)\s*(?:'|\w+\s*\()", re.IGNORECASE)  # a path, or a function, in the place of a table
MOST_VALUES = 40
QUICK_SECONDS = 5.0
"""A statement that took no longer is counted over without being asked: counting runs it once more."""


@dataclass(frozen=True)
class Charting:
    """Acts on the chart that ``panel()`` shows. ``tables()`` are those of the server; ``clock`` gives Unix seconds."""

    panel: Callable[[], RunPanel]
    tables: Callable[[], Sequence[TableStatus]]
    server: Server
    background: Background
    say: Say
    clock: Callable[[], float] = time.time

    def table(self) -> Actions:
        return {"whole chart": self._count}

    def tick(self) -> None:
        """Counts over all rows what is drawn of a part of them, if the statement was quick."""
        run, pane = self._shown()
        if run is not None and pane is not None and pane.is_partial and self._is_quick(run):
            self._count()

    def _is_quick(self, run: Run) -> bool:
        """Whether all of a statement takes no longer than ``QUICK_SECONDS``; of one that is held, as far as that can be told."""
        share = 1.0 if run.state == "completed" else (run.progress or self._share(run)) if run.held else None
        return share is not None and run.elapsed(self.clock()) <= QUICK_SECONDS * share

    def _share(self, run: Run) -> float | None:
        """What a statement has made, of the rows of the tables that it reads: it is further than that. None if one of them is unknown."""
        tables = mentioned_tables(run.sql, 0, self.tables())
        rows = [table.rows for table in tables if table.rows is not None]
        names = {place.name.lower() for place in tables_in_scope(run.sql, 0)}
        known = len(rows) == len(names) and _MAY_READ_MORE.search(run.sql) is None
        return min(1.0, run.rows / max(1, sum(rows))) if rows and known else None

    def _shown(self) -> tuple[Run | None, ChartPane | None]:
        panel = self.panel()
        view = panel.view
        return panel.run, None if view is None or view.mode != "chart" else view.chart

    def _count(self) -> None:
        run, pane = self._shown()
        column = None if pane is None else pane.ask_whole()
        if run is None or pane is None or column is None:
            return
        field = pane.source.schema.field(column)
        number = cells.is_number(field.type)
        sql = (
            derived.histogram_sql(run.sql, field.name, WHOLE_BINS) if number else derived.frequencies_sql(run.sql, field.name, MOST_VALUES)
        )

        def failed(error: VolleyError) -> None:
            pane.set_whole(column, None)
            self.say(str(error), "bad")

        def done(found: pa.Table) -> None:
            pane.set_whole(column, histogram_of(found) if number else bars_of(found))

        self.background.submit(lambda: own_query(self.server, sql, "chart"), done, failed)
