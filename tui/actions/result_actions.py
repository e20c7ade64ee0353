"""What the keys of a result, its plan and its chart do that needs more than the widget: look closer, sort, filter, copy, chart, peek."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from planner.errors import VolleyError
from tui.actions.clipboard import Clipboard
from tui.actions.dropping import Dropping
from tui.actions.exporting import Exporting
from tui.actions.search import find
from tui.draw import cells
from tui.draw.amounts import count, plural
from tui.draw.canvas import Line, fit
from tui.draw.chrome import Say
from tui.draw.popup import Choice, Dialogs
from tui.keys import Actions
from tui.link import derived
from tui.link.background import Background
from tui.link.derived import Derived
from tui.link.run import Run
from tui.link.runs import RunBook
from tui.link.server import Server
from tui.panes.chart_pane import ChartPane
from tui.panes.peek_pane import PeekPane
from tui.panes.results_table import ResultsTable
from tui.panes.run_panel import MODES, RunPanel

_PLACE = re.compile(r" \(line \d+, column \d+\)")  # of the derived statement, which nobody has written
MOST_CHIPS = 50  # over a result that can be clicked away
PEEK_RECORDS = 3
PEEK_SECONDS = 1.0


@dataclass
class _Peeking:
    """A look into an exchange that is open: ``depth`` of the dialogs with it, and whether an answer is awaited."""

    run: Run
    exchange: str
    pane: PeekPane
    depth: int
    at: float
    awaits: bool = False


@dataclass
class _Reaching:
    """Rows of a run that are being made because somebody wants to go there, who was in row ``at`` of ``table``.

    ``what`` they want; whether they were ``told`` how far it is.
    """

    run: Run
    table: ResultsTable
    at: int
    what: str
    told: bool = False


@dataclass
class ResultActions:
    """Acts on the run that ``panel()`` shows. ``replaced(old, new)`` is called when a derived query takes the place of another.

    ``left()`` goes elsewhere, when nothing that was asked for is being made any more.
    """

    panel: Callable[[], RunPanel]
    book: RunBook
    server: Server
    background: Background
    dialogs: Dialogs
    clipboard: Clipboard
    exporting: Exporting
    dropping: Dropping
    say: Say
    replaced: Callable[[Run, Run], None]
    left: Callable[[], None]
    clock: Callable[[], float] = time.monotonic
    _peeking: _Peeking | None = None
    _reaching: _Reaching | None = None

    def table(self) -> Actions:
        modes = {f"show {mode}": lambda mode=mode: self.panel().set_mode(mode) for mode in MODES}
        modes |= {f"without {chip}": functools.partial(self._without, chip) for chip in range(MOST_CHIPS)}
        return modes | {
            "peek": self._peek,
            "export": self.exporting.ask,
            "drop": lambda: self.dropping.run(self.panel().run),
            "leave": self._leave,
            "last row": self._with_rows(lambda rows: self._reach(rows, None)),
            "go to row": self._with_rows(self._ask_row),
            "go to column": self._with_rows(self._ask_column),
            "search": self._with_rows(self._ask_search),
            "search next": self._with_rows(lambda rows: self._find(rows, forward=True)),
            "search previous": self._with_rows(lambda rows: self._find(rows, forward=False)),
            "open cell": self._with_rows(self._open_cell),
            "copy cell": self._with_rows(lambda rows: self.clipboard.copy(cells.plain(rows.value()))),
            "copy row": self._with_rows(self._copy_row),
            "chart": self._with_rows(self._show_chart),
            "sort": self._with_rows(self._sort),
            "filter": self._with_rows(self._filter),
        }

    def _with_rows(self, act: Callable[[ResultsTable], None]) -> Callable[[], None]:
        """``act`` for the table of rows in sight; nothing while there is none."""

        def acted() -> None:
            view = self.panel().view
            if view is not None and view.table is not None:
                act(view.table)

        return acted

    def _ask_row(self, table: ResultsTable) -> None:
        self.dialogs.prompt("Go to row", "row ", "", lambda text: self._go(table, text))

    def _go(self, table: ResultsTable, text: str) -> None:
        digits = text.strip().replace(",", "").replace("_", "")
        if digits.isdigit():
            row = int(digits) - 1
            if row >= table.source.rows and not table.source.closed:
                self._reach(table, row)
            else:
                table.go(row)
        elif digits:
            self.say(f"{text!r} is not a row number", "bad")

    def _ask_column(self, table: ResultsTable) -> None:
        choices = [Choice(column.name, column.type, str(number)) for number, column in enumerate(table.columns)]
        self.dialogs.choose("Go to column", choices, lambda choice: table.go_column(int(choice.value)), footer="type to search, Enter goes")

    # -- rows that are not made yet ---------------------------------------------------------------------------------

    def _reach(self, table: ResultsTable, row: int | None) -> None:
        """Has the rows of a look made up to ``row``, or all of them, and goes there."""
        run = self.panel().run
        if run is None:
            return
        self._stop_reaching()
        reaching = _Reaching(run, table, table.row, "all rows" if row is None else f"row {count(row + 1)}")

        def reached() -> None:
            self._reaching = None if self._reaching is reaching else self._reaching
            if table.row == reaching.at:
                table.go(table.source.rows - 1 if row is None else row)
            if reaching.told:
                self.say(f"{plural(table.source.made, 'row')} made")

        def failed(error: VolleyError) -> None:
            self._reaching = None if self._reaching is reaching else self._reaching
            self._failed(error)

        self._reaching = reaching
        self.book.reach(run, row, reached, failed)

    def _stop_reaching(self) -> bool:
        """Has no more rows made than are looked at; whether any were."""
        reaching, self._reaching = self._reaching, None
        if reaching is None:
            return False
        self.book.stop_reaching(reaching.run)
        return True

    def _leave(self) -> None:
        """The first Esc ends what is waited for, the next one leaves."""
        if self._stop_reaching():
            self.say("stopped; what is made stays")
        else:
            self.left()

    def tick(self) -> None:
        """Goes on with what goes on by itself: looking into an exchange, and telling how far rows are that somebody waits for.

        Who moves elsewhere waits no more.
        """
        self._peek_again()
        reaching = self._reaching
        if reaching is None:
            return
        if reaching.table.row != reaching.at:
            self._stop_reaching()
        elif self.panel().run is reaching.run:
            reaching.told = True
            self.say(f"making {reaching.what}: {count(reaching.run.rows)} so far …   Esc stops it")

    # -- looking closer -------------------------------------------------------------------------------------------

    def _open_cell(self, table: ResultsTable) -> None:
        values = table.row_values()
        if not values:
            return
        field = table.source.schema.field(table.column)
        lines: list[Line] = [[("dialog", line)] for line in cells.many_lines(values[table.column]).splitlines() or [""]]
        lines += [[("dialog", "")], [("dialog.frame", f"row {count(table.row + 1)}")]]
        names = max(len(name) for name in table.source.schema.names)
        for other, value in zip(table.source.schema, values, strict=True):
            attribute = "cell.null" if value is None else "dialog"
            lines.append([("dialog.title", fit(other.name, min(names, 30)) + "  "), (attribute, cells.one_line(value))])
        self.dialogs.show_text(f"{field.name} {cells.type_name(field.type)}", lines)

    def _peek(self) -> None:
        view, run = self.panel().view, self.panel().run
        operator = None if view is None else view.plan.operator
        if operator is None or run is None or run.query_id is None:
            return
        if operator.kind != "exchange":
            self.say("records pass through exchanges (⇄): choose one of them", "bad")
            return
        query_id, name = run.query_id, operator.operator

        def done(batches: list[pa.RecordBatch]) -> None:
            if not batches:
                taken = f": {plural(operator.leases, 'record')} taken, not yet done" if operator.leases else ""
                self.say(f"no record waits in {name} now{taken}")
                return
            pane = PeekPane(self.background)
            pane.show(batches)
            self.dialogs.show_widget(f"{name}: records that wait", pane)
            self._peeking = _Peeking(run, name, pane, self.dialogs.depth, self.clock())

        self.background.submit(lambda: list(self.server.peek(query_id, name, PEEK_RECORDS)), done, self._failed)

    def _peek_again(self) -> None:
        """Looks again into the exchange whose records are shown, every ``PEEK_SECONDS``, until they are closed or the query is over."""
        looking = self._peeking
        if looking is None or looking.awaits or self.clock() - looking.at < PEEK_SECONDS:
            return
        if self.dialogs.depth < looking.depth or looking.run.query_id is None:
            self._peeking = None
            return
        if looking.run.over:
            self._peeking = None
            looking.pane.end()
            return
        query_id = looking.run.query_id
        looking.awaits = True

        def done(batches: list[pa.RecordBatch]) -> None:
            looking.awaits, looking.at = False, self.clock()
            looking.pane.show(batches)

        def failed(_error: VolleyError) -> None:
            looking.awaits, looking.at = False, self.clock()

        self.background.submit(lambda: list(self.server.peek(query_id, looking.exchange, PEEK_RECORDS)), done, failed)

    # -- search ---------------------------------------------------------------------------------------------------

    def _ask_search(self, table: ResultsTable) -> None:
        self.dialogs.prompt("Search in the loaded rows", "/ ", table.search, lambda text: self._search(table, text))

    def _search(self, table: ResultsTable, text: str) -> None:
        table.search = text.lower()
        table._invalidate()
        if text:
            self._find(table, forward=True, here=True)

    def _find(self, table: ResultsTable, *, forward: bool, here: bool = False) -> None:
        if not table.search:
            return
        pieces = list(table.source.loaded())
        text, row = table.search, table.row + (0 if here else 1 if forward else -1)

        def done(found: tuple[int, int] | None) -> None:
            if found is None:
                self.say(f"no {text!r} {'further down' if forward else 'further up'} in the loaded rows", "bad")
                return
            table.column = found[1]
            table.go(found[0])

        self.background.submit(lambda: find(pieces, text, row, forward=forward), done, self._failed)

    # -- new queries ----------------------------------------------------------------------------------------------

    def _derive(self, run: Run, wanted: Derived) -> None:
        found = self.book.derive(run, wanted)
        if found.state != "failed":  # else `mend` has been told, and the rows stay
            self.replaced(run, found)

    def mend(self, run: Run) -> None:
        """Brings back what a derived query that failed stood for, and lets its condition be mended."""
        before, wanted = run.instead_of, run.derived
        if before is None or wanted is None or run.error is None:
            return
        shown = self.panel().run
        if shown is run:
            self.replaced(run, before)
        what = _PLACE.sub("", run.error.message.splitlines()[0])
        if shown in (run, before) and wanted.where != _derived(before).where:
            self._ask_condition(before, wanted.where[-1], what)
        else:
            self.say(what, "bad")

    def _sort(self, table: ResultsTable) -> None:
        run = self.panel().run
        if run is not None:
            self._derive(run, _derived(run).sorted_by(table.column + 1))

    def _without(self, chip: int) -> None:
        """Takes away what the ``chip``-th chip over the rows tells."""
        run = self.panel().run
        if run is not None and run.derived is not None:
            self._derive(run, run.derived.without(chip))

    def _filter(self, table: ResultsTable) -> None:
        run = self.panel().run
        if run is None:
            return
        field = table.source.schema.field(table.column)
        value = table.value()
        start = derived.equals(field.name, None if value is None else cells.plain(value), number=cells.is_number(field.type))
        self._ask_condition(run, start, "Enter runs it; an empty line takes all filters away")

    def _ask_condition(self, run: Run, start: str, hint: str) -> None:
        self.dialogs.prompt("Keep rows where", "", start, lambda text: self._derive(run, _derived(run).filtered(text)), hint=hint)

    def _show_chart(self, table: ResultsTable) -> None:
        self.panel().set_mode("chart")
        view = self.panel().view
        if view is not None and isinstance(view.widget(), ChartPane):
            view.widget().column = table.column

    # -- copy -----------------------------------------------------------------------------------------------------

    def _copy_row(self, table: ResultsTable) -> None:
        values = table.row_values()
        if values is not None:
            self.clipboard.copy("\t".join(table.source.schema.names) + "\n" + "\t".join(cells.plain(value) for value in values))

    def _failed(self, error: VolleyError) -> None:
        self.say(str(error), "bad")


def _derived(run: Run) -> Derived:
    return run.derived or Derived(run.sql)
