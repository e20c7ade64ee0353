"""From a statement's text to its plan, as a worker sees its tables now; what was parsed or planned a moment ago is not done again."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

import pyarrow as pa
from cachetools import LRUCache

from flight_server.errors import BadRequest, ServerClosing
from flight_server.exchanges.site import Site
from flight_server.protocol.service import DEFAULT_SETTINGS, StatementSettings, StatementShape
from flight_server.queries.planned_ahead import PlanKey, PlannedAhead
from flight_server.queries.runs import Runs
from operators.scan.catalog import CatalogSession, FileCatalog
from planner import PlanOptions, Prepared, plan, prepare
from planner.errors import InvalidQuery, VolleyError
from planner.physical import PhysicalPlan
from planner.prepared import examples, nulls
from planner.time_zones import zone_named

MAX_KEPT_BYTES = 64 << 20
"""Of memory for statements that were parsed: a syntax tree takes some hundred times its text."""


class StatementPlanner:
    """Plans statements. Thread-safe; what planning raises comes through."""

    def __init__(self, catalog: FileCatalog, site: Site, options: PlanOptions) -> None:
        self._catalog = catalog
        self._site = site
        self._options = options
        self._planned_ahead = PlannedAhead()
        self._kept: LRUCache[str, Prepared] = LRUCache(MAX_KEPT_BYTES, getsizeof=lambda statement: statement.size_bytes)
        self._kept_lock = threading.Lock()
        self._left = threading.Condition()
        self._planning = 0
        self._closed = False

    def plan(self, sql: str, parameters: Sequence[pa.Scalar] | None = None, settings: StatementSettings = DEFAULT_SETTINGS) -> PhysicalPlan:
        """The plan of a statement that will run."""
        ahead = None if parameters else self._planned_ahead.take(_key(sql, settings))
        return ahead or self._plan(self._statement(sql), parameters, settings)

    def runs(
        self,
        sql: str,
        parameters: Sequence[pa.Scalar] | None,
        several: Sequence[Sequence[pa.Scalar]] | None,
        settings: StatementSettings = DEFAULT_SETTINGS,
    ) -> Runs:
        """What is to run for ``parameters``, or for ``several`` of them, if they are not None."""
        if several is None:
            return Runs(self.plan(sql, parameters, settings))
        plans = self._plans(sql, several, settings)
        first = next(plans, None)
        nothing = PhysicalPlan(sql, (), (), self.schema(sql, settings=settings), "") if first is None else first
        return Runs(nothing, plans, len(several))

    def time_zone(self, name: str) -> str | None:
        """The time zone that is called so, as it spells itself; None if there is none."""
        return zone_named(name, self._catalog.time_zones())

    def schema(self, sql: str, parameters: Sequence[pa.Scalar] | None = None, settings: StatementSettings = DEFAULT_SETTINGS) -> pa.Schema:
        """The schema that a statement's result would have; without ``parameters``, the one that :meth:`shape` tells."""
        statement = self._statement(sql)
        if parameters is not None:
            return self._likely(sql, statement, parameters, settings).schema
        types = statement.parameter_types(self._catalog.session())
        return self._example(sql, statement, types, settings) or self._likely(sql, statement, nulls(types), settings).schema

    def shape(self, sql: str, settings: StatementSettings = DEFAULT_SETTINGS) -> StatementShape:
        """What can be told of a statement without the values of its placeholders."""
        statement = self._statement(sql)
        types = statement.parameter_types(self._catalog.session())
        if not types:
            return StatementShape(types, self._likely(sql, statement, (), settings).schema)
        if (schema := self._example(sql, statement, types, settings)) is not None:
            return StatementShape(types, schema)
        # Not every value will do (`strptime('2024', ?)`), and of some only the value tells (`read_files(?)`).
        with suppress(InvalidQuery):
            return StatementShape(types, self._likely(sql, statement, nulls(types), settings).schema)
        return StatementShape(types, None)

    def _example(self, sql: str, statement: Prepared, types: Sequence[pa.DataType], settings: StatementSettings) -> pa.Schema | None:
        """The schema for values of these types, none of them NULL, of which the kernel knows more than that: ``extract(year FROM NULL)``
        is a double. None where the values will not do.
        """
        with suppress(VolleyError):
            return self._likely(sql, statement, examples(types), settings).schema
        return None

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

    def _plans(self, sql: str, runs: Sequence[Sequence[pa.Scalar]], settings: StatementSettings) -> Iterator[PhysicalPlan]:
        """A plan for each run, made when it is asked for; all see the tables as they are at the first.

        Raises ``BadRequest`` where a run's columns have other types than the first one's.
        """
        statement, catalog = self._statement(sql), self._catalog.session(settings.time_zone)
        types: list[pa.DataType] | None = None
        for number, values in enumerate(runs, start=1):
            planned = self._plan(statement, values, settings, catalog)
            types = planned.schema.types if types is None else types
            if planned.schema.types != types:
                raise BadRequest(f"row {number} of the parameters makes a result of other types than row 1", remedy="add casts")
            yield planned

    def _likely(self, sql: str, statement: Prepared, parameters: Sequence[pa.Scalar], settings: StatementSettings) -> PhysicalPlan:
        """The plan of a statement that is likely to be run at once."""
        planned = self._plan(statement, parameters, settings)
        if not parameters:
            self._planned_ahead.put(_key(sql, settings), planned)
        return planned

    def _statement(self, sql: str) -> Prepared:
        """The parsed statement, kept: clients prepare and then execute, with other values each time, and dashboards ask again and again."""
        with self._kept_lock:
            known = self._kept.get(sql)
        if known is not None:
            return known
        statement = prepare(sql, self._options.limits)
        if statement.size_bytes <= MAX_KEPT_BYTES:
            with self._kept_lock:
                self._kept[sql] = statement
        return statement

    def _plan(
        self,
        statement: Prepared,
        parameters: Sequence[pa.Scalar] | None,
        settings: StatementSettings,
        catalog: CatalogSession | None = None,
    ) -> PhysicalPlan:
        options = replace(
            self._options,
            workers=1 + len(self._site.others()),
            distribute=self._options.distribute if settings.distribute == "auto" else settings.distribute,
            in_session=settings.session_id is not None,
            timeout_seconds=settings.seconds or 0.0,
        )
        return plan(statement, catalog or self._catalog.session(settings.time_zone), options, parameters)


def _key(sql: str, settings: StatementSettings) -> PlanKey:
    """What tells one plan from another: all that planning sees of a session."""
    return sql, settings, settings.session_id is not None


def closing() -> ServerClosing:
    """What a server that shuts down says to who brings new work."""
    return ServerClosing("the server is shutting down and takes no new queries", remedy="try another worker, or again later")
