from __future__ import annotations

import pytest

from operators.storage.globs import has_magic, literal_folder, matcher, names_hidden


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*.parquet", ["a.parquet", ".parquet"], ["a/b.parquet", "a.parquetx"]),
        ("a/**/*.csv", ["a/x.csv", "a/b/c/x.csv"], ["b/x.csv", "ax.csv"]),
        ("a/**", ["a/x", "a/b/x"], ["b/a/x"]),
        ("f?.x", ["f1.x", "fé.x"], ["f.x", "f12.x", "f/.x"]),
        ("f[0-9].x", ["f1.x"], ["fa.x", "f/.x"]),
        ("f[!0-9].x", ["fa.x"], ["f1.x", "f/.x"]),
        ("f[^a].x", ["fa.x", "f^.x"], ["fb.x"]),
        ("f[[].x", ["f[.x"], ["f].x"]),
        ("f[.x", ["f[.x"], ["f.x"]),
        ("a+b(c).x", ["a+b(c).x"], ["aab(c).x"]),
    ],
)
def test_matches(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [key for key in yes if not matcher(pattern).match(key)] == []
    assert [key for key in no if matcher(pattern).match(key)] == []


@pytest.mark.parametrize(
    ("pattern", "folder"), [("a/b/*.x", "a/b/"), ("*.x", ""), ("a/b*/c/d.x", "a/"), ("a/b.x", "a/"), ("a/b/", "a/b/"), ("**", "")]
)
def test_literal_folder(pattern: str, folder: str) -> None:
    assert literal_folder(pattern) == folder


def test_magic_and_hidden_names() -> None:
    assert [has_magic(pattern) for pattern in ("a/b.x", "a/*", "a?", "a[1]")] == [False, True, True, True]
    assert [names_hidden(pattern) for pattern in ("a/*", ".a/*", "a/_x", "a_b/.c")] == [False, True, True, True]
