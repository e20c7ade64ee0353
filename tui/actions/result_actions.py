"""What the keys of a result do that needs more than the table: look closer, sort, filter, copy, export, chart, peek."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from planner.errors import VolleyError
from tui.draw import cells, chart
from tui.draw.amounts import count, plural
from tui.draw.canvas import Line, fit
from tui.draw.chrome import Mood
from tui.draw.popup import Dialogs
from tui.link import derived
from tui.link.background import Background, Post
from tui.link.derived import Derived
from tui.link.export import SUFFIXES, Export
from tui.link.row_source import Piece, RowSource
from tui.link.runs import Run, RunBook
from tui.link.server import Server
from tui.panes.chart_pane import BINS, ChartPane
from tui.panes.results_table import ResultsTable
from tui.panes.run_panel import RunPanel

PEEK_RECORDS = 3
PEEK_ROWS = 40
MOST_VALUES = 40


@dataclass
class ResultActions:
    """Acts on the run that ``panel()`` shows. Lives on the thread of the loop."""

    panel: Callable[[], RunPanel]
    book: RunBook
    server: Server
    background: Background
    post: Post
    dialogs: Dialogs
    say: Callable[[str, Mood], None]
    copy: Callable[[str], None]
    replaced: Callable[[Run, Run], None]
    _export: Export | None = None

    def act(self, action: str) -> bool:
        """Does what a key's action says; False if it is not one of a result's."""
        if action.startswith("show "):
            self.panel().set_mode(action.removeprefix("show "))
            return True
        table = self._table()
        match action:
            case "peek":
                self._peek()
            case "whole chart":
                self._whole_chart()
            case "go to row" | "search" | "search next" | "search previous" | "open cell" | "copy cell" | "copy row" | "chart":
                if table is not None:
                    self._on_table(action, table)
            case "sort" | "filter" | "export":
                if table is not None:
                    {"sort": self._sort, "filter": self._filter, "export": self._ask_export}[action](table)
            case _:
                return False
        return True

    def _on_table(self, action: str, table: ResultsTable) -> None:
        match action:
            case "go to row":
                self.dialogs.prompt("Go to row", "row ", "", lambda text: self._go(table, text))
            case "search":
                self.dialogs.prompt("Search in the loaded rows", "/ ", table.search, lambda text: self._search(table, text))
            case "search next":
                self._find(table, forward=True)
            case "search previous":
                self._find(table, forward=False)
            case "open cell":
                self._open_cell(table)
            case "copy cell":
                self.copy(cells.plain(table.value()))
            case "copy row":
                self._copy_row(table)
            case "chart":
                self._show_chart(table)

    def _table(self) -> ResultsTable | None:
        view = self.panel().view
        return None if view is None else view.table

    def _go(self, table: ResultsTable, text: str) -> None:
        digits = text.strip().replace(",", "").replace("_", "")
        if digits.isdigit():
            table.go(int(digits) - 1)
        elif digits:
            self.say(f"{text!r} is not a row number", "bad")

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
                self.say(f"no record waits in {name} now{taken}", "ok")
                return
            self._show_records(name, pa.Table.from_batches(batches), len(batches))

        self.background.submit(lambda: list(self.server.peek(query_id, name, PEEK_RECORDS)), done, self._failed)

    def _show_records(self, name: str, table: pa.Table, records: int) -> None:
        title = f"{name}: {plural(records, 'record')}, {plural(table.num_rows, 'row')} waiting"
        shown = RowSource.of_table(table.slice(0, PEEK_ROWS), self.background)
        self.dialogs.show_widget(title, ResultsTable(shown))

    # -- search ---------------------------------------------------------------------------------------------------

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

    def _derived(self, run: Run) -> Derived:
        return run.derived or Derived(run.sql)

    def _rerun(self, run: Run, wanted: Derived) -> None:
        self.replaced(run, self.book.run(wanted.sql, derived=wanted))

    def _sort(self, table: ResultsTable) -> None:
        run = self.panel().run
        if run is not None:
            self._rerun(run, self._derived(run).sorted_by(table.column + 1))

    def _filter(self, table: ResultsTable) -> None:
        run = self.panel().run
        if run is None:
            return
        field = table.source.schema.field(table.column)
        value = table.value()
        start = derived.equals(field.name, None if value is None else cells.plain(value), number=cells.is_number(field.type))
        now = self._derived(run).where
        hint = "Enter runs it; an empty line takes filters away" + (f"; now: {' AND '.join(now)}" if now else "")
        self.dialogs.prompt("Keep rows where", "", start, lambda text: self._rerun(run, self._derived(run).filtered(text)), hint=hint)

    def _show_chart(self, table: ResultsTable) -> None:
        self.panel().set_mode("chart")
        view = self.panel().view
        if view is not None and isinstance(view.widget(), ChartPane):
            view.widget().column = table.column

    def _whole_chart(self) -> None:
        view, run = self.panel().view, self.panel().run
        if view is None or view.chart is None or run is None:
            return
        pane, column = view.chart, view.chart.ask_whole()
        if column is None:
            return
        field = pane.source.schema.field(column)
        number = cells.is_number(field.type)
        base = run.sql
        sql = derived.histogram_sql(base, field.name, BINS // 2) if number else derived.frequencies_sql(base, field.name, MOST_VALUES)

        def failed(error: VolleyError) -> None:
            pane.set_whole(column, None)
            self._failed(error)

        self.background.submit(
            lambda: self.server.query(sql), lambda found: pane.set_whole(column, histogram_of(found) if number else bars_of(found)), failed
        )

    # -- copy and export ------------------------------------------------------------------------------------------

    def _copy_row(self, table: ResultsTable) -> None:
        values = table.row_values()
        if values is not None:
            self.copy("\t".join(table.source.schema.names) + "\n" + "\t".join(cells.plain(value) for value in values))

    def _ask_export(self, table: ResultsTable) -> None:
        run = self.panel().run
        if run is None or run.query_id is None:
            return
        if self._export is not None:
            running = self._export
            self.dialogs.ask("Export", f"{running.path} is being written. Stop it?", running.stop, answer="stop it")
            return
        number, schema = run.query_id, table.source.schema
        self.dialogs.prompt(
            "Export the whole result",
            "file ",
            f"result-{run.number}.csv",
            lambda text: self._start_export(number, schema, text),
            hint=f"the ending says the format: {SUFFIXES}",
        )

    def _start_export(self, query_id: str, schema: pa.Schema, path: str) -> None:
        if not path.strip():
            return
        try:
            export = Export(self.server, query_id, schema, path.strip())
        except VolleyError as error:
            self._failed(error)
            return
        self._export = export
        self.say(f"writing {export.path} …", "ok")

        def progress() -> None:
            rows = export.rows
            self.post(lambda: self.say(f"writing {export.path}: {plural(rows, 'row')} …   e stops it", "ok"))

        def done(rows: int) -> None:
            self._export = None
            self.say(f"wrote {plural(rows, 'row')} to {export.path}", "ok")

        def failed(error: VolleyError) -> None:
            self._export = None
            self._failed(error)

        self.background.submit(lambda: export.write(progress), done, failed)

    def _failed(self, error: VolleyError) -> None:
        self.say(str(error), "bad")


def find(pieces: list[Piece], text: str, row: int, *, forward: bool) -> tuple[int, int] | None:
    """The row and column of the next cell that contains ``text`` (lower case), from ``row`` on, or back from it."""
    for piece in pieces if forward else reversed(pieces):
        last = piece.start + piece.table.num_rows
        if (forward and last <= row) or (not forward and piece.start > row):
            continue
        hits: list[tuple[int, int]] = []
        for number, column in enumerate(piece.table.columns):
            matches = pc.indices_nonzero(pc.fill_null(_contains(column, text), False)).to_pylist()
            rows = [piece.start + index for index in matches]
            rows = [found for found in rows if (found >= row if forward else found <= row)]
            if rows:
                hits.append((rows[0] if forward else rows[-1], number))
        if hits:
            return min(hits) if forward else max(hits, key=lambda hit: (hit[0], -hit[1]))
    return None


def _contains(column: pa.ChunkedArray, text: str) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_dictionary(kind) or pa.types.is_interval(kind):
        return pa.chunked_array([[None if value is None else text in cells.one_line(value).lower() for value in column.to_pylist()]])
    return pc.match_substring(pc.cast(column, pa.large_string()), text, ignore_case=True)


def histogram_of(table: pa.Table) -> chart.Histogram | None:
    """The histogram that ``derived.histogram_sql`` counted; None if there was no number."""
    rows = table.to_pylist()
    if not rows:
        return None
    low, high = float(rows[0]["low"]), float(rows[0]["high"])
    counts = [0] * (BINS // 2 if low != high else 1)
    for row in rows:
        counts[min(row["bin"], len(counts) - 1)] += row["n"]
    return chart.Histogram(low, high, tuple(counts), rows[0]["missing"])


def bars_of(table: pa.Table) -> chart.Bars:
    """The bars that ``derived.frequencies_sql`` counted."""
    return chart.Bars(tuple(cells.one_line(v) for v in table.column(0).to_pylist()), tuple(float(v) for v in table.column(1).to_pylist()))
