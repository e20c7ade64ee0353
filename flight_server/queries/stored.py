"""Queries of which only the result is left: what its manifest says of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from flight_server.errors import shorten
from flight_server.protocol.messages import LINE_SQL_CHARS, QueryLine, QueryStatus, ResultSize, ResultStatus, RowGroupStatus, decode
from operators.results.results import ResultManifest

MAX_REMEMBERED = 10_000
"""Queries of which it is known that the log has told; it may tell of them again once there are more."""

Told = TypeVar("Told", QueryLine, QueryStatus)

log = logging.getLogger(__name__)


class StoredQueries:
    """Reads what manifests keep. A status that another version wrote so that it cannot be read now is logged once. Thread-safe."""

    def __init__(self) -> None:
        self._unreadable: set[str] = set()
        self._lock = threading.Lock()

    def lines(self, manifests: Iterable[ResultManifest]) -> Iterator[QueryLine]:
        """A line for each, made when it is asked for; also where the status cannot be read: then it has what the manifest itself knows."""
        return map(self._line, manifests)

    def status(self, manifest: ResultManifest) -> QueryStatus:
        """All that is known of one, also where its status cannot be read."""
        status = self._told(manifest, QueryStatus)
        status.result = ResultStatus(
            rows=manifest.rows_total,
            bytes=manifest.bytes_total,
            row_groups=[
                RowGroupStatus(file=number, row_group=index, rows=rows)
                for number, file in enumerate(manifest.files)
                for index, rows in enumerate(file.rows)
            ],
            closed=True,
            expires_at=manifest.expires_at,
        )
        return status

    def _line(self, manifest: ResultManifest) -> QueryLine:
        line = self._told(manifest, QueryLine)
        line.sql = shorten(line.sql, LINE_SQL_CHARS)
        line.result = ResultSize(manifest.rows_total, manifest.bytes_total, True, manifest.expires_at)
        return line

    def _told(self, manifest: ResultManifest, kind: type[Told]) -> Told:
        try:
            return decode(manifest.status.encode(), kind)
        except (msgspec.MsgspecError, UnicodeError) as error:
            with self._lock:
                new = manifest.query_id not in self._unreadable
                if len(self._unreadable) == MAX_REMEMBERED:
                    self._unreadable.clear()
                self._unreadable.add(manifest.query_id)
            if new:
                log.warning("the stored status of query %s cannot be read, its result can: %s", manifest.query_id, error)
            # What the manifest knows of its query beside the status.
            return kind(
                query_id=manifest.query_id,
                sql=manifest.sql,
                state="completed",
                owner=manifest.owner,
                submitted_at=manifest.created_at,
                ended_at=manifest.completed_at,
                progress=1.0,
            )
