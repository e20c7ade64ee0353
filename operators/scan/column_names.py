"""Names of columns as the kernel takes them. Pure."""

from __future__ import annotations

import string
from collections.abc import Sequence

FILE_INDEX = "file_index"
FILE_ROW_NUMBER = "file_row_number"
"""What the kernel's readers call the number of a file and of a row in it: unless the file has a column of that name."""

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def folded(name: str) -> str:
    """Equal for names that are one to the kernel: it sees no difference between capital and small letters of ASCII, and only of those."""
    return name.translate(_ASCII_LOWER)


def unnamed(names: Sequence[str]) -> str | None:
    """Says which of a file's columns the kernel must give a name of its own making, and why; None if there is none such."""
    seen: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if not name:
            return f"column {position} has no name"
        first = seen.setdefault(folded(name), position)
        if first != position:
            return f"columns {first} and {position} are both called '{names[first - 1]}'"
    return None


def possibly_renamed(names: Sequence[str]) -> list[tuple[str, str]]:
    """Those of the kernel's names for columns that it may have made of another one which was taken, each with the one that took it."""
    taken = {folded(name): name for name in names}
    found = []
    for name in names:
        stem, separator, number = name.rpartition("_")
        if separator and number.isdecimal() and folded(stem) in taken:
            found.append((name, taken[folded(stem)]))
    return found
