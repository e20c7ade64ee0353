from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal, cast

import msgspec
import pyarrow as pa

from flight_server.protocol.messages import InstanceStatus, OperatorStatus, ShareSpread
from flight_server.queries.analyze import SpillWatch, analyze_lines
from operators.kernel.kernel import Kernel
from planner.catalog import Column, DataFile
from planner.physical import ExchangeInput, Fragment, PhysicalPlan, PlannedExchange, ScanInput, Share, ShareInput, Split
from tests.flight_server.queries.small_site import FakeKernel

SCAN = OperatorStatus(
    "fragment-0",
    "producer",
    "scan t",
    records_total=4,
    records_done=4,
    rows=7000,
    bytes=2_000_000,
    seconds=0.5,
    retries=1,
    scanned_bytes=1_000_000,
    files_bytes=4_000_000,
    requests=9,
)
SPILLED = InstanceStatus("w2", 1, 2000, 1500, spill_bytes=3_000_000, retries=2)
PLAN = (Fragment(0, "SELECT 1", (), 0),), (PlannedExchange(0, "result", (Column("n", "INTEGER"),)),)
RESULT = OperatorStatus("result", "result", "result", rows=7)


def replace_spread(operator: OperatorStatus, spread: ShareSpread) -> OperatorStatus:
    return msgspec.structs.replace(operator, spread=spread)


def plan_of(text: str, form: Literal["text", "json"] = "text") -> PhysicalPlan:
    return PhysicalPlan("EXPLAIN ANALYZE SELECT 1 AS n", *PLAN, pa.schema([("plan", pa.string())]), text, form)


def test_each_operator_has_a_line_below_the_plan() -> None:
    lines = analyze_lines(plan_of("scan t\n  files 4"), [SCAN, RESULT], 1.5, 0)
    assert lines == [
        "scan t",
        "  files 4",
        "",
        "ran in 1.500 s, spill: none seen",
        "  fragment-0 (scan t): 7,000 rows, 2.0 MB, 4/4 splits, 0.500 s, 1.0 MB fetched in 9 requests of 4.0 MB of files, 1 retries",
        "  result (result): 7 rows, 0 B, 0 retries",
    ]


def test_instances_are_told_apart_where_there_are_several() -> None:
    scan = OperatorStatus("fragment-0", "producer", "scan t", instances=[InstanceStatus("w1", 3, 5000), SPILLED])
    assert analyze_lines(plan_of(""), [scan], 0.1, 0)[-2:] == [
        "    on w1: 3 shares, 5,000 rows, 0 B, 0.000 s",
        "    on w2: 1 shares, 2,000 rows, 1.5 kB, 0.000 s, spill 3.0 MB, 2 given back",
    ]


def test_the_largest_share_is_told_against_the_median() -> None:
    spread = ShareSpread(4, rows_most=6_000, rows_median=1_500, bytes_most=800, bytes_median=0, seconds_most=0.3, seconds_median=0.2)
    assert analyze_lines(plan_of(""), [replace_spread(SCAN, spread)], 0.1, 0)[-1] == (
        "    largest of 4 shares: 0.300 s (1.5 times the median), 6,000 rows (4.0 times the median), 800 B (the median has none)"
    )
    empty = ShareSpread(2, seconds_most=0.1, seconds_median=0.1)
    told = "    largest of 2 shares: 0.100 s (1.0 times the median), 0 rows, 0 B"
    assert analyze_lines(plan_of(""), [replace_spread(SCAN, empty)], 0.1, 0)[-1] == told


def test_an_exchange_is_told_beside_what_it_was_taken_for() -> None:
    gather = OperatorStatus("exchange-0", "exchange", "gather t", rows=7, bytes=1_200_000, estimated_bytes=5_000_000)
    assert analyze_lines(plan_of(""), [gather], 0.1, 0)[-1] == "  exchange-0 (gather t): 7 rows, 1.2 MB (5.0 MB estimated), 0 retries"


def test_spill_is_the_most_that_was_seen_at_once() -> None:
    kernels = FakeKernel(), FakeKernel()
    watch = SpillWatch(*(cast(Kernel, kernel) for kernel in kernels))
    for first, second in ((0, 0), (3_000_000, 1_000_000), (2_000_000, 0)):
        kernels[0].spill_bytes, kernels[1].spill_bytes = first, second
        watch.look()
    assert watch.most_bytes == 4_000_000
    assert "spill: up to 4.0 MB seen, of all queries on this worker" in analyze_lines(plan_of(""), [], 0.1, watch.most_bytes)[1]


def test_spill_at_another_worker_is_told() -> None:
    far = OperatorStatus("fragment-0", "producer", "scan t", instances=[SPILLED])
    assert "spill: up to 3.0 MB seen, of all queries on worker w2" in analyze_lines(plan_of(""), [far], 0.1, 1_000_000)[1]
    assert "spill: up to 5.0 MB seen, of all queries on this worker" in analyze_lines(plan_of(""), [far], 0.1, 5_000_000)[1]


def test_what_runs_once_over_exchanges_counts_nothing() -> None:
    last = Fragment(0, "SELECT 1", (ExchangeInput("in_0", 1, ()),), 0)
    plan = replace(plan_of(""), fragments=(last,))
    assert analyze_lines(plan, [SCAN], 0.1, 0)[2].startswith("  fragment-0 (scan t): 7,000 rows, 2.0 MB, 0.500 s, ")


def test_a_document_has_the_plan_and_what_the_run_was_seen_to_do() -> None:
    (text,) = analyze_lines(plan_of("", "json"), [SCAN, RESULT], 1.5, 7)
    document = json.loads(text)
    assert document["columns"] == [{"name": "n", "type": "INTEGER"}]
    assert document["plan"]["sql"] == "SELECT 1"
    assert (document["run"]["seconds"], document["run"]["spill_bytes"]) == (1.5, 7)
    scan, result = document["run"]["operators"]
    assert (scan["operator"], scan["rows"], scan["records_total"], scan["requests"], scan["retries"]) == ("fragment-0", 7000, 4, 9, 1)
    assert (result["operator"], result["rows"]) == ("result", 7)


def test_what_runs_share_by_share_counts_shares() -> None:
    one = ShareInput("in_0", (Split(DataFile("default:t", 1, "v1")),) * 2)
    fragment = Fragment(0, "SELECT 1", (ScanInput("in_0", "t", (), (), one.splits),), 0, (Share((one,)),))
    plan = replace(plan_of("scan t"), fragments=(fragment,))
    assert analyze_lines(plan, [SCAN], 1.5, 0)[3].startswith("  fragment-0 (scan t): 7,000 rows, 2.0 MB, 4/4 shares, ")
