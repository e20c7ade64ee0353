from __future__ import annotations

from pathlib import Path

from tui import keys


def test_every_key_does_one_thing_in_its_place() -> None:
    seen = [(key.context, name) for key in keys.KEYS for name in key.keys]
    assert len(seen) == len(set(seen))
    everywhere = {name for key in keys.KEYS if key.context == "everywhere" for name in key.keys}
    assert not [item for item in seen if item[0] != "everywhere" and item[1] in everywhere]


def test_the_documentation_of_keys_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "tui.md"
    assert keys.markdown() in page.read_text(encoding="utf-8")
