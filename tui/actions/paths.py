"""Completes the name of a file as a shell does: first what all candidates share, then one after another."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

MAX_LISTED = 10_000  # names of one folder that are looked at


def complete_path(text: str, position: int) -> Sequence[tuple[str, int]]:
    """Replacements for ``text`` with the caret at ``position``, each with its own caret; none where no file begins like that.

    Folders end in a slash. Hidden files come only when their dot has been typed.
    """
    folder, begun = os.path.split(text[:position])
    names = sorted(name for name in _names(folder) if name.startswith(begun) and (begun or not name.startswith(".")))
    shared = _shared(names[0], names[-1]) if names else ""
    wanted = [shared] if len(shared) > len(begun) else names
    heads = [os.path.join(folder, name) for name in wanted]
    return [(head + text[position:], len(head)) for head in heads]


def _shared(first: str, last: str) -> str:
    """What all names begin with, of which these are the first and the last in order."""
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(letter for letter, _ in pairs)


def _names(folder: str) -> list[str]:
    try:
        with os.scandir(Path(folder or ".").expanduser()) as entries:
            return [entry.name + ("/" if entry.is_dir() else "") for entry in itertools.islice(entries, MAX_LISTED)]
    except OSError:
        return []
