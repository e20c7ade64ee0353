"""Statements of a session in the words of PostgreSQL that the parser lacks."""

from __future__ import annotations

from planner.spellings.draft import Draft
from planner.words import words

SESSION_WORDS = words("abort begin start set reset unlisten deallocate close")
"""What they begin with."""
_NO_MORE = ("end", "")


def spell_session(draft: Draft) -> None:
    """``ABORT``, ``SET SCHEMA 'main'``, ``RESET TIME ZONE``, ``BEGIN … DEFERRABLE``, and what lets go of all that nobody holds here."""
    match draft.texts[:3]:
        case ["abort", *_]:
            draft.replacements[0] = "ROLLBACK"
        case ["set", "schema", "'"]:
            draft.insert(2, "TO ")
        case ["set", "session" | "local", "schema"] if draft.is_text(3):
            draft.insert(3, "TO ")
        case ["reset", "time", "zone"]:
            draft.replace(1, 2, "timezone")
        case ["reset", "session", "authorization"]:
            draft.replace(0, 2, "SET SESSION AUTHORIZATION DEFAULT")
        case ["reset", "role", *_]:
            draft.replace(0, 1, "SET ROLE NONE")
        case ["reset", "transaction", "isolation"] if draft.text(3) == "level":
            draft.replace(1, 3, "transaction_isolation")
        case ["deallocate" | "close", "all", *_] | ["unlisten", "*", *_] if draft.kind(2) in _NO_MORE:
            draft.replace(0, 1, "DISCARD PLANS")
        case ["deallocate", "prepare", "all"]:
            draft.replace(0, 2, "DISCARD PLANS")
        case ["begin" | "start" | "set", *_]:
            _leave_out_deferrable(draft)


def _leave_out_deferrable(draft: Draft) -> None:
    """Of a transaction, which has nothing to wait for."""
    if "transaction" not in draft.texts[1:5] and draft.texts[0] == "set":
        return
    for number, text in enumerate(draft.texts):
        if text == "deferrable":
            first = number - (draft.text(number - 1) == "not")
            first -= draft.text(first - 1) == ","
            draft.replace(first, number, "")
