"""What storage lists, as one query sees it."""

from __future__ import annotations

from collections.abc import Sequence

from operators.errors import TooManyFiles
from operators.storage import Listing, Storage, StoredFile
from planner.quoting import quote_text

QUERY_FOLDERS = ("results/", "exchange/")
MOST_FILES = 1_000_000
"""A table has no more files: each takes a kilobyte or so while a query is planned."""


class Listings:
    """Lists each folder and each pattern once, at its first use: who asks again sees the same state. For one query, not thread-safe."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._folders: dict[str, Listing] = {}
        self._trees: dict[str, Sequence[StoredFile]] = {}
        self._patterns: dict[str, Sequence[StoredFile]] = {}

    def folder(self, path: str) -> Listing:
        """What is directly in ``connection:folder/``, without what belongs to queries alone."""
        if path not in self._folders:
            found = self._storage.list_folder(path)
            connection = path.partition(":")[0]
            folders = tuple(folder for folder in found.folders if not self._belongs_to_queries(connection, folder))
            self._folders[path] = Listing(found.files, folders)
        return self._folders[path]

    def below(self, path: str) -> Sequence[StoredFile]:
        """All files below ``connection:folder/``, without those that hide or belong to queries."""
        if path not in self._trees:
            connection = path.partition(":")[0]
            found = [file for file in self._storage.list_tree(path) if not self._storage.reserved(connection, file.key)]
            self._trees[path] = _bounded(found, f"below {path}", f"{path}PART/**")
        return self._trees[path]

    def matching(self, pattern: str) -> Sequence[StoredFile]:
        """The files that a pattern names. Raises ``PathRefused`` if it leaves the connections."""
        if pattern not in self._patterns:
            self._patterns[pattern] = _bounded(self._storage.resolve(pattern), f"of {pattern!r}", pattern)
        return self._patterns[pattern]

    def _belongs_to_queries(self, connection: str, folder: str) -> bool:
        """Whether all that a folder holds are results and spill of queries."""
        if folder not in QUERY_FOLDERS:
            return False
        found = self._storage.list_folder(f"{connection}:{folder}")
        return not found.files and all(self._storage.reserved(connection, below) for below in found.folders)


def _bounded(files: Sequence[StoredFile], which: str, pattern: str) -> Sequence[StoredFile]:
    if len(files) > MOST_FILES:
        raise TooManyFiles(
            f"the {len(files):,} files {which} are more than a table may have ({MOST_FILES:,})",
            remedy=f"Read some of them, as with read_files({quote_text(pattern)}) for a folder, or write fewer, larger files.",
        )
    return files
