"""What stands under a table's name in the data roots: its one file or folder, or an error that names all that share the name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from operators.errors import AmbiguousTable
from operators.scan.listings import Listings
from operators.scan.table_files import extension, make_table, packed, read_files, table_name
from operators.storage import StoredFile
from operators.storage.backend import hidden
from planner.catalog import Table
from planner.quoting import quote_name

MAX_FOLDERS_LOOKED_INTO = 1_000
"""Of folders that nobody has said to be data, so many are looked into for a list of tables; each is there by its name all the same."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A data file of a root, or (``file`` None) a folder that may hold some.

    ``path`` is ``connection:key``, a folder's ends with ``/``; partitions count below ``base``.
    """

    name: str
    path: str
    base: str
    file: StoredFile | None = None


class DataRoots:
    """The tables of ``roots`` (``connection:folder/``, or a file), as ``listings`` has them. What no two share is nobody else's trouble.

    ``shallow``: nobody has said that the roots are data; they may be somebody's home. A folder in them is listed only where data, or
    a partition, is directly in it, and looked through only when it is asked for.
    """

    def __init__(self, listings: Listings, roots: Sequence[str], *, shallow: bool = False) -> None:
        self._listings = listings
        self._roots = roots
        self._shallow = shallow

    @property
    def names(self) -> set[str]:
        """The names of all tables, and of folders that hold no data yet, unless they are ``shallow``."""
        files = {entry.name for entry in self._entries if entry.file is not None}
        folders = [entry for entry in self._entries if entry.file is None]
        if self._shallow:
            folders = [entry for entry in folders[:MAX_FOLDERS_LOOKED_INTO] if self._looks_like_data(entry)]
        return files | {entry.name for entry in folders}

    def table(self, name: str, *, exact: bool) -> Table | None:
        """The table of that name, in any case unless ``exact``; None where nothing of that name has data.

        Raises ``AmbiguousTable`` where several have.
        """
        folded = name.lower()
        entries = [entry for entry in self._entries if entry.name == name or (not exact and entry.name.lower() == folded)]
        held = [entry for entry in entries if self._has_data(entry)] if len(entries) > 1 else entries
        if len(held) > 1:
            raise _ambiguous(name, held)
        return self._table(held[0]) if held else None

    def files_without_format(self, name: str) -> list[str]:
        """Paths of files called ``name`` up to their first dot whose suffix says no format."""
        folders = [self._listings.folder(root) for root in self._roots if root.endswith((":", "/"))]
        keys = [(file, file.key.rpartition("/")[2]) for folder in folders for file in folder.files]
        return [file.path for file, key in keys if key.partition(".")[0].lower() == name.lower() and extension(key) is None]

    @cached_property
    def _entries(self) -> tuple[Entry, ...]:
        return tuple(entry for root in self._roots for entry in self._entries_of(root))

    def _entries_of(self, root: str) -> Iterator[Entry]:
        if not root.endswith((":", "/")):
            yield from self._file_entry(root)
            return
        found = self._listings.folder(root)
        for file in found.files:
            name = file.key.rpartition("/")[2]
            if extension(name) is not None and not hidden(name):
                yield Entry(table_name(name), file.path, root, file)
        connection = root.partition(":")[0]
        for folder in found.folders:
            name = folder.rstrip("/").rpartition("/")[2]
            if not hidden(name):
                path = f"{connection}:{folder}"
                yield Entry(name, path, path)

    def _file_entry(self, root: str) -> Iterator[Entry]:
        """Of a root that is a file: it was named, so that it may be called as it likes."""
        connection, _, key = root.partition(":")
        folder, separator, name = key.rpartition("/")
        base = f"{connection}:{folder}{separator}"
        for file in self._listings.folder(base).files:
            if file.key == key:
                yield Entry(table_name(name), file.path, base, file)

    def _looks_like_data(self, entry: Entry) -> bool:
        found = self._listings.folder(entry.path)
        partitioned = any("=" in folder.rstrip("/").rpartition("/")[2] for folder in found.folders)
        return partitioned or any(extension(file.key) is not None and not hidden(file.key.rpartition("/")[2]) for file in found.files)

    def _has_data(self, entry: Entry) -> bool:
        return any(extension(file.key) is not None or packed(file.key) for file in self._files(entry))

    def _table(self, entry: Entry) -> Table | None:
        return make_table(entry.name, self._files(entry), entry.base)

    def _files(self, entry: Entry) -> Sequence[StoredFile]:
        return self._listings.below(entry.path) if entry.file is None else [entry.file]


def _ambiguous(name: str, entries: Sequence[Entry]) -> AmbiguousTable:
    spellings = sorted({entry.name for entry in entries})
    if len(spellings) > 1:
        remedy = f"Write {' or '.join(map(quote_name, spellings))}, in double quotes as it is spelled."
    else:
        remedy = (
            f"Read one of them with {' or '.join(read_files(entry.path) for entry in entries)}, rename one, "
            "or say which one it is under [tables] in the configuration."
        )
    return ambiguous(name, [entry.path for entry in entries], remedy)


def ambiguous(name: str, meanings: Sequence[str], remedy: str) -> AmbiguousTable:
    """The error for a name that means several things, of which it names two and counts the others."""
    others = f" (and {len(meanings) - 2} more)" if len(meanings) > 2 else ""
    return AmbiguousTable(f"'{name}' means both {meanings[0]} and {meanings[1]}{others}", remedy=remedy)
