"""Where files are: connections by name, each a root on local disk or in an object store.

The rest of the house knows paths like ``connection:key`` only, and asks :class:`Storage` to list and to read them (``globs`` for
patterns, ``ranges`` joins byte ranges, ``footers`` reads those of Parquet files, ``footer_cache`` keeps them, and
``outlines`` what planning needs of them). What a connection is made of stands in one table,
``kinds``: ``local``, ``s3`` with ``s3_errors``, ``other``; all are a ``backend``.
"""

from operators.storage.backend import Backend, BackendStatistics, ByteRange, Fetched, Listing, StoredFile
from operators.storage.connections import Connection, Secret
from operators.storage.storage import Storage

__all__ = [
    "Backend",
    "BackendStatistics",
    "ByteRange",
    "Connection",
    "Fetched",
    "Listing",
    "Secret",
    "Storage",
    "StoredFile",
]
