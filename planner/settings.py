"""The settings that a statement may name: what each of them is, and which values ask for what is so anyway."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from planner.catalog import SCHEMA_NAME, SCHEMA_PREFIXES
from planner.words import words

TIME_ZONE = "timezone"
TIMEOUT = "statement_timeout"
SEARCH_PATH = words("search_path schema")

_SCHEMAS = frozenset(".".join(prefix) for prefix in SCHEMA_PREFIXES)
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|s|sec|min|m|h|d)?")
MAX_TIMEOUT_SECONDS = float((1 << 31) - 1)


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that is the same for everybody. ``accepts`` gets what it is to be set to, in lower case; ``refusal`` says why not else."""

    value: str
    accepts: Callable[[str], bool]
    refusal: str


def _among(listed: str) -> Callable[[str], bool]:
    return words(listed).__contains__


def _names_a_schema(value: str) -> bool:
    # As in PostgreSQL, schemas that are not there are passed over.
    return not _SCHEMAS.isdisjoint(part.strip(" \"'") for part in value.split(","))


def _anything(_value: str) -> bool:
    return True


_NO_SCHEMA = "there is no such catalog or schema"
_READ_COMMITTED = "each statement reads the files as they are when it is planned"

SETTINGS = {
    "search_path": Setting(SCHEMA_NAME, _names_a_schema, _NO_SCHEMA),
    "schema": Setting(SCHEMA_NAME, _names_a_schema, _NO_SCHEMA),
    "client_encoding": Setting("UTF8", _among("utf8 utf-8 unicode utf8mb4"), "all text is UTF-8"),
    "server_encoding": Setting("UTF8", _among("utf8 utf-8 unicode"), "all text is UTF-8"),
    "application_name": Setting("", _anything, ""),
    "extra_float_digits": Setting("1", _among("1 2 3"), "floating-point numbers are always written exactly"),
    "standard_conforming_strings": Setting("on", _among("on true yes 1"), "a backslash in '…' is one, as the standard has it"),
    "datestyle": Setting("ISO, MDY", lambda value: value.partition(",")[0].strip() == "iso", "dates are written as 2024-12-31"),
    "intervalstyle": Setting("postgres", _among("postgres"), "intervals are written as 1 year 2 months"),
    "default_transaction_isolation": Setting("read committed", {"read committed", "read uncommitted"}.__contains__, _READ_COMMITTED),
    "default_transaction_read_only": Setting("on", _among("on true yes 1"), "this server is read-only"),
    "transaction_isolation": Setting("read committed", {"read committed", "read uncommitted"}.__contains__, _READ_COMMITTED),
    "transaction_read_only": Setting("on", _among("on true yes 1"), "this server is read-only"),
    "lock_timeout": Setting("0", _among("0 0s 0ms"), "nothing is locked that could be waited for"),
}
"""Those that are the same for everybody, by name in lower case."""

SESSION_SETTINGS = (TIME_ZONE, TIMEOUT)
"""Those that a session can have of its own."""

KNOWN_SETTINGS: Collection[str] = (*SESSION_SETTINGS, *SETTINGS)


def timeout_seconds(written: str) -> float | None:
    """A time-out as PostgreSQL reads it: a bare number counts milliseconds. 0 is none. None where it is no time."""
    found = _DURATION.fullmatch(written.strip())
    if found is None:
        return None
    seconds = float(found[1]) * _SECONDS[found[2] or "ms"]
    return seconds if seconds <= MAX_TIMEOUT_SECONDS else None


def timeout_text(seconds: float) -> str:
    """A time-out as SHOW tells it."""
    return "0" if not seconds else f"{seconds:.0f}s" if seconds == int(seconds) else f"{round(seconds * 1_000)}ms"
