"""From a statement's text to its plan, as a worker sees its tables now; what was parsed or planned a moment ago is not done again."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache, partial

import pyarrow as pa

from flight_server.errors import ServerClosing
from flight_server.exchanges.site import Site
from flight_server.protocol.service import StatementShape
from flight_server.queries.planned_ahead import PlannedAhead
from operators.scan.catalog import FileCatalog
from planner import PlanOptions, Prepared, plan, prepare
from planner.errors import InvalidQuery, VolleyError
from planner.options import Distribution
from planner.physical import PhysicalPlan
from planner.prepared import examples, nulls

MAX_KEPT_STATEMENTS = 32
MAX_KEPT_SQL_CHARS = 4 << 10
"""A syntax tree takes a hundred times the text's bytes, at worst a thousand times."""


class StatementPlanner:
    """Plans statements. Thread-safe; what planning raises comes through."""

    def __init__(self, catalog: FileCatalog, site: Site, options: PlanOptions) -> None:
        self._catalog = catalog
        self._site = site
        self._options = options
        self._planned_ahead = PlannedAhead()
        self._parsed = lru_cache(MAX_KEPT_STATEMENTS)(partial(prepare, limits=options.limits))
        self._left = threading.Condition()
        self._planning = 0
        self._closed = False

    def plan(self, sql: str, parameters: Sequence[pa.Scalar] | None = None, distribute: Distribution = "auto") -> PhysicalPlan:
        """The plan of a statement that will run."""
        ahead = None if parameters or distribute != "auto" else self._planned_ahead.take(sql)
        return ahead or self._plan(self._statement(sql), parameters, distribute)

    def schema(self, sql: str, parameters: Sequence[pa.Scalar] | None = None) -> pa.Schema:
        """The schema that a statement's result would have. Without ``parameters``, placeholders count as NULL of their announced types."""
        statement = self._statement(sql)
        values = nulls(statement.parameter_types(self._catalog.session())) if parameters is None else parameters
        return self._likely(sql, statement, values).schema

    def shape(self, sql: str) -> StatementShape:
        """What can be told of a statement without the values of its placeholders."""
        statement = self._statement(sql)
        types = statement.parameter_types(self._catalog.session())
        if not types:
            return StatementShape(types, self._likely(sql, statement, ()).schema)
        with suppress(InvalidQuery):
            return StatementShape(types, self._likely(sql, statement, nulls(types)).schema)
        # Not every placeholder can be NULL (`quantile_cont(n, ?)`), and of some only the value tells (`read_files(?)`).
        with suppress(VolleyError):
            return StatementShape(types, self._likely(sql, statement, examples(types)).schema)
        return StatementShape(types, None)

    @contextmanager
    def while_open(self) -> Iterator[None]:
        """For calls that use the kernel: :meth:`close` waits for them. Raises ``ServerClosing`` once that has been called."""
        with self._left:
            if self._closed:
                raise closing()
            self._planning += 1
        try:
            yield
        finally:
            with self._left:
                self._planning -= 1
                self._left.notify_all()

    def close(self) -> None:
        """Refuses what comes :meth:`while_open` from now on, and waits for what has come."""
        with self._left:
            self._closed = True
            self._left.wait_for(lambda: self._planning == 0)

    def _likely(self, sql: str, statement: Prepared, parameters: Sequence[pa.Scalar]) -> PhysicalPlan:
        """The plan of a statement that is likely to be run at once."""
        planned = self._plan(statement, parameters)
        if not parameters:
            self._planned_ahead.put(sql, planned)
        return planned

    def _statement(self, sql: str) -> Prepared:
        """The parsed statement. A few short ones are kept: clients prepare and then execute, and dashboards ask again and again."""
        return self._parsed(sql) if len(sql) <= MAX_KEPT_SQL_CHARS else prepare(sql, self._options.limits)

    def _plan(self, statement: Prepared, parameters: Sequence[pa.Scalar] | None, distribute: Distribution = "auto") -> PhysicalPlan:
        chosen = self._options.distribute if distribute == "auto" else distribute
        options = replace(self._options, workers=1 + len(self._site.others()), distribute=chosen)
        return plan(statement, self._catalog.session(), options, parameters)


def closing() -> ServerClosing:
    """What a server that shuts down says to who brings new work."""
    return ServerClosing("the server is shutting down and takes no new queries", remedy="try another worker, or again later")
