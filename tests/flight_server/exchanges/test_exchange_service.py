"""Exchanges as endpoints: who may pull, and what is said to the others."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from flight_server.errors import BadRequest, UnknownExchange
from flight_server.exchanges.exchange_service import ExchangeRegistry, NotAdmitted, Served
from flight_server.protocol.exchange_messages import PullFrame
from flight_server.protocol.messages import decode
from operators.errors import OperatorError
from operators.exchange.exchange import Exchange
from operators.exchange.records import Record, RecordKey

SCHEMA = pa.schema([("n", pa.int64())])
KEY = RecordKey("scan", "events", 0)


@pytest.fixture(name="exchange")
def _exchange() -> Exchange[pa.RecordBatch]:
    exchange: Exchange[pa.RecordBatch] = Exchange()
    exchange.append(Record(KEY, pa.record_batch([pa.array([7])], schema=SCHEMA), rows=1, bytes=8))
    return exchange


@pytest.fixture(name="registry")
def _registry(exchange: Exchange[pa.RecordBatch]) -> ExchangeRegistry:
    registry = ExchangeRegistry()
    served = Served(exchange, SCHEMA, lambda batch: batch, lambda _: True, lambda *_: None, lambda *_: None, lambda who: who != "lost/0")
    registry.add("query", "shares", served)
    return registry


def ticket(**fields: object) -> bytes:
    return json.dumps({"exchange": "shares", "consumer": "here/0", "max_records": 1, **fields}).encode()


def test_a_pull_leases_with_the_place_beside_the_record(registry: ExchangeRegistry, exchange: Exchange[pa.RecordBatch]) -> None:
    ((batch, metadata),) = registry.pull(ticket(), lambda: False).batches
    frame = decode(metadata, PullFrame)
    assert batch.to_pylist() == [{"n": 7}]
    assert frame.record is not None
    assert (frame.record.lease.key, frame.record.last) == (KEY, True)
    assert exchange.statistics().leased == 1


def test_a_consumer_taken_for_lost_gets_nothing(registry: ExchangeRegistry, exchange: Exchange[pa.RecordBatch]) -> None:
    with pytest.raises(NotAdmitted):
        registry.pull(ticket(consumer="lost/0"), lambda: False)
    assert exchange.statistics().leased == 0


def test_a_pull_that_finds_nothing_says_whether_more_may_come(registry: ExchangeRegistry, exchange: Exchange[pa.RecordBatch]) -> None:
    list(registry.pull(ticket(), lambda: False).batches)
    ((empty, metadata),) = registry.pull(ticket(wait_seconds=-1e300), lambda: False).batches
    assert empty.num_rows == 0
    end = decode(metadata, PullFrame).end
    assert end is not None
    assert not end.ended


def test_no_wait_is_endless(registry: ExchangeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flight_server.exchanges.exchange_service.MAX_WAIT_SECONDS", 0.01)
    list(registry.pull(ticket(), lambda: False).batches)
    ((_, metadata),) = registry.pull(ticket(wait_seconds=1e300), lambda: False).batches
    assert decode(metadata, PullFrame).end is not None


def test_what_cannot_be_read_is_the_callers_fault(registry: ExchangeRegistry) -> None:
    for body in (b"", b"{}", ticket(exchange=5), ticket(max_records="all"), b"[" * 100_000):
        with pytest.raises(BadRequest):
            registry.pull(body, lambda: False)
    with pytest.raises(UnknownExchange):
        registry.pull(ticket(exchange="nowhere"), lambda: False)


def test_an_exchange_that_failed_holds_nothing(exchange: Exchange[pa.RecordBatch]) -> None:
    exchange.lease("here/0")
    exchange.fail(OperatorError("broken"))
    statistics = exchange.statistics()
    assert (statistics.records, statistics.queued, statistics.leased) == (1, 0, 0)
    assert not exchange.wait_ended(10)


def test_waiting_for_the_end(exchange: Exchange[pa.RecordBatch]) -> None:
    held = exchange.lease("here/0")
    assert held is not None
    exchange.close()
    assert not exchange.wait_ended(0)
    exchange.ack(held.key, held.lease.epoch)
    assert exchange.wait_ended(0)
