from __future__ import annotations

import pytest

from tests.tui.actions.stage import Stage
from tui.actions.clipboard import Clipboard


@pytest.mark.parametrize(
    ("text", "told"), [("one", "copied: one"), ("a\nb", "copied 3 characters"), ("x" * 1234, "copied 1,234 characters")]
)
def test_a_copy_is_for_the_editor_and_for_other_programs(text: str, told: str) -> None:
    stage = Stage()
    stage.clipboard.copy(text)
    assert stage.documents.pasteboard.text == text
    assert stage.screen.clipboard == text
    assert stage.said == [(told, "ok")]


def test_a_terminal_without_a_clipboard_still_has_the_editors() -> None:
    stage = Stage()
    Clipboard(stage.documents, object(), stage.say).copy("one")
    assert stage.documents.pasteboard.text == "one"
