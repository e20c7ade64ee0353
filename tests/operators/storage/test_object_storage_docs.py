"""docs/object-storage.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from operators.scan.table_files import EXTENSIONS
from operators.storage.storage import RESERVED

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "object-storage.md").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "operators").rglob("*.py"))


def test_all_extensions_are_named() -> None:
    assert [extension for extension in EXTENSIONS if f"{extension}`" not in PAGE] == []


def test_every_message_in_the_table_is_one_of_the_codes() -> None:
    table = PAGE.partition("| the message says")[2].partition("Messages, logs")[0]
    messages = [
        message for line in table.splitlines() if line.startswith("| `") for message in re.findall(r"`([^`]+)`", line.split(" | ")[0])
    ]
    words = {piece.strip(" '():") for message in messages for piece in re.split(r"…|http\S*|503|AccessDenied", message)}
    assert len(messages) > 15
    assert [piece for piece in words if piece and piece not in SOURCES] == []


def test_the_queries_own_folders_are_named() -> None:
    for folder in ("results", "exchange"):
        assert RESERVED.match(f"{folder}/{'0f' * 16}/0.parquet")
        assert f"`{folder}/QUERY_ID/`" in PAGE
