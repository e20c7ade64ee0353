"""From errors to what Flight sends: the right gRPC status, one clean message, and never a traceback or a path of the server.

pyarrow turns the exceptions of a server's methods into statuses in two ways. ``Flight…Error`` keep their message but know no
INVALID_ARGUMENT, NOT_FOUND or UNIMPLEMENTED. Those three come only from ``ValueError``, ``KeyError`` and ``NotImplementedError``, to
whose message pyarrow adds ``Detail: Python exception:`` and the formatted traceback, or just the name of the type where formatting
fails. So the exceptions below fail to be formatted, and their names are those of the statuses.

RESOURCE_EXHAUSTED can be reached in neither way. It travels as UNAVAILABLE, with its own name before the message and as the
reason of a ``google.rpc.ErrorInfo``, which :mod:`flight_server.client.client` reads.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import NoReturn

import pyarrow.flight as flight
from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from google.rpc.error_details_pb2 import ErrorInfo

from flight_server.errors import Incident
from planner.errors import Status, VolleyError

log = logging.getLogger(__name__)

MAX_METADATA_BYTES = 6 << 10
"""All that is sent with an error; gRPC breaks a call whose metadata exceed 8 KiB."""
ERROR_DOMAIN = "volley"


class _Unformatted(Exception):
    """An exception that ``traceback.format_exception`` cannot format: it looks at ``__cause__``."""

    __slots__ = ()

    @property
    def __cause__(self) -> NoReturn:  # type: ignore[override]
        raise AttributeError("not for clients")

    def __str__(self) -> str:
        return str(self.args[0])


class INVALID_ARGUMENT(_Unformatted, ValueError): ...


class NOT_FOUND(_Unformatted, KeyError): ...


class UNIMPLEMENTED(_Unformatted, NotImplementedError): ...


class _Failed(_Unformatted): ...


_PLAIN: dict[Status, Callable[[str], Exception]] = {
    Status.INVALID_ARGUMENT: INVALID_ARGUMENT,
    Status.NOT_FOUND: NOT_FOUND,
    Status.UNIMPLEMENTED: UNIMPLEMENTED,
}
_FLIGHT: dict[Status, tuple[Callable[..., Exception], int]] = {
    Status.PERMISSION_DENIED: (flight.FlightUnauthorizedError, 7),
    Status.UNAUTHENTICATED: (flight.FlightUnauthenticatedError, 16),
    Status.RESOURCE_EXHAUSTED: (flight.FlightUnavailableError, 14),
    Status.CANCELLED: (flight.FlightCancelledError, 1),
    Status.UNAVAILABLE: (flight.FlightUnavailableError, 14),
    Status.DEADLINE_EXCEEDED: (flight.FlightTimedOutError, 4),
    Status.INTERNAL: (flight.FlightInternalError, 13),
}


def wire_error(error: Exception, *, schema_only: bool = False) -> Exception:
    """What to raise inside a Flight method so that the client sees the status and the message of ``error``, and nothing else.

    Anything but a ``VolleyError`` is logged in full, and the client gets the number of the log's entry. ``schema_only``: inside
    ``get_schema``, where pyarrow does not know its own ``Flight…Error``; statuses without a plain class are told in words there.
    """
    told = as_volley_error(error)
    status, message = told.status, str(told)
    plain = _PLAIN.get(status)
    if plain is not None:
        return plain(_fit(message, copies=2))
    if schema_only:
        return _Failed(_fit(f"{status.name}: {message}", copies=2))
    kind, code = _FLIGHT[status]
    text = _fit(f"{status.name}: {message}" if status is Status.RESOURCE_EXHAUSTED else message, copies=3)
    reason = Any()
    reason.Pack(ErrorInfo(reason=status.name, domain=ERROR_DOMAIN))
    return kind(text, extra_info=status_pb2.Status(code=code, message=text, details=[reason]).SerializeToString())


def status_of(extra_info: bytes | None) -> Status | None:
    """The status that ``wire_error`` put into an error's ``extra_info``, or None."""
    if not extra_info:
        return None
    try:
        details = status_pb2.Status.FromString(extra_info).details
        infos = [ErrorInfo.FromString(detail.value) for detail in details if detail.Is(ErrorInfo.DESCRIPTOR)]
    except DecodeError:
        return None
    names = [info.reason for info in infos if info.domain == ERROR_DOMAIN]
    return Status(names[0]) if names and names[0] in Status.__members__ else None


def incident(what: str, error: BaseException | None = None) -> Incident:
    """Logs a bug that showed in ``what`` (the error being handled, if none is given) in full; returns what users are told of it."""
    number = secrets.token_hex(3)
    log.error("incident %s in %s", number, what, exc_info=True if error is None else error)
    return Incident(number)


def as_volley_error(error: Exception) -> VolleyError:
    """``error`` itself if it is meant for people; of anything else, an incident in the log."""
    return error if isinstance(error, VolleyError) else incident("a call", error)


def _fit(message: str, copies: int) -> str:
    """``message``, cut where ``copies`` of it (the first percent-encoded, the others in base 64) would not fit the metadata."""
    if _cost(message, copies) <= MAX_METADATA_BYTES:
        return message
    fits, too_long = 0, len(message)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        fits, too_long = (middle, too_long) if _cost(message[:middle] + "…", copies) <= MAX_METADATA_BYTES else (fits, middle)
    return message[:fits] + "…"


def _cost(message: str, copies: int) -> int:
    encoded = message.encode("utf-8", "replace")
    escaped = sum(1 for byte in encoded if not 0x20 <= byte < 0x7F or byte == 0x25)
    return len(encoded) + 2 * escaped + (copies - 1) * (len(encoded) * 4 // 3 + 4)
