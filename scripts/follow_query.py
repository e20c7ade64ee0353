#!/usr/bin/env python
"""Follows one query from ``get_flight_info`` to ``do_get`` and prints how it goes through the rooms, in the order in which it first does.

Each line is a call from one room into another: ``down`` as imports go, or ``back``, where a room below calls one above it: through a
function or an object that it was given. Layers are those of the import contracts in ``pyproject.toml``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import duckdb
import pyarrow.flight as flight

from flight_server.endpoints import streams
from flight_server.endpoints.guard import guarded_items
from flight_server.endpoints.server import VolleyServer
from flight_server.process.worker import Worker
from flight_server.settings.config import Config

PACKAGES = ("planner", "operators", "flight_server")
SHARED = ("flight_server.errors", "operators.errors", "planner.errors")
SQL = "SELECT k % 10 AS tenth, count(*) AS n, sum(v) AS total FROM facts JOIN names USING (k) WHERE v > 10 GROUP BY tenth ORDER BY tenth"


def ranks() -> dict[str, int]:
    """The layer of each room, from the contracts: higher ones import lower ones."""
    contracts = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    found = {"planner": 0}
    for contract in contracts:
        for container in contract.get("containers", []):
            base = 100 * (PACKAGES.index(container) if container in PACKAGES else len(PACKAGES))
            for index, layer in enumerate(reversed(contract["layers"])):
                found |= {f"{container}.{room.strip()}": base + index for room in layer.split("|")}
    return found


class Follower:
    """Notes calls between rooms, in every thread that it was told of."""

    def __init__(self) -> None:
        self._ranks = ranks()
        self._stacks = threading.local()
        self.calls: dict[tuple[str, str], str] = {}

    def event(self, frame: FrameType, event: str, _argument: Any) -> None:
        """For ``sys.setprofile``."""
        if event not in ("call", "return"):
            return
        room = self._room(frame.f_globals.get("__name__", ""))
        if room is None:
            return
        stack: list[tuple[str, str]] = self._stacks.__dict__.setdefault("stack", [])
        if event == "return":
            if stack:
                stack.pop()
            return
        name = f"{frame.f_globals['__name__'].rpartition('.')[2]}.{frame.f_code.co_qualname}"
        caller = stack[-1] if stack else ("", "")
        stack.append((room, name))
        if caller[0] and caller[0] != room and "errors" not in (room.rpartition(".")[2], caller[0].rpartition(".")[2]):
            way = (
                "back" if self._ranks[room] > self._ranks[caller[0]] else "side" if self._ranks[room] == self._ranks[caller[0]] else "down"
            )
            self.calls.setdefault((f"{caller[0]}: {caller[1]}", f"{room}: {name}"), way)

    def _room(self, module: str) -> str | None:
        parts = module.split(".")
        if parts[0] not in PACKAGES:
            return None
        return "planner" if parts[0] == "planner" else ".".join(parts[:2]) if len(parts) > 1 else None

    def inside(self, method: Any) -> Any:
        """``method``, followed: Flight calls it in threads of its own."""

        def call(*args: Any, **kwargs: Any) -> Any:
            sys.setprofile(self.event)
            try:
                return method(*args, **kwargs)
            finally:
                sys.setprofile(None)

        return call

    def items(self, guarded_items: Any) -> Any:
        """The streams that Flight reads, followed."""

        def call(items: Iterator[Any]) -> Iterator[Any]:
            advance = self.inside(guarded_items(items).__next__)
            while True:
                try:
                    yield advance()
                except StopIteration:
                    return

        return call


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sql", default=SQL, help="the statement; there are tables facts (k, v) and names (k, name)")
    parser.add_argument("--workers", type=int, default=1, help="workers, all in this process")
    parser.add_argument("--back", action="store_true", help="only the calls that go back up")
    arguments = parser.parse_args()
    follower = Follower()
    for name in ("get_flight_info", "do_get", "do_action"):
        setattr(VolleyServer, name, follower.inside(getattr(VolleyServer, name)))
    vars(streams)["guarded_items"] = follower.items(guarded_items)
    with ExitStack() as stack:
        data, state = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        duckdb.sql("SELECT range AS k, range % 1000 AS v FROM range(600000)").write_parquet(
            str(data / "facts.parquet"), row_group_size=50_000
        )
        duckdb.sql("SELECT range AS k, 'name ' || range AS name FROM range(1000)").write_parquet(str(data / "names.parquet"))
        config = Config(port=0, threads=2, memory_bytes=1 << 30, data_roots=(str(data),))
        uri: str | None = None
        for number in range(arguments.workers):
            worker = Worker(replace(config, join=() if uri is None else (uri,)), state / str(number))
            stack.callback(worker.close)
            worker.start()
            uri = uri or worker.uri
        threading.setprofile(follower.event)
        with flight.connect(uri) as client:
            info = client.get_flight_info(flight.FlightDescriptor.for_command(arguments.sql.encode()))
            rows = client.do_get(info.endpoints[0].ticket).read_all().num_rows
            print(f"query {json.loads(info.app_metadata)['query_id']}: {rows} rows\n")
        threading.setprofile(None)
        for (caller, callee), way in follower.calls.items():
            if way == "back" or not arguments.back:
                print(f"{way:4}  {caller}  ->  {callee}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
