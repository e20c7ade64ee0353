from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.tokens import tokens


def kinds(sql: str) -> list[tuple[str, str]]:
    return [(kind, sql[start:end]) for kind, start, end in tokens(sql)]


def test_space_and_comments_are_no_tokens() -> None:
    assert kinds("a -- ;\n/* ; /* ; */ */\r\n-- ;\rb") == [("word", "a"), ("word", "b")]


@pytest.mark.parametrize("text", [r"E'it\'s; fine'", r"e'\\'", "'it''s'", r"'\'", '"a""b"', "`a``b`", "'open ; --", r"E'open\'"])
def test_a_quoted_text_is_one_token(text: str) -> None:
    assert kinds(text) == [("string", text)]


@pytest.mark.parametrize("text", ["$$;$$", "$a$;$$;$a$", "$é1$;$é1$", "$€$;$€$", "$a$ open ;"])
def test_a_dollar_quote_is_one_token(text: str) -> None:
    assert kinds(text) == [("dollar", text)]


@pytest.mark.parametrize("text", ["a$b$c", "a$$", "é€1", "_1"])
def test_a_name_goes_on_with_all_that_the_kernel_takes_for_part_of_it(text: str) -> None:
    assert kinds(text) == [("word", text)]


def test_a_name_that_ends_in_e_starts_no_escaped_string() -> None:
    assert kinds(r"fe'\'") == [("word", "fe"), ("string", r"'\'")]


@given(st.text(alphabet="aE'\"`\\$/*-;?01.é \n", max_size=40))
def test_any_text_is_scanned_to_its_end(sql: str) -> None:
    end = 0
    for _, start, stop in tokens(sql):
        assert end <= start < stop <= len(sql)
        end = stop
