"""A result as pages that are fetched when they are looked at and dropped when others are: any size, bounded memory.

A result's row groups are known from the query's status. A page is a stretch of rows inside one row group, fetched with a result
ticket that has a limit, so that a jump to the last of six million rows reads some thousand rows and nothing else.

While more rows may come, the last known one is left out: whoever reads it waits for what follows. Reading in a row group has a look make
the next one, so that nothing else needs to ask for it.
"""

from __future__ import annotations

import bisect
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from flight_server.protocol.messages import Cursor, ResultStatus
from planner.errors import VolleyError
from tui.link.background import Background

PAGE_BYTES = 4 << 20  # what a page should weigh
MIN_PAGE_ROWS = 32
MAX_PAGE_ROWS = 16_384
BUDGET_BYTES = 40 << 20  # of all pages of one result together
MAX_FETCHES = 2


class Fetch(Protocol):
    """Reads up to ``rows`` rows of one row group from ``cursor`` on. Runs on a background thread."""

    def __call__(self, cursor: Cursor, rows: int, /) -> pa.Table: ...


@dataclass(frozen=True, slots=True, order=True)
class Page:
    """The ``number``-th page of the ``group``-th row group."""

    group: int
    number: int


@dataclass(frozen=True, slots=True)
class RowSpan:
    """Rows that are here: ``table``'s first row is row ``start`` of the result."""

    start: int
    table: pa.Table


@dataclass(frozen=True, slots=True)
class _GroupSpan:
    cursor: Cursor
    start: int
    rows: int


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """What a source holds and has done."""

    pages: int
    bytes: int
    fetched: int
    dropped: int
    fetching: int


@dataclass
class RowSource:
    """The rows of one result. Used on the thread of the loop only; ``changed`` is called there when pages have come.

    ``rows`` are those that can be read at once; ``made`` counts the one that is left out, too.
    """

    schema: pa.Schema
    fetch: Fetch
    background: Background
    changed: Callable[[], None] = lambda: None
    budget_bytes: int = BUDGET_BYTES
    rows: int = 0
    made: int = 0
    closed: bool = False
    error: VolleyError | None = None
    _groups: list[_GroupSpan] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _pages: OrderedDict[Page, pa.Table] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _page_rows: int | None = None
    _wanted: list[Page] = field(default_factory=list)
    _needed: frozenset[Page] = frozenset()
    _fetching: set[Page] = field(default_factory=set)
    _short: set[Page] = field(default_factory=set)
    _fetched: int = 0
    _dropped: int = 0
    _last_start: int = 0

    @classmethod
    def of_table(cls, table: pa.Table, background: Background) -> RowSource:
        """A source that is all here: samples, peeked records."""
        source = cls(table.schema, lambda cursor, rows: table.slice(cursor.row, rows), background, budget_bytes=1 << 62)
        source._page_rows = max(1, table.num_rows)
        source.closed = True
        source._add_group(Cursor(0, 0, 0), table.num_rows)
        source.rows = source.made
        if table.num_rows:
            source._keep(Page(0, 0), table)
        return source

    def extend(self, result: ResultStatus) -> bool:
        """Takes the row groups that have been closed since; says whether anything changed."""
        before = (len(self._groups), self.closed)
        if len(result.row_groups) < before[0]:
            return False  # what was told earlier has come later
        for group in result.row_groups[len(self._groups) :]:
            self._add_group(Cursor(group.file, group.row_group, 0), group.rows)
        self.closed = result.closed
        self.rows = self.made - self._left_out()
        if self._page_rows is None and result.rows and result.bytes:
            wanted = PAGE_BYTES * result.rows // max(1, result.bytes)
            self._page_rows = min(MAX_PAGE_ROWS, max(MIN_PAGE_ROWS, wanted))
        return before != (len(self._groups), self.closed)

    def window(self, start: int, count: int) -> list[RowSpan]:
        """The rows that are here of ``start … start + count``, in order. What is missing is fetched, and a page ahead too."""
        if start != self._last_start:
            self.error = None  # somebody scrolls on: what failed before may work now
        pages = self._pages_of(start, count)
        missing = [page for page in pages if not self._is_here(page)]
        if not missing:
            missing = [page for page in self._ahead(start, pages) if not self._is_here(page)]
        self._wanted = missing
        self._needed = frozenset((*pages, *missing))
        self._last_start = start
        self._fetch_wanted()
        pieces = []
        for page in pages:
            table = self._pages.get(page)
            if table is None:
                continue
            self._pages.move_to_end(page)
            pieces.append(_cut(self._start_of(page), table, start, count))
        return [piece for piece in pieces if piece.table.num_rows]

    def loaded(self) -> Iterator[RowSpan]:
        """Everything that is here, in the order of the result."""
        for page in sorted(self._pages):
            yield RowSpan(self._start_of(page), self._pages[page])

    def loaded_rows(self) -> int:
        return sum(table.num_rows for table in self._pages.values())

    def retry(self) -> None:
        """Tries again what has failed: the server is back."""
        self.error = None
        self.changed()

    def statistics(self) -> SourceStatistics:
        return SourceStatistics(len(self._pages), self._bytes, self._fetched, self._dropped, len(self._fetching))

    # -- inside ---------------------------------------------------------------------------------------------------

    @property
    def page_rows(self) -> int:
        return self._page_rows or MAX_PAGE_ROWS

    def _add_group(self, cursor: Cursor, rows: int) -> None:
        self._groups.append(_GroupSpan(cursor, self.made, rows))
        self._starts.append(self.made)
        self.made += rows

    def _left_out(self) -> int:
        """The rows at the end that wait for what follows. A row group of one row is read all the same: else nothing would follow."""
        return 1 if not self.closed and self._groups and self._groups[-1].rows > 1 else 0

    def _is_here(self, page: Page) -> bool:
        """Whether all of a page is here that can be."""
        return page in self._pages and (page not in self._short or self._pages[page].num_rows >= self._readable(page))

    def _readable(self, page: Page) -> int:
        """The rows of a page that can be read at once."""
        group = self._groups[page.group]
        offset = page.number * self.page_rows
        return min(self.page_rows, group.rows - offset, self.rows - group.start - offset)

    def _start_of(self, page: Page) -> int:
        return self._groups[page.group].start + page.number * self.page_rows

    def _pages_of(self, start: int, count: int) -> list[Page]:
        pages: list[Page] = []
        row = max(0, start)
        end = min(start + count, self.rows)
        while row < end:
            group_number = bisect.bisect_right(self._starts, row) - 1
            group = self._groups[group_number]
            page = Page(group_number, (row - group.start) // self.page_rows)
            pages.append(page)
            row = min(group.start + (page.number + 1) * self.page_rows, group.start + group.rows)
        return pages

    def _ahead(self, start: int, pages: Sequence[Page]) -> list[Page]:
        """The next page in the direction of scrolling. While more rows may come, none of another row group: reading there makes more."""
        if not pages:
            return []
        if start < self._last_start:
            return self._pages_of(self._start_of(pages[0]) - 1, 1) if self._start_of(pages[0]) else []
        last = self._start_of(pages[-1])
        group = self._groups[pages[-1].group]
        found = self._pages_of(min(last + self.page_rows, group.start + group.rows), 1)
        return [page for page in found if self.closed or page.group == pages[-1].group]

    def _fetch_wanted(self) -> None:
        if self.error is not None:
            return
        for page in self._wanted:
            if len(self._fetching) >= MAX_FETCHES:
                return
            if not self._is_here(page) and page not in self._fetching:
                self._start_fetch(page)

    def _start_fetch(self, page: Page) -> None:
        self._fetching.add(page)
        group = self._groups[page.group]
        offset = page.number * self.page_rows
        cursor = group.cursor._replace(row=offset)
        rows = self._readable(page)
        short = rows < min(self.page_rows, group.rows - offset)

        def done(table: pa.Table) -> None:
            self._fetching.discard(page)
            (self._short.add if short else self._short.discard)(page)
            self._keep(page, table)
            self._fetch_wanted()
            self.changed()

        def failed(error: VolleyError) -> None:
            self._fetching.discard(page)
            self.error = error
            self.changed()

        self.background.submit(lambda: self.fetch(cursor, rows), done, failed)

    def _keep(self, page: Page, table: pa.Table) -> None:
        before = self._pages.pop(page, None)
        self._bytes -= 0 if before is None else before.nbytes
        self._pages[page] = table
        self._bytes += table.nbytes
        self._fetched += 1
        # What is in sight is never dropped, however large: it would be fetched again at once, and again.
        for old in [page for page in self._pages if page not in self._needed]:
            if self._bytes <= self.budget_bytes:
                return
            self._bytes -= self._pages.pop(old).nbytes
            self._dropped += 1


def _cut(first: int, table: pa.Table, start: int, count: int) -> RowSpan:
    """The part of ``table``, whose first row is row ``first``, that is in ``start … start + count``."""
    skip = max(0, start - first)
    return RowSpan(first + skip, table.slice(skip, max(0, start + count - first - skip)))
