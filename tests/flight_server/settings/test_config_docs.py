"""docs/configuration.md has every key, and its example is one."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from flight_server.settings import config
from flight_server.settings.config import Config, LimitsConfig, ResultsConfig, ServerSection, load_config

PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text(encoding="utf-8")
DEFAULTS = dict(re.findall(r"^\| `((?:results|limits)\.\w+)` \| `\w+` \| `(.+?)` \|", PAGE, re.MULTILINE))


def test_the_example_is_a_configuration_with_every_key(tmp_path: Path) -> None:
    example = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake.secret").write_text("hush")
    (tmp_path / "volley.toml").write_text(example)
    loaded = load_config(str(tmp_path / "volley.toml"), environment={})
    assert loaded.tables == {"events": "events/2024-*/*.parquet"}
    assert loaded.connections["default"].secret == "hush"
    assert loaded.results == ResultsConfig()
    assert loaded.limits == LimitsConfig()
    for section in (ServerSection, config._ResultsSection, config._LimitsSection):
        for place in msgspec.structs.fields(section):
            assert f"\n{place.name} = " in example


@pytest.mark.parametrize(
    ("prefix", "section"),
    [
        ("VOLLEY_", ServerSection),
        ("VOLLEY_RESULTS_", config._ResultsSection),
        ("VOLLEY_LIMITS_", config._LimitsSection),
        ("VOLLEY_CONNECTIONS_NAME_", config._ConnectionSection),
    ],
)
def test_every_variable_is_told(prefix: str, section: type[msgspec.Struct]) -> None:
    for place in msgspec.structs.fields(section):
        assert f"`{prefix}{place.name.upper()}`" in PAGE


def test_the_defaults_are_the_defaults() -> None:
    assert len(DEFAULTS) == 11
    variables = {f"VOLLEY_{key.upper().replace('.', '_')}": value for key, value in DEFAULTS.items()}
    told = load_config(environment=variables)
    assert (told.results, told.limits) == (Config().results, Config().limits)
