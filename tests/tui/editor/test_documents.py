from __future__ import annotations

from pathlib import Path

import pytest

from tui.editor.documents import FileError, read_text, write_text


def test_files_are_read_and_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    write_text(path, "SELECT 'ä';\n")
    assert read_text(path) == "SELECT 'ä';\n"
    assert [item.name for item in tmp_path.iterdir()] == ["a.sql"]
    with pytest.raises(FileError, match="cannot open"):
        read_text(tmp_path / "none.sql")
    with pytest.raises(FileError, match="cannot save"):
        write_text(tmp_path / "none" / "a.sql", "")
    (tmp_path / "b.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="not a UTF-8 text"):
        read_text(tmp_path / "b.bin")
