"""What the kernel is taught: names of Volley's in place of its own, and ``date_bin``, which tools of PostgreSQL send."""

from __future__ import annotations

from collections.abc import Iterator

from planner.catalog import CATALOG_NAME, SCHEMA_NAME
from planner.quoting import quote_name, quote_text

USER_NAME = CATALOG_NAME
"""Who everybody is, as nobody has to say who they are."""
_USERS = ("current_user", "session_user", "user", "current_role")

_WIDTH = "epoch_us(CAST(stride AS INTERVAL))"
_CHECKED_WIDTH = f"""CASE
    WHEN datepart('year', CAST(stride AS INTERVAL)) <> 0 OR datepart('month', CAST(stride AS INTERVAL)) <> 0
        THEN error('date_bin takes no stride of months or years: write time_bucket')
    WHEN {_WIDTH} <= 0 THEN error('date_bin takes a stride that is greater than zero')
    ELSE {_WIDTH} END"""


def macros() -> Iterator[str]:
    """The statements that make them."""
    # The kernel's own answers name its database, which is nothing that a client could ask of.
    yield f"CREATE MACRO current_database() AS {quote_text(CATALOG_NAME)}"
    yield f"CREATE MACRO current_catalog() AS {quote_text(CATALOG_NAME)}"
    yield f"CREATE MACRO current_schemas(_) AS [{quote_text(SCHEMA_NAME)}]"
    for name in _USERS:
        yield f"CREATE MACRO {quote_name(name)}() AS {quote_text(USER_NAME)}"
    # The CASE that is never true has source and origin be of one type, so that an origin without a zone is in the session's.
    since = "epoch_us(CASE WHEN false THEN origin ELSE source END) - epoch_us(CASE WHEN false THEN source ELSE origin END)"
    yield f"CREATE MACRO date_bin(stride, source) AS {_binned('epoch_us(source)')}, (stride, source, origin) AS {_binned(since)}"


def _binned(microseconds: str) -> str:
    """As in PostgreSQL: ``source`` less what lies behind the last multiple of the stride, which has as many microseconds on every day.

    Counted from the epoch, as a moment of the source's type: of nanoseconds no rest stays.
    """
    epoch = "date_trunc('second', source - to_microseconds(epoch_us(source)) + INTERVAL 500 MILLISECONDS)"
    behind = f"((({microseconds}) % ({_CHECKED_WIDTH}) + {_WIDTH}) % {_WIDTH})"
    return f"{epoch} + to_microseconds(epoch_us(source) - {behind})"
