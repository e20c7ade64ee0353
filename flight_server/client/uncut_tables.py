"""Tables and records in which nothing is cut, for files, pipes and pagers: joined as texts, since layout to a width takes far longer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.box import Box
from rich.cells import cell_len

NAME, DIM, NULL_STYLE, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[2;3m", "\x1b[0m"


def cells_wide(text: str) -> int:
    """How many cells of a terminal ``text`` takes."""
    return len(text) if text.isascii() else cell_len(text)


class UncutColumn:
    """A column's lines, each as wide as its widest: the name, the type if there is one, and the values."""

    def __init__(self, name: str, type: str | None, right: bool, values: Sequence[str | None], null: str, colours: bool) -> None:
        self._right = right
        self._colours = colours
        shown = [null if value is None else value for value in values]
        self.width = max(1, *map(cells_wide, (name, type or "", *shown)))
        self.head = [self._cell(name, NAME), *([] if type is None else [self._cell(type, DIM)])]
        self.body = [self._cell(text, NULL_STYLE if value is None else "") for text, value in zip(shown, values, strict=True)]

    def _cell(self, text: str, style: str) -> str:
        padding = " " * (self.width - cells_wide(text))
        styled = f"{style}{text}{PLAIN}" if style and self._colours else text
        return padding + styled if self._right else styled + padding


def table_text(columns: Sequence[UncutColumn], box: Box | None) -> str:
    """The columns side by side in ``box``, as rich draws it."""
    heads, bodies = [column.head for column in columns], [column.body for column in columns]
    if box is None:
        lines = [*_rows(heads, " ", "  ", " "), *_rows(bodies, " ", "  ", " ")]
    else:
        widths = [column.width + 2 for column in columns]
        lines = [
            _rule(widths, box.top_left, box.top, box.top_divider, box.top_right),
            *_rows(heads, f"{box.head_left} ", f" {box.head_vertical} ", f" {box.head_right}"),
            _rule(widths, box.head_row_left, box.head_row_horizontal, box.head_row_cross, box.head_row_right),
            *_rows(bodies, f"{box.mid_left} ", f" {box.mid_vertical} ", f" {box.mid_right}"),
            _rule(widths, box.bottom_left, box.bottom, box.bottom_divider, box.bottom_right),
        ]
    return "\n".join([*lines, ""])


def record_text(names: Sequence[str], rows: Sequence[Sequence[str | None]], first_row: int, null: str, colours: bool) -> str:
    """Each row as lines of ``name │ value``."""
    name_style, dim, null_style, plain = (NAME, DIM, NULL_STYLE, PLAIN) if colours else ("", "", "", "")
    width = max(map(cells_wide, names), default=0)
    heads = [f"{name_style}{name}{' ' * (width - cells_wide(name))}{plain}{dim} │ {plain}" for name in names]
    lines = []
    for number, row in enumerate(rows, start=first_row):
        lines.append(f"{dim}{f'─ row {number} '.ljust(width + 12, '─')}{plain}")
        lines += [head + (f"{null_style}{null}{plain}" if value is None else value) for head, value in zip(heads, row, strict=True)]
    return "\n".join([*lines, ""])


def _rows(parts: Sequence[Sequence[str]], left: str, between: str, right: str) -> Iterator[str]:
    for row in zip(*parts, strict=True):
        yield f"{left}{between.join(row)}{right}"


def _rule(widths: Sequence[int], left: str, line: str, cross: str, right: str) -> str:
    return left + cross.join(line * width for width in widths) + right
