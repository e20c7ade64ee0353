"""EXPLAIN of graphs whose fragments read several inputs, some of them divided and some whole."""

from __future__ import annotations

import json

import pyarrow as pa

from planner.catalog import Column, DataFile
from planner.explain import plan_json, plan_text
from planner.physical import ExchangeInput, Fragment, PhysicalPlan, PlannedExchange, ScanInput, Share, ShareInput, Split

KEY = (Column("k", "BIGINT"),)


def scan(name: str, table: str, splits: int) -> ScanInput:
    files = tuple(Split(DataFile(f"default:{table}/{number}", 8, "v1"), rows=10 * number, bytes=8) for number in range(splits))
    return ScanInput(name, table, KEY, KEY, files, files_total=splits)


LINES, KINDS = scan("in_0", "lines", 4), scan("in_1", "kinds", 1)
SHARES = tuple(Share((ShareInput("in_0", LINES.splits[start : start + 2], f"k >= {start}"),)) for start in (0, 2))
FRAGMENTS = (
    Fragment(0, "SELECT max(k) FROM in_1", (KINDS,), 0),
    Fragment(1, "SELECT k FROM in_0, in_1, in_2", (LINES, KINDS, ExchangeInput("in_2", 0, KEY)), 1, SHARES),
    Fragment(2, "SELECT k FROM in_0, in_1", (ExchangeInput("in_0", 1, KEY), ExchangeInput("in_1", 0, KEY)), 2),
)
EXCHANGES = (PlannedExchange(0, "broadcast", KEY), PlannedExchange(1, "gather", KEY), PlannedExchange(2, "result", KEY))


def test_what_is_divided_what_is_whole_and_what_is_broadcast_is_told_once() -> None:
    assert plan_text(FRAGMENTS, EXCHANGES).split("\n") == [
        "result: k BIGINT",
        "  fragment 2 (once): SELECT k FROM in_0, in_1",
        "    in_0: exchange 1 (gather) k",
        "      fragment 1 (parallel, in 2 shares): SELECT k FROM in_0, in_1, in_2",
        "        in_0: scan lines: 1 of 1 columns (k), 4 of 4 files, 4 splits",
        "        in_1: scan kinds: 1 of 1 columns (k), 1 of 1 files, 1 splits, whole",
        "        in_2: exchange 0 (broadcast) k",
        "          fragment 0 (once): SELECT max(k) FROM in_1",
        "            in_1: scan kinds: 1 of 1 columns (k), 1 of 1 files, 1 splits",
        "    in_1: exchange 0 (broadcast) k, as above",
    ]


def test_the_document_says_the_same() -> None:
    last = json.loads(plan_json(PhysicalPlan("", FRAGMENTS, EXCHANGES, pa.schema([]), "")))["plan"]
    gathered, broadcast = last["inputs"]
    assert (last["shares"], last["parallel"]) == (0, False)
    assert (gathered["kind"], broadcast["kind"], broadcast["from"]) == ("gather", "broadcast", {"fragment": 0})
    joined = gathered["from"]
    assert (joined["shares"], joined["parallel"]) == (2, True)
    assert [relation.get("whole") for relation in joined["inputs"]] == [False, True, None]
    assert joined["inputs"][2]["from"]["fragment"] == 0


def test_shares_know_their_rows_where_their_splits_do() -> None:
    assert [(share.rows, share.bytes) for share in SHARES] == [(10, 16), (50, 16)]
    unknown = Split(DataFile("default:lines.csv", 8, "v1"), bytes=8)
    assert Share((ShareInput("in_0", (LINES.splits[1], unknown)),)).rows is None
    assert (Share(()).rows, Share(()).bytes) == (0, 0)
