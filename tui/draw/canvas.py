"""Draws lines of text with attributes, cut to a width; what every box widget here is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import urwid

Segment = tuple[str, str]  # attribute, text
Line = Sequence[Segment]
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff\ud800-\udfff]")
"""Characters that would move the cursor, turn the line around, or command the terminal; no canvas has one."""


def visible(text: str) -> str:
    """``text`` with a dot, one column wide, for each of ``CONTROLS``."""
    return text if text.isprintable() else CONTROLS.sub("·", text)


def width(text: str) -> int:
    """Screen columns that ``text`` takes."""
    return len(text) if text.isascii() else int(urwid.calc_width(text, 0, len(text)))


def cut(text: str, columns: int) -> str:
    """``text`` in at most ``columns`` columns, with an ellipsis where something is missing."""
    if width(text) <= columns:
        return text
    if columns <= 0:
        return ""
    end, _ = urwid.calc_text_pos(text, 0, len(text), columns - 1)
    return text[:end] + "…"


def fit(text: str, columns: int, *, right: bool = False) -> str:
    """``text`` in exactly ``columns`` columns, padded or cut."""
    shown = cut(text, columns)
    padding = " " * (columns - width(shown))
    return padding + shown if right else shown + padding


def draw(lines: Iterable[Line], columns: int, rows: int, *, cursor: tuple[int, int] | None = None) -> urwid.Canvas:
    """A canvas of exactly ``columns`` × ``rows``: lines that are too long are cut, missing ones are blank, controls are dots."""
    texts: list[bytes] = []
    attributes: list[list[tuple[str | None, int]]] = []
    for line in lines:
        if len(texts) == rows:
            break
        text, runs = _encode(line, columns)
        texts.append(text)
        attributes.append(runs)
    blank = b" " * columns
    while len(texts) < rows:
        texts.append(blank)
        attributes.append([(None, columns)])
    return urwid.TextCanvas(texts, attributes, maxcol=columns, cursor=cursor, check_width=False)


def clip(line: Line, columns: int, fill: str) -> list[Segment]:
    """``line`` in exactly ``columns`` columns; what is missing is filled with the attribute that it ends with, or ``fill``."""
    result: list[Segment] = []
    left = columns
    for attribute, text in line:
        if width(text) > left:
            end, _ = urwid.calc_text_pos(text, 0, len(text), left)
            text = text[:end]
        result.append((attribute, text))
        left -= width(text)
    ending = line[-1][0] if line and line[-1][1] == "" else fill
    return [*result, (ending, " " * left)]


def _encode(line: Line, columns: int) -> tuple[bytes, list[tuple[str | None, int]]]:
    parts: list[bytes] = []
    runs: list[tuple[str | None, int]] = []
    left = columns
    for attribute, raw in line:
        if left <= 0:
            break
        text = visible(raw)
        taken = width(text)
        if taken > left:
            end, taken = urwid.calc_text_pos(text, 0, len(text), left)
            text = text[:end]
        encoded = text.encode()
        parts.append(encoded)
        runs.append((attribute, len(encoded)))
        left -= taken
    if left > 0:
        parts.append(b" " * left)
        runs.append((line[-1][0] if line and line[-1][1] == "" else None, left))
    return b"".join(parts), runs
