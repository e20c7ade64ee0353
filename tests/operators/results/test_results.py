from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import fsspec
import msgspec
import pyarrow as pa
import pytest

from operators.errors import NoSuchResult, OperatorError, ResultExpired, ResultUnreadable, StorageError
from operators.results.result_files import ResultFiles
from operators.results.results import ABANDONED_SECONDS, BEGINNING, ResultStore
from operators.results.row_group_cache import RowGroupCache
from planner.errors import Status
from tests.operators.results.result_samples import SCHEMA, SmallStore, all_numbers, begun, finished, new_id, numbers, rows


def test_a_finished_result_survives_a_restart_with_all_its_cursors(small: SmallStore) -> None:
    result = finished(small.store, 65)
    before = list(result.follow((0, 1, 5)))
    stored = small.another().get(result.query_id)
    assert stored is not None
    assert stored is not result
    after = list(stored.follow((0, 1, 5)))
    assert [(read.cursor, read.next) for read in after] == [(read.cursor, read.next) for read in before]
    assert [read.batch for read in after] == [read.batch for read in before]
    assert (stored.rows, stored.bytes, stored.row_groups, stored.closed) == (65, result.bytes, result.row_groups, True)
    assert (stored.owner, stored.schema) == ("ada", SCHEMA)
    assert stored.manifest is not None
    assert stored.manifest.status == '{"state":"completed"}'
    assert stored.expires_at == small.clock.now + 100


def test_what_is_said_of_columns_survives_too(small: SmallStore) -> None:
    told = pa.schema([SCHEMA.field(0).with_metadata({"origin": "numbers"}), SCHEMA.field(1)])
    writer = begun(small.store, told)
    writer.append(rows(0, 12))
    writer.finish(lambda: "{}")
    stored = small.another().get(writer.result.query_id)
    assert stored is not None
    assert stored.schema.equals(told, check_metadata=True)
    assert numbers(list(stored.follow(BEGINNING))) == list(range(12))


def test_an_empty_result_survives_too(small: SmallStore) -> None:
    stored = small.another().get(finished(small.store, 0).query_id)
    assert stored is not None
    (read,) = stored.follow(BEGINNING)
    assert (read.batch.num_rows, read.batch.schema, read.next) == (0, SCHEMA, None)


def test_the_same_result_is_found_while_it_is_written_and_after(small: SmallStore) -> None:
    writer = begun(small.store)
    assert small.store.get(writer.result.query_id) is writer.result
    writer.finish(lambda: "{}")
    assert small.store.get(writer.result.query_id) is writer.result
    failed = begun(small.store)
    failed.abort(OperatorError("killed"))
    assert small.store.get(failed.result.query_id) is None


def test_processes_that_share_a_storage_find_each_others_results(small: SmallStore) -> None:
    other = small.another()
    assert other.list() == []
    first = finished(small.store, 5)
    small.clock.now += 1
    second = finished(other, 7)
    for store in (small.store, other):
        assert [stored.query_id for stored in store.list()] == [first.query_id, second.query_id]
    stored = other.list()[0]
    assert (stored.owner, stored.rows, stored.bytes, stored.line) == ("ada", 5, first.bytes, '{"state":"completed"}')
    assert stored.completed_at + 100 == stored.expires_at
    found = other.get(first.query_id)
    assert found is not None
    assert found.manifest is not None
    assert (found.manifest.sql, found.manifest.status) == ("SELECT n, t FROM numbers", '{"state":"completed"}')


def test_of_most_results_only_what_lists_tell_is_kept_in_memory(tmp_path: Path) -> None:
    """``short`` makes little of a long status, and a store that has just begun knows no more."""
    filesystem = fsspec.filesystem("file")
    writing = ResultStore(filesystem, str(tmp_path), short=lambda manifest: manifest.sql[:6])
    for _ in range(3):
        writer = writing.create(new_id(), SCHEMA, "SELECT 1" + " " * 10_000, "ada")
        writer.append(rows(0, 4))
        writer.finish(lambda: "x" * 10_000)
    begun_later = ResultStore(filesystem, str(tmp_path), short=lambda manifest: manifest.sql[:6])
    for store in (writing, begun_later):
        assert [stored.line for stored in store.list()] == ["SELECT"] * 3
        assert len(pickle.dumps(store._stored)) < 1_000
        store.close()


def test_a_result_that_has_been_read_may_expire_sooner_for_every_process(small: SmallStore) -> None:
    result, other = finished(small.store, 15), finished(small.store, 5)
    before = {stored.query_id: stored.expires_at for stored in small.store.list()}
    small.store.expire_within(result.query_id, 1_000)
    small.store.expire_within(result.query_id, 30)
    small.store.expire_within(new_id(), 30)
    small.store.close()
    assert result.expires_at == small.clock.now + 30 < before[result.query_id]
    for store in (small.store, small.another()):
        expiring = {stored.query_id: stored.expires_at for stored in store.list()}
        assert expiring == before | {result.query_id: small.clock.now + 30}
    assert all_numbers(result) == list(range(15))
    small.clock.now += 31
    assert small.another().sweep(small.clock.now) == [result.query_id]
    assert small.another().list()[0].query_id == other.query_id


def test_a_result_that_was_dropped_does_not_come_back_to_expire_sooner(small: SmallStore) -> None:
    result = finished(small.store, 15)
    manifest = result.manifest
    assert manifest is not None
    assert small.store.delete(result.query_id)
    small.store._replace(result, manifest)
    assert small.files() == []
    assert small.another().list() == []


@pytest.mark.parametrize(
    "query_id", ["", "x", "..", "../../etc/passwd", "0" * 31, "0" * 33, "A" * 32, "0" * 31 + "/", "0" * 31 + "\n", "\u0660" * 32]
)
def test_what_is_no_query_id_never_becomes_a_path(small: SmallStore, query_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the storage was asked")

    monkeypatch.setattr(ResultFiles, "read_manifest", refuse)
    monkeypatch.setattr(ResultFiles, "remove", refuse)
    assert small.store.get(query_id) is None
    assert not small.store.delete(query_id)
    with pytest.raises(AssertionError, match="32 hexadecimal digits"):
        small.store.create(query_id, SCHEMA, "", "")


def test_an_unknown_result_is_none(small: SmallStore) -> None:
    assert small.store.get("0" * 32) is None
    assert not small.store.delete("0" * 32)


def test_results_expire(small: SmallStore) -> None:
    result = finished(small.store, 25)
    small.clock.now += 99
    kept = finished(small.store, 5)
    assert small.store.sweep(small.clock.now) == []
    small.clock.now += 1
    for store in (small.store, small.another()):
        with pytest.raises(ResultExpired, match=f"the result of query {result.query_id} has expired") as raised:
            store.get(result.query_id)
        assert raised.value.status is Status.NOT_FOUND
        assert [manifest.query_id for manifest in store.list()] == [kept.query_id]
    reading = result.follow(BEGINNING)
    assert numbers([next(reading)]) == list(range(10))
    assert small.store.sweep(small.clock.now) == [result.query_id]
    with pytest.raises(ResultExpired):
        next(reading)
    assert small.store.get(result.query_id) is None
    assert {name.split("/")[0] for name in small.files()} == {kept.query_id}
    assert small.store.sweep(small.clock.now) == []


def test_two_processes_may_sweep_at_once(small: SmallStore) -> None:
    other = small.another()
    result = finished(small.store, 25)
    other.list()
    small.clock.now += 100
    assert small.store.sweep(small.clock.now) == [result.query_id]
    assert other.sweep(small.clock.now) == []
    assert other.get(result.query_id) is None


def test_a_result_that_another_process_removed_while_it_is_read(small: SmallStore) -> None:
    result = finished(small.store, 65)
    other = small.another(cache_bytes=0)
    stored = other.get(result.query_id)
    assert stored is not None
    reading = stored.follow(BEGINNING)
    next(reading)
    assert small.store.delete(result.query_id)
    with pytest.raises(NoSuchResult, match="was removed") as raised:
        list(reading)
    assert raised.value.status is Status.NOT_FOUND
    with pytest.raises(NoSuchResult):
        all_numbers(result)


def test_damage_is_told_by_the_name_of_the_file_alone(tmp_path: Path) -> None:
    small = SmallStore("file", str(tmp_path))
    result = finished(small.store, 65)
    (tmp_path / "results" / result.query_id / "1.parquet").write_bytes(b"PAR1 no more PAR1")
    stored = small.another(cache_bytes=0).get(result.query_id)
    assert stored is not None
    (first,) = stored.follow(BEGINNING, whole=False)
    assert numbers([first]) == list(range(10))
    with pytest.raises(ResultUnreadable, match=r"file 1\.parquet of the result") as raised:
        all_numbers(stored)
    assert str(tmp_path) not in str(raised.value)
    small.store.close()


def test_a_truncated_arrow_file_is_damage_too(tmp_path: Path) -> None:
    small = SmallStore("file", str(tmp_path))
    schema = pa.schema([("x", pa.list_(pa.int64()))])
    writer = begun(small.store, schema)
    writer.append(pa.RecordBatch.from_arrays([pa.array([[number] for number in range(25)])], schema=schema))
    writer.finish(lambda: "{}")
    path = tmp_path / "results" / writer.result.query_id / "0.arrow"
    os.truncate(path, path.stat().st_size - 10)
    stored = small.another().get(writer.result.query_id)
    assert stored is not None
    with pytest.raises(ResultUnreadable):
        list(stored.follow((0, 2, 0)))
    small.store.close()


def test_a_damaged_manifest_is_no_result(small: SmallStore) -> None:
    result = finished(small.store, 5)
    small.fs.pipe_file(f"{small.root}/results/{result.query_id}/result.json", b'{"query_id": 5}')
    other = small.another()
    assert other.get(result.query_id) is None
    assert other.list() == []


def test_a_manifest_with_a_damaged_schema_is_no_result(small: SmallStore) -> None:
    result = finished(small.store, 5)
    path = f"{small.root}/results/{result.query_id}/result.json"
    manifest = msgspec.json.decode(small.fs.cat_file(path))
    for schema in ("", "AAAA", manifest["schema"][:40]):
        small.fs.pipe_file(path, msgspec.json.encode({**manifest, "schema": schema}))
        assert small.another().get(result.query_id) is None


def test_what_a_dead_process_left_is_removed_once_it_is_old(small: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = small.another()
    left = begun(dead)
    left.append(rows(0, 35))
    dead.close()  # its file is on storage, its manifest never comes
    kept = finished(small.store, 5)
    assert any(name.startswith(left.result.query_id) for name in small.files())
    written_at = small.clock.now
    monkeypatch.setattr(ResultFiles, "touched_at", lambda files, query_id: written_at)
    assert small.store.recover() == []
    small.clock.now += 99
    assert small.store.sweep(written_at + ABANDONED_SECONDS - 1) == [kept.query_id]
    assert small.store.sweep(written_at + ABANDONED_SECONDS) == [left.result.query_id]
    assert small.files() == []


def test_the_age_of_what_is_left_is_that_of_its_newest_file(small: SmallStore) -> None:
    writer = begun(small.store)
    writer.append(rows(0, 35))
    small.store.close()
    files = ResultFiles(small.fs, small.root)
    touched_at = files.touched_at(writer.result.query_id)
    assert touched_at is not None
    assert touched_at > 1_600_000_000
    assert files.touched_at("0" * 32) is None


def test_a_living_writer_keeps_its_files(small: SmallStore) -> None:
    writer = begun(small.store)
    writer.append(rows(0, 35))
    small.store.sweep(small.clock.now + 10 * ABANDONED_SECONDS)
    files = ResultFiles(small.fs, small.root)
    touched_at = files.touched_at(writer.result.query_id)
    assert touched_at is not None
    other = small.another()
    assert other.sweep(touched_at + ABANDONED_SECONDS - 1) == []
    writer.finish(lambda: "{}")
    assert all_numbers(writer.result) == list(range(35))


def test_row_groups_come_from_memory_while_they_are_hot(small: SmallStore) -> None:
    result = finished(small.store, 65)
    all_numbers(result)
    cache = small.store.statistics().cache
    assert (cache.groups, cache.misses) == (7, 0)
    cold = small.another()
    stored = cold.get(result.query_id)
    assert stored is not None
    all_numbers(stored)
    assert all_numbers(stored) == list(range(65))
    cache = cold.statistics().cache
    assert (cache.groups, cache.misses, cache.hits) == (7, 7, 7)
    cold.delete(result.query_id)
    assert cold.statistics().cache.groups == 0


def test_the_cache_keeps_what_was_used_last_within_its_bytes() -> None:
    cache = RowGroupCache(100)
    cache.put(("a", 0, 0), [], 40)
    cache.put(("a", 0, 1), [], 40)
    assert cache.get(("a", 0, 0)) is not None
    cache.put(("b", 0, 0), [], 40)
    assert cache.get(("a", 0, 1)) is None
    assert cache.get(("a", 0, 0)) is not None
    cache.put(("b", 0, 1), [], 101)
    cache.put(("b", 0, 0), [], 99)
    assert (cache.statistics().groups, cache.statistics().bytes) == (2, 80)
    cache.forget("a")
    assert (cache.statistics().groups, cache.statistics().bytes) == (1, 40)


def test_a_storage_that_cannot_be_reached_is_said_without_its_paths(small: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied", "/srv/secret")

    monkeypatch.setattr(ResultFiles, "read_manifest", refuse)
    monkeypatch.setattr(ResultFiles, "query_ids", refuse)
    for ask in (lambda: small.store.get("0" * 32), small.store.list, small.store.recover):
        with pytest.raises(StorageError, match="cannot be reached") as raised:
            ask()
        assert "secret" not in str(raised.value)


def test_statistics_count_writers_and_what_is_loaded(small: SmallStore) -> None:
    writer = begun(small.store)
    assert small.store.statistics().writing == 1
    writer.finish(lambda: "{}")
    statistics = small.store.statistics()
    assert (statistics.writing, statistics.loaded) == (0, 1)


def test_a_store_that_starts_in_an_empty_place_has_nothing(tmp_path: Path) -> None:
    small = SmallStore("file", str(tmp_path / "not" / "there"))
    assert small.store.recover() == []
    assert small.store.list() == []
    assert all_numbers(finished(small.store, 12)) == list(range(12))
    small.store.close()
