"""What can be wrong at the Flight face, as a tree below ``planner.errors.VolleyError``.

ServerError
├── BadRequest           a ticket, a command or an action's body is malformed
├── UnknownQuery         no such query, or it is somebody else's, or its result has expired
├── UnknownHandle        no such prepared statement (it was closed, or the server restarted)
├── UnknownAction        no such action, or a command that Volley does not serve
├── PortInUse            another server listens there already
└── ServerClosing        the server drains and takes no new queries
ClientError              what a client of ours was told, or that it could not be told anything
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.errors import Status, VolleyError


class ServerError(VolleyError):
    """Something is wrong with a request, as the Flight face sees it."""


class BadRequest(ServerError):
    """The request is malformed."""

    status = Status.INVALID_ARGUMENT


class UnknownQuery(ServerError):
    """No query of that id that the caller may see."""

    status = Status.NOT_FOUND

    def __init__(self, query_id: str) -> None:
        super().__init__(
            f"there is no query {shorten(query_id)!r}",
            remedy="its result may have expired; `flight queries` lists what there is",
        )


class UnknownHandle(ServerError):
    """No prepared statement of that handle."""

    status = Status.NOT_FOUND


class UnknownAction(ServerError):
    """Volley does not serve that."""

    status = Status.UNIMPLEMENTED


class UnknownExchange(ServerError):
    """No exchange of that name is there to be looked at. ``phase`` is the query's, ``names`` are the exchanges that it has."""

    status = Status.NOT_FOUND

    def __init__(self, exchange: str, phase: str, names: Sequence[str]) -> None:
        remedy = f"it has {', '.join(names)}" if names else "exchanges are there while a query runs"
        super().__init__(f"the query, which is {phase}, has no exchange {shorten(exchange)!r}", remedy=remedy)


class NoRoom(ServerError):
    """The server runs as many queries as it may, and as many wait as may."""

    status = Status.RESOURCE_EXHAUSTED

    def __init__(self, running: int, waiting: int) -> None:
        super().__init__(
            f"no room for another query: {running} run and {waiting} wait already",
            remedy="try again when some have ended, or raise `queries` and `queue` in [limits]",
        )


class QueryKilled(ServerError):
    """The query was stopped before its end; ``reason`` says by whom and why."""

    status = Status.CANCELLED

    def __init__(self, reason: str, *, remedy: str | None = None) -> None:
        super().__init__(f"the query was stopped: {reason}", remedy=remedy)


class InternalError(ServerError):
    """A bug. The message has nothing but the number under which the log tells more."""

    status = Status.INTERNAL

    def __init__(self, number: str) -> None:
        super().__init__(f"internal error, incident {number}; see the server's log")


class PortInUse(ServerError):
    """The port is taken."""

    status = Status.UNAVAILABLE

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"port {port} of {host} is in use by another program",
            remedy="stop it, or choose another port with --port (0 picks a free one)",
        )


class ServerClosing(ServerError):
    """The server is on its way down."""

    status = Status.UNAVAILABLE


class ClientError(VolleyError):
    """A call failed. ``status`` says how, ``str(error)`` why, in words for people."""

    def __init__(self, message: str, *, status: Status, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


MAX_SHOWN_CHARS = 80


def shorten(text: str, limit: int = MAX_SHOWN_CHARS) -> str:
    """``text``, or its beginning and an ellipsis: what clients send is quoted to them, but never at any length."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
