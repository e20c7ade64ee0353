"""A fragment over one share: its parts of what is divided, everything else whole, from local disk and from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from operators.cancellation import Cancellation
from operators.errors import FileUnreadable, Interrupted, OperatorError
from operators.run.fragments import ExecutionContext, run_share
from operators.run.whole_inputs import WholeInputs
from operators.scan.scans import ScanReport, prepare_scan
from planner.physical import Fragment, Share
from tests.hand_made_plans import arm, scan, share, splits_of
from tests.lakes import Lake

ROWS = 10_000
GROUP = 1000
JOIN = "SELECT count(*) AS c, sum(n)::BIGINT AS s, count(word) AS w FROM in_0 LEFT JOIN in_1 USING (kind)"


@pytest.fixture(name="lake")
def _written(lake: Lake) -> Lake:
    pq.write_table(pa.table({"n": range(ROWS), "kind": [n % 7 for n in range(ROWS)]}), lake.root / "many.parquet", row_group_size=GROUP)
    write_few(lake, 6)
    return lake


def write_few(lake: Lake, kinds: int) -> None:
    """So many kinds of those that ``many`` has, and others: more than what is read with a footer."""
    numbers = [*range(kinds), *range(100, 100_000)]
    pq.write_table(pa.table({"kind": numbers, "word": [f"word {n}" for n in numbers]}), lake.root / "few.parquet", compression="none")


@pytest.fixture(name="whole")
def _whole(lake: Lake) -> Iterator[WholeInputs]:
    whole = WholeInputs({}, lake.storage)
    yield whole
    whole.close()


def fragment(lake: Lake) -> Fragment:
    """All of ``few`` joined to a share of ``many``."""
    return Fragment(0, JOIN, (scan(lake.catalog, "in_0", "many"), scan(lake.catalog, "in_1", "few")), 0)


def run(lake: Lake, part: Share, whole: WholeInputs, each: Fragment | None = None) -> tuple[list[tuple[object, ...]], list[ScanReport]]:
    context = ExecutionContext("q", lake.kernel, lake.kernel, lake.storage, Cancellation())
    outputs, reports, _ = run_share(each or fragment(lake), part, whole, context)
    assert [output.last for output in outputs] == [False] * (len(outputs) - 1) + [True]
    table = pa.Table.from_batches([output.batch for output in outputs])
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True)), list(reports)


def added(answers: list[tuple[object, ...]]) -> tuple[int, ...]:
    return tuple(sum(int(str(value)) for value in column) for column in zip(*answers, strict=True))


def test_all_shares_together_are_the_whole(lake: Lake, whole: WholeInputs) -> None:
    parts = [share(in_0=splits_of(lake.catalog, "many", groups)) for groups in ([0, 5], [1], [2, 3, 4], [], [6, 7, 8, 9])]
    answers = [run(lake, part, whole)[0][0] for part in parts]
    assert answers[3] == (0, None, 0)
    everything = (ROWS, sum(range(ROWS)), sum(n % 7 != 6 for n in range(ROWS)))
    assert added([answer for answer in answers if answer[0]]) == everything
    context = ExecutionContext("q", lake.kernel, lake.kernel, lake.storage, Cancellation())
    outputs, _, _ = run_share(fragment(lake), Share(()), whole, context)
    assert tuple(outputs[0].batch.to_pylist()[0].values()) == everything, "a fragment that runs once sees all inputs whole"


def test_of_a_share_with_a_range_only_the_range_counts(lake: Lake, whole: WholeInputs) -> None:
    all_splits = splits_of(lake.catalog, "many")
    ranges = ["n < 1500", "n >= 1500 AND n < 1501", "n >= 1501 OR n IS NULL"]
    answers = [run(lake, share(in_0=(all_splits, predicate)), whole)[0][0] for predicate in ranges]
    assert [answer[0] for answer in answers] == [1500, 1, ROWS - 1501]
    assert added(answers)[1] == sum(range(ROWS))


def test_the_kernel_passes_over_row_groups_that_a_range_rules_out(lake: Lake) -> None:
    files = scan(lake.catalog, "in_0", "many")
    splits = splits_of(lake.catalog, "many", [0, 1, 2, 3, 4, 5])
    with prepare_scan(files, splits, lake.storage, predicate="n >= 3500 AND n < 4200") as prepared:
        plan = "\n".join(text for _, text in duckdb.sql(f"EXPLAIN ANALYZE SELECT sum(kind) FROM ({prepared.sql})").fetchall())
        assert re.search(r"Row Groups Scanned: 2 / 10\b", plan), plan
        assert lake.run("SELECT count(*), min(n), max(n) FROM in_0", in_0=prepared.relation) == [(700, 3500, 4199)]


def test_what_came_through_an_exchange_is_there_for_each_share(lake: Lake) -> None:
    words = pa.table({"kind": pa.array([3], pa.int64()), "word": ["three"]})
    each = Fragment(0, JOIN, (scan(lake.catalog, "in_0", "many"), arm("in_1", 0, kind="BIGINT", word="VARCHAR")), 0)
    whole = WholeInputs({"in_1": words}, lake.storage)
    answers = [run(lake, share(in_0=splits_of(lake.catalog, "many", [group])), whole, each)[0][0] for group in range(10)]
    assert added(answers)[2] == sum(n % 7 == 3 for n in range(ROWS))


def test_what_is_whole_is_fetched_once_for_all_shares(lake: Lake, whole: WholeInputs, tmp_path: Path) -> None:
    parts = [share(in_0=splits_of(lake.catalog, "many", [group])) for group in range(4)]
    reports = [run(lake, part, whole)[1] for part in parts]
    elsewhere = lake.storage.is_elsewhere("default:few.parquet")
    # The first share reports the reading of both inputs; the others, where files come from elsewhere, that of their part alone.
    assert [len(report) for report in reports] == ([2, 1, 1, 1] if elsewhere else [2, 2, 2, 2])
    assert (max(one.fetched_bytes for one in reports[0]) > 1_000_000) == elsewhere
    assert bool(copies(tmp_path)) == elsewhere
    whole.close()
    assert copies(tmp_path) == []
    if elsewhere:
        with pytest.raises(Interrupted):
            run(lake, parts[0], whole)


def test_what_could_not_be_fetched_is_fetched_anew(lake: Lake, whole: WholeInputs, tmp_path: Path) -> None:
    part = share(in_0=splits_of(lake.catalog, "many", [0]))
    each = fragment(lake)
    (lake.root / "few.parquet").rename(lake.root / "away.parquet")
    lake.sync()
    with pytest.raises(FileUnreadable):
        run(lake, part, whole, each)
    assert copies(tmp_path) == []
    write_few(lake, 7)
    assert run(lake, part, whole, fragment(lake))[0] == [(GROUP, sum(range(GROUP)), GROUP)]


def test_a_stopped_query_s_share_says_why(lake: Lake, whole: WholeInputs) -> None:
    cancellation = Cancellation()
    cancellation.cancel(OperatorError("killed"))
    context = ExecutionContext("q", lake.kernel, lake.kernel, lake.storage, cancellation)
    with pytest.raises(OperatorError, match="killed"):
        run_share(fragment(lake), share(in_0=splits_of(lake.catalog, "many", [0])), whole, context)


def copies(scratch: Path) -> list[Path]:
    """The copies of files that are kept now."""
    return list(scratch.rglob("volley-scratch-*/*.parquet"))
