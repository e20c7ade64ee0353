"""What a window's frame excludes: a collation of a last item of its ORDER BY stands for it."""

from __future__ import annotations

from planner.errors import SqlSyntaxError
from planner.spellings.draft import Draft

EXCLUSION = "volley_exclude_"
"""How such a collation begins."""
EXCLUDED = {"current": "current row", "group": "group", "ties": "ties", "no": "no others"}
"""What a frame may exclude, by its first word."""


def spell_exclusion(draft: Draft, number: int, frame: int | None, ordered: bool) -> None:
    """EXCLUDE behind a window's frame: ``frame`` is the token with which that began, ``ordered`` whether ORDER BY stands before it."""
    excluded = EXCLUDED.get(draft.text(number + 1))
    if frame is None or excluded is None or draft.text(number - 1) not in ("row", "preceding", "following"):
        return
    last = number + len(excluded.split())
    if " ".join(draft.texts[number + 1 : last + 1]) != excluded:
        remedy = "Write EXCLUDE CURRENT ROW, EXCLUDE GROUP, EXCLUDE TIES or EXCLUDE NO OTHERS."
        raise draft.error(SqlSyntaxError, number, "a window's frame cannot exclude that", remedy)
    draft.replace(number, last, "")
    draft.insert(frame, f"{',' if ordered else 'ORDER BY'} NULL COLLATE {EXCLUSION}{draft.text(number + 1)} ")
