"""Sessions: what a client has said once, for all of its statements to come.

A session is known by the cookie ``arrow_flight_session_id``, as Arrow's own servers have it: JDBC keeps cookies, ADBC does where it is
told to. It is offered with GetSqlInfo, which drivers ask when they connect, and with each answer about options. Clients that send none
can set what is so anyway; anything else might be forgotten at once, and is refused.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from typing import Any

from cachetools import LRUCache

from flight_server.protocol import flight_sql_pb2 as pb
from flight_server.protocol.any_message import parse
from flight_server.protocol.service import DEFAULT_SETTINGS, StatementSettings
from flight_server.settings.quantities import parse_seconds
from planner.catalog import CATALOG_NAME, SCHEMA_NAME
from planner.options import Distribution
from planner.session import TIME_ZONE, is_time_zone

COOKIE = "arrow_flight_session_id"
MAX_SESSIONS = 16_384
FIXED = {"catalog": CATALOG_NAME, "schema": SCHEMA_NAME, "timezone": TIME_ZONE}
"""Options that are the same for everybody."""


def new_cookie() -> str:
    """The value of ``set-cookie`` that begins a session."""
    return f"{COOKIE}={secrets.token_hex(16)}"


class Sessions:
    """The settings of all sessions that have any, at most ``limit``: then the longest unused one is forgotten. Thread-safe."""

    def __init__(self, limit: int = MAX_SESSIONS) -> None:
        self._lock = threading.Lock()
        self._settings: LRUCache[str, StatementSettings] = LRUCache(limit)

    def settings(self, session_id: str | None) -> StatementSettings:
        """How statements of a session are to run."""
        if session_id is None:
            return DEFAULT_SETTINGS
        with self._lock:
            return self._settings.get(session_id, DEFAULT_SETTINGS)

    def set_options(self, body: bytes, session_id: str | None) -> bytes:
        """Answers SetSessionOptions. Raises ``BadRequest``."""
        answer = pb.SetSessionOptionsResult()
        before = settings = self.settings(session_id)
        for name, value in parse(body, pb.SetSessionOptionsRequest).session_options.items():
            if name in FIXED:
                if not _is_so(name, value):
                    answer.errors[name].value = pb.SetSessionOptionsResult.INVALID_VALUE
            elif name in _SETTINGS:
                try:
                    changed = _SETTINGS[name](settings, value)
                except ValueError:
                    answer.errors[name].value = pb.SetSessionOptionsResult.INVALID_VALUE
                    continue
                if changed != settings and session_id is None:
                    answer.errors[name].value = pb.SetSessionOptionsResult.ERROR
                    continue
                settings = changed
            else:
                answer.errors[name].value = pb.SetSessionOptionsResult.INVALID_NAME
        if session_id is not None and settings != before:
            with self._lock:
                self._settings[session_id] = settings
        written: bytes = answer.SerializeToString()
        return written

    def options(self, session_id: str | None) -> bytes:
        """Answers GetSessionOptions."""
        answer = pb.GetSessionOptionsResult()
        settings = self.settings(session_id)
        for name, value in FIXED.items():
            answer.session_options[name].string_value = value
        answer.session_options["statement_timeout"].double_value = settings.seconds or 0.0
        answer.session_options["distribute"].string_value = settings.distribute
        body: bytes = answer.SerializeToString()
        return body

    def close(self, session_id: str | None) -> bytes:
        """Answers CloseSession."""
        if session_id is not None:
            with self._lock:
                self._settings.pop(session_id, None)
        body: bytes = pb.CloseSessionResult(status=pb.CloseSessionResult.CLOSED).SerializeToString()
        return body


def _is_so(name: str, value: Any) -> bool:
    """Whether an option is set to what it is, or back to what it was without."""
    kind = value.WhichOneof("option_value")
    if kind is None:
        return True
    return kind == "string_value" and (value.string_value == FIXED[name] or (name == "timezone" and is_time_zone(value.string_value)))


def _with_timeout(settings: StatementSettings, value: Any) -> StatementSettings:
    kind = value.WhichOneof("option_value")
    match kind:
        case None:
            seconds = 0.0
        case "string_value":
            seconds = parse_seconds(value.string_value)
        case "int64_value" | "double_value":
            seconds = float(getattr(value, kind))
        case _:
            raise ValueError(f"a time-out is no {kind}")
    if not 0 <= seconds < float("inf"):
        raise ValueError("a time-out is no such number")
    return replace(settings, seconds=seconds or None)


def _with_distribution(settings: StatementSettings, value: Any) -> StatementSettings:
    kind = value.WhichOneof("option_value")
    wanted = _DISTRIBUTIONS.get("auto" if kind is None else value.string_value)
    if wanted is None:
        raise ValueError("there is no such way to distribute")
    return replace(settings, distribute=wanted)


_DISTRIBUTIONS: dict[str, Distribution] = {"auto": "auto", "always": "always", "never": "never"}
_SETTINGS = {"statement_timeout": _with_timeout, "distribute": _with_distribution}
