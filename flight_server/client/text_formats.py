"""Results as plain text of several kinds, a batch at a time: CSV, TSV, Markdown, HTML, and each row as lines.

Every writer takes the batches, their schema and a sink, writes each batch before it asks for the next, and returns the rows written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from rich.cells import cell_len

from flight_server.client.text_columns import as_text, is_number

TSV_NULL = "\\N"  # as PostgreSQL's and ClickHouse's tab-separated texts have it
NULL = "NULL"

# Backslashes first: the others bring new ones in.
_ONE_LINE = (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))
_TSV = (("\\", "\\\\"), *_ONE_LINE)
_HTML = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))
_MARKDOWN = (*((mark, "\\" + mark) for mark in "\\|`*[]~"), ("<", "&lt;"), ("\r\n", "<br>"), ("\n", "<br>"), ("\r", "<br>"))
_ENTITY = r"&(#?\w+;)"
_EDGE_UNDERSCORE = r"\b_|_\b"  # between letters it is only itself, as in most names of columns


def write_csv(batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO) -> int:
    """RFC 4180 with line feeds: quotes only where needed, NULL is nothing, and the empty string ``""``."""
    sink.write((",".join(_texts(schema.names, _csv)) + "\n").encode())
    rows = 0
    for batch in batches:
        if batch.num_rows:
            columns = [as_text(column) if _is_plain(column.type) else _csv(as_text(column)) for column in batch.columns]
            _write_lines(columns, sink, between=",", null="")
            rows += batch.num_rows
    return rows


def write_tsv(batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO) -> int:
    r"""A line a row, values between tabs: ``\t``, ``\n``, ``\r`` and ``\\`` stand for these characters in them, ``\N`` for NULL."""
    sink.write(("\t".join(_texts(schema.names, _tsv)) + "\n").encode())
    rows = 0
    for batch in batches:
        if batch.num_rows:
            columns = [as_text(column) if _is_plain(column.type) else _tsv(as_text(column)) for column in batch.columns]
            _write_lines(columns, sink, between="\t", null=TSV_NULL)
            rows += batch.num_rows
    return rows


def write_markdown(batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO) -> int:
    """A table of GitHub's Markdown that shows each value as it is: what would be markup in it is escaped, lines are parted by ``<br>``."""
    rules = ["---:" if is_number(field.type) else "---" for field in schema]
    for words in (_texts(schema.names, _markdown), rules):
        sink.write(f"| {' | '.join(words)} |\n".encode())
    rows = 0
    for batch in batches:
        if batch.num_rows:
            columns = [as_text(column) if _is_plain(column.type) else _markdown(as_text(column)) for column in batch.columns]
            _write_lines(columns, sink, first="| ", between=" | ", last=" |", null=NULL)
            rows += batch.num_rows
    return rows


def write_html(batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO) -> int:
    """One ``<table>`` that a browser shows as it is and a page can take in; a cell of NULL has the class ``null``."""
    heads = "".join(f"<th>{name}</th>" for name in _texts(schema.names, _html))
    sink.write(f'<meta charset="utf-8">\n<table>\n<thead>\n<tr>{heads}</tr>\n</thead>\n<tbody>\n'.encode())
    rows = 0
    for batch in batches:
        if batch.num_rows:
            columns = [_html_cells(column) for column in batch.columns]
            _write_lines(columns, sink, first="<tr>", between="", last="</tr>", null="")
            rows += batch.num_rows
    sink.write(b"</tbody>\n</table>\n")
    return rows


def write_lines(batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO) -> int:
    """Each row as lines of ``name = value``, an empty line between rows; a value stays on its line."""
    names = _texts(schema.names, _one_line)
    width = max(map(cell_len, names), default=0)
    heads = [" " * (width - cell_len(name)) + name + " = " for name in names]
    rows = 0
    for batch in batches:
        if batch.num_rows:
            columns = [pc.binary_join_element_wise(head, _shown(column), "") for head, column in zip(heads, batch.columns, strict=True)]
            if rows:
                sink.write(b"\n")
            _write_lines(columns, sink, between="\n", null="", row_gap="\n\n")
            rows += batch.num_rows
    return rows


def _write_lines(
    columns: Sequence[pa.Array], sink: BinaryIO, *, between: str, null: str, first: str = "", last: str = "", row_gap: str = "\n"
) -> None:
    """Joins the columns to lines, and the lines to one text, without a Python object for each."""
    lines = pc.binary_join_element_wise(*columns, between, null_handling="replace", null_replacement=null)
    if first or last:
        lines = pc.binary_join_element_wise(first, lines, last, "")
    one = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
    sink.write(pc.binary_join(one, row_gap)[0].as_buffer())
    sink.write(b"\n")


def _texts(names: Sequence[str], escaped: Callable[[pa.StringArray], pa.StringArray]) -> list[str]:
    return list(escaped(pa.array(names, pa.string())).to_pylist())


def _is_plain(kind: pa.DataType) -> bool:
    """Whether the type's texts never need to be escaped in any format."""
    return bool(is_number(kind) or pt.is_boolean(kind) or pt.is_temporal(kind))


def _replaced(text: pa.StringArray, pairs: Iterable[tuple[str, str]]) -> pa.StringArray:
    for plain, escaped in pairs:
        text = pc.replace_substring(text, plain, escaped)
    return text


def _csv(text: pa.StringArray) -> pa.StringArray:
    needed = pc.match_substring_regex(text, '^$|[,"\\r\\n]')
    if not pc.any(needed).as_py():
        return text
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(needed, quoted, text)


def _tsv(text: pa.StringArray) -> pa.StringArray:
    return _replaced(text, _TSV)


def _one_line(text: pa.StringArray) -> pa.StringArray:
    return _replaced(text, _ONE_LINE)


def _shown(column: pa.Array) -> pa.StringArray:
    return pc.fill_null(_one_line(as_text(column)), NULL)


def _markdown(text: pa.StringArray) -> pa.StringArray:
    text = _replaced(pc.replace_substring_regex(text, _ENTITY, r"&amp;\1"), _MARKDOWN)
    return pc.if_else(pc.match_substring_regex(text, _EDGE_UNDERSCORE), pc.replace_substring(text, "_", "\\_"), text)


def _html(text: pa.StringArray) -> pa.StringArray:
    return _replaced(text, _HTML)


def _html_cells(column: pa.Array) -> pa.StringArray:
    style = ' style="text-align: right"' if is_number(column.type) else ""
    cells = pc.binary_join_element_wise(f"<td{style}>", _html(as_text(column)), "</td>", "")
    return pc.fill_null(cells, f'<td class="null">{NULL}</td>')
