from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tui.editor.documents import Documents
from tui.editor.text_files import FileError, read_text, write_text


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file can become larger than ``size`` bytes: a write beyond fails half-way, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_files_are_read_and_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    write_text(path, "SELECT 'ä';\n")
    assert read_text(path).text == "SELECT 'ä';\n"
    assert [item.name for item in tmp_path.iterdir()] == ["a.sql"]
    with pytest.raises(FileError, match="cannot open"):
        read_text(tmp_path / "none.sql")
    with pytest.raises(FileError, match="cannot save"):
        write_text(tmp_path / "none" / "a.sql", "")
    (tmp_path / "b.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match=r"not a UTF-8 text[^$]*iconv -f latin1 -t utf-8 b\.bin"):
        read_text(tmp_path / "b.bin")


@pytest.mark.parametrize(
    "before",
    [
        b"SELECT\t'a\tb'\n",
        b"SELECT 1,\r\n  2\r\n",
        b"\xef\xbb\xbfSELECT 1\n",
        b"\xef\xbb\xbfSELECT 1\r\n",
        "SELECT 'e\u0301 \u200b'\n".encode(),
    ],
)
def test_saving_changes_nothing_of_a_file_but_what_was_typed(tmp_path: Path, before: bytes) -> None:
    path = tmp_path / "a.sql"
    path.write_bytes(before)
    documents = Documents(lambda _action: None, lambda: ())
    document = documents.open(str(path))
    assert not document.editor.buffer.text.startswith("\ufeff")
    document.editor.buffer.end()
    document.editor.insert("\n")
    documents.save()
    end = b"\r\n" if b"\r\n" in before else b"\n"
    assert path.read_bytes() == before.replace(end, end * 2, 1)
    assert not document.changed


def test_a_disk_that_is_full_costs_neither_the_file_nor_a_piece_of_another(tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_text("SELECT 1")
    with largest_file(100), pytest.raises(FileError, match=r"cannot save .*a\.sql: File too large"):
        write_text(path, "x" * 100_000)
    assert path.read_text() == "SELECT 1"
    assert os.listdir(tmp_path) == ["a.sql"]
    with pytest.raises(FileError, match="cannot save /dev/full: No space left on device"):
        write_text(Path("/dev/full"), "SELECT 1")


def test_a_link_stays_a_link_and_a_mode_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    real = tmp_path / "there" / "a.sql"
    real.write_text("SELECT 1")
    real.chmod(0o640)
    (tmp_path / "link.sql").symlink_to(real)
    write_text(tmp_path / "link.sql", "SELECT 2")
    assert (tmp_path / "link.sql").is_symlink()
    assert (real.read_text(), stat.S_IMODE(real.stat().st_mode)) == ("SELECT 2", 0o640)


def test_a_file_that_is_write_protected_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.sql"
    path.write_text("SELECT 1")
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)  # as it is for all but root
    with pytest.raises(FileError, match="it is write-protected"):
        write_text(path, "SELECT 2")
    assert path.read_text() == "SELECT 1"


def test_a_text_that_no_file_can_hold_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="character 3 is none"):
        write_text(tmp_path / "a.sql", "ab\ud800")
    assert os.listdir(tmp_path) == []
