"""Sessions: what a client has said once, for all of its statements to come.

A session is known by the cookie ``arrow_flight_session_id``, as Arrow's own servers have it: JDBC keeps cookies, ADBC does where it is
told to. It is offered with GetSqlInfo, which drivers ask when they connect, and with each answer about options. Clients that send none
can set what is so anyway; anything else might be forgotten at once, and is refused. ``SET`` in a statement is another way to say it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cachetools import LRUCache

from flight_server.protocol import flight_sql_pb2 as pb
from flight_server.protocol.any_message import parse
from flight_server.protocol.messages import SESSION_COOKIE
from flight_server.protocol.service import DEFAULT_SETTINGS, StatementSettings
from flight_server.settings.quantities import parse_seconds
from planner.catalog import CATALOG_NAME, SCHEMA_NAME
from planner.options import Distribution
from planner.physical import SessionChange
from planner.time_zones import UTC

MAX_SESSIONS = 16_384
FIXED = {"catalog": CATALOG_NAME, "schema": SCHEMA_NAME}
"""Options that are the same for everybody."""


def new_cookie() -> str:
    """The value of ``set-cookie`` that begins a session."""
    return f"{SESSION_COOKIE}={secrets.token_hex(16)}"


class Sessions:
    """The settings of all sessions that have any, at most ``limit``: then the longest unused one is forgotten. Thread-safe.

    ``time_zone`` knows the zone of a name, or None.
    """

    def __init__(self, time_zone: Callable[[str], str | None], limit: int = MAX_SESSIONS) -> None:
        self._time_zone = time_zone
        self._lock = threading.Lock()
        self._settings: LRUCache[str, StatementSettings] = LRUCache(limit)
        self._changes = {"timezone": self._with_time_zone, "statement_timeout": _with_timeout, "distribute": _with_distribution}

    def settings(self, session_id: str | None) -> StatementSettings:
        """How statements of a session are to run."""
        if session_id is None:
            return DEFAULT_SETTINGS
        with self._lock:
            known = self._settings.get(session_id, DEFAULT_SETTINGS)
        return replace(known, session_id=session_id)

    def change(self, session_id: str | None, change: SessionChange) -> None:
        """Applies what a statement of a session sets."""
        assert session_id is not None, "only a statement of a session sets something"
        with self._lock:
            settings = self._settings.get(session_id, DEFAULT_SETTINGS)
            if change.time_zone is not None:
                settings = replace(settings, time_zone=change.time_zone)
            if change.timeout_seconds is not None:
                settings = replace(settings, seconds=change.timeout_seconds or None)
            self._settings[session_id] = settings

    def set_options(self, body: bytes, session_id: str | None) -> bytes:
        """Answers SetSessionOptions. Raises ``BadRequest``."""
        answer = pb.SetSessionOptionsResult()
        before = settings = self.settings(session_id)
        for name, value in parse(body, pb.SetSessionOptionsRequest).session_options.items():
            if name in FIXED:
                if not _is_so(name, value):
                    answer.errors[name].value = pb.SetSessionOptionsResult.INVALID_VALUE
            elif name in self._changes:
                try:
                    changed = self._changes[name](settings, value)
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
        answer.session_options["timezone"].string_value = settings.time_zone
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

    def _with_time_zone(self, settings: StatementSettings, value: Any) -> StatementSettings:
        kind = value.WhichOneof("option_value")
        zone = UTC if kind is None else self._time_zone(value.string_value) if kind == "string_value" else None
        if zone is None:
            raise ValueError("there is no such time zone")
        return replace(settings, time_zone=zone)


def _is_so(name: str, value: Any) -> bool:
    """Whether an option is set to what it is, or back to what it was without."""
    kind = value.WhichOneof("option_value")
    if kind is None:
        return True
    return bool(kind == "string_value" and value.string_value == FIXED[name])


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
