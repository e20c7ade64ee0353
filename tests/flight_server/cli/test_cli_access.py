"""How a command reaches its server; options that would do nothing are refused, with exit status 2 and nothing on stdout."""

from __future__ import annotations

from pathlib import Path

import pytest

from flight_server.cli import main
from flight_server.cli.options import Access, paths_start_at
from tests.flight_server.certificates import new_certificate
from tests.flight_server.fake_service import Served


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("VOLLEY_URI", "VOLLEY_TOKEN"):
        monkeypatch.delenv(variable, raising=False)


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command says that ends with status 2, without the lines on usage before it."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err.splitlines()[-1]


def test_a_server_that_was_told_to_allow_writes_does_not_start(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    said = "is not supported by this version: it serves read-only"
    assert refused(["serve", "--port", "0", "--allow-writes"], capsys) == f"error: --allow-writes {said}"
    monkeypatch.setenv("VOLLEY_ALLOW_WRITES", "1")
    assert refused(["serve", "--port", "0"], capsys) == f"error: VOLLEY_ALLOW_WRITES {said}"
    assert refused(["query", "SELECT 1"], capsys) == f"error: VOLLEY_ALLOW_WRITES {said}"


def test_users_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--user is not supported by this version" in refused(["queries", "--user", "ada"], capsys)


@pytest.mark.parametrize("command", [["query", "SELECT 1"], ["run", __file__], ["explain", "SELECT 1"], ["shell"], ["tui"]])
def test_an_embedded_server_is_given_no_token_and_no_authorities(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "--token and --tls-ca are for a server at --uri" in refused([*command, "--token", "t0ken"], capsys)
    assert "--token and --tls-ca are for a server at --uri" in refused([*command, "--tls-ca", __file__], capsys)


def test_a_token_of_the_environment_is_for_those_servers_that_want_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOLLEY_TOKEN", "t0ken")
    assert main(["query", "SELECT 42 AS answer", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "answer\n42\n"


def test_authorities_are_for_servers_with_tls(capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(["queries", "--uri", "grpc://127.0.0.1:1", "--tls-ca", __file__], capsys)
    assert "--tls-ca is for a server with TLS, grpc+tls://HOST:PORT; grpc://127.0.0.1:1 has none" in told


def test_a_server_with_tls_is_trusted_by_its_authorities_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = new_certificate()
    (tmp_path / "ca.pem").write_bytes(own.certificate)
    with Served(tls_certificates=[own]) as served:
        query = ["query", "SELECT 42 AS answer", "--format", "csv", "--uri", served.uri]
        assert main([*query, "--tls-ca", str(tmp_path / "ca.pem")]) == 0
        assert capsys.readouterr().out == "answer\n42\n"
        assert main(query) == 1
        assert "cannot reach a server" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--format", "csv", "-x"], ["--format", "json", "--pager"], ["--format", "parquet", "--expanded"]])
def test_the_look_of_tables_is_for_tables(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "--expanded and --pager are for tables" in refused(["query", "SELECT 1", *arguments], capsys)


def test_a_table_is_paged_or_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["query", "SELECT 1", "--format", "table", "-o", str(tmp_path / "a.txt"), "--pager"]
    assert "keep one" in refused(arguments, capsys)


def test_paths_begin_in_the_first_folder_of_an_embedded_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lake").mkdir()
    (tmp_path / "a.csv").touch()
    (tmp_path / "volley.toml").write_text('[connections.default]\nurl = "s3://lake"\n')
    for access, folder in (
        (Access(None, None, None), str(tmp_path)),
        (Access(None, None, None, data=("lake", "a.csv")), str(tmp_path / "lake")),
        (Access(None, None, None, data=("a.csv", "lake")), None),
        (Access(None, None, None, config="volley.toml"), None),
        (Access("grpc://127.0.0.1:1", None, None), None),
    ):
        assert paths_start_at(access) == folder
