"""Each text format says every value so that whoever reads the format gets it back."""

from __future__ import annotations

import io
from html.parser import HTMLParser

import duckdb
import pyarrow as pa
import pytest

from flight_server.client.output import Format, write_stream

HARD = [
    "tab\there",
    "line\nbreak",
    "\r",
    "back\\slash \\n",
    "a|b \\| c",
    '<b>&amp; "x"</b>',
    "",
    "__init__ *x* `y` [z](w)",
    "order_id",
    None,
]
TABLE = pa.table({"n": pa.array(range(len(HARD)), pa.int64()), "odd\t|<name": HARD})


def written(table: pa.Table, format: Format, rows_per_batch: int = 3) -> str:
    sink = io.BytesIO()
    assert write_stream(table.to_batches(max_chunksize=rows_per_batch), table.schema, format, sink) == table.num_rows
    return sink.getvalue().decode()


def from_tsv(text: str) -> str | None:
    if text == "\\N":
        return None
    pairs = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    result, characters = "", iter(text)
    for character in characters:
        result += pairs[next(characters)] if character == "\\" else character
    return result


def test_tsv_escapes_what_would_end_a_value_or_a_line() -> None:
    lines = written(TABLE, "tsv").removesuffix("\n").split("\n")
    assert lines[0] == "n\todd\\t|<name"
    assert [from_tsv(line.split("\t")[1]) for line in lines[1:]] == HARD


def test_markdown_shows_values_as_they_are() -> None:
    lines = written(TABLE, "markdown").removesuffix("\n").split("\n")
    assert lines[:2] == ["| n | odd\t\\|&lt;name |", "| ---: | --- |"]
    assert [line.removeprefix(f"| {n} | ").removesuffix(" |") for n, line in enumerate(lines[2:])] == [
        "tab\there",
        "line<br>break",
        "<br>",
        "back\\\\slash \\\\n",
        "a\\|b \\\\\\| c",
        '&lt;b>&amp;amp; "x"&lt;/b>',
        "",
        "\\_\\_init\\_\\_ \\*x\\* \\`y\\` \\[z\\](w)",
        "order_id",
        "NULL",
    ]


class Cells(HTMLParser):
    """The texts of a page's cells, and the classes of those cells."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.kinds: list[str | None] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("td", "th"):
            self.texts.append("")
            self.kinds.append(dict(attributes).get("class"))
        assert tag in ("meta", "table", "thead", "tbody", "tr", "td", "th")

    def handle_data(self, data: str) -> None:
        if self.texts and data != "\n":
            self.texts[-1] += data


def test_html_holds_no_markup_but_its_own() -> None:
    cells = Cells()
    cells.feed(written(TABLE, "html"))
    assert cells.texts[:2] == ["n", "odd\t|<name"]
    shown = [value or "" for value in HARD[:-1]] + ["NULL"]
    assert [text.rstrip("\n") for text in cells.texts[3::2]] == [text.rstrip("\n") for text in shown]
    assert [kind for kind in cells.kinds if kind is not None] == ["null"]


def test_each_row_as_lines() -> None:
    table = pa.table({"id": [1, 2], "name": ["Ada\nLovelace", None]})
    assert written(table, "line", 1) == "  id = 1\nname = Ada\\nLovelace\n\n  id = 2\nname = NULL\n"


def test_tables_in_a_file_hold_every_row_in_blocks() -> None:
    text = written(pa.table({"n": range(2_500)}), "table", 700)
    assert text.count("│      n │") == 3
    assert [int(line.strip("│ ")) for line in text.splitlines() if line.strip("│ ").isdigit()] == list(range(2_500))
    assert "│ n " in written(pa.table({"n": pa.array([], pa.string())}), "table")


@pytest.mark.parametrize("format", ["csv", "tsv", "markdown", "html", "line"])
def test_values_are_the_same_texts_in_all_of_them(format: Format) -> None:
    sql = "SELECT 1.0 AS a, DATE '2026-01-02' AS b, TIMESTAMP '2026-01-02 03:04:05.5' AS c, INTERVAL 1 MONTH AS d, true AS e"
    text = written(duckdb.connect().sql(sql).to_arrow_table(), format)
    for value in ("1.0", "2026-01-02", "2026-01-02 03:04:05.5", "1 month", "true"):
        assert value in text


@pytest.mark.parametrize("format", ["tsv", "markdown", "html", "line"])
def test_nothing_is_still_well_formed(format: Format) -> None:
    lines = written(TABLE.slice(0, 0), format).splitlines()
    assert len(lines) == {"tsv": 1, "markdown": 2, "html": 8, "line": 0}[format]
