from __future__ import annotations

from pathlib import Path

import pytest

from tui.editor.documents import Document, Documents
from tui.editor.text_buffer import Place


@pytest.fixture
def documents() -> Documents:
    return Documents(lambda _action: None, lambda: ())


def opened(documents: Documents, path: Path, text: str) -> Document:
    path.write_text(text)
    return documents.open(str(path))


def test_a_file_that_was_changed_elsewhere_is_read_anew_where_nothing_was_typed(documents: Documents, tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    document = opened(documents, path, "SELECT 1,\n  2")
    document.editor.buffer.go(Place(1, 2))
    assert documents.refresh() == []
    path.write_text("SELECT 10,\n  20\n")
    assert documents.refresh() == ["a.sql was changed elsewhere and is read anew"]
    assert (document.editor.buffer.text, document.editor.buffer.caret, document.changed) == ("SELECT 10,\n  20\n", Place(1, 2), False)
    assert documents.refresh() == []
    document.editor.buffer.undo()
    assert document.editor.buffer.text == "SELECT 1,\n  2"


def test_a_tab_with_changes_keeps_them_and_is_told_once_that_its_file_was_changed(documents: Documents, tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    document = opened(documents, path, "SELECT 1")
    document.editor.insert("-- mine\n")
    path.write_text("SELECT 2 -- theirs")
    assert documents.refresh() == ["a.sql was changed elsewhere, and here: Ctrl-S asks before it writes over it"]
    assert documents.refresh() == []
    assert document.editor.buffer.text == "-- mine\nSELECT 1"


def test_a_file_that_is_gone_or_only_touched_is_no_news_and_what_was_saved_here_neither(documents: Documents, tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    document = opened(documents, path, "SELECT 1")
    path.touch()
    assert documents.refresh() == []
    document.editor.insert("-- mine\n")
    documents.save()
    assert documents.refresh() == []
    path.unlink()
    assert documents.refresh() == []
    assert document.editor.buffer.text == "-- mine\nSELECT 1"
