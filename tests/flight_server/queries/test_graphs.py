"""Graphs of fragments over shares, on two workers: the answers are DuckDB's, whatever stops, and nothing is left over."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from flight_server.errors import ClientError, QueryKilled
from operators.errors import KernelError
from planner.choices import DividedTable
from planner.errors import Status
from planner.physical import ExchangeKind, Fragment, PhysicalPlan, Share
from tests.flight_server.queries.two_workers import QUERY, Truth, TwoWorkers, at_point, lose_there
from tests.hand_made_plans import arm, columns, plan_of, scan, share, splits_of

ORDERS = 8000


@pytest.fixture(name="root", scope="module")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``lines``: three for each of ``orders``, both in the order of their key; ``kinds``: small; ``nobody``: a table without rows."""
    root = tmp_path_factory.mktemp("graphs")
    kernel = duckdb.connect()
    written = f"(FORMAT parquet, ROW_GROUP_SIZE {2048})"
    kernel.execute(f"COPY (SELECT i // 3 AS k, i % 7 AS kind, i AS n FROM range({3 * ORDERS}) t(i)) TO '{root}/lines.parquet' {written}")
    kernel.execute(
        f"""COPY (SELECT i AS k, CASE WHEN i % 10 = 0 THEN NULL ELSE i * 2 END AS price FROM range({ORDERS}) t(i))
            TO '{root}/orders.parquet' {written}"""
    )
    kernel.execute(f"COPY (SELECT i AS kind, 'kind ' || i AS name FROM range(7) t(i)) TO '{root}/kinds.parquet'")
    kernel.execute(f"COPY (SELECT i AS k, i AS n FROM range(0) t(i)) TO '{root}/nobody.parquet'")
    return root


def groups_of(workers: TwoWorkers, table: str) -> range:
    (file,) = workers.here.lake.table(table).files
    return range(len(workers.here.lake.catalog.row_groups(file) or ()))


def by_groups(workers: TwoWorkers, name: str, table: str) -> tuple[Share, ...]:
    """A share for each row group of a table."""
    return tuple(share(**{name: splits_of(workers.here.lake.catalog, table, [group])}) for group in groups_of(workers, table))


def joined(workers: TwoWorkers) -> PhysicalPlan:
    """``lines`` by row groups with all of ``kinds``, partly aggregated, and then wholly."""
    catalog = workers.here.lake.catalog
    inputs = scan(catalog, "in_0", "lines"), scan(catalog, "in_1", "kinds")
    sql = "SELECT name, count(*) AS c, sum(n) AS s FROM in_0 JOIN in_1 USING (kind) GROUP BY name"
    partial = Fragment(0, sql, inputs, 0, by_groups(workers, "in_0", "lines"))
    final = Fragment(
        1,
        "SELECT name, sum(c)::BIGINT AS c, sum(s)::BIGINT AS s FROM in_0 GROUP BY name ORDER BY name",
        (arm("in_0", 0, name="VARCHAR", c="BIGINT", s="HUGEINT"),),
        1,
    )
    return plan_of(
        catalog, (partial, "gather", final.inputs[0].columns), (final, "result", columns(name="VARCHAR", c="BIGINT", s="BIGINT"))
    )


JOINED = "SELECT name, count(*), sum(n) FROM lines JOIN kinds USING (kind) GROUP BY name ORDER BY name"


def test_one_input_is_divided_and_the_other_whole(workers: TwoWorkers, truth: Truth) -> None:
    plan = joined(workers)
    partial, final = plan.fragments
    told = replace(partial, division=(DividedTable("in_0", "lines"),))
    gathered = replace(plan.exchanges[0], estimated_bytes=4321)
    running = workers.running(replace(plan, fragments=(told, final), exchanges=(gathered, *plan.exchanges[1:])))
    assert running.rows() == truth(JOINED)
    assert running.left() == []
    producer, exchange, last, result = running.execution.statuses()
    assert (producer.title, producer.records_done, producer.records_total) == ("join, aggregate: lines, kinds", 12, 12)
    assert producer.spread is not None
    assert producer.spread.shares == 12
    assert producer.spread.rows_median <= producer.spread.rows_most <= producer.rows
    assert producer.division == "lines split by split"
    assert (exchange.title, exchange.state, exchange.estimated_bytes) == ("gather lines, kinds", "completed", 4321)
    assert (last.title, last.inputs, last.records_total) == ("aggregate, sort: lines, kinds", ["exchange-0"], 12)
    assert (result.inputs, result.rows) == (["fragment-1"], 7)


def test_both_workers_take_part(workers: TwoWorkers) -> None:
    """The one that has the query waits with its first share until the other one has had one."""
    running = workers.running(joined(workers))
    acked = threading.Event()
    workers.here.before = lambda name: acked.set() if name == "exchange.ack" else None
    run = workers.here.lake.kernel.run

    def patient(*arguments: object, **named: object) -> object:
        assert acked.wait(20.0)
        return run(*arguments, **named)  # type: ignore[arg-type]

    workers.here.lake.kernel.run = patient  # type: ignore[method-assign, assignment]
    running.rows()
    assert running.workers_of("fragment-0") == {"here", "there"}


def aligned(workers: TwoWorkers) -> PhysicalPlan:
    """``lines`` and ``orders`` by ranges of their key, which row groups of neither keep to."""
    catalog = workers.here.lake.catalog
    bounds = [None, 1000, 2047, 2048, 5000, 5001, None]
    shares = []
    for low, high in itertools.pairwise(bounds):
        terms = [f"k >= {low}"] if low is not None else []
        terms += [f"k < {high}"] if high is not None else []
        # More row groups than the range needs: the predicate alone decides.
        predicate = " AND ".join(terms)
        shares.append(share(in_0=(splits_of(catalog, "lines"), predicate), in_1=(splits_of(catalog, "orders"), predicate)))
    inputs = scan(catalog, "in_0", "lines"), scan(catalog, "in_1", "orders")
    sql = "SELECT k, kind, n, price FROM in_0 LEFT JOIN in_1 USING (k) ORDER BY n"
    fragment = Fragment(0, sql, inputs, 0, tuple(shares))
    return plan_of(catalog, (fragment, "result", columns(k="BIGINT", kind="BIGINT", n="BIGINT", price="BIGINT")))


def test_two_inputs_divided_by_ranges_of_a_key_are_streamed_in_the_order_of_the_shares(workers: TwoWorkers, truth: Truth) -> None:
    assert workers.rows(aligned(workers)) == truth("SELECT k, kind, n, price FROM lines LEFT JOIN orders USING (k) ORDER BY n")


def test_rows_of_a_gathered_exchange_are_in_the_order_of_the_shares_whoever_ran_them(workers: TwoWorkers) -> None:
    catalog = workers.here.lake.catalog
    groups = [3, 0, 11, 7, 1, 2, 10, 4, 9, 5, 6, 8]
    shares = tuple(share(in_0=splits_of(catalog, "lines", [group])) for group in groups)
    read = Fragment(0, "SELECT n FROM in_0", (scan(catalog, "in_0", "lines"),), 0, shares)
    last = Fragment(1, "SELECT n FROM in_0", (arm("in_0", 0, n="BIGINT"),), 1)
    plan = plan_of(catalog, (read, "gather", columns(n="BIGINT")), (last, "result", columns(n="BIGINT")))
    expected = [(row,) for group in groups for row in range(group * 2048, min(3 * ORDERS, (group + 1) * 2048))]
    assert workers.rows(plan) == expected


def broadcast(workers: TwoWorkers, dear: str = "avg(price)") -> PhysicalPlan:
    """The mean price of all orders, and the keys above it, each made before what needs it; then the lines of those, counted."""
    catalog = workers.here.lake.catalog
    orders = scan(catalog, "in_0", "orders")
    partial = Fragment(0, "SELECT sum(price) AS s, count(price) AS c FROM in_0", (orders,), 0, by_groups(workers, "in_0", "orders"))
    mean = Fragment(
        1, f"SELECT {dear.replace('avg(price)', 'sum(s) / sum(c)')} AS mean FROM in_0", (arm("in_0", 0, s="HUGEINT", c="BIGINT"),), 1
    )
    keys = Fragment(
        2,
        "SELECT k, price FROM in_0 WHERE price > (SELECT mean FROM in_1)",
        (orders, arm("in_1", 1, mean="DOUBLE")),
        2,
        by_groups(workers, "in_0", "orders"),
    )
    lines = Fragment(
        3,
        "SELECT kind, count(*) AS c, sum(price) AS s FROM in_0 JOIN in_1 USING (k) GROUP BY kind",
        (scan(catalog, "in_0", "lines"), arm("in_1", 2, k="BIGINT", price="BIGINT")),
        3,
        by_groups(workers, "in_0", "lines"),
    )
    final = Fragment(
        4,
        "SELECT kind, sum(c)::BIGINT AS c, sum(s)::BIGINT AS s, (SELECT max(mean) FROM in_1) AS mean FROM in_0 GROUP BY kind ORDER BY kind",
        (arm("in_0", 3, kind="BIGINT", c="BIGINT", s="HUGEINT"), arm("in_1", 1, mean="DOUBLE")),
        4,
    )
    return plan_of(
        catalog,
        (partial, "gather", columns(s="HUGEINT", c="BIGINT")),
        (mean, "broadcast", columns(mean="DOUBLE")),
        (keys, "broadcast", columns(k="BIGINT", price="BIGINT")),
        (lines, "gather", columns(kind="BIGINT", c="BIGINT", s="HUGEINT")),
        (final, "result", columns(kind="BIGINT", c="BIGINT", s="BIGINT", mean="DOUBLE")),
    )


BROADCAST = """SELECT kind, count(*), sum(price)::BIGINT, (SELECT avg(price) FROM orders)
    FROM lines JOIN orders USING (k) WHERE price > (SELECT avg(price) FROM orders) GROUP BY kind ORDER BY kind"""


def test_what_is_made_first_goes_whole_to_all_workers(workers: TwoWorkers, truth: Truth) -> None:
    running = workers.running(broadcast(workers))
    assert running.rows() == truth(BROADCAST)
    assert running.left() == []
    statuses = {status.operator: status for status in running.execution.statuses()}
    assert [statuses[f"exchange-{number}"].title for number in range(4)] == [
        "gather orders",
        "broadcast orders",
        "broadcast orders",
        "gather lines, orders",
    ]
    assert {status.state for status in statuses.values()} == {"completed"}
    assert (statuses["fragment-1"].records_total, statuses["fragment-1"].records_done) == (4, 4)
    assert statuses["fragment-3"].inputs == ["exchange-2"]
    pulled = [ticket for ticket in workers.here.worker.tickets if b"broadcast-" in ticket]
    assert len(pulled) == 2, "each table is fetched once by the worker that needs it, not once a share"


@pytest.mark.parametrize("kind", ["gather", "broadcast"])
def test_what_two_read_is_whole_for_both(workers: TwoWorkers, kind: ExchangeKind) -> None:
    catalog = workers.here.lake.catalog
    orders = scan(catalog, "in_0", "orders")
    least = Fragment(0, "SELECT min(k) AS k FROM in_0", (orders,), 0, by_groups(workers, "in_0", "orders"))
    sql = "SELECT (SELECT count(k) FROM in_0) AS c"
    first, second = (Fragment(number, sql, (arm("in_0", 0, k="BIGINT"),), number) for number in (1, 2))
    last = Fragment(3, "SELECT in_0.c, in_1.c FROM in_0, in_1", (arm("in_0", 1, c="BIGINT"), arm("in_1", 2, c="BIGINT")), 3)
    plan = plan_of(
        catalog,
        (least, kind, columns(k="BIGINT")),
        (first, "gather", columns(c="BIGINT")),
        (second, "gather", columns(c="BIGINT")),
        (last, "result", columns(a="BIGINT", b="BIGINT")),
    )
    assert workers.rows(plan) == [(4, 4)]


def before_first_share(workers: TwoWorkers, fragment: Fragment, look: Callable[[], None]) -> None:
    """Has ``look`` called when the first share of ``fragment`` is about to run, on whichever worker."""
    once = threading.Lock()

    def looking(run: Callable[..., object]) -> Callable[..., object]:
        def first_looking(sql: str, *arguments: object, **named: object) -> object:
            if sql == fragment.sql and once.acquire(blocking=False):
                look()
            return run(sql, *arguments, **named)

        return first_looking

    for side in (workers.here, workers.there):
        side.lake.kernel.run = looking(side.lake.kernel.run)  # type: ignore[method-assign, assignment]


def test_a_broadcast_table_can_be_peeked_at_while_it_is_used(workers: TwoWorkers) -> None:
    plan = broadcast(workers)
    running = workers.running(plan)
    seen: list[tuple[int, int]] = []

    def look() -> None:
        for exchange in ("exchange-1", "exchange-2"):
            stream = running.execution.peek(exchange, 1)
            assert stream is not None
            seen.append((len(stream.schema), sum(batch.num_rows for batch in stream.batches)))

    before_first_share(workers, plan.fragments[3], look)
    running.rows()
    assert seen[0] == (1, 1)
    assert seen[1][0] == 2
    assert seen[1][1] > 1


def test_fragments_that_wait_are_shown_as_waiting(workers: TwoWorkers) -> None:
    plan = broadcast(workers)
    running = workers.running(plan)
    seen: dict[str, str] = {}

    def look() -> None:
        seen.update({status.operator: status.state for status in running.execution.statuses()})

    before_first_share(workers, plan.fragments[0], look)
    running.rows()
    # Nothing of the third fragment runs while outputs of the first are still to come.
    assert (seen["fragment-0"], seen["fragment-3"], seen["exchange-3"], seen["fragment-4"]) == ("running", "waiting", "waiting", "waiting")


def test_shares_and_tables_without_rows(workers: TwoWorkers) -> None:
    catalog = workers.here.lake.catalog
    nobody = Fragment(0, "SELECT k, n FROM in_0", (scan(catalog, "in_0", "nobody"),), 0, (share(in_0=()),))
    shares = (share(in_0=()), *by_groups(workers, "in_0", "orders"), share(in_0=splits_of(catalog, "orders", [])))
    counted = Fragment(
        1,
        "SELECT count(*) AS c, count(in_1.n) AS d, count(in_2.n) AS e FROM in_0 LEFT JOIN in_1 USING (k) LEFT JOIN in_2 USING (k)",
        (scan(catalog, "in_0", "orders"), arm("in_1", 0, k="BIGINT", n="BIGINT"), scan(catalog, "in_2", "nobody")),
        1,
        shares,
    )
    sums = Fragment(
        2,
        "SELECT sum(c)::BIGINT, sum(d)::BIGINT, sum(e)::BIGINT, count(*) FROM in_0",
        (arm("in_0", 1, c="BIGINT", d="BIGINT", e="BIGINT"),),
        2,
    )
    plan = plan_of(
        catalog,
        (nobody, "broadcast", columns(k="BIGINT", n="BIGINT")),
        (counted, "gather", columns(c="BIGINT", d="BIGINT", e="BIGINT")),
        (sums, "result", columns(a="BIGINT", b="BIGINT", c="BIGINT", d="BIGINT")),
    )
    assert workers.rows(plan) == [(ORDERS, 0, 0, len(shares))]


def test_an_error_of_a_fragment_in_the_middle_ends_the_query(workers: TwoWorkers) -> None:
    running = workers.running(broadcast(workers, "CASE WHEN avg(price) > 0 THEN error('no mean') END"))
    with pytest.raises(KernelError, match="no mean"):
        running.rows()
    assert running.left() == []


POINTS = ["operator.start", f"{QUERY}.broadcast-1", f"{QUERY}.shares-3", f"{QUERY}.exchange-3", "exchange.ack"]


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_stops_everything(workers: TwoWorkers, point: str) -> None:
    running = workers.running(broadcast(workers))
    killed = QueryKilled("it was killed")
    at_point(workers, point, lambda: running.cancellation.cancel(killed))
    with pytest.raises(QueryKilled) as told:
        running.rows()
    assert told.value is killed
    assert running.left() == []


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_is_lost_at_any_point_costs_a_repetition(workers: TwoWorkers, point: str, truth: Truth) -> None:
    running = workers.running(broadcast(workers))

    times = at_point(workers, point, lambda: lose_there(running))
    assert running.rows() == truth(BROADCAST)
    assert times == [1]
    workers.there.guests.on_worker_lost("here")
    assert running.left() == []


@pytest.mark.parametrize("fault", [Status.UNAVAILABLE, Status.INTERNAL], ids=["passes", "comes again"])
def test_a_table_that_cannot_be_fetched_costs_no_more_than_the_worker_s_help(workers: TwoWorkers, fault: Status, truth: Truth) -> None:
    def fail() -> None:
        raise ClientError("not now", status=fault)

    times = at_point(workers, f"{QUERY}.broadcast-2", fail)
    assert workers.rows(broadcast(workers)) == truth(BROADCAST)
    assert times == [1]
