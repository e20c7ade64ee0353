"""What can be wrong at the Flight face, as a tree below ``planner.errors.VolleyError``.

ServerError
├── BadRequest           a ticket, a command or an action's body is malformed
├── UnknownQuery         no such query, or it is somebody else's, or its result has expired
├── UnknownHandle        no such prepared statement or transaction (it was ended, or the server restarted)
├── UnknownAction        no such action, or a command that Volley does not serve
├── UnknownExchange      no exchange of that name is up
├── NoRoom               as many queries run and wait as may
├── QueryKilled          somebody stopped the query, and why
├── QueryTimedOut        the query ran longer than its client gave it
├── WorkerLost           a worker is gone with what it was needed for
├── PortInUse            another server listens there already
├── ServerClosing        the server drains and takes no new queries
└── Incident             a bug: the log tells more, under its number
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
    """No prepared statement, or no transaction, of that handle."""

    status = Status.NOT_FOUND


class UnknownAction(ServerError):
    """Volley does not serve that."""

    status = Status.UNIMPLEMENTED


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


class NoRoom(ServerError):
    """As many queries run and wait as may."""

    status = Status.RESOURCE_EXHAUSTED

    def __init__(self, running: int, waiting: int) -> None:
        super().__init__(
            f"there is no room for another query: {running} run and {waiting} wait",
            remedy="try again later, or raise limits.queries or limits.queue",
        )


class QueryKilled(ServerError):
    """Somebody stopped the query."""

    status = Status.CANCELLED

    def __init__(self, why: str, remedy: str | None = None) -> None:
        super().__init__(f"the query was stopped: {why}", remedy=remedy)


class QueryTimedOut(ServerError):
    """The query ran longer than its client gave it."""

    status = Status.DEADLINE_EXCEEDED

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the query was stopped: it has taken longer than the {seconds:g} s that its session gives to a statement",
            remedy="set the session's statement_timeout to more, or to 0 for none",
        )


class UnknownExchange(ServerError):
    """No exchange of that name is up (any more). ``phase`` is its query's where that is known, ``names`` are those that are up."""

    status = Status.NOT_FOUND

    def __init__(self, name: str, phase: str | None = None, names: Sequence[str] = ()) -> None:
        remedy = f"its exchanges are: {', '.join(names)}" if names else "exchanges go with their query when it ends"
        where = "there is" if phase is None else f"the query, which is {phase}, has"
        super().__init__(f"{where} no exchange {shorten(name)!r}", remedy=remedy)


class WorkerLost(ServerError):
    """A worker is gone, and what it was needed for cannot be had elsewhere."""

    status = Status.UNAVAILABLE


class Incident(ServerError):
    """A bug. The log has the traceback under ``number``; the client is told only that."""

    def __init__(self, number: str) -> None:
        super().__init__(f"internal error, incident {number}; see the server's log")


class ClientError(VolleyError):
    """A call failed. ``status`` says how, ``str(error)`` why, in words for people."""

    def __init__(self, message: str, *, status: Status, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


MAX_SHOWN_CHARS = 80


def shorten(text: str, limit: int = MAX_SHOWN_CHARS) -> str:
    """``text``, or its beginning and an ellipsis: what clients send is quoted to them, but never at any length."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
