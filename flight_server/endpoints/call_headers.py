"""What the headers of a call say, looked at once for each call: who calls, in which session, into how many parts, and how far ahead."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow.flight as flight

from flight_server.endpoints.credentials import UncheckedCallers
from flight_server.endpoints.parts import PARTS_HEADER
from flight_server.protocol.messages import AHEAD_HEADER, SESSION_COOKIE

CALL_HEADERS = "call-headers"
"""The middleware's name."""


class CallHeaders(flight.ServerMiddleware):  # type: ignore[misc, unused-ignore]
    """What one call's headers said. ``answer`` goes back as ``authorization``, to who sent a name and a password."""

    def __init__(self, session_id: str | None, parts: str | None, ahead: str | None, answer: str | None) -> None:
        self.session_id = session_id
        self.parts = parts
        self.ahead = ahead
        self.answer = answer

    def sending_headers(self) -> dict[str, str]:
        """The headers of the answer."""
        return {} if self.answer is None else {"authorization": self.answer}


class CallHeadersReader(flight.ServerMiddlewareFactory):  # type: ignore[misc, unused-ignore]
    """Reads the headers of each call. Raises what :class:`UncheckedCallers` raises."""

    def __init__(self, callers: UncheckedCallers) -> None:
        self._callers = callers

    def start_call(self, info: flight.CallInfo, headers: Mapping[str, list[str]]) -> CallHeaders | None:
        """At the beginning of each call; None where there is nothing to remember, as at most."""
        authorization, cookies = headers.get("authorization"), headers.get("cookie")
        parts, ahead = headers.get(PARTS_HEADER), headers.get(AHEAD_HEADER)
        if not authorization and not cookies and not parts and not ahead:
            return None
        answer = self._callers.admit(str(authorization[0])) if authorization else None
        return CallHeaders(_session(cookies or []), str(parts[0]) if parts else None, str(ahead[0]) if ahead else None, answer)


def headers_of(context: flight.ServerCallContext) -> CallHeaders:
    """What a call's headers said."""
    found: CallHeaders | None = context.get_middleware(CALL_HEADERS)
    return _NOTHING if found is None else found


_NOTHING = CallHeaders(None, None, None, None)


def _session(cookies: list[str]) -> str | None:
    for header in cookies:
        for part in str(header).split(";"):
            name, _, value = part.strip().partition("=")
            if name == SESSION_COOKIE and value:
                return value.strip('"')
    return None
