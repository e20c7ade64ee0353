from __future__ import annotations

from pathlib import Path

import pytest
from urwid import testing

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


def test_the_current_tab_is_in_sight_however_many_there_are_and_clicks_hit_what_they_show(documents: Documents) -> None:
    for number in range(30):
        documents.add(f"SELECT {number}")
    for here in (29, 12, 0, 20):
        documents.go(here)
        bar = testing.render_text(documents, (60, 5))[0]
        assert f" query {here + 1} " in bar
        assert bar.rstrip().endswith(" 1:1")
        other = next(number for number in range(30) if number != here and f" query {number + 1} " in bar)
        testing.click(documents, (60, 5), bar.index(f" query {other + 1} ") + 2, 0)
        assert documents.here == other


def test_a_tab_with_a_wide_name_keeps_the_others_where_they_are_clicked(documents: Documents, tmp_path: Path) -> None:
    opened(documents, tmp_path / "漢字漢字.sql", "SELECT 1")
    documents.add("SELECT 2")
    testing.render_text(documents, (60, 5))
    testing.click(documents, (60, 5), 1, 0)
    assert documents.current.name == "漢字漢字.sql"
    testing.click(documents, (60, 5), 16, 0)
    assert documents.current.name == "query 2"
