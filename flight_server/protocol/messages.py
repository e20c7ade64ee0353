"""What travels as JSON: tickets, statuses of queries and workers, the bodies of actions. No dict goes between modules.

Every struct here is decoded strictly by :mod:`msgspec`; unknown fields are ignored, so that old clients can read newer servers.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar

import msgspec

QueryPhase = Literal["queued", "running", "completed", "failed", "killed"]
OperatorPhase = Literal["waiting", "running", "completed", "failed"]
SESSION_COOKIE = "arrow_flight_session_id"
"""The name of the cookie by which a session is known, as Arrow's own servers have it."""
LINE_SQL_CHARS = 200
MAX_AHEAD = 1_000_000
MAX_PURPOSE_CHARS = 32
ENDED: frozenset[QueryPhase] = frozenset(("completed", "failed", "killed"))


class Cursor(NamedTuple):
    """A place in a result: the file (from 0), the row group in that file, the row in that group."""

    file: int
    row_group: int
    row: int


START = Cursor(0, 0, 0)
END = Cursor((1 << 53) - 1, 0, 0)
"""Where a result ends, wherever that is. Who reads from there waits until all its rows are made, and gets none.

The number is the greatest that every client's JSON can say.
"""


AHEAD_HEADER = "x-volley-ahead"
"""Says ``ahead`` where the statement is Flight SQL's, as those with parameters are."""


class Submission(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A statement as GetFlightInfo's command, where there is more to say than its text.

    ``ahead``: only so many row groups are made beyond those that somebody has read (or waits for). ``purpose``: a word for what a program
    asks for itself (a sample, a count); ``query.list`` leaves such queries out.
    """

    sql: str
    ahead: Annotated[int, msgspec.Meta(ge=0, le=MAX_AHEAD)] | None = None
    purpose: Annotated[str, msgspec.Meta(max_length=MAX_PURPOSE_CHARS, pattern=r"\A[A-Za-z0-9-]*\Z")] = ""


class ResultTicket(msgspec.Struct, omit_defaults=False):
    """Reads a result: one row group (``follow`` false) or everything from ``cursor`` to the end (true), at most ``limit`` rows."""

    query_id: str
    cursor: Cursor = START
    follow: bool = False
    limit: int | None = None


class PeekTicket(msgspec.Struct):
    """Looks at up to ``peek`` records that wait in an exchange, without leasing or consuming any."""

    query_id: str
    exchange: str
    peek: int


class BatchPlace(msgspec.Struct):
    """``app_metadata`` of a result's batch: where it starts, and where to go on (None after the last row)."""

    cursor: Cursor
    next: Cursor | None


class QueryRef(msgspec.Struct):
    """``app_metadata`` of a FlightInfo, and the body of ``query.status``, ``query.kill``, ``query.drop`` and ``query.watch``."""

    query_id: str


class ErrorInfo(msgspec.Struct):
    """Why a query failed: a gRPC status name and a message for people."""

    status: str
    message: str


class RowGroupStatus(msgspec.Struct):
    """A closed row group of a result."""

    file: int
    row_group: int
    rows: int


class ResultStatus(msgspec.Struct):
    """How much of a result there is. ``closed``: no more will come. ``held``: more will come as soon as somebody reads on."""

    rows: int = 0
    bytes: int = 0
    row_groups: list[RowGroupStatus] = []
    closed: bool = False
    expires_at: float | None = None
    held: bool = False


class InstanceStatus(msgspec.Struct):
    """One running copy of an operator. ``seconds`` is time spent in the kernel, ``retries`` counts the shares that it gave back or lost.

    ``spill_bytes`` is the most that was seen in its worker's temporary directory, of all queries, when the kernel gave its first rows.
    """

    worker_id: str
    records: int = 0
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    scanned_bytes: int = 0
    requests: int = 0
    state: OperatorPhase = "running"
    spill_bytes: int = 0
    retries: int = 0


class ShareSpread(msgspec.Struct):
    """How alike the shares of an operator are that are done: the most that one of them put out and took, and the median of all."""

    shares: int
    rows_most: int = 0
    rows_median: float = 0.0
    bytes_most: int = 0
    bytes_median: float = 0.0
    seconds_most: float = 0.0
    seconds_median: float = 0.0


class FilterStatus(msgspec.Struct):
    """A runtime filter of a scan: what keys of the table ``source`` spared of the rows of ``input``, by their ``column``.

    ``used``: the keys came in time. ``keys``: how many, None where they were too many, so that only the least and the greatest counted.
    ``files`` were not opened, ``row_groups`` not read, with their ``rows`` and ``bytes``; in formats without row groups only files count.
    """

    input: str
    column: str
    source: str
    used: bool = False
    keys: int | None = None
    files: int = 0
    row_groups: int = 0
    rows: int = 0
    bytes: int = 0


class OperatorStatus(msgspec.Struct):
    """An operator of a query's plan: a producer (a fragment) or an exchange.

    Producers: ``records_total`` / ``records_done`` count input records (splits), ``rows`` and ``bytes`` what they put out.
    Exchanges: ``queue_depth`` visible records, ``leases`` records out on lease, ``records_done`` those acked.
    ``inputs`` are the operators (by name) that feed this one. ``scanned_bytes`` and ``requests`` are what storage was asked for.
    ``spread``: of a producer's shares, None for one that has fewer than two. ``estimated_bytes``: what the planner took an exchange for.
    ``division``: in words, by what its inputs are divided; empty for one that runs once.
    ``filters`` are what keys of other tables spared it, once it has started.
    """

    operator: str
    kind: Literal["producer", "exchange", "result"]
    title: str
    state: OperatorPhase = "waiting"
    inputs: list[str] = []
    records_total: int = 0
    records_done: int = 0
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    queue_depth: int = 0
    leases: int = 0
    retries: int = 0
    scanned_bytes: int = 0
    files_bytes: int = 0
    requests: int = 0
    instances: list[InstanceStatus] = []
    spread: ShareSpread | None = None
    estimated_bytes: int | None = None
    division: str = ""
    filters: list[FilterStatus] = []


class ResultSize(msgspec.Struct):
    """How much of a result there is, without its row groups. ``closed`` and ``held`` as in :class:`ResultStatus`."""

    rows: int = 0
    bytes: int = 0
    closed: bool = False
    expires_at: float | None = None
    held: bool = False


class QueryLine(msgspec.Struct):
    """A query, as a line of ``query.list``: a :class:`QueryStatus` with less in it. ``sql`` is cut after ``LINE_SQL_CHARS``."""

    query_id: str
    sql: str
    state: QueryPhase
    owner: str = ""
    worker_id: str = ""
    submitted_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    progress: float = 0.0
    error: ErrorInfo | None = None
    result: ResultSize = msgspec.field(default_factory=ResultSize)
    purpose: str = ""


class QueryStatus(msgspec.Struct):
    """A query, as ``query.status`` and ``query.watch`` tell it. Times are Unix seconds; ``progress`` is 0 … 1.

    ``purpose`` is what its client submitted it for; empty for people's own.
    """

    query_id: str
    sql: str
    state: QueryPhase
    owner: str = ""
    worker_id: str = ""
    submitted_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    progress: float = 0.0
    error: ErrorInfo | None = None
    result: ResultStatus = msgspec.field(default_factory=ResultStatus)
    operators: list[OperatorStatus] = []
    plan: str = ""
    purpose: str = ""


class WorkerStatus(msgspec.Struct):
    """A worker, as ``worker.list`` tells it."""

    worker_id: str
    uri: str
    pid: int
    slots: int
    slots_used: int = 0
    memory_limit_bytes: int = 0
    memory_used_bytes: int = 0
    cpu_percent: float = 0.0
    cache_bytes: int = 0
    queries: int = 0
    state: Literal["up", "draining", "lost"] = "up"
    started_at: float = 0.0
    version: str = ""


class ColumnStatus(msgspec.Struct):
    """A column of a table, with the kernel's name for its type."""

    name: str
    type: str


class TableStatus(msgspec.Struct):
    """A table, as ``table.list`` tells it. ``columns`` is empty and ``error`` says why where its files cannot be read."""

    name: str
    connection: str = ""
    columns: list[ColumnStatus] = []
    rows: int | None = None
    files: int = 0
    bytes: int = 0
    error: str | None = None


class QueryListRequest(msgspec.Struct):
    """The body of ``query.list``: ``all`` asks for queries with a purpose too, ``limit`` for the newest so many.

    ``before``: of those that were submitted earlier, in Unix seconds; the last line's ``submitted_at`` gives the next page.
    """

    all: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = None
    before: float | None = None


class TableListRequest(msgspec.Struct):
    """The body of ``table.list``: ``details`` asks for columns and row counts too (opens files); ``pattern`` is a SQL LIKE."""

    pattern: str | None = None
    details: bool = True


Message = TypeVar("Message", bound=msgspec.Struct)

DECODERS: Final[dict[type[msgspec.Struct], msgspec.json.Decoder[Any]]] = {}
"""The decoder of every message, each made before anybody can call for it."""


def build_decoders(module: str) -> None:
    """Makes the decoders of all structs that a module defines; stands at its end.

    msgspec builds what it knows of a type, and of the types inside it, at their first use, and a second thread that decodes
    meanwhile finds it half built: the process dies (SIGSEGV). A module is imported by one thread, before others see its types.
    """
    for kind in vars(sys.modules[module]).values():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__module__ == module:
            DECODERS[kind] = msgspec.json.Decoder(kind)


def encode(message: msgspec.Struct) -> bytes:
    """``message`` as JSON."""
    return msgspec.json.encode(message)


def decode(body: bytes | bytearray | memoryview | Any, kind: type[Message]) -> Message:
    """JSON as a ``kind``. Raises ``msgspec.DecodeError`` (a ``ValueError``) saying what does not fit and where."""
    decoder = DECODERS.get(kind)
    assert decoder is not None, f"{kind.__name__} has no decoder: its module must end with build_decoders(__name__)"
    message: Message = decoder.decode(bytes(body))
    return message


build_decoders(__name__)
