"""From what pyarrow raises to what people read: the status of a failed call and the server's own words, without gRPC's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pyarrow as pa
import pyarrow.flight as flight

from flight_server.errors import ClientError
from flight_server.protocol.status import status_of
from planner.errors import Status, VolleyError

_BY_TYPE: tuple[tuple[type[BaseException], Status], ...] = (
    (flight.FlightUnavailableError, Status.UNAVAILABLE),
    (flight.FlightUnauthenticatedError, Status.UNAUTHENTICATED),
    (flight.FlightUnauthorizedError, Status.PERMISSION_DENIED),
    (flight.FlightTimedOutError, Status.DEADLINE_EXCEEDED),
    (flight.FlightCancelledError, Status.CANCELLED),
    (pa.ArrowCancelled, Status.CANCELLED),
    (pa.ArrowKeyError, Status.NOT_FOUND),
    (pa.ArrowNotImplementedError, Status.UNIMPLEMENTED),
    (pa.ArrowInvalid, Status.INVALID_ARGUMENT),
)
_DETAILS = "Failed|Internal|Unavailable|Cancelled|TimedOut|Unauthenticated|Unauthorized"
_NOISE = re.compile(rf"\.? ?(Detail: Python exception:.*|gRPC client debug context:.*|Client context:.*|Detail: ({_DETAILS}))$", re.DOTALL)
_PREFIX = re.compile(r"^(Unknown error: |Flight (returned|error|cancelled|timed)[^:]*, with message: |gRPC returned [^:]*, with message: )")
_WORDED = re.compile(rf"^({'|'.join(Status.__members__)}): ")
_UNREACHABLE = re.compile(
    r"failed to connect|refused|dns|resol|no route|handshake|socket closed|reset|timed? ?out|unavailable$", re.IGNORECASE
)


def from_flight_error(error: BaseException, uri: str) -> ClientError:
    """The ``ClientError`` for what a Flight call raised. ``uri`` is named where the server could not be reached."""
    if isinstance(error, ClientError):
        return error
    text = clean_message(str(error))
    extra_info = getattr(error, "extra_info", None)
    status = status_of(extra_info) or _status_of_type(error)
    if status is Status.INTERNAL:
        # GetSchema can say most statuses only in words.
        status = _worded_status(text) or status
    if status is Status.UNAVAILABLE and not extra_info and _UNREACHABLE.search(text):
        return ClientError(f"cannot reach a server at {uri}", status=status, remedy="is one running there? start one with `flight serve`")
    return ClientError(_WORDED.sub("", text) or status.name.lower().replace("_", " "), status=status)


def clean_message(text: str) -> str:
    """The server's words in an error of pyarrow's."""
    text = _PREFIX.sub("", text)
    while (shorter := _NOISE.sub("", text).strip()) != text:
        text = shorter
    return text


@contextmanager
def translating(uri: str) -> Iterator[None]:
    """Lets only ``VolleyError`` out of a block of Flight calls."""
    try:
        yield
    except VolleyError:
        raise
    except msgspec.MsgspecError as error:
        raise ClientError(f"the server at {uri} does not speak as Volley does: {error}", status=Status.INTERNAL) from error
    except (pa.ArrowException, flight.FlightError, OSError) as error:
        raise from_flight_error(error, uri) from error


def _worded_status(text: str) -> Status | None:
    found = _WORDED.match(text)
    return None if found is None else Status[found[1]]


def _status_of_type(error: BaseException) -> Status:
    return next((status for kind, status in _BY_TYPE if isinstance(error, kind)), Status.INTERNAL)
