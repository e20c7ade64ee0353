from __future__ import annotations

from flight_server.settings.config import Config, ConnectionConfig
from flight_server.settings.connections import connections_of, containing

LAKE = ConnectionConfig("s3://lake", endpoint_url="http://127.0.0.1:9000", key="me", secret="hush")
DEEP = ConnectionConfig("s3://lake/deep/", key="other")


def test_a_root_inside_a_connection_has_its_keys() -> None:
    (lake, default) = connections_of(Config(data_roots=("s3://lake/demo",), connections={"lake": LAKE}))
    assert (default.name, default.url, default.endpoint_url, default.key) == ("default", "s3://lake/demo", lake.endpoint_url, lake.key)
    assert "hush" not in repr(default)


def test_the_closest_connection_counts_and_names_are_not_prefixes() -> None:
    config = Config(connections={"lake": LAKE, "deep": DEEP})
    assert containing(config, "s3://lake/deep/er") == "deep"
    assert containing(config, "s3://lake/deeper") == "lake"
    assert containing(config, "s3://lakes/deep") is None


def test_a_configured_default_is_kept_and_no_root_means_none() -> None:
    assert [c.url for c in connections_of(Config(data_roots=("/data",), connections={"default": LAKE}))] == ["s3://lake"]
    assert [(c.name, c.url) for c in connections_of(Config(data_roots=("/data",)))] == [("default", "/data")]
    assert connections_of(Config()) == []
