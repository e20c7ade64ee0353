"""The chart of all rows of a result: counted by the server, by itself where that is quick, else when somebody asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from planner.errors import VolleyError
from tui.draw import cells
from tui.draw.chrome import Say
from tui.keys import Actions
from tui.link import derived
from tui.link.background import Background
from tui.link.own_queries import own_query
from tui.link.runs import Run
from tui.link.server import Server
from tui.panes.chart_pane import WHOLE_BINS, ChartPane, bars_of, histogram_of
from tui.panes.run_panel import RunPanel

MOST_VALUES = 40
QUICK_SECONDS = 5.0
"""A statement that took no longer is counted over without being asked: counting runs it once more."""


@dataclass(frozen=True)
class Charting:
    """Acts on the chart that ``panel()`` shows. ``clock`` gives Unix seconds."""

    panel: Callable[[], RunPanel]
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
        return run.state == "completed" and run.elapsed(self.clock()) <= QUICK_SECONDS

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

        self.background.submit(lambda: own_query(self.server, sql), done, failed)
