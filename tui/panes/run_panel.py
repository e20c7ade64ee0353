"""What is shown of a run: its state in one line, and its results, plan, chart or statement below."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence

import urwid

from tui import keys
from tui.draw import amounts
from tui.draw.canvas import Line, Segment, cut, draw, fit, width
from tui.draw.popup import TextView
from tui.editor.highlight import highlight
from tui.link.run import Run
from tui.panes.chart_pane import ChartPane
from tui.panes.plan_pane import PlanPane
from tui.panes.results_table import ResultsTable

MODES = ("results", "plan", "chart", "sql")
_LABELS = {"results": "1 Results", "plan": "2 Plan", "chart": "3 Chart", "sql": "4 SQL"}
ROOM_FOR_HINT = 75  # else the place of the cursor would not show beside it
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
STATES: dict[str, tuple[str, str]] = {
    "waiting": ("waiting", "○"),
    "submitting": ("running", "↑"),
    "queued": ("waiting", "◌"),
    "running": ("running", "▶"),
    "held": ("ok", "▷"),
    "completed": ("ok", "✓"),
    "failed": ("error", "✗"),
    "killed": ("warn", "■"),
    "lost": ("error", "?"),
}


class RunView:
    """The widgets of one run; they keep their place while other runs are shown."""

    def __init__(self, run: Run, act: Callable[[str], None]) -> None:
        self._run = weakref.ref(run)
        self._act = act
        self.mode = "results"
        self._column: int | None = None
        self.table: ResultsTable | None = None
        self.chart: ChartPane | None = None
        self.plan = PlanPane(act)
        self._sql: TextView | None = None
        self.refresh()

    def follow(self, other: RunView) -> None:
        """Shows in the same way what ``other`` showed, which has the same columns."""
        self.mode = other.mode
        if other.table is not None:
            self._column = other.table.column
        if self.table is not None and self._column is not None:
            self.table.go_column(self._column)

    def refresh(self) -> None:
        """Takes what has become known of the run since."""
        run = self._run()
        if run is None:
            return
        if self.table is None and run.source is not None:
            self.table = ResultsTable(run.source, self._act)
            run.source.changed = self._rows_came
            if run.derived is not None and run.derived.order is not None:
                self.table.sorted_by = (run.source.schema.field(run.derived.order - 1).name, run.derived.ascending)
                self.table.column = run.derived.order - 1
            self.table.column = self.table.column if self._column is None else self._column
        self._rows_came()
        self.plan.show(run.status)
        self._sql = None

    def _rows_came(self) -> None:
        for widget in (self.table, self.chart):
            if widget is not None:
                widget._invalidate()

    @property
    def tells_error(self) -> bool:
        """Whether what is drawn says what went wrong, so that nothing else needs to: the statement, where there are no rows."""
        run = self._run()
        if run is None or run.error is None or self.mode == "plan" or (self.mode == "chart" and self.table is not None):
            return False
        return self.mode == "sql" or self.table is None or not self.table.source.rows

    def widget(self) -> urwid.Widget:
        """What to draw in the current mode."""
        run = self._run()
        if self.mode == "plan":
            return self.plan
        if self.mode == "chart" and self.table is not None:
            if self.chart is None:
                self.chart = ChartPane(self.table.source, self._act)
            return self.chart
        if self.mode == "results" and self.table is not None and not self.tells_error:
            return self.table
        if self._sql is None:
            self._sql = TextView(_statement_lines(run))
        return self._sql


class RunViews:
    """The widgets of each run that was looked at, for as long as the run is there."""

    def __init__(self, act: Callable[[str], None]) -> None:
        self._act = act
        self._views: weakref.WeakKeyDictionary[Run, RunView] = weakref.WeakKeyDictionary()

    def of(self, run: Run) -> RunView:
        view = self._views.get(run)
        if view is None:
            view = self._views[run] = RunView(run, self._act)
        return view


class RunPanel(urwid.Widget):
    """Shows the run that is chosen with :meth:`show`; ``hint`` while there is none."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(self, views: Callable[[Run], RunView], act: Callable[[str], None], hint: str) -> None:
        super().__init__()
        self.run: Run | None = None
        self._hint = hint
        self._views = views
        self._act = act
        self._tabs: list[tuple[int, int, str]] = []
        self._chip_spans: list[tuple[int, int]] = []

    def show(self, run: Run | None) -> None:
        self.run = run
        self._invalidate()

    def changed(self, run: Run) -> None:
        """Draws again if it is this run that has changed."""
        if run is self.run:
            self._views(run).refresh()
            self._invalidate()

    @property
    def view(self) -> RunView | None:
        return None if self.run is None else self._views(self.run)

    @property
    def context(self) -> str:
        """The table of keys that holds here."""
        view = self.view
        return "results" if view is None or view.mode in ("results", "sql") else view.mode

    def set_mode(self, mode: str) -> None:
        if self.view is not None:
            self.view.mode = mode
            self._invalidate()

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        columns, rows = size
        if rows < 2 or columns < 2:
            return draw([], columns, rows)
        view = self.view
        head = draw([self._head(columns, focus)], columns, 1)
        if view is None:
            return urwid.CanvasCombine([(head, None, False), (draw([[("dim", self._hint)]], columns, max(1, rows - 1)), None, False)])
        chips = self._chips(columns) if rows > 2 else []
        body = view.widget().render((columns, rows - 1 - len(chips)), focus)
        above = [(draw([line], columns, 1), None, False) for line in chips]
        return urwid.CanvasCombine([(head, None, False), *above, (body, None, True)])

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        view = self.view
        if view is None:
            return self._other(key)
        found = view.widget().keypress((size[0], max(1, size[1] - 1 - len(self._chips(size[0])))), key)
        self._invalidate()
        return None if found is None else self._other(found)

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        if row == 0:
            for start, end, mode in self._tabs:
                if start <= col < end and event == "mouse press":
                    self.set_mode(mode)
            return True
        view = self.view
        if view is None or not hasattr(view.widget(), "mouse_event"):
            return False
        self._invalidate()
        above = 1 + len(self._chips(size[0]))
        if row < above:
            for number, (start, end) in enumerate(self._chip_spans):
                if start <= col < end and event == "mouse press" and button == 1:
                    self._act(f"without {number}")
            return True
        return bool(view.widget().mouse_event((size[0], size[1] - above), event, button, col, row - above, focus))

    def _chips(self, columns: int) -> list[Line]:
        """The line that tells how the rows below were sorted and filtered, a click takes away; none where they were not."""
        self._chip_spans = []
        run = self.run
        if run is None or run.derived is None or self.view is None or self.view.mode not in ("results", "chart"):
            return []
        schema = run.schema if run.schema is not None or run.base is None else run.base.schema
        if schema is None:
            return []
        line: list[Segment] = []
        left = columns
        for chip in run.derived.chips(schema.names):
            text = f" {cut(chip, max(0, left - 5))} × "
            start = columns - left + 1
            line += [("tab", " "), ("selection", text)]
            self._chip_spans.append((start, start + width(text)))
            left -= width(text) + 1
        return [[*line, ("tab", "")]]

    def _other(self, key: str) -> str | None:
        found = keys.action(self.context, key)
        if found is None:
            return key
        self._act(found)
        return None

    def _head(self, columns: int, focus: bool) -> Line:
        line: list[Segment] = []
        self._tabs = []
        used = 0
        mode = self.view.mode if self.view is not None else "results"
        for name in MODES:
            label = f" {_LABELS[name]} "
            line.append((("tab.on.focus" if focus else "tab.on") if name == mode else "tab", label))
            self._tabs.append((used, used + len(label), name))
            used += len(label)
        told = self.view is not None and self.view.tells_error
        state = [] if self.run is None else run_state(self.run, time.time(), max(0, columns - used - 1), told=told)
        taken = used + 1 + sum(width(text) for _, text in state)
        line += [("tab", " "), *((f"head.{attribute}", text) for attribute, text in state)]
        position = next((text for text in self._positions() if taken + len(text) + 2 <= columns), "") if mode == "results" else ""
        if position:
            line.append(("tab", fit(position + " ", columns - taken, right=True)))
        return [*line, ("tab", "")]

    def _positions(self) -> Sequence[str]:
        """Where one is in the rows, at length and more shortly."""
        view = self.view
        return () if view is None or view.table is None else view.table.positions()


def run_state(run: Run, now: float, columns: int, *, told: bool = False) -> list[Segment]:
    """A run's state in at most ``columns`` columns: icon, rows, time, how far it is; what went wrong, unless that is ``told`` below."""
    attribute, icon = STATES[run.shown_state]
    if moves(run):
        icon = SPINNER[int(now * 10) % len(SPINNER)]
    if run.unheard is not None:
        return [("warn", fit(f"? nothing is heard of it: {run.unheard}", columns).rstrip())]
    elapsed = amounts.seconds(run.elapsed(now))
    if run.state in ("failed", "lost") and run.error is not None and not told:
        text = f"{run.state}  {run.error.message.splitlines()[0] if run.error.message else run.error.status}"
        return [(attribute, fit(f"{icon} {text}", columns).rstrip())]
    parts: list[str] = [] if run.state == "completed" and columns < 60 else [run.shown_state]
    if run.held:
        parts.append(f"{amounts.count(run.rows)}+ rows")
    elif run.state == "running" and run.progress is None:
        parts.append(f"{amounts.plural(run.rows_so_far, 'row')} so far")
    elif run.rows or run.state == "completed":
        parts.append(amounts.plural(run.rows, "row"))
    if run.status is not None and run.status.result.bytes and columns > 60:
        parts.append(amounts.size(run.status.result.bytes))
    if run.started_at is not None:
        parts.append(elapsed)
    if run.held and columns >= ROOM_FOR_HINT:
        parts.append("more as you scroll")
    if run.state == "running" and run.progress is not None and not run.held:
        parts.insert(1, f"{amounts.bar(run.progress, 10)} {amounts.percent(run.progress):>4}")
    return [(attribute, fit(f"{icon} {'  '.join(parts)}", columns).rstrip())]


def moves(run: Run) -> bool:
    """Whether something is being done for a run at this moment."""
    return not run.over and not run.held and run.state != "waiting"


def _statement_lines(run: Run | None) -> list[Line]:
    """The statement with its colours; above it, what went wrong."""
    if run is None:
        return []
    lines: list[Line] = []
    if run.error is not None:
        lines += [[("error", f" {line}")] for line in run.error.message.splitlines()]
        lines.append([("text", "")])
    texts = run.sql.expandtabs(4).split("\n")
    first = 1 if run.origin is None else run.origin.line
    for number, (text, runs) in enumerate(zip(texts, highlight(texts, 0, len(texts)), strict=True), first):
        segments: list[Segment] = [("gutter", f"{number:>4} ")]
        start = 0
        for attribute, length in runs:
            segments.append((attribute, text[start : start + length]))
            start += length
        lines.append(segments)
    return lines
