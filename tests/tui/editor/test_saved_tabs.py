from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui.editor.documents import Documents
from tui.editor.saved_tabs import SavedTabs
from tui.editor.text_buffer import Place
from tui.editor.text_files import FileError

Opener = Callable[[], SavedTabs]


@pytest.fixture
def sitting(tmp_path: Path) -> Iterator[Opener]:
    """Opens sittings side by side; all are closed at the end."""
    opened: list[SavedTabs] = []

    def another() -> SavedTabs:
        opened.append(SavedTabs(tmp_path / "state"))
        return opened[-1]

    yield another
    for saved in opened:
        saved.close()


def tabs() -> Documents:
    return Documents(lambda _action: None, lambda: ())


def restored(sitting: Opener) -> tuple[Documents, list[str]]:
    """The tabs of the next sitting, and what it tells."""
    documents = tabs()
    saved = sitting()
    notes = saved.restore(documents)
    saved.close()
    return documents, notes


def keep(sitting: Opener, documents: Documents) -> None:
    saved = sitting()
    saved.keep(documents)
    saved.close()


def test_texts_names_and_carets_come_back(sitting: Opener, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1\n")
    documents = tabs()
    documents.current.editor.insert("SELECT 'ä',\n  2")
    documents.open(str(tmp_path / "a.sql"))
    documents.add("")
    documents.go(0)
    documents.current.editor.buffer.go(Place(1, 1))
    keep(sitting, documents)
    found, notes = restored(sitting)
    assert [(item.name, item.editor.buffer.text, item.changed) for item in found.documents] == [
        ("query 1", "SELECT 'ä',\n  2", True),
        ("a.sql", "SELECT 1\n", False),
    ]
    assert (found.here, found.current.editor.buffer.caret, notes) == (0, Place(1, 1), [])
    assert found.add("").name == "query 3"


def test_a_file_is_read_anew_unless_its_tab_holds_changes(sitting: Opener, tmp_path: Path) -> None:
    for name in ("a.sql", "b.sql", "c.sql"):
        (tmp_path / name).write_text("SELECT 1\n")
    documents = tabs()
    for name in ("a.sql", "b.sql", "c.sql"):
        documents.open(str(tmp_path / name))
    documents.find(2).editor.insert("-- ")  # type: ignore[union-attr]
    keep(sitting, documents)
    (tmp_path / "a.sql").write_text("SELECT 2\n")
    (tmp_path / "b.sql").write_text("SELECT 2\n")
    (tmp_path / "c.sql").unlink()
    found, notes = restored(sitting)
    assert [(item.editor.buffer.text, item.changed) for item in found.documents] == [
        ("SELECT 2\n", False),
        ("-- SELECT 1\n", True),
        ("SELECT 1\n", True),
    ]
    assert notes == [
        f"{tmp_path / 'b.sql'} was changed elsewhere since: Ctrl-S asks before it writes over it",
        f"cannot open {tmp_path / 'c.sql'}: No such file or directory",
    ]


def test_sittings_side_by_side_do_not_write_over_each_others_tabs(sitting: Opener) -> None:
    texts = ["SELECT 1", "SELECT 2"]
    open_ones = [sitting() for _ in texts]
    for saved, text in zip(open_ones, texts, strict=True):
        documents = tabs()
        documents.add(text)
        saved.keep(documents)
    for saved in open_ones:
        saved.close()
    again = [sitting() for _ in texts]
    found = [tabs() for _ in texts]
    for saved, documents in zip(again, found, strict=True):
        saved.restore(documents)
    assert [documents.current.editor.buffer.text for documents in found] == texts


def test_tabs_of_a_sitting_that_is_over_come_to_the_next_one_whichever_that_is(sitting: Opener, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1\n")
    first, second = sitting(), sitting()
    for saved, text in ((first, "SELECT 'first'"), (second, "SELECT 'second'")):
        documents = tabs()
        documents.open(str(tmp_path / "a.sql"))
        documents.add(text)
        saved.keep(documents)
    documents.go(0)
    documents.current.editor.insert("-- mine ")
    second.keep(documents)
    first.close()
    second.close()
    for _ in range(2):  # a crash before they are kept loses nothing
        found, notes = restored(sitting)
        assert notes == ["tabs of another sitting are here, too: query 3, query 4"]
    assert found.current.editor.buffer.text == "SELECT 'first'"
    assert [(item.name, item.editor.buffer.text) for item in found.documents] == [
        ("a.sql", "SELECT 1\n"),
        ("query 2", "SELECT 'first'"),
        ("query 3", "-- mine SELECT 1\n"),
        ("query 4", "SELECT 'second'"),
    ]
    saved = sitting()
    saved.restore(again := tabs())
    saved.keep(again)
    saved.close()
    kept, notes = restored(sitting)
    assert (len(kept.documents), notes) == (4, [])
    assert not (tmp_path / "state" / "tabs-2.json").exists()


def test_tabs_of_a_sitting_that_goes_on_stay_there(sitting: Opener) -> None:
    first, second = sitting(), sitting()
    documents = tabs()
    documents.add("SELECT 'second'")
    second.keep(documents)
    first.close()
    found, notes = restored(sitting)
    assert (found.unsaved(), notes) == ([], [])
    second.close()


def test_nobody_else_may_read_the_file_and_it_is_written_only_when_something_changed(sitting: Opener, tmp_path: Path) -> None:
    saved, documents, path = sitting(), tabs(), tmp_path / "state" / "tabs.json"
    documents.add("SELECT 1")
    saved.keep(documents)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.stat().st_ino
    saved.keep(documents)
    assert path.stat().st_ino == first
    documents.current.editor.insert("x")
    saved.keep(documents)
    assert path.stat().st_ino != first


def test_what_cannot_be_read_is_set_aside_and_told(sitting: Opener, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "tabs.json").write_text('{"tabs": [')
    _, notes = restored(sitting)
    assert notes[0].startswith("the tabs of the last sitting cannot be read")
    assert (tmp_path / "state" / "tabs.unread").read_text() == '{"tabs": ['


def test_without_a_folder_nothing_is_kept_and_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (None, tmp_path / "file"):
        saved = SavedTabs(folder)
        saved.keep(tabs())
        assert not saved.keeps
    saved, documents = SavedTabs(tmp_path / "state"), tabs()
    documents.add("SELECT 1")
    (tmp_path / "state" / "tabs.json").mkdir()
    with pytest.raises(FileError, match="cannot save"):
        saved.keep(documents)
    saved.close()


def test_a_file_with_tabs_and_other_line_ends_has_not_been_changed_by_opening_it(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_bytes(b"SELECT\t1\r\n")
    assert not tabs().open(str(tmp_path / "a.sql")).changed


def test_the_tab_that_was_in_sight_is_so_again_though_the_first_is_an_empty_file(sitting: Opener, tmp_path: Path) -> None:
    (tmp_path / "empty.sql").write_text("")
    documents = tabs()
    documents.open(str(tmp_path / "empty.sql"))
    documents.add("SELECT 1")
    documents.add("SELECT 2")
    documents.go(1)
    name = documents.current.name
    keep(sitting, documents)
    found, _ = restored(sitting)
    assert found.current.name == name
