"""What workers say to each other: about exchanges, operators, membership, and each other's queries.

JSON, in DoGet tickets and DoAction bodies.

Producers *pull*: a worker that runs an operator asks the query handler for shares with ``DoGet({"exchange": …})``, and the query handler
pulls the operator's outputs from the workers in the same way. Every record that is handed out is leased; ``exchange.ack``,
``exchange.heartbeat`` and ``exchange.release`` say what became of it. A broadcast table is pulled likewise, and leases nothing.

What goes through a hash exchange stays with the worker that made it. Whoever has leased some of its buckets asks the query handler where
they are (``exchange.locate``), pulls them from each worker, and leases nothing there; ``exchange.drop`` says that all have been read.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from flight_server.protocol.messages import InstanceStatus, QueryLine, QueryStatus, WorkerStatus, build_decoders
from operators.exchange.bucket_places import BucketSizes
from operators.exchange.records import RecordKey
from planner.physical import ExchangeInput, ScanInput
from planner.time_zones import UTC

EXCHANGE_ACK = "exchange.ack"
EXCHANGE_DROP = "exchange.drop"
EXCHANGE_HEARTBEAT = "exchange.heartbeat"
EXCHANGE_LOCATE = "exchange.locate"
EXCHANGE_RELEASE = "exchange.release"
OPERATOR_START = "operator.start"
OPERATOR_STOP = "operator.stop"
WORKER_BEAT = "worker.beat"
LOCAL_STATUS = "local.status"
LOCAL_KILL = "local.kill"
LOCAL_DROP = "local.drop"
LOCAL_QUERIES = "local.queries"


class PullTicket(msgspec.Struct):
    """Leases records of an exchange to ``consumer``, as they become visible, until the exchange has ended.

    ``max_records`` ends the stream after so many records. ``wait_seconds`` ends it when nothing became visible for so long; the
    consumer asks again.
    """

    exchange: str
    consumer: str
    max_records: int | None = None
    wait_seconds: float = 1.0


class LeaseRef(msgspec.Struct):
    """A lease as it travels: the record's key and the epoch that fences it."""

    key: RecordKey
    epoch: int


class RecordPlace(msgspec.Struct):
    """``app_metadata`` of a pulled record. ``last``: no record of the same input follows it."""

    lease: LeaseRef
    last: bool


class StreamEnd(msgspec.Struct):
    """``app_metadata`` of the empty batch that closes a pull: whether the exchange has ended, or just had nothing for a while."""

    ended: bool


class PullFrame(msgspec.Struct):
    """``app_metadata`` of each batch of a pull: exactly one of the two is set."""

    record: RecordPlace | None = None
    end: StreamEnd | None = None


class TableTicket(msgspec.Struct):
    """The rows of a broadcast table from ``first_row`` on, as many as one pull brings."""

    exchange: str
    consumer: str
    first_row: int = 0


class TableFrame(msgspec.Struct):
    """``app_metadata`` of each batch of a broadcast table: how many rows the whole table has."""

    rows_total: int


class BucketTicket(msgspec.Struct):
    """The rows of some ``shares`` in the buckets from ``first_bucket`` to the one before ``behind_last``, as many as one pull brings.

    In the order of ``shares``; of the first of them, without the ``first_row`` rows that are there already.
    """

    exchange: str
    consumer: str
    first_bucket: int
    behind_last: int
    shares: list[int]
    first_row: int = 0


class BucketFrame(msgspec.Struct):
    """``app_metadata`` of each batch of buckets: of which shares its rows are, in their order, and how many of each.

    ``end``: all that was asked for has been sent. A share is there whole when a later one has begun, or at the end.
    """

    shares: list[int]
    rows: list[int]
    end: bool = False


class LocateRequest(msgspec.Struct):
    """Where are the outputs in a hash exchange? ``unreachable`` are workers (by id) that were said to have some, and do not give them."""

    exchange: str
    consumer: str
    unreachable: list[str] = []


class WorkerOutputs(msgspec.Struct):
    """A worker, and the shares whose outputs are to be read there."""

    worker_id: str
    uri: str
    shares: list[int]


class Locations(msgspec.Struct):
    """The answer to a :class:`LocateRequest`. Not ``complete``: some outputs are still being made; it is to be asked again."""

    complete: bool
    outputs: list[WorkerOutputs] = []


class DropExchange(msgspec.Struct):
    """All who read a hash exchange have done so: what is kept of it here can go."""

    query_id: str
    exchange: str


class AckRequest(msgspec.Struct):
    """These records were consumed: their outputs are visible. ``instance`` reports what their consumer has done so far.

    ``sizes``: how much of the output of the only record is in which bucket, where it goes into a hash exchange.
    """

    exchange: str
    consumer: str
    leases: list[LeaseRef]
    instance: InstanceStatus | None = None
    sizes: BucketSizes | None = None


class HeartbeatRequest(msgspec.Struct):
    """These records are still being worked on."""

    exchange: str
    consumer: str
    leases: list[LeaseRef]


class ReleaseRequest(msgspec.Struct):
    """This record could not be consumed; ``retry`` says whether another attempt may help."""

    exchange: str
    consumer: str
    lease: LeaseRef
    status: str
    message: str
    retry: bool


class LeaseReply(msgspec.Struct):
    """Which of the leases of a request were stale: their records belong to somebody else by now."""

    stale: list[RecordKey] = []


class BucketedArm(msgspec.Struct):
    """An input that comes in buckets: of which exchange, by its name, and the schema of its rows as an IPC message."""

    arm: ExchangeInput
    exchange: str
    schema: bytes


class StartOperator(msgspec.Struct):
    """Run a parallel fragment over the shares of ``source`` (at ``handler_uri``) into ``output``, an exchange on the worker that gets this.

    ``scans``, ``broadcasts`` and ``bucketed`` are the fragment's inputs. Scans that shares divide have no splits here: those come with
    each share. ``tables`` says by what name each broadcast input is pulled from the handler. ``schema`` is the output's Arrow schema as an
    IPC message. ``buckets``: of the output, where that is a hash exchange, else 0. ``fetching``: shares wait for what they read.
    ``most_instances``: more of them would have nothing to do. ``time_zone``: the fragment's. The answer comes when the output exchange is
    up.
    """

    query_id: str
    operator: str
    fragment_id: int
    sql: str
    scans: list[ScanInput]
    schema: bytes
    handler_uri: str
    handler_id: str
    source: str
    output: str
    broadcasts: list[ExchangeInput] = []
    tables: dict[str, str] = {}
    bucketed: list[BucketedArm] = []
    buckets: int = 0
    fetching: bool = False
    most_instances: int = 1
    time_zone: str = UTC


class StopOperators(msgspec.Struct):
    """The query has ended, however it did: stop its operators here and drop its exchanges."""

    query_id: str


BeatEvent = Literal["join", "alive", "leave"]


class Beat(msgspec.Struct):
    """A worker says that it is alive and how it is doing; answered with what the receiver knows of all workers."""

    worker: WorkerStatus
    event: BeatEvent = "alive"


class Members(msgspec.Struct):
    """The workers that one worker knows, itself included."""

    workers: list[WorkerStatus]


class ForwardedTicket(msgspec.Struct):
    """A client's ticket (of a result, or a peek), passed on to the worker that has its query, with whose it is.

    ``abandon``: the client cannot come back; when it goes away, so does its query.
    """

    forwarded: msgspec.Raw
    owner: str
    abandon: bool = False


class OwnedQuery(msgspec.Struct):
    """A question about a query, with who asks."""

    query_id: str
    owner: str


class OwnedQueries(msgspec.Struct):
    """A question about all queries of one owner: ``all``, ``limit`` and ``before`` as in ``messages.QueryListRequest``."""

    owner: str
    all: bool = False
    limit: int | None = None
    before: float | None = None


class QueryList(msgspec.Struct):
    """The answer to a question about one query: that query, or none."""

    queries: list[QueryStatus] = []


class QueryLines(msgspec.Struct):
    """The queries of one worker, newest first."""

    queries: list[QueryLine] = []


build_decoders(__name__)
