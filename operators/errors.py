"""What can go wrong while a query runs, as a tree below ``planner.errors.VolleyError``.

OperatorError
├── KernelError          the kernel refused or failed on a fragment (conversion, overflow, type …)
│   └── OutOfMemory      it needs more memory or spill than it may have
├── Interrupted          the fragment was stopped from outside
├── FileUnreadable       a data file is corrupt, truncated, vanished or changed; names the file
├── TooManyFiles         a folder or pattern means more files than a table may have; names it
├── SchemaClash          files of one table disagree (format, partitions, a column); names the file
├── AmbiguousTable       a name means several tables; names two of them
├── StorageError         a connection cannot be used; names the connection and the remedy
├── PathRefused          a path leaves the connections
├── StaleLease           an ack or heartbeat from an old epoch
├── AttemptsExhausted    a record failed too often; names record, operator and cause
├── TooManyRecords       an exchange has more records than it may have
├── TooMuchKept          no room for what goes from worker to worker
├── NoSuchResult         there is no result of that query, or not any more
│   └── ResultExpired    there was one, until it expired
├── CursorOutOfRange     a cursor points past the end of a result
├── ResultUnreadable     a result's file is damaged or cannot be read just now
└── ResultTooLarge       a result would be larger than one query may store
"""

from __future__ import annotations

from planner.errors import Status, VolleyError


class OperatorError(VolleyError):
    """Something failed while running."""


class KernelError(OperatorError):
    """The kernel refused or failed on a fragment; the message is the kernel's own, cleaned of paths."""

    status = Status.INVALID_ARGUMENT


class OutOfMemory(KernelError):
    """The kernel needs more memory or spill space than it may have."""

    status = Status.RESOURCE_EXHAUSTED


class Interrupted(OperatorError):
    """The run was stopped from outside."""

    status = Status.CANCELLED


class FileUnreadable(OperatorError):
    """A data file cannot be read as what it should be."""

    status = Status.INVALID_ARGUMENT


class TooManyFiles(OperatorError):
    """A table would have more files than the server keeps in memory for a query."""

    status = Status.RESOURCE_EXHAUSTED


class SchemaClash(OperatorError):
    """Files of one table disagree."""

    status = Status.INVALID_ARGUMENT


class AmbiguousTable(OperatorError):
    """A name means several tables."""

    status = Status.INVALID_ARGUMENT


class StorageError(OperatorError):
    """A connection cannot be used."""

    status = Status.UNAVAILABLE


class StorageAway(StorageError):
    """A connection cannot be used now; later it may."""


class PathRefused(OperatorError):
    """A path leaves the connections."""

    status = Status.INVALID_ARGUMENT


class StaleLease(OperatorError):
    """The lease was lost: the record belongs to somebody else by now."""

    status = Status.UNAVAILABLE


class AttemptsExhausted(OperatorError):
    """A record failed too often."""

    status = Status.UNAVAILABLE


class TooManyRecords(OperatorError):
    """An exchange has more records than it may have."""

    status = Status.RESOURCE_EXHAUSTED


class TooMuchKept(OperatorError):
    """A worker has no room for what its fragments put out for others."""

    status = Status.RESOURCE_EXHAUSTED


class NoSuchResult(OperatorError):
    """There is no result of that query, or not any more."""

    status = Status.NOT_FOUND


class ResultExpired(NoSuchResult):
    """There was a result, until it expired."""


class CursorOutOfRange(OperatorError):
    """A cursor points past the end of a result."""

    status = Status.INVALID_ARGUMENT


class ResultUnreadable(OperatorError):
    """A result's file is damaged, or cannot be read just now."""

    status = Status.UNAVAILABLE


class ResultTooLarge(OperatorError):
    """A result would be larger than one query may store."""

    status = Status.RESOURCE_EXHAUSTED
