from __future__ import annotations

from pathlib import Path

import pytest

from tui.actions.paths import complete_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("report-1.sql", "report-2.sql", ".hidden"):
        (tmp_path / name).write_text("")
    (tmp_path / "exports").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("begun", "found"),
    [
        ("re", ["report-"]),
        ("report-", ["report-1.sql", "report-2.sql"]),
        ("e", ["exports/"]),
        ("", ["exports/", "report-1.sql", "report-2.sql"]),
        (".h", [".hidden"]),
        ("x", []),
        ("none/x", []),
    ],
)
def test_names_are_completed_as_far_as_they_are_the_same_and_then_one_by_one(folder: Path, begun: str, found: list[str]) -> None:
    typed = f"{folder}/{begun}"
    assert complete_path(typed, len(typed)) == [(f"{folder}/{name}", len(f"{folder}/{name}")) for name in found]


def test_a_home_folder_stays_as_it_was_typed_and_what_is_behind_the_caret_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert complete_path("~/ex.csv", 4) == [("~/exports/.csv", 10)]
