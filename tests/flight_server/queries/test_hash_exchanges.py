"""Fragments that read hash exchanges, on two workers: the answers are DuckDB's, whatever stops, and nothing is left over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from flight_server.errors import ClientError, QueryKilled
from flight_server.exchanges.distributed_fragment import DistributedFragment
from flight_server.protocol.exchange_messages import AckRequest, LeaseReply
from operators.errors import OperatorError
from operators.exchange.records import RecordKey
from planner.errors import Status
from planner.physical import ExchangeInput, Fragment, PhysicalPlan, PlannedExchange, Share
from tests.flight_server.queries.two_workers import QUERY, Truth, TwoWorkers, at_point, lose_there
from tests.hand_made_plans import arm, columns, scan, share, splits_of

ROWS = 20_000
KEYS = 3_000
BUCKETS = 16


@pytest.fixture(name="root", scope="module")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``facts``: their key is spread over all row groups, every tenth NULL, every third the same; ``items``: in another order of it."""
    root = tmp_path_factory.mktemp("hashes")
    kernel = duckdb.connect()
    written = "(FORMAT parquet, ROW_GROUP_SIZE 2048)"
    kernel.execute(
        f"""COPY (SELECT CASE WHEN i % 10 = 0 THEN NULL WHEN i % 3 = 0 THEN 7 ELSE i * 7919 % {KEYS} END AS k, i AS n,
            'text ' || i AS t FROM range({ROWS}) r(i)) TO '{root}/facts.parquet' {written}"""
    )
    kernel.execute(
        f"""COPY (SELECT CASE WHEN i % 50 = 0 THEN NULL ELSE i * 31 % {KEYS} END AS k, i % 9 AS kind FROM range({2 * KEYS}) r(i))
            TO '{root}/items.parquet' {written}"""
    )
    kernel.execute(f"COPY (SELECT i AS k, i AS n FROM range(0) r(i)) TO '{root}/nobody.parquet'")
    return root


def bucket(*keys: str) -> str:
    return f"(hash({', '.join(keys)}) % {BUCKETS})::USMALLINT AS _bucket"


def bucketed(relation: str, exchange: int, *, may_be_cut: bool = False, **types: str) -> ExchangeInput:
    return ExchangeInput(relation, exchange, columns(**types), bucketed=True, may_be_cut=may_be_cut)


def by_groups(workers: TwoWorkers, table: str) -> tuple[Share, ...]:
    (file,) = workers.here.lake.table(table).files
    groups = range(len(workers.here.lake.catalog.row_groups(file) or ()))
    return tuple(share(in_0=splits_of(workers.here.lake.catalog, table, [group])) for group in groups) or (share(in_0=()),)


def hashed(workers: TwoWorkers, number: int, table: str, names: str, *keys: str) -> Fragment:
    """Puts a table out by buckets."""
    sql = f"SELECT {names}, {bucket(*(keys or ('k',)))} FROM in_0"
    return Fragment(number, sql, (scan(workers.here.lake.catalog, "in_0", table),), number, by_groups(workers, table))


def plan_of_hashes(workers: TwoWorkers, *fragments: tuple[Fragment, str, dict[str, str]]) -> PhysicalPlan:
    """A plan of fragments, each with the kind and the columns of its exchange."""
    exchanges = tuple(
        PlannedExchange(fragment.output, kind, columns(**types), BUCKETS if kind == "hash" else 0)  # type: ignore[arg-type]
        for fragment, kind, types in fragments
    )
    last = fragments[-1][0]
    schema = workers.here.lake.catalog.result_schema(last.sql, {relation.name: relation.columns for relation in last.inputs})
    return PhysicalPlan(last.sql, tuple(fragment for fragment, _, _ in fragments), exchanges, schema, "plan")


FACTS = {"k": "BIGINT", "n": "BIGINT", "t": "VARCHAR"}
ITEMS = {"k": "BIGINT", "kind": "BIGINT"}
TOTALS = {"kind": "BIGINT", "c": "BIGINT", "s": "BIGINT"}


def joined(workers: TwoWorkers, join: str = "JOIN", facts: str = "facts", *, cut: bool = False, kind: str = "kind") -> PhysicalPlan:
    """Both tables by their key; joined share by share, and aggregated in part; and then wholly."""
    partial = Fragment(
        2,
        f"SELECT {kind}, count(*) AS c, sum(n)::BIGINT AS s FROM in_0 {join} in_1 USING (k) GROUP BY kind",
        (bucketed("in_0", 0, may_be_cut=cut, k="BIGINT", n="BIGINT"), bucketed("in_1", 1, k="BIGINT", kind="BIGINT")),
        2,
    )
    final = Fragment(
        3, "SELECT kind, sum(c)::BIGINT AS c, sum(s)::BIGINT AS s FROM in_0 GROUP BY kind ORDER BY kind", (arm("in_0", 2, **TOTALS),), 3
    )
    return plan_of_hashes(
        workers,
        (hashed(workers, 0, facts, "k, n"), "hash", {"k": "BIGINT", "n": "BIGINT"}),
        (hashed(workers, 1, "items", "k, kind"), "hash", ITEMS),
        (partial, "gather", TOTALS),
        (final, "result", TOTALS),
    )


def sql_of(join: str = "JOIN", facts: str = "facts") -> str:
    return f"SELECT kind, count(*), sum(n)::BIGINT FROM {facts} {join} items USING (k) GROUP BY kind ORDER BY kind"


@pytest.mark.parametrize("join", ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
@pytest.mark.parametrize("facts", ["facts", "nobody"])
def test_two_tables_join_by_a_key_in_whose_order_neither_is(workers: TwoWorkers, truth: Truth, join: str, facts: str) -> None:
    running = workers.running(joined(workers, join, facts))
    assert running.rows() == truth(sql_of(join, facts))
    assert running.left() == []


def test_what_operators_say_of_themselves(workers: TwoWorkers) -> None:
    running = workers.running(joined(workers))
    running.rows()
    statuses = {status.operator: status for status in running.execution.statuses()}
    assert {status.state for status in statuses.values()} == {"completed"}
    exchange = statuses["exchange-0"]
    assert (exchange.title, exchange.rows, exchange.records_total, exchange.records_done) == ("hash facts", ROWS, 10, 10)
    assert exchange.bytes > 8 * ROWS
    join = statuses["fragment-2"]
    assert join.records_total > 1, "its shares are made of real bytes"
    assert (join.records_done, join.queue_depth, join.leases) == (join.records_total, 0, 0)
    assert statuses["fragment-0"].rows == ROWS


def groups(workers: TwoWorkers) -> PhysicalPlan:
    """Groups by one key, in buckets of another one after that: a hash exchange behind a hash exchange."""
    first = Fragment(1, f"SELECT k % 5 AS r, count(*) AS c, {bucket('k % 5')} FROM in_0 GROUP BY k", (bucketed("in_0", 0, k="BIGINT"),), 1)
    second = Fragment(
        2, "SELECT r, count(*) AS keys, sum(c)::BIGINT AS c FROM in_0 GROUP BY r", (bucketed("in_0", 1, r="BIGINT", c="BIGINT"),), 2
    )
    made = {"r": "BIGINT", "keys": "BIGINT", "c": "BIGINT"}
    last = Fragment(3, "SELECT r, keys, c FROM in_0 ORDER BY r", (arm("in_0", 2, **made),), 3)
    return plan_of_hashes(
        workers,
        (hashed(workers, 0, "facts", "k"), "hash", {"k": "BIGINT"}),
        (first, "hash", {"r": "BIGINT", "c": "BIGINT"}),
        (second, "gather", made),
        (last, "result", made),
    )


GROUPS = "SELECT k % 5 AS r, count(*), sum(c)::BIGINT FROM (SELECT k, count(*) AS c FROM facts GROUP BY k) GROUP BY r ORDER BY r"


def test_a_hash_exchange_behind_a_hash_exchange(workers: TwoWorkers, truth: Truth) -> None:
    assert workers.rows(groups(workers)) == truth(GROUPS)


def test_a_bucket_that_is_much_too_large_is_cut_by_the_shares_that_put_it_out(workers: TwoWorkers, truth: Truth) -> None:
    plan = joined(workers, cut=True)
    running = workers.running(plan)
    parts: list[tuple[int, int]] = []
    append = DistributedFragment._append

    def noting(fragment: DistributedFragment, key: RecordKey, part: Share) -> None:
        parts.extend(each.part for each in part.inputs if each.part is not None)
        append(fragment, key, part)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DistributedFragment, "_append", noting)
        assert running.rows() == truth(sql_of())
    assert running.left() == []
    assert len(parts) > 1, "a third of all rows has one key"
    assert [which for which, _ in parts] == list(range(len(parts)))


def test_rows_of_a_last_fragment_come_in_the_order_of_its_shares(workers: TwoWorkers, truth: Truth) -> None:
    last = Fragment(1, "SELECT k, n, t FROM in_0 WHERE n % 2 = 0", (bucketed("in_0", 0, k="BIGINT", n="BIGINT", t="VARCHAR"),), 1)
    plan = plan_of_hashes(workers, (hashed(workers, 0, "facts", "k, n, t", "n // 2000"), "hash", FACTS), (last, "result", FACTS))
    rows = workers.rows(plan)
    numbers = [int(str(n)) for _, n, _ in rows]
    by_number = dict(zip(numbers, rows, strict=True))
    assert [by_number[n] for n in sorted(numbers)] == truth("SELECT k, n, t FROM facts WHERE n % 2 = 0 ORDER BY n")
    buckets = [number for (number,) in duckdb.sql(f"SELECT hash(unnest({[n // 2000 for n in numbers]})) % {BUCKETS}").fetchall()]
    assert buckets == sorted(buckets)


def test_two_fragments_read_one_exchange_and_one_of_them_is_sent_to_all(workers: TwoWorkers, truth: Truth) -> None:
    most = Fragment(1, "SELECT max(n) AS n FROM in_0", (bucketed("in_0", 0, k="BIGINT", n="BIGINT"),), 1)
    top = Fragment(2, "SELECT max(n) AS n FROM in_0", (arm("in_0", 1, n="BIGINT"),), 2)
    counted = Fragment(
        3,
        "SELECT k, count(*) AS c FROM in_0 WHERE n < (SELECT n FROM in_1) // 2 GROUP BY k",
        (bucketed("in_0", 0, k="BIGINT", n="BIGINT"), arm("in_1", 2, n="BIGINT")),
        3,
    )
    last = Fragment(4, "SELECT k, c FROM in_0 ORDER BY k", (arm("in_0", 3, k="BIGINT", c="BIGINT"),), 4)
    plan = plan_of_hashes(
        workers,
        (hashed(workers, 0, "facts", "k, n"), "hash", {"k": "BIGINT", "n": "BIGINT"}),
        (most, "gather", {"n": "BIGINT"}),
        (top, "broadcast", {"n": "BIGINT"}),
        (counted, "gather", {"k": "BIGINT", "c": "BIGINT"}),
        (last, "result", {"k": "BIGINT", "c": "BIGINT"}),
    )
    assert workers.rows(plan) == truth("SELECT k, count(*) FROM facts WHERE n < (SELECT max(n) FROM facts) // 2 GROUP BY k ORDER BY k")


def test_a_fragment_that_runs_once_puts_out_by_buckets(workers: TwoWorkers, truth: Truth) -> None:
    once = Fragment(0, f"SELECT k, n, {bucket('k')} FROM in_0", (scan(workers.here.lake.catalog, "in_0", "facts"),), 0)
    counted = Fragment(1, "SELECT k, count(*) AS c FROM in_0 GROUP BY k", (bucketed("in_0", 0, k="BIGINT", n="BIGINT"),), 1)
    last = Fragment(2, "SELECT k, c FROM in_0 ORDER BY k", (arm("in_0", 1, k="BIGINT", c="BIGINT"),), 2)
    names = {"k": "BIGINT", "c": "BIGINT"}
    plan = plan_of_hashes(workers, (once, "hash", {"k": "BIGINT", "n": "BIGINT"}), (counted, "gather", names), (last, "result", names))
    assert workers.rows(plan) == truth("SELECT k, count(*) FROM facts GROUP BY k ORDER BY k")


def test_what_cannot_travel_stays_with_the_handler(workers: TwoWorkers, truth: Truth) -> None:
    kind = "CAST(CASE WHEN n % 2 = 0 THEN 'even' ELSE 'odd' END AS ENUM ('odd', 'even'))"
    sql = f"SELECT k, {kind} AS p, {bucket('k')} FROM in_0"
    parity = Fragment(0, sql, (scan(workers.here.lake.catalog, "in_0", "facts"),), 0, by_groups(workers, "facts"))
    names = {"k": "BIGINT", "p": "ENUM('odd', 'even')"}
    counted = Fragment(1, "SELECT k, min(p::VARCHAR) AS p FROM in_0 GROUP BY k", (bucketed("in_0", 0, **names),), 1)  # type: ignore[arg-type]
    last = Fragment(2, "SELECT k, p FROM in_0 ORDER BY k", (arm("in_0", 1, k="BIGINT", p="VARCHAR"),), 2)
    made = {"k": "BIGINT", "p": "VARCHAR"}
    running = workers.running(plan_of_hashes(workers, (parity, "hash", names), (counted, "gather", made), (last, "result", made)))
    assert running.rows() == truth(f"SELECT k, min(p::VARCHAR) FROM (SELECT k, {kind} AS p FROM facts) GROUP BY k ORDER BY k")
    assert running.workers_of("fragment-0") == running.workers_of("fragment-1") == {"here"}
    assert running.left() == []


def test_an_error_of_a_share_of_buckets_ends_the_query(workers: TwoWorkers) -> None:
    running = workers.running(joined(workers, kind="CASE WHEN kind > 3 THEN error('no such kind') ELSE kind END AS kind"))
    with pytest.raises(OperatorError, match="no such kind"):
        running.rows()
    assert running.left() == []


def shared(workers: TwoWorkers) -> Callable[[], None]:
    """The worker that has the query waits with its shares of each table until the other one has acknowledged one, or until it is let go."""
    acked: set[str] = set()
    changed = threading.Condition()
    ack, run = workers.here.site.registry.ack, workers.here.lake.kernel.run

    def noting(request: AckRequest) -> LeaseReply:
        reply = ack(request)
        with changed:
            acked.update(lease.key.operator for lease in request.leases)
            changed.notify_all()
        return reply

    def patient(sql: str, *arguments: object, **named: object) -> object:
        table = next((name for name in ("facts", "items") if f"{name}.parquet" in str(arguments)), None)
        wanted = {"facts": "fragment-0", "items": "fragment-1"}.get(table or "")
        with changed:
            assert wanted is None or changed.wait_for(lambda: acked >= {wanted} or "" in acked, 20.0)
        return run(sql, *arguments, **named)  # type: ignore[arg-type]

    workers.here.site.registry.ack = noting  # type: ignore[method-assign]
    workers.here.lake.kernel.run = patient  # type: ignore[method-assign, assignment]

    def let_go() -> None:
        with changed:
            acked.add("")
            changed.notify_all()

    return let_go


POINTS = [
    "operator.start",
    f"{QUERY}.shares-0",
    "exchange.ack",
    f"{QUERY}.shares-2",
    "exchange.locate",
    f"{QUERY}.exchange-0",
    f"{QUERY}.exchange-1",
    f"{QUERY}.exchange-2",
    "exchange.drop",
]


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_leaves_nothing_behind(workers: TwoWorkers, point: str) -> None:
    let_go = shared(workers)
    running = workers.running(joined(workers))

    def kill() -> None:
        running.cancellation.cancel(QueryKilled("it was killed"))
        let_go()

    at_point(workers, point, kill)
    # When the first exchange is dropped nearly all is done.
    with suppress(QueryKilled) if point == "exchange.drop" else pytest.raises(QueryKilled, match="it was killed"):
        running.rows()
    assert running.left() == []


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_is_lost_at_any_point_costs_a_repetition(workers: TwoWorkers, point: str, truth: Truth) -> None:
    let_go = shared(workers)
    running = workers.running(joined(workers))

    def lose() -> None:
        let_go()
        lose_there(running)

    times = at_point(workers, point, lose)
    assert running.rows() == truth(sql_of())
    assert times == [1]
    workers.there.guests.on_worker_lost("here")
    assert running.left() == []


def test_outputs_that_a_lost_worker_has_taken_along_are_made_again(workers: TwoWorkers, truth: Truth) -> None:
    """It is lost when all outputs are there, and before anybody has fetched any."""
    shared(workers)
    running = workers.running(joined(workers))
    seen: list[bool] = []

    def lose() -> None:
        seen.extend(running.execution._hashes[exchange].complete() for exchange in (0, 1))
        running.execution.exclude("there")
        seen.extend(running.execution._hashes[exchange].complete() for exchange in (0, 1))
        raise ClientError("it is gone", status=Status.UNAVAILABLE)

    at_point(workers, f"{QUERY}.shares-2", lose)
    assert running.rows() == truth(sql_of())
    assert seen == [True, True, False, False]
    statuses = {status.operator: status for status in running.execution.statuses()}
    assert statuses["fragment-0"].retries >= 1
    assert statuses["fragment-1"].retries >= 1
    workers.there.guests.on_worker_lost("here")
    assert running.left() == []


@pytest.mark.parametrize("point", [f"{QUERY}.shares-1", f"{QUERY}.exchange-0", f"{QUERY}.shares-2", f"{QUERY}.exchange-1"])
def test_what_is_lost_of_a_hash_exchange_behind_another_is_made_again_from_its_beginning(
    workers: TwoWorkers, truth: Truth, point: str
) -> None:
    let_go = shared(workers)
    running = workers.running(groups(workers))

    def lose() -> None:
        let_go()
        lose_there(running)

    times = at_point(workers, point, lose)
    assert running.rows() == truth(GROUPS)
    assert times == [1]
    assert {status.operator: status for status in running.execution.statuses()}["fragment-0"].retries >= 1
    workers.there.guests.on_worker_lost("here")
    assert running.left() == []


@pytest.mark.parametrize("side", ["here", "there"])
def test_a_worker_whose_buckets_cannot_be_had_takes_no_more_part(workers: TwoWorkers, truth: Truth, side: str) -> None:
    """``here`` has the query: who cannot reach it, goes."""
    shared(workers)
    running = workers.running(joined(workers))
    asked: list[str] = []

    def refuse(name: str) -> None:
        if name == f"{QUERY}.exchange-1":
            asked.append(name)
            raise ClientError("an internal error", status=Status.INTERNAL)

    (workers.here if side == "here" else workers.there).before = refuse
    assert running.rows() == truth(sql_of())
    assert asked
    assert "there" in running.execution._hashes[1]._gone
    workers.there.guests.on_worker_lost("here")
    assert running.left() == []


def test_buckets_that_come_by_many_calls_and_with_faults_in_between(
    workers: TwoWorkers, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flight_server.exchanges.bucket_pulls.PULL_BYTES", 1)
    monkeypatch.setattr("flight_server.exchanges.bucket_pulls.SMALL_BYTES", 2_000)
    monkeypatch.setattr("flight_server.exchanges.bucket_pulls.RETRY_SECONDS", 0.0)
    shared(workers)
    running = workers.running(joined(workers))
    pulls: list[str] = []

    def often(name: str) -> None:
        if name in (f"{QUERY}.exchange-0", f"{QUERY}.exchange-1"):
            pulls.append(name)
            if len(pulls) % 3 == 0:
                raise ClientError("not now", status=Status.UNAVAILABLE)

    workers.here.before = workers.there.before = often
    assert running.rows() == truth(sql_of())
    assert len(pulls) > 20
    assert running.execution._hashes[0]._gone == set()
    assert running.left() == []


def test_what_waits_in_a_hash_exchange_can_be_peeked_at(workers: TwoWorkers) -> None:
    running = workers.running(joined(workers))
    seen: list[tuple[list[str], int]] = []

    def look() -> None:
        stream = running.execution.peek("exchange-0", 2)
        assert stream is not None
        seen.append((stream.schema.names, sum(batch.num_rows for batch in stream.batches)))

    at_point(workers, f"{QUERY}.shares-2", look)
    running.rows()
    assert seen[0][0] == ["k", "n"]
    assert seen[0][1] > 0
