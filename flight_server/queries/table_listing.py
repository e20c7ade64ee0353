"""Tables, as ``table.list`` and Flight SQL's catalogs tell of them."""

from __future__ import annotations

import pyarrow as pa

from flight_server.protocol.like import like
from flight_server.protocol.messages import ColumnStatus, TableListRequest, TableStatus
from operators.scan.catalog import FileCatalog


class TableListing:
    """What the catalog's tables are. Thread-safe."""

    def __init__(self, catalog: FileCatalog) -> None:
        self._catalog = catalog

    def tables(self, request: TableListRequest) -> list[TableStatus]:
        """The tables whose names match, by name; files are opened only for details."""
        catalog = self._catalog.session()
        names = catalog.table_names()
        if request.pattern is not None:
            wanted = like(request.pattern)
            names = [name for name in names if wanted.fullmatch(name)]
        if not request.details:
            return [TableStatus(name) for name in names]
        return [status for name in names if (status := self._describe(catalog, name)) is not None]

    def schema(self, name: str) -> pa.Schema | None:
        """The schema of ``SELECT * FROM "name"``, or None if there is no such table."""
        catalog = self._catalog.session()
        table = catalog.table(name, quoted=True)
        if table is None:
            return None
        return catalog.result_schema("SELECT * FROM relation", {"relation": catalog.columns(table)})

    @staticmethod
    def _describe(catalog: FileCatalog, name: str) -> TableStatus | None:
        details = catalog.describe(name)
        if details is None:  # it went between the listing and now
            return None
        columns = [ColumnStatus(column.name, column.type) for column in details.columns]
        return TableStatus(details.name, details.connection, columns, details.rows, details.files, details.bytes, details.error)
