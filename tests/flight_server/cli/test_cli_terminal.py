"""``flight tui`` opens the terminal UI that is installed, with what it was told."""

from __future__ import annotations

from pathlib import Path

import pytest

from flight_server.cli import main, terminal


@pytest.mark.parametrize("run", [False, True])
def test_files_are_listed_and_run_only_if_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: bool) -> None:
    file = tmp_path / "a.sql"
    file.write_text("SELECT 1")
    opened: list[tuple[str, tuple[str, ...], bool]] = []

    def ui(uri: str, files: tuple[str, ...], *, run: bool, **_options: object) -> int:
        opened.append((uri, files, run))
        return 0

    monkeypatch.setattr(terminal, "_terminal_ui", lambda: ui)
    assert main(["tui", str(file), "--uri", "grpc://127.0.0.1:1", *(["--run"] if run else [])]) == 0
    assert opened == [("grpc://127.0.0.1:1", (str(file),), run)]
