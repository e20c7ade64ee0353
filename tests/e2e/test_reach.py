"""No statement reaches a file, a setting or a variable of the server, however it is spelled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import adbc_driver_flightsql.dbapi as adbc
import duckdb
import pytest

from flight_server.client import Client
from flight_server.errors import ClientError
from tests.e2e.refusals import no_insides
from tests.e2e.running_server import ROOT, RunningServer

SECRET = "tops3cret-7f3a"


@pytest.fixture(scope="module", name="outside")
def _outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that no connection leads to, with a secret in every format."""
    folder = tmp_path_factory.mktemp("outside")
    for name in ("secret.txt", "secret.csv"):
        (folder / name).write_text(f"word\n{SECRET}\n")
    (folder / "secret.json").write_text(f'{{"word": "{SECRET}"}}\n')
    kernel = duckdb.connect()
    kernel.execute(f"COPY (SELECT '{SECRET}' AS word) TO '{folder}/secret.parquet'")
    kernel.execute(f"ATTACH '{folder}/secret.db' AS db")
    kernel.execute(f"CREATE TABLE db.words AS SELECT '{SECRET}' AS word")
    kernel.close()
    return folder


@pytest.fixture(scope="module", name="server")
def _server(outside: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    root = tmp_path_factory.mktemp("inside") / "data"
    root.mkdir()
    duckdb.connect().execute(f"COPY (SELECT range AS id FROM range(10)) TO '{root}/inside.parquet'")
    state = tmp_path_factory.mktemp("state")
    with RunningServer("--data", str(root), "--memory", "1GB", "--state", str(state), VAULT=SECRET) as server:
        yield server
        assert server.stop() == 0, server.log


SPELLINGS = [
    "SELECT * FROM read_text('{path}/secret.txt')",
    "SELECT * FROM READ_TEXT('{path}/secret.txt')",
    "SELECT * FROM \"read_text\"('{path}/secret.txt')",
    "SELECT * FROM main.read_text('{path}/secret.txt')",
    "SELECT * FROM system.main.read_text('{path}/secret.txt')",
    'SELECT * FROM "system"."main"."read_text"(\'{path}/secret.txt\')',
    "SELECT * FROM read_blob('{path}/secret.txt')",
    "SELECT * FROM read_csv('{path}/secret.csv')",
    "SELECT * FROM read_csv_auto('{path}/secret.csv')",
    "SELECT * FROM sniff_csv('{path}/secret.csv')",
    "SELECT * FROM read_json('{path}/secret.json')",
    "SELECT * FROM read_json_auto('{path}/secret.json')",
    "SELECT * FROM read_ndjson_objects('{path}/secret.json')",
    "SELECT * FROM read_parquet('{path}/secret.parquet')",
    "SELECT * FROM read_parquet(['{path}/secret.parquet'])",
    "SELECT * FROM parquet_scan('{path}/secret.parquet')",
    "SELECT * FROM parquet_metadata('{path}/secret.parquet')",
    "SELECT * FROM parquet_schema('{path}/secret.parquet')",
    "SELECT * FROM parquet_kv_metadata('{path}/secret.parquet')",
    "SELECT * FROM glob('{path}/*')",
    "SELECT * FROM '{path}/secret.parquet'",
    'SELECT * FROM "{path}/secret.parquet"',
    "SELECT * FROM '{path}/secret.csv'",
    'SELECT * FROM "{path}/secret.csv"',
    "SELECT * FROM '../../outside0/secret.csv'",
    'SELECT * FROM main."{path}/secret.parquet"',
    "SELECT * FROM read_files('{path}/secret.parquet')",
    "SELECT * FROM read_files('{path}/*')",
    "SELECT * FROM read_files('../../outside0/secret.parquet')",
    "SELECT * FROM read_files('default:../../outside0/secret.parquet')",
    "SELECT * FROM read_files('./../../outside0/*.parquet')",
    "SELECT * FROM read_files('x/../../../outside0/secret.parquet')",
    "SELECT * FROM read_files('file://{path}/secret.parquet')",
    "SELECT * FROM read_files('FILE://{path}/secret.parquet')",
    "SELECT * FROM read_files('file:{path}/secret.parquet')",
    "SELECT * FROM read_files('{data}/../../outside0/secret.parquet')",
    "SELECT * FROM read_files('{data}2/secret.parquet')",
    "SELECT * FROM read_files('%2e%2e/%2e%2e/outside0/secret.parquet')",
    "SELECT * FROM read_files(['{path}/secret.parquet'])",
    "SELECT * FROM read_files('inside.parquet', '{path}/secret.parquet')",
    "SELECT * FROM read_files('http://127.0.0.1:1/secret.parquet')",
    "SELECT * FROM read_files('s3://bucket/secret.parquet')",
    "SELECT * FROM read_files('nowhere:secret.parquet')",
    "SELECT * FROM read_files(['inside.parquet', '{path}/secret.parquet'])",
    "SELECT * FROM read_files(['inside.parquet', '../../outside0/secret.parquet'])",
    "SELECT * FROM read_files('{path}/secret.txt', format = 'csv')",
    "SELECT * FROM read_files('../../outside0/secret.txt', format = 'csv', header = true)",
    "SELECT * FROM read_files('inside.parquet', format = 'csv', quote = '''', rejects_table = 'x')",
    "SELECT * FROM read_files('inside.parquet', format = 'json', records = '), read_text(''{path}/secret.txt'') --')",
    "SELECT * FROM read_files('inside.parquet', format = 'csv', columns = {{'a'': ''INT''}}), read_text(''{path}/s'') --': 'INT'}})",
    "SELECT * FROM read_files('inside.parquet', format = 'csv', columns = {{'a': 'INT'', ''b'': ''INT''}}), read_text(''{path}/s'') --'}})",
    "SELECT * FROM read_files('inside.parquet', format = 'csv', delim = (SELECT content FROM read_text('{path}/secret.txt')))",
    "SELECT * FROM read_files('inside.parquet', filename = '{path}/secret.parquet')",
    "SELECT * FROM 'inside.parquet' JOIN '../../outside0/secret.parquet' AS s ON true",
    "SELECT * FROM 'file://{path}/secret.csv'",
    "SELECT * FROM 'default:../../outside0/secret.csv'",
    "SELECT * FROM inside, LATERAL (SELECT * FROM read_text('{path}/secret.txt')) t",
    "SELECT * FROM inside, LATERAL read_text('{path}/secret.txt')",
    "SELECT (SELECT content FROM read_text('{path}/secret.txt'))",
    "SELECT id FROM inside WHERE EXISTS (SELECT 1 FROM read_text('{path}/secret.txt'))",
    "SELECT id FROM inside ORDER BY (SELECT content FROM read_text('{path}/secret.txt'))",
    "SELECT id FROM inside LIMIT (SELECT count(*) FROM glob('{path}/*'))",
    "WITH t AS (SELECT * FROM read_text('{path}/secret.txt')) SELECT * FROM t",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t, read_text('{path}/secret.txt') WHERE n < 3) SELECT * FROM t",
    "SELECT 1 UNION ALL SELECT content FROM read_text('{path}/secret.txt')",
    "VALUES ((SELECT content FROM read_text('{path}/secret.txt')))",
    "SELECT * FROM (VALUES (1)) t(a) JOIN read_text('{path}/secret.txt') ON true",
    "SELECT list_transform([1], lambda x: (SELECT content FROM read_text('{path}/secret.txt')))",
    "SELECT CASE WHEN (SELECT count(*) FROM read_text('{path}/secret.txt')) = 1 THEN 1 ELSE error('no') END",
    "EXPLAIN SELECT * FROM read_text('{path}/secret.txt')",
    "EXPLAIN ANALYZE SELECT * FROM read_text('{path}/secret.txt')",
    "DESCRIBE SELECT * FROM read_csv('{path}/secret.csv')",
    "DESCRIBE '{path}/secret.csv'",
    "SUMMARIZE '{path}/secret.csv'",
    "FROM '{path}/secret.parquet'",
    "FROM read_text('{path}/secret.txt')",
    "TABLE '{path}/secret.parquet'",
    "PIVOT '{path}/secret.csv' ON word",
    "SELECT * FROM query('SELECT * FROM read_text(''{path}/secret.txt'')')",
    "SELECT * FROM query_table('{path}/secret.parquet')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT content FROM read_text(''{path}/secret.txt'')'))",
    "SELECT * FROM sqlite_scan('{path}/secret.db', 'words')",
    "SELECT * FROM read_duckdb('{path}/secret.db')",
    "SELECT * FROM postgres_scan('', '', '')",
    "SELECT * FROM iceberg_scan('{path}')",
    "SELECT * FROM delta_scan('{path}')",
    "SELECT * FROM st_read('{path}/secret.csv')",
    "ATTACH '{path}/secret.db' AS db",
    "ATTACH '{path}/secret.db' AS db; SELECT * FROM db.words",
    "COPY inside TO '{path}/stolen.parquet'",
    "COPY (SELECT 1) TO '{path}/stolen.csv'",
    "COPY inside FROM '{path}/secret.csv'",
    "IMPORT DATABASE '{path}'",
    "EXPORT DATABASE '{path}/stolen'",
    "CREATE MACRO m() AS TABLE SELECT * FROM read_text('{path}/secret.txt')",
    "CREATE VIEW v AS SELECT * FROM read_text('{path}/secret.txt')",
    "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')",
    "PREPARE p AS SELECT * FROM read_text('{path}/secret.txt')",
    "EXECUTE p",
    "LOAD '{path}/x.duckdb_extension'",
    "INSTALL httpfs FROM '{path}'",
    "CALL read_text('{path}/secret.txt')",
    "CALL glob('{path}/*')",
    "PRAGMA table_info('{path}/secret.parquet')",
    "SELECT getenv('VAULT')",
    "SELECT GETENV('VAULT')",
    "SELECT \"getenv\"('VAULT')",
    "SELECT main.getenv('VAULT')",
    "SELECT system.main.getenv('VAULT')",
    "SELECT 'VAULT'.getenv()",
    "SELECT ('VAULT').getenv()",
    "SELECT list_transform(['VAULT'], lambda x: getenv(x))",
    "SELECT list_transform(['VAULT'], x -> x.getenv())",
    "SELECT apply(['VAULT'], getenv)",
    "SELECT list_aggregate(['VAULT'], 'getenv')",
    "SELECT id FROM inside WHERE getenv('VAULT') = 'x'",
    "SELECT id FROM inside GROUP BY getenv('VAULT'), id",
    "SELECT current_setting('temp_directory')",
    "SELECT current_setting('allowed_directories')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM DUCKDB_SETTINGS()",
    "SELECT * FROM main.duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_databases()",
    "SELECT * FROM duckdb_temporary_files()",
    "SELECT * FROM duckdb_logs",
    "SELECT * FROM duckdb_views()",
    "SELECT * FROM duckdb_views",
    "SELECT * FROM duckdb_variables()",
    "SELECT * FROM pragma_database_list()",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM pragma_storage_info('inside')",
    "SELECT * FROM pg_settings()",
    "SELECT * FROM pg_catalog.pg_settings",
    "SELECT * FROM which_secret('s3://x', 's3')",
    "SELECT getvariable('x')",
    "SET VARIABLE x = 1",
    "SET temp_directory = '{path}'",
    "RESET temp_directory",
    "SHOW ALL",
    "SELECT current_query()",
    "SELECT * FROM \u0072ead_text('{path}/secret.txt') WHERE getenv('VAULT') IS NULL",
    "SELECT * FROM U&\"r\\0065ad_text\"('{path}/secret.txt')",
    "SELECT * FROM ｒead_text('{path}/secret.txt')",
    "SELECT * FROM read_text/**/('{path}/secret.txt')",
    "SELECT * FROM read_text\n--x\n('{path}/secret.txt')",
    "SELECT * FROM TABLE(read_text('{path}/secret.txt'))",
    "SELECT * FROM (read_text('{path}/secret.txt'))",
    "SELECT * FROM ROWS FROM (read_text('{path}/secret.txt'))",
    "SELECT unnest((SELECT list(content) FROM read_text('{path}/secret.txt')))",
    "SELECT * FROM unnest((SELECT list(content) FROM read_text('{path}/secret.txt')))",
    "SELECT * FROM generate_series(1, (SELECT length(content) FROM read_text('{path}/secret.txt')))",
    "SELECT * FROM inside TABLESAMPLE (SELECT length(content) FROM read_text('{path}/secret.txt'))",
    "SELECT COLUMNS(c -> getenv('VAULT') IS NOT NULL) FROM inside",
    "SELECT * REPLACE (getenv('VAULT') AS id) FROM inside",
    "SELECT sum(id) FILTER (WHERE getenv('VAULT') <> '') FROM inside",
    "SELECT sum(id) OVER (PARTITION BY getenv('VAULT')) FROM inside",
    "SELECT sum(id) OVER w FROM inside WINDOW w AS (ORDER BY getenv('VAULT'))",
    "SELECT id FROM inside QUALIFY row_number() OVER (ORDER BY getenv('VAULT')) = 1",
    "SELECT id FROM inside HAVING getenv('VAULT') <> ''",
    "SELECT {{'a': getenv('VAULT')}}",
    "SELECT MAP {{'a': getenv('VAULT')}}",
    "SELECT [x.getenv() FOR x IN ['VAULT']]",
    "SELECT TRY(getenv('VAULT'))",
    "SELECT INTERVAL (getenv('VAULT')) DAY",
    "SELECT extract(getenv('VAULT') FROM DATE '2020-01-01')",
    "SELECT * FROM inside AT (VERSION => getenv('VAULT'))",
    "SELECT 1 FETCH FIRST (SELECT length(getenv('VAULT'))) ROWS ONLY",
    "SELECT 1 OFFSET (SELECT length(getenv('VAULT')))",
    "SELECT DISTINCT ON (getenv('VAULT')) id FROM inside",
]


@pytest.fixture(name="client")
def _client(server: RunningServer) -> Iterator[Client]:
    with Client(server.uri) as client:
        yield client


def spelled(text: str, outside: Path) -> str:
    return text.format(path=outside, data=outside.parent / "inside0" / "data")


@pytest.mark.parametrize("text", SPELLINGS)
def test_by_no_spelling(client: Client, outside: Path, text: str) -> None:
    before, sql = sorted(outside.iterdir()), spelled(text, outside)
    with pytest.raises(ClientError) as told:
        client.query(sql)
    # What the user wrote may be quoted to him.
    message = str(told.value).replace(sql, "").replace(str(outside), "").replace(str(outside.parent / "inside0" / "data2"), "")
    no_insides(message, [str(ROOT), str(outside.parent)])
    assert SECRET not in message
    assert sorted(outside.iterdir()) == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text(?)",
        "SELECT * FROM read_parquet(?)",
        "SELECT * FROM read_files(?)",
        "SELECT (SELECT content FROM read_text(?))",
        "SELECT * FROM query_table(?)",
    ],
)
@pytest.mark.parametrize("name", ["secret.txt", "secret.parquet"])
def test_not_by_parameters(server: RunningServer, outside: Path, sql: str, name: str) -> None:
    with adbc.connect(server.uri, autocommit=True) as connection, connection.cursor() as cursor:
        with pytest.raises(adbc.Error) as told:
            cursor.execute(sql, [str(outside / name)]).fetchall()
        assert SECRET not in str(told.value)
        no_insides(str(told.value).replace(str(outside), ""), [str(ROOT), str(outside.parent)])


def test_not_by_a_parameter_for_an_allowed_function(server: RunningServer) -> None:
    with adbc.connect(server.uri, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT ? AS word", ["getenv('VAULT')"])
        assert cursor.fetchall() == [("getenv('VAULT')",)]
        cursor.execute("SELECT ? AS word", ["'; SELECT getenv('VAULT') --"])
        assert cursor.fetchall() == [("'; SELECT getenv('VAULT') --",)]


def test_not_by_a_table_s_path(server: RunningServer, outside: Path) -> None:
    with Client(server.uri) as client:
        for name in ("../outside0/secret", f"{outside}/secret", f"{outside}/secret.parquet", "/etc/passwd", "inside'; --"):
            with pytest.raises(ClientError):
                client.query(f'SELECT * FROM "{name}"')


def test_not_by_going_up_to_the_server_s_own_folders(client: Client) -> None:
    for sql in (
        "SELECT * FROM read_files('../state0/**')",
        "SELECT * FROM read_files('default:../../state0/results/*/*.parquet')",
        "SELECT * FROM read_files('**/../../*.parquet')",
    ):
        with pytest.raises(ClientError) as told:
            client.query(sql)
        assert SECRET not in str(told.value)


def test_the_secret_was_there_all_the_time(outside: Path) -> None:
    """The tests above would find it if it could be found."""
    kernel = duckdb.connect()
    assert kernel.execute(f"SELECT word FROM '{outside}/secret.parquet'").fetchall() == [(SECRET,)]
    assert SECRET in kernel.execute(f"SELECT content FROM read_text('{outside}/secret.txt')").fetchall()[0][0]
