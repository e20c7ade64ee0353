"""Workers with their load, and the queries of the server: who runs what, since when, how far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import urwid

from flight_server.protocol.messages import QueryLine, WorkerStatus
from tui import keys
from tui.draw import amounts
from tui.draw.canvas import Line, fit
from tui.link.run import MOST_PROGRESS
from tui.panes.row_list import ListRow, RowList
from tui.panes.run_panel import STATES

SORTS = ("age", "state", "progress", "rows", "owner")
_ORDER = {"running": 0, "queued": 1, "failed": 2, "killed": 3, "completed": 4}
METER = 8


@dataclass(frozen=True, slots=True)
class QueryFilter:
    """Which queries are listed, and in which order."""

    text: str = ""
    sort: str = SORTS[0]

    def apply(self, queries: Sequence[QueryLine]) -> list[QueryLine]:
        words = self.text.lower().split()
        found = [q for q in queries if all(w in f"{q.sql} {q.owner} {q.state} {q.query_id}".lower() for w in words)]
        return sorted(found, key=self._key)

    def next_sort(self) -> QueryFilter:
        return QueryFilter(self.text, SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)])

    def _key(self, query: QueryLine) -> tuple[object, ...]:
        newest = -query.submitted_at
        match self.sort:
            case "state":
                return (_ORDER[query.state], newest)
            case "progress":
                return (_ORDER[query.state], -query.progress, newest)
            case "rows":
                return (-query.result.rows, newest)
            case "owner":
                return (query.owner, newest)
            case _:
                return (newest,)


class ClusterPane(urwid.WidgetWrap):
    """Two lists. ``act(action)`` is called for keys that are not about moving; :attr:`query` is what they act on."""

    def __init__(self, act: Callable[[str], None]) -> None:
        self._act = act
        self._queries: list[QueryLine] = []
        self._more = False
        self._everything = False
        self.filter = QueryFilter()
        self.workers = RowList()
        self.workers.empty = " no workers known yet"
        self.queries = RowList(opened=lambda _key: act("open"))
        self.queries.empty = " no queries"
        self._pile = urwid.Pile([(urwid.GIVEN, 4, self.workers), ("weight", 1, self.queries)], focus_item=1)
        super().__init__(self._pile)

    @property
    def query(self) -> QueryLine | None:
        """The query of the current line, when the list of queries has the focus."""
        if self._pile.focus is not self.queries:
            return None
        return next((query for query in self._queries if query.query_id == self.queries.key), None)

    def refresh(
        self,
        workers: Sequence[WorkerStatus],
        queries: Sequence[QueryLine],
        now: float,
        *,
        more: bool = False,
        everything: bool = False,
    ) -> None:
        """Takes what the server said last: the newest queries, whether there are ``more``, and whether ``everything`` is among them."""
        self._queries = list(queries)
        self._more, self._everything = more, everything
        self.workers.set_rows([ListRow(w.worker_id, _worker_line(w, now)) for w in workers], _workers_header(workers))
        self._pile.contents[0] = (self.workers, self._pile.options("given", min(10, max(3, len(workers) + 2))))
        shown = self.filter.apply(queries)
        self.queries.set_rows([ListRow(q.query_id, _query_line(q, now)) for q in shown], self._queries_header(queries, shown))

    def set_filter(self, wanted: QueryFilter, now: float) -> None:
        self.filter = wanted
        shown = wanted.apply(self._queries)
        self.queries.set_rows([ListRow(q.query_id, _query_line(q, now)) for q in shown], self._queries_header(self._queries, shown))

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        found = keys.action("cluster", key)
        if found == "switch":
            self._pile.focus_position = 1 - self._pile.focus_position
            return None
        if found is not None:
            self._act(found)
            return None
        rest = super().keypress(size, key)
        return None if rest is None else str(rest)

    def _queries_header(self, queries: Sequence[QueryLine], shown: Sequence[QueryLine]) -> list[Line]:
        running = sum(query.state == "running" and not query.result.held for query in queries)
        queued = sum(query.state == "queued" for query in queries)
        filtered = f"   {len(shown)} match {self.filter.text!r}" if self.filter.text else ""
        which = ("newest " if self._more else "") + ("all " if self._everything else "")
        counted = f"{which}{amounts.plural(len(queries), 'query')}{' (m: more)' if self._more else ''}"
        summary = f" {counted}   ▶ {running} running   ◌ {queued} queued   by {self.filter.sort}{filtered}"
        names = f"   {'state':<10} {'owner':<9} {'age':>8} {'time':>8} {'rows':>7} {'progress, size':>{METER + 5}} statement"
        return [[("header", summary), ("header", "")], [("header.type", names), ("header.type", "")]]


def _workers_header(workers: Sequence[WorkerStatus]) -> list[Line]:
    slots = sum(worker.slots for worker in workers)
    used = sum(worker.slots_used for worker in workers)
    summary = f" {amounts.plural(len(workers), 'worker')}   {used}/{slots} slots"
    names = f"   {'worker':<12} {'CPU':<{METER + 5}} {'memory':<{METER + 18}} {'slots':>6} {'cache':>8} {'queries':>7}  address"
    return [[("header", summary), ("header", "")], [("header.type", names), ("header.type", "")]]


def _worker_line(worker: WorkerStatus, now: float) -> Line:
    attribute, icon = {"up": ("ok", "●"), "draining": ("warn", "◐"), "lost": ("error", "✗")}[worker.state]
    limit = worker.memory_limit_bytes
    memory = worker.memory_used_bytes / limit if limit else 0.0
    cpu = worker.cpu_percent / 100
    up = f"  pid {worker.pid}  up {amounts.seconds(now - worker.started_at)}" if worker.started_at else f"  pid {worker.pid}"
    return [
        (attribute, f" {icon} "),
        ("strong", fit(worker.worker_id, 12)),
        ("bar.hot" if cpu > 0.9 else "bar", " " + amounts.bar(cpu, METER)),
        ("text", f"{worker.cpu_percent:4.0f}%"),
        ("bar.hot" if memory > 0.9 else "bar", " " + amounts.bar(memory, METER)),
        ("text", fit(f" {amounts.size(worker.memory_used_bytes)}/{amounts.size(limit)}", 18)),
        ("text", f" {worker.slots_used:>3}/{worker.slots:<2} {amounts.size(worker.cache_bytes):>8} {worker.queries:>7}"),
        ("dim", f"  {worker.uri.removeprefix('grpc://')}{up}{'' if worker.state == 'up' else '  ' + worker.state}"),
    ]


def _query_line(query: QueryLine, now: float) -> Line:
    state = "held" if query.result.held and query.state == "running" else query.state
    attribute, icon = STATES[state]
    begun = query.started_at or query.submitted_at
    time = (query.ended_at or now) - begun if begun else 0.0
    size = amounts.size(query.result.bytes) if query.result.bytes else ""
    told = state == "running" and query.progress > 0
    progress = f"{amounts.bar(min(query.progress, MOST_PROGRESS), METER)}{amounts.percent(query.progress):>5}" if told else size
    rows = amounts.short_count(query.result.rows) + ("+" if state == "held" else "")
    purpose = f"[{query.purpose}] " if query.purpose else ""
    error = query.error.message.splitlines()[0] + "  " if query.error is not None and query.error.message else ""
    return [
        (attribute, f" {icon} {state:<10} "),
        ("text", fit(query.owner or "-", 9)),
        (
            "text",
            f" {amounts.seconds(now - query.submitted_at):>8} {amounts.seconds(time):>8} {rows:>7} ",
        ),
        ("bar", progress.rjust(METER + 5)),
        ("error", " " + error),
        ("dim", purpose),
        ("text", " ".join(query.sql.split())[:400]),
    ]
