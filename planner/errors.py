"""What can be wrong with a request, as a tree.

VolleyError                 anything that a user is told; knows its status and its remedy
├── PlannerError            the statement cannot be planned
│   ├── SqlSyntaxError      it does not parse
│   ├── LimitExceeded       it is longer or deeper than the server accepts
│   ├── UnknownTable        no such table
│   ├── UnknownColumn       no such column, or an ambiguous one
│   ├── InvalidQuery        it parses, but means nothing (types, arguments, grouping …)
│   ├── NotReadOnly         it would change something
│   ├── NotSupported        it is valid SQL which Volley does not run
│   └── AccessRefused       it reaches for a file, the environment or a setting
├── (operators.errors)      a file, the kernel, a lease, an exchange, a result
└── (flight_server.errors)  a ticket, the room, a worker, a query that was killed
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Status(enum.Enum):
    """The gRPC status with which an error travels to a client."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    CANCELLED = "CANCELLED"
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a SQL text: line and column count from 1, columns in characters."""

    line: int
    column: int


def position_at(sql: str, offset: int) -> Position:
    """Line and column of a character of ``sql``."""
    return Position(sql.count("\n", 0, offset) + 1, offset - sql.rfind("\n", 0, offset))


class VolleyError(Exception):
    """An error with a message for people: what is wrong, where, and what to do about it.

    ``str(error)`` is what a client sees: it holds no traceback and no path of the server.
    """

    status: Status = Status.INTERNAL

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(message)

    def __str__(self) -> str:
        return self.message if self.remedy is None else f"{self.message}\n{self.remedy}"


class PlannerError(VolleyError):
    """A statement that cannot be planned; shows the line and a caret where the place is known."""

    status = Status.INVALID_ARGUMENT

    def __init__(
        self,
        message: str,
        *,
        sql: str | None = None,
        position: Position | None = None,
        length: int = 1,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.position = position
        self.excerpt = None if sql is None or position is None else caret(sql, position, length)

    def __str__(self) -> str:
        parts = [self.message]
        if self.position is not None:
            parts[0] += f" (line {self.position.line}, column {self.position.column})"
        if self.excerpt is not None:
            parts.append(self.excerpt)
        if self.remedy is not None:
            parts.append(self.remedy)
        return "\n".join(parts)


class SqlSyntaxError(PlannerError):
    """The text does not parse."""


class LimitExceeded(PlannerError):
    """The text is longer, deeper or has more terms than the server accepts."""


class UnknownTable(PlannerError):
    """No table has that name."""

    status = Status.NOT_FOUND


class UnknownColumn(PlannerError):
    """No column in scope has that name."""


class InvalidQuery(PlannerError):
    """The statement parses but has no meaning."""


class NotReadOnly(PlannerError):
    """The statement would change something, and this version allows no writes."""

    status = Status.UNIMPLEMENTED


class NotSupported(PlannerError):
    """The statement is valid SQL which Volley does not run."""

    status = Status.UNIMPLEMENTED


class AccessRefused(PlannerError):
    """The statement reaches for something outside the connections."""


MAX_EXCERPT_CHARS = 160


def caret(sql: str, position: Position, length: int = 1) -> str | None:
    """The line of ``sql`` at ``position`` with carets under ``length`` characters; None if there is no such line."""
    lines = sql.splitlines()
    if not 1 <= position.line <= len(lines):
        return None
    line = lines[position.line - 1].replace("\t", " ")
    start = max(0, position.column - 1 - MAX_EXCERPT_CHARS // 2)
    shown = line[start : start + MAX_EXCERPT_CHARS]
    offset = position.column - 1 - start
    width = max(1, min(length, len(shown) - offset))
    return f"  {shown}\n  {' ' * offset}{'^' * width}"
