from __future__ import annotations

from pathlib import Path

from tui.editor.history import History


def test_history_survives_the_program_and_lists_each_statement_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history.jsonl"
    first = History(path)
    first.add("SELECT 1", "completed", 1, 0.5)
    first.add("SELECT 2", "failed", 0, 0.1)
    first.add("SELECT   1", "completed", 1, 0.4)
    with path.open("ab") as file:
        file.write(b'{"sql": "cut of')
    assert [entry.sql for entry in History(path).newest()] == ["SELECT   1", "SELECT 2"]
    assert path.stat().st_mode & 0o077 == 0


def test_a_history_that_cannot_be_written_is_kept_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file" / "history.jsonl")
    history.add("SELECT 1", "completed", 1, 0.5)
    assert len(history.newest()) == 1
