"""The queries of this sitting as a list: state, rows, time, progress or size of each, and how far all are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import urwid

from tui import keys
from tui.draw import amounts
from tui.draw.canvas import Line, Segment, fit
from tui.link.run import Run
from tui.link.tally import tally
from tui.panes.row_list import ListRow, RowList
from tui.panes.run_panel import SPINNER, STATES, moves

BAR = 8


class QueriesPane(urwid.WidgetWrap):
    """``chosen(run)`` is called when another run becomes current; ``act(action)`` for keys that are not about moving."""

    def __init__(self, runs: Callable[[], Sequence[Run]], chosen: Callable[[Run], None], act: Callable[[str], None]) -> None:
        self._runs = runs
        self._chosen = chosen
        self._act = act
        self.list = RowList(self._moved, lambda _key: act("open"))
        self.list.empty = " No query yet. F2 goes to the editor; `flight tui FILE.sql` lists the statements of a file."
        super().__init__(self.list)

    @property
    def run(self) -> Run | None:
        key = self.list.key
        return next((run for run in self._runs() if str(run.number) == key), None)

    def refresh(self, now: float) -> None:
        """Takes the runs as they are now."""
        runs = self._runs()
        self.list.set_rows([ListRow(str(run.number), _line(run, now)) for run in runs], _header(runs))

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        if self.list.keypress(size, key) is None:
            return None
        found = keys.action("queries", key)
        if found is None:
            return key
        self._act(found)
        return None

    def _moved(self, _key: str) -> None:
        run = self.run
        if run is not None:
            self._chosen(run)


def _header(runs: Sequence[Run]) -> list[Line]:
    found = tally(runs)
    summary: list[Segment] = [
        ("header", f" {amounts.plural(found.total, 'query')}  "),
        ("header.here", amounts.bar(found.progress, 8)),
        ("header", f" {amounts.percent(found.progress, over=found.progress == 1.0):>4}  ✓ {found.completed} completed  "),
        ("header.bad" if found.failed else "header", f"✗ {found.failed} failed"),
        ("header", f"  ▶ {found.running} running  ○ {found.waiting} waiting"),
        *([("header", f"  ▷ {found.held} held")] if found.held else []),
    ]
    names = f"   {'#':>3}  {'state':<10} {'rows':>9} {'time':>9}  {'size':>{BAR}}  statement"
    return [[*summary, ("header", "")], [("header.type", names), ("header.type", "")]]


def _bar(run: Run) -> str:
    """How far a run is; the size of its result where it does not go on."""
    if not moves(run):
        size = 0 if run.status is None else run.status.result.bytes
        return (amounts.size(size) if size else "").rjust(BAR)
    return "…".ljust(BAR) if run.progress is None else amounts.bar(run.progress, BAR)


def _line(run: Run, now: float) -> Line:
    attribute, icon = STATES[run.shown_state]
    if moves(run):
        icon = SPINNER[int(now * 10) % len(SPINNER)]
    count = run.rows if not moves(run) or run.progress is not None else run.rows_so_far
    rows = amounts.short_count(count) + ("+" if run.held else "") if count or run.state == "completed" else ""
    time = amounts.seconds(run.elapsed(now)) if run.started_at is not None else ""
    return [
        (attribute, f" {icon} "),
        ("dim", f"{run.number:>3}  "),
        (attribute, fit(run.shown_state, 10)),
        ("text", f" {rows:>9} {time:>9}  "),
        ("bar", _bar(run)),
        ("text", "  "),
        ("text", run.title[:400]),
    ]
