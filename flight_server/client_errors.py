"""From what pyarrow raises to what people read: the status of a failed call and the server's own words, without gRPC's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pyarrow as pa
import pyarrow.flight as flight

from flight_server.errors import ClientError
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
_NOISE = re.compile(
    r"(\. )?(Detail: Python exception:.*|gRPC client debug context:.*|Client context:.*|Detail: (Failed|Cancelled|Unavailable|Internal"
    r"|Unauthenticated|Unauthorized|TimedOut|Timed Out)\.?)$",
    re.DOTALL,
)
_PREFIX = re.compile(r"^(Flight (returned|error|cancelled call)[^:]*, with message: |Flight returned [a-z ]+ error, with message: )")


def from_flight_error(error: BaseException, uri: str) -> ClientError:
    """The ``ClientError`` for what a Flight call raised. ``uri`` is named where the server could not be reached."""
    if isinstance(error, ClientError):
        return error
    status = next((status for kind, status in _BY_TYPE if isinstance(error, kind)), Status.INTERNAL)
    text = clean_message(str(error))
    if status is Status.UNAVAILABLE and _unreachable(text):
        return ClientError(
            f"cannot reach a server at {uri}", status=status, remedy="is one running there? start one with `flight serve`"
        )
    return ClientError(text or status.name.lower().replace("_", " "), status=status)


def clean_message(text: str) -> str:
    """The server's words in an error of pyarrow's."""
    return _NOISE.sub("", _PREFIX.sub("", text)).strip()


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


def _unreachable(text: str) -> bool:
    return bool(re.search(r"failed to connect|connection refused|dns resolution|no route|handshake|tls|timed? ?out", text, re.IGNORECASE))
