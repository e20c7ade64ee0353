"""Charts of a column out of block characters: a histogram of numbers, bars of the values that are most frequent, bars of few rows.

Pure: Arrow data in, lines out. NULLs and NaNs are counted and left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tui.draw import amounts, cells
from tui.draw.canvas import Line, cut, fit, width

MAX_BARS = 200
_EIGHTHS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Histogram:
    """``counts[i]`` values are in the ``i``-th of equal stretches from ``low`` to ``high``."""

    low: float
    high: float
    counts: tuple[int, ...]
    missing: int = 0

    @property
    def rows(self) -> int:
        return sum(self.counts) + self.missing


@dataclass(frozen=True, slots=True)
class Bars:
    """A label and a value for each bar, of so many ``rows``; ``left_out`` bars are not among them."""

    labels: tuple[str, ...]
    values: tuple[float, ...]
    left_out: int = 0
    rows: int = 0


def histogram(column: pa.ChunkedArray, bins: int) -> Histogram | None:
    """The distribution of a numeric column; None if it holds no number."""
    numbers = pc.cast(column, pa.float64(), safe=False)
    finite = numbers.filter(pc.fill_null(pc.is_finite(numbers), False))
    if not len(finite):
        return None
    bounds = pc.min_max(finite)
    low, high = float(bounds["min"].as_py()), float(bounds["max"].as_py())
    if low == high:
        return Histogram(low, high, (len(finite),), len(column) - len(finite))
    step = (high - low) / bins
    places = pc.min_element_wise(pc.floor(pc.divide(pc.subtract(finite, low), step)), float(bins - 1))
    counts = [0] * bins
    for item in pc.value_counts(pc.cast(places, pa.int32(), safe=False)).to_pylist():
        counts[item["values"]] = item["counts"]
    return Histogram(low, high, tuple(counts), len(column) - len(finite))


def frequencies(column: pa.ChunkedArray, most: int = 40) -> Bars:
    """The values that occur most, with how often."""
    if isinstance(column.type, pa.DictionaryType):
        column = column.cast(column.type.value_type)
    plain = column if not pa.types.is_nested(column.type) else pa.chunked_array([[cells.one_line(v) for v in column.to_pylist()]])
    found = [(item["counts"], cells.one_line(item["values"])) for item in pc.value_counts(plain).to_pylist()]
    found.sort(key=lambda pair: (-pair[0], pair[1]))
    shown = found[:most]
    return Bars(
        tuple(label for _, label in shown),
        tuple(float(number) for number, _ in shown),
        len(found) - len(shown),
        len(column),
    )


def bars_of_rows(labels: Sequence[str], values: Sequence[float | None]) -> Bars:
    """A bar for each row."""
    numbers = tuple(0.0 if value is None or math.isnan(value) else float(value) for value in values[:MAX_BARS])
    return Bars(tuple(labels[:MAX_BARS]), numbers, max(0, len(values) - MAX_BARS), len(values))


def draw_histogram(found: Histogram, columns: int, rows: int) -> list[Line]:
    """The histogram as upright bars with an axis; ``rows`` includes the axis and its labels."""
    height = max(1, rows - 2)
    counts = merged(found.counts, max(1, columns - 8))
    highest = max(1, *counts)
    labels = {height: amounts.short_count(highest), (height + 1) // 2: amounts.short_count(highest // 2)}
    label_width = max(len(label) for label in labels.values())
    room = max(1, columns - label_width - 2)
    span = room if len(counts) > 1 else min(room, 12)
    stretched = [counts[place * len(counts) // span] for place in range(span)]
    lines: list[Line] = []
    for level in range(height, 0, -1):
        text = "".join(_level(number / highest * height, level) for number in stretched)
        lines.append([("axis", fit(labels.get(level, ""), label_width, right=True) + " │"), ("chart", text)])
    lines.append([("axis", " " * label_width + " └" + "─" * span)])
    low, high, middle = number_text(found.low), number_text(found.high), number_text((found.low + found.high) / 2)
    if span < len(low) + len(high) + 1:
        low, high = cut(low, max(1, span)), ""
    axis = fit(low, span // 2 - len(middle) // 2) + middle if span > len(low) + len(middle) + len(high) + 4 else low
    lines.append([("axis", " " * (label_width + 2) + axis + fit(high, max(0, span - len(axis)), right=True))])
    return lines


def draw_bars(found: Bars, columns: int, rows: int) -> list[Line]:
    """A line for each bar, as many as fit."""
    shown = min(len(found.labels), rows - 1 if found.left_out or len(found.labels) > rows else rows)
    label_width = min(max((width(label) for label in found.labels[:shown]), default=0), max(4, columns // 3))
    texts = [number_text(value) for value in found.values[:shown]]
    text_width = max((len(text) for text in texts), default=0)
    room = max(1, columns - label_width - text_width - 3)
    low, high = min(0.0, *found.values), max(0.0, *found.values)
    scale = (high - low) or 1.0
    lines: list[Line] = []
    for label, value, text in zip(found.labels, found.values, texts, strict=False):
        # Not quite as high as the line, so that one bar can be told from the next.
        bar = "▇" * (max(1, round(abs(value) / scale * room)) if value else 0)
        attribute = "bar.hot" if value < 0 else "chart"
        lines.append([("text", fit(label, label_width) + " "), ("strong", fit(text, text_width, right=True) + " "), (attribute, bar)])
    left_out = len(found.labels) - shown + found.left_out
    if left_out:
        lines.append([("dim", cut(f"and {amounts.plural(left_out, 'value')} more", columns))])
    return lines


def merged(counts: Sequence[int], most: int) -> list[int]:
    """``counts`` in at most ``most`` stretches, neighbours added together."""
    each = -(-len(counts) // most)
    return [sum(counts[start : start + each]) for start in range(0, len(counts), each)]


def number_text(value: float) -> str:
    """A number on an axis: short, and exact where that is short."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.2f}" if 0.01 <= abs(value) < 1e9 else f"{value:.3g}"


def _level(height: float, level: int) -> str:
    """The character of a bar of ``height`` at ``level`` (from 1): full, empty, or a part; a bar that is not nothing shows."""
    if height >= level:
        return "█"
    part = height - (level - 1)
    if part <= 0:
        return " "
    return _EIGHTHS[max(1, round(part * 8))]
