"""Flags, variables and the file make one configuration; what is wrong in them is told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from flight_server.settings.config import DEFAULT_PORT, Config, ConfigError, ServerSection, load_config
from flight_server.settings.quantities import machine_memory_bytes
from planner import PlanOptions
from planner.limits import DEFAULT_LIMITS


def write(folder: Path, text: str) -> str:
    path = folder / "volley.toml"
    path.write_text(text)
    return str(path)


def refusal(path: str | None = None, flags: ServerSection | None = None, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path, flags, environment or {})
    return str(caught.value)


def test_defaults() -> None:
    config = load_config(environment={})
    assert (config.host, config.port, config.workers) == ("127.0.0.1", DEFAULT_PORT, 1)
    assert config.threads >= 1
    assert config.memory_bytes == int(machine_memory_bytes() * 0.7)
    assert config.results.rows_per_group == 122_880


def test_flags_win_over_variables_and_those_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, '[server]\nport = 1\nthreads = 1\nworkers = 4\nhost = "0.0.0.0"\n')
    config = load_config(path, ServerSection(port=3), {"VOLLEY_PORT": "2", "VOLLEY_THREADS": "2"})
    assert (config.port, config.threads, config.workers, config.host) == (3, 2, 4, "0.0.0.0")


def test_all_sections_of_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        [server]
        memory = "2GiB"
        [connections.default]
        url = "s3://lake/volley"
        endpoint_url = "http://127.0.0.1:9000"
        region = "us-east-1"
        key = "k"
        secret = "s"
        path_style = true
        [tables]
        lines = "lines/*.parquet"
        [results]
        rows_per_group = 1000
        ttl = "2h"
        stream_ttl = "5m"
        [limits]
        queries = 3
        sql_bytes = "64kB"
        """,
    )
    config = load_config(path, environment={})
    default = config.connections["default"]
    assert config.memory_bytes == 2 << 30
    assert (default.url, default.key, default.secret, default.path_style) == ("s3://lake/volley", "k", "s", True)
    assert config.tables == {"lines": "lines/*.parquet"}
    assert (config.results.rows_per_group, config.results.ttl_seconds, config.results.stream_ttl_seconds) == (1000, 7200.0, 300.0)
    assert (config.limits.queries, config.limits.sql_bytes) == (3, 64_000)


def test_relative_paths_of_the_file_start_at_its_folder(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "key.txt").write_text("hush\n")
    path = write(tmp_path, '[server]\ndata = ["lake"]\nstate = "state"\n[connections.lake]\nurl = "s3://lake"\nsecret_file = "key.txt"\n')
    config = load_config(path, environment={}, folder="/")
    assert config.data_roots == (str(tmp_path / "lake"),)
    assert config.state == str(tmp_path / "state")
    assert config.connections["lake"].secret == "hush"


def test_variables_make_and_complete_connections(tmp_path: Path) -> None:
    path = write(tmp_path, '[connections.lake]\nurl = "s3://lake"\n')
    variables = {
        "VOLLEY_CONNECTIONS_LAKE_SECRET": "hush",
        "VOLLEY_CONNECTIONS_ARCHIVE_URL": "s3://archive",
        "VOLLEY_CONNECTIONS_ARCHIVE_ENDPOINT_URL": "http://127.0.0.1:9000",
    }
    connections = load_config(path, environment=variables).connections
    assert set(connections) == {"lake", "archive"}
    assert connections["lake"].secret == "hush"
    assert connections["archive"].endpoint_url == "http://127.0.0.1:9000"


def test_lists_in_variables_are_separated_by_commas(tmp_path: Path) -> None:
    config = load_config(environment={"VOLLEY_DATA": f"{tmp_path}, s3://bucket/x"})
    assert config.data_roots == (str(tmp_path), "s3://bucket/x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nprot = 1\n", "unknown key 'server.prot'"),
        ("[sever]\nport = 1\n", "unknown key 'sever'"),
        ('[connections.lake]\nurl = "s3://x"\nregoin = "eu"\n', "unknown key 'connections.*.regoin'"),
        ('[server]\nport = "80"\n', "server.port: expected a whole number, got text"),
        ("[server]\nport = 70000\n", "port must be between 0 and 65535, not 70000"),
        ('[server]\nmemory = "lots"\n', "server.memory: 'lots' is not a size; write it like 512MB, 4GiB or 70%"),
        ('[results]\nttl = "soon"\n', "results.ttl: 'soon' is not a duration; write it like 90s, 15m, 24h or 7d"),
        ("[server\n", "at line 1"),
        ('[connections.lake]\nregion = "eu"\n', "connections.lake.url must be a URL"),
        ('[connections.s3]\nurl = "s3://x"\n', "connections.s3: a connection's name"),
        ('[connections.lake]\nurl = "s3://x"\nsecret = "a"\nsecret_file = "b"\n', "connections.lake has both secret and secret_file"),
        ('[connections.lake]\nurl = "s3://x"\nsecret_file = "nowhere"\n', "connections.lake.secret_file cannot be read"),
        ('[connections.lake]\nurl = "file:///lake"\nregion = "eu"\n', "connections.lake.region is for object stores"),
        ('[limits]\nsql_bytes = "17MiB"\n', "limits.sql_bytes must be between 1 and 16777216, not 17825792"),
        ("[server]\nallow_writes = true\n", "server.allow_writes is not supported by this version: it serves read-only"),
        ('[tls]\ncert = "x"\n', "[tls] is not supported yet"),
        ('[auth]\nusers = "x"\n', "[auth] is not supported yet"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    message = refusal(write(tmp_path, text)).partition("\n")[0]
    assert said in message


def test_writes_are_refused_wherever_they_are_asked_for(tmp_path: Path) -> None:
    said = "is not supported by this version: it serves read-only"
    assert refusal(flags=ServerSection(allow_writes=True)) == f"--allow-writes {said}"
    assert refusal(environment={"VOLLEY_ALLOW_WRITES": "true"}) == f"VOLLEY_ALLOW_WRITES {said}"
    assert load_config(write(tmp_path, "[server]\nallow_writes = false\n"), environment={"VOLLEY_ALLOW_WRITES": "0"}).port == DEFAULT_PORT


def test_a_bad_variable_is_named_without_its_value() -> None:
    assert refusal(environment={"VOLLEY_PORT": "hush"}) == "VOLLEY_PORT must be a whole number"
    assert refusal(environment={"VOLLEY_ALLOW_WRITES": "maybe"}) == "VOLLEY_ALLOW_WRITES must be true or false"


def test_roots_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_bytes(b"")
    assert refusal(flags=ServerSection(data=[str(tmp_path / "nowhere")])) == f"the data root {tmp_path}/nowhere does not exist"
    said = refusal(flags=ServerSection(data=[str(tmp_path / "access.log")]))
    assert "says no format" in said
    assert "read_files('access.log', format = 'csv')" in said
    assert "nowhere.toml" in refusal(str(tmp_path / "nowhere.toml"))


def test_an_address_to_join_is_checked() -> None:
    assert "grpc://HOST:PORT" in refusal(flags=ServerSection(join=["somewhere"]))


def test_secrets_are_in_no_text_of_a_configuration(tmp_path: Path) -> None:
    path = write(tmp_path, '[connections.lake]\nurl = "s3://lake"\nkey = "account-x"\nsecret = "hush-hush"\n')
    config = load_config(path, environment={})
    assert isinstance(config, Config)
    assert "hush" not in repr(config) + str(config)
    assert "account-x" not in repr(config)


def test_a_statement_may_be_as_long_as_the_planner_takes_it_by_default() -> None:
    assert Config().limits.sql_bytes == PlanOptions().limits.sql_bytes == DEFAULT_LIMITS.sql_bytes
