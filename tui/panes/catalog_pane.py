"""The tables of the server as a tree of connections, tables and columns, with sample rows of the current one beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import urwid

from flight_server.client.sql_words import quoted
from flight_server.protocol.messages import TableStatus
from planner.errors import VolleyError
from tui import keys
from tui.draw import amounts
from tui.draw.canvas import Line, draw, fit
from tui.link.background import Background
from tui.link.row_source import RowSource
from tui.panes.results_table import ResultsTable
from tui.panes.row_list import ListRow, RowList

SAMPLE_ROWS = 50
NARROW = 100  # below so many columns, the sample is under the tables instead of beside them


class CatalogPane(urwid.Widget):
    """``sample(sql)`` runs a query, on a background thread; ``act(action)`` is called for keys that others must act on."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(self, background: Background, sample: Callable[[str], pa.Table], act: Callable[[str], None]) -> None:
        super().__init__()
        self._background = background
        self._query = sample
        self._act = act
        self.tables: Sequence[TableStatus] = ()
        self._open: set[str] = set()
        self._samples: dict[str, ResultsTable | str] = {}
        self._in_sample = False
        self._seen = False
        self.text = ""
        self.list = RowList(lambda _key: self._look(), lambda _key: self._toggle())
        self.list.empty = " asking the server for its tables …"

    # -- what it shows --------------------------------------------------------------------------------------------

    def refresh(self, tables: Sequence[TableStatus], error: VolleyError | None, *, loaded: bool) -> None:
        """Takes the catalog as the server told it last."""
        self.tables = tables
        self._samples.clear()
        if error is not None:
            self.list.empty = f" {error}"
        elif loaded and not tables:
            self.list.empty = " The server has no tables. Start it with --data FOLDER, where NAME.parquet is table NAME."
        self._build()

    def shown(self) -> None:
        """The pane is on the screen: only now sample rows are worth a query."""
        self._seen = True
        self._look()

    @property
    def table(self) -> TableStatus | None:
        """The table of the current line, or whose column it is."""
        key = self.list.key or ""
        return next((table for table in self.tables if key in (table.name,) or key.startswith(table.name + "\0")), None)

    def word(self) -> str | None:
        """The name of the current line, as it is written in SQL."""
        key = self.list.key
        return None if key is None or self.table is None else quoted(key.partition("\0")[2] or key)

    def set_filter(self, text: str) -> None:
        self.text = text.strip().lower()
        self._build()

    def _build(self) -> None:
        shown = [table for table in self.tables if self.text in table.name.lower()]
        rows: list[ListRow] = []
        connection = None
        for table in shown:
            if table.connection != connection and len({item.connection for item in self.tables}) > 1:
                rows.append(ListRow(f"\0{table.connection}", [("dim", f" {table.connection or 'default'}")]))
            connection = table.connection
            rows.append(ListRow(table.name, _table_line(table, table.name in self._open)))
            if table.name in self._open:
                rows += [ListRow(f"{table.name}\0{c.name}", [("text", f"     {fit(c.name, 24)} "), ("dim", c.type)]) for c in table.columns]
        columns = sum(len(table.columns) for table in shown)
        matching = f" with {self.text!r}" if self.text else ""
        title = f" {amounts.plural(len(shown), 'table')}{matching}   {amounts.plural(columns, 'column')}"
        names = f"   {'table':<22} {'rows':>8} {'files':>5} {'bytes':>8}"
        self.list.set_rows(rows, [[("header", title), ("header", "")], [("header.type", names), ("header.type", "")]])
        self._look()

    def _look(self) -> None:
        """Asks for sample rows of the current table, once."""
        self._invalidate()
        table = self.table
        if not self._seen or table is None or table.name in self._samples:
            return
        name = table.name
        if table.error is not None:
            self._samples[name] = table.error
            return
        self._samples[name] = "reading sample rows …"

        def done(found: pa.Table) -> None:
            self._samples[name] = ResultsTable(RowSource.of_table(found, self._background))
            self._invalidate()

        def failed(error: VolleyError) -> None:
            self._samples[name] = str(error)
            self._invalidate()

        self._background.submit(lambda: self._query(f"SELECT * FROM {quoted(name)} LIMIT {SAMPLE_ROWS}"), done, failed)

    # -- drawing --------------------------------------------------------------------------------------------------

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        if size[1] < 6 or size[0] < 8:
            return self.list.render(size, focus)
        upper, lower = self._sizes(size)
        left = self.list.render(upper, focus and not self._in_sample)
        right = self._sample_canvas(lower, focus and self._in_sample)
        if size[0] >= NARROW:
            rule = draw([[("rule", "│")]] * size[1], 1, size[1])
            return urwid.CanvasJoin([(left, None, True, upper[0]), (rule, None, False, 1), (right, None, False, lower[0])])
        return urwid.CanvasCombine([(left, None, True), (right, None, False)])

    def _sizes(self, size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
        columns, rows = size
        if columns >= NARROW:
            return (52, rows), (columns - 53, rows)
        upper = max(3, rows // 2)
        return (columns, upper), (columns, max(1, rows - upper))

    def _sample_canvas(self, size: tuple[int, int], focus: bool) -> urwid.Canvas:
        columns, rows = size
        table = self.table
        title = " sample" if table is None else f" {table.name}: sample rows"
        head = draw([[("tab.on.focus" if focus else "tab.on", fit(title, columns))]], columns, 1)
        found = None if table is None else self._samples.get(table.name)
        if isinstance(found, ResultsTable):
            body = found.render((columns, max(1, rows - 1)), focus)
        else:
            lines: list[Line] = [[("dim", f" {line}")] for line in (found or "").splitlines()]
            body = draw(lines, columns, max(1, rows - 1))
        return urwid.CanvasCombine([(head, None, False), (body, None, True)])

    # -- keys and mouse -------------------------------------------------------------------------------------------

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        upper, lower = self._sizes(size)
        self._invalidate()
        if key in ("tab", "shift tab") or (key == "esc" and self._in_sample):
            self._in_sample = not self._in_sample
            return None
        sample = self._sample()
        if self._in_sample and sample is not None:
            rest = sample.keypress((lower[0], max(1, lower[1] - 1)), key)
            if rest is None or keys.action("catalog", rest) != "run":
                return None if rest is None else str(rest)
        elif self.list.keypress(upper, key) is None:
            return None
        found = keys.action("catalog", key)
        if key == "left":
            self._close()
        elif found == "open":
            self._toggle()
        elif found is not None:
            self._act(found)
        else:
            return key
        return None

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        upper, lower = self._sizes(size)
        beside = size[0] >= NARROW
        in_sample = col >= upper[0] if beside else row >= upper[1]
        if event == "mouse press" and button == 1:
            self._in_sample = in_sample
        self._invalidate()
        if not in_sample:
            return self.list.mouse_event(upper, event, button, col, row, focus)
        sample = self._sample()
        x, y = (col - upper[0] - 1, row - 1) if beside else (col, row - upper[1] - 1)
        return sample is not None and y >= 0 and sample.mouse_event((lower[0], lower[1] - 1), event, button, x, y, focus)

    def _sample(self) -> ResultsTable | None:
        found = None if self.table is None else self._samples.get(self.table.name)
        return found if isinstance(found, ResultsTable) else None

    def _toggle(self) -> None:
        table = self.table
        if table is not None:
            self._open ^= {table.name}
            self.list.select(table.name)
            self._build()

    def _close(self) -> None:
        table = self.table
        if table is not None:
            self._open.discard(table.name)
            self.list.select(table.name)
            self._build()


def _table_line(table: TableStatus, is_open: bool) -> Line:
    if table.error is not None:
        return [("error", f" ✗ {table.name}  "), ("error", table.error.splitlines()[0])]
    rows = "?" if table.rows is None else amounts.short_count(table.rows)
    return [
        ("rule", f" {'▾' if is_open else '▸'} "),
        ("strong", fit(table.name, 22)),
        ("text", f" {rows:>8} {table.files:>5} {amounts.size(table.bytes):>8}"),
    ]
