"""One query: what the kernel says, what the plans say, and how the plan for several workers was made."""

from __future__ import annotations

import re
import traceback
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import duckdb
import pyarrow as pa

from planner import PlanOptions, plan
from planner.errors import PlannerError
from planner.physical import PhysicalPlan
from tests.planner.memory_catalog import run_plan
from tests.planner.random_queries.answers import difference
from tests.planner.random_queries.compared_catalog import ComparedCatalog
from tests.planner.random_queries.statements import RandomQuery

Outcome = Literal["same", "different", "refused", "failed", "crashed", "kernel refuses", "undetermined", "accepted"]
"""How a query ended. ``same``: all answers are the kernel's. ``different``: one is not. ``refused``: the planner does not take what the
kernel takes. ``failed``: a fragment fails where the kernel does not. ``crashed``: the planner's own code does, or what runs the plan.
``kernel refuses``: so do the plans, or they give an error, too. ``accepted``: the plans answer where the kernel gives an error.
``undetermined``: the kernel itself gives another answer to the same tables in another order, so that nothing can be said of the plans'."""
Division = Literal["whole", "scans", "divided"]
"""How far a plan is divided: not at all, only its scans, or more than scans."""

ONE_WORKER = PlanOptions()
SEVERAL = (
    PlanOptions(workers=3, distribute_rows=0, split_rows=1, filter_bytes=0),
    PlanOptions(workers=3, distribute_rows=0, split_rows=20, final_bytes=0, sort_bytes=0, filter_bytes=0),
    PlanOptions(workers=2, splits_per_worker=1, distribute_rows=0, split_rows=5, filter_bytes=0),
)
"""What a plan may be divided by, one of them for each query: many small shares, some, and few."""


def options_of(seed: int) -> PlanOptions:
    """The options for the query of a seed. Any of the ways to divide it may be taken, for two of three queries one by hash."""
    chance = zlib.crc32(b"%d" % seed)
    return replace(SEVERAL[seed % len(SEVERAL)], way=chance, by_hash=chance % 3 > 0)


_SCAN = re.compile(r"SELECT (\"[^\"]*\"(, )?)+ FROM \w+( WHERE .*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Trial:
    """How a query ended; ``why`` for people. ``plan`` is that for several workers, if there is one, and ``rows`` what it should give."""

    outcome: Outcome
    why: str = ""
    plan: PhysicalPlan | None = None
    rows: int = 0

    @property
    def division(self) -> Division:
        parallel = [fragment for fragment in self.plan.fragments if fragment.parallel] if self.plan else []
        if not parallel:
            return "whole"
        return "scans" if all(len(fragment.inputs) == 1 and _SCAN.fullmatch(fragment.sql) for fragment in parallel) else "divided"

    @property
    def partial(self) -> bool:
        """Whether aggregates are made in two steps."""
        return self.plan is not None and any("EXPORT_STATE" in fragment.sql.upper() for fragment in self.plan.fragments)


def kernel_answer(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table | duckdb.Error:
    """The kernel's rows, or its error."""
    try:
        return connection.sql(sql).to_arrow_table()
    except duckdb.Error as error:
        return error


def tried(query: RandomQuery, catalog: ComparedCatalog, options: PlanOptions, run: Callable[[PhysicalPlan], pa.Table] = run_plan) -> Trial:
    """One query through the plan for one worker and the one for several."""
    wanted = kernel_answer(catalog.direct, query.sql)
    for each in (ONE_WORKER, options):
        where = "one worker" if each is ONE_WORKER else "several"
        made: PhysicalPlan | None = None
        try:
            made = plan(query.sql, catalog, each)
            got = run(made)
        except PlannerError as error:
            if isinstance(wanted, pa.Table):
                return Trial("refused", f"{where}: {error}")
            continue
        except duckdb.Error as error:
            if isinstance(wanted, pa.Table):
                return Trial("failed", f"{where}: {error}", made)
            continue
        except Exception as error:
            return Trial("crashed", f"{where}: {type(error).__name__}: {error}\n{traceback.format_exc(limit=-3)}", made)
        if not isinstance(wanted, pa.Table):
            return Trial("accepted", f"{where}: the kernel says {wanted}", made)
        wrong = difference(got, wanted, ordered=query.ordered, named=query.named)
        if wrong is None and made.schema.types != wanted.schema.types:
            wrong = f"the plan announces {made.schema.types}, wanted {wanted.schema.types}"
        if wrong is not None:
            if not is_determined(query, catalog, wanted):
                return Trial("undetermined", f"{where}: {wrong}", made)
            return Trial("different", f"{where}: {wrong}", made)
    return Trial("same", "", made, len(wanted)) if isinstance(wanted, pa.Table) else Trial("kernel refuses", str(wanted))


def is_determined(query: RandomQuery, catalog: ComparedCatalog, wanted: pa.Table) -> bool:
    """Whether the kernel gives the same answer when the tables' rows come in other orders."""
    answers = (kernel_answer(connection, query.sql) for connection in catalog.shuffled)
    return all(isinstance(again, pa.Table) and difference(again, wanted, ordered=query.ordered) is None for again in answers)
