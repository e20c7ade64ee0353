"""Tables, as ``table.list`` and Flight SQL's catalogs tell of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import pyarrow as pa

from flight_server.protocol.like import like
from flight_server.protocol.messages import ColumnStatus, TableListRequest, TableStatus
from operators.scan.catalog import CatalogSession, FileCatalog
from planner.errors import VolleyError

log = logging.getLogger(__name__)


class TableListing:
    """What the catalog's tables are. Thread-safe."""

    def __init__(self, catalog: FileCatalog) -> None:
        self._catalog = catalog

    def tables(self, request: TableListRequest) -> list[TableStatus]:
        """The tables whose names match, by name; files are opened only for details."""
        catalog = self._catalog.session()
        names = _matching(catalog, request.pattern)
        if not request.details:
            return [TableStatus(name) for name in names]
        return [status for name in names if (status := self._describe(catalog, name)) is not None]

    def schemas(self, pattern: str | None) -> Iterator[tuple[str, pa.Schema | None]]:
        """The tables whose names match, by name, each with the schema of ``SELECT *``; None for one that cannot be read."""
        catalog = self._catalog.session()
        for name in _matching(catalog, pattern):
            try:
                table = catalog.table(name, quoted=True)
                if table is not None:  # else it went between the listing and now
                    yield name, catalog.result_schema("SELECT * FROM relation", {"relation": catalog.columns(table)})
            except VolleyError as error:
                log.warning("table %s is listed without columns: %s", name, error)
                yield name, None

    @staticmethod
    def _describe(catalog: CatalogSession, name: str) -> TableStatus | None:
        details = catalog.describe(name)
        if details is None:  # it went between the listing and now
            return None
        columns = [ColumnStatus(column.name, column.type) for column in details.columns]
        return TableStatus(details.name, details.connection, columns, details.rows, details.files, details.bytes, details.error)


def _matching(catalog: CatalogSession, pattern: str | None) -> Sequence[str]:
    names = catalog.table_names()
    if pattern is None:
        return names
    wanted = like(pattern)
    return [name for name in names if wanted.fullmatch(name)]
