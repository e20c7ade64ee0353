from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.actions.stage import Stage
from tui.actions.exporting import Exporting
from tui.link.run import Run


@pytest.fixture
def stage() -> Stage:
    return Stage()


def exporting(stage: Stage, run: Run | None) -> Exporting:
    return Exporting(lambda: run, stage.server, stage.background, stage.post, stage.dialogs, stage.say)


def test_the_whole_result_is_written_and_how_far_it_is_is_told(stage: Stage, tmp_path: Path) -> None:
    stage.dialogs.typed = f" {tmp_path / 'out.csv'} "
    exporting(stage, stage.book.run("SELECT n FROM t ORDER BY n")).ask()
    assert (tmp_path / "out.csv").read_text().splitlines() == ["n", *map(str, range(100))]
    assert stage.dialogs.asked == ["Export the whole result: result-1.csv"]
    assert [text.replace(str(tmp_path), "") for text, _ in stage.said] == [
        "writing /out.csv …",
        "writing /out.csv: 100 rows …   e stops it",
        "wrote 100 rows to /out.csv",
    ]


def test_a_file_that_is_there_is_written_over_only_after_a_yes(stage: Stage, tmp_path: Path) -> None:
    made = exporting(stage, stage.book.run("SELECT 1 AS n"))
    (tmp_path / "out.csv").write_text("mine")
    stage.dialogs.typed = str(tmp_path / "out.csv")
    made.ask()
    assert stage.dialogs.asked[1] == f"Export: {tmp_path / 'out.csv'} is there. Write over it?"
    assert (tmp_path / "out.csv").read_text() == "mine"
    stage.dialogs.agrees = True
    made.ask()
    assert (tmp_path / "out.csv").read_text() == "n\n1\n"


def test_a_second_export_has_to_wait_and_the_first_can_be_stopped(stage: Stage, tmp_path: Path) -> None:
    made = exporting(stage, stage.book.run("SELECT n FROM t"))
    stage.dialogs.typed = str(tmp_path / "out.csv")
    stage.background.paused = True
    made.ask()
    stage.dialogs.agrees = True
    made.ask()
    assert stage.dialogs.asked[1] == f"Export: {tmp_path / 'out.csv'} is being written. Stop it?"
    stage.background.resume()
    assert stage.said[-1] == ("the export was stopped", "bad")
    assert list(tmp_path.iterdir()) == []
    made.ask()
    assert stage.said[-1][0].startswith("wrote 100 rows")


def test_what_cannot_be_written_is_told_and_one_may_try_again(stage: Stage, tmp_path: Path) -> None:
    made = exporting(stage, stage.book.run("SELECT n FROM t"))
    for name in ("out.xyz", "none/out.csv", "out.csv"):
        stage.dialogs.typed = str(tmp_path / name)
        made.ask()
    assert [mood for text, mood in stage.said if not text.startswith("writing")] == ["bad", "bad", "ok"]


def test_without_a_result_or_a_name_nothing_is_written(stage: Stage) -> None:
    exporting(stage, None).ask()
    exporting(stage, stage.book.run("SELECT !")).ask()
    assert stage.dialogs.asked == []
    stage.dialogs.typed = "  "
    exporting(stage, stage.book.run("SELECT n FROM t")).ask()
    assert stage.said == []
