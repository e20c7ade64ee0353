"""A storage of results that goes away and comes back."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import fsspec
import pytest

from operators.errors import StorageAway
from operators.results import result_files
from operators.results.results import ResultStore
from tests.operators.results.result_samples import all_numbers, begun, finished, new_id


class PassingFailure:
    """A filesystem's method that says the storage is away, so many times."""

    def __init__(self, method: Callable[..., Any], times: int, error: Exception) -> None:
        self.called = 0
        self._method = method
        self._times = times
        self._error = error

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.called += 1
        if self.called <= self._times:
            raise self._error
        return self._method(*arguments, **options)


@pytest.fixture(name="quick")
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_files, "PAUSES_SECONDS", (0.001, 0.002))


PASSING = [OSError(errno.EBUSY, "slow down"), StorageAway("the connection 'default' is away")]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("error", PASSING, ids=["as an OSError", "as a StorageAway"])
def test_a_storage_that_is_away_while_a_result_is_written_and_read_is_waited_for(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    fs = fsspec.filesystem("memory")
    store = ResultStore(fs, f"/{new_id()}", rows_per_group=10, groups_per_file=1, patience_seconds=60)
    for method in ("open", "pipe_file"):
        monkeypatch.setattr(fs, method, PassingFailure(getattr(fs, method), 5, error))
    written = finished(store, 25)
    assert fs.open.called > 5 < fs.pipe_file.called
    stored = ResultStore(fs, store._files._folder.removesuffix("/results"), cache_bytes=0, patience_seconds=60).get(written.query_id)
    assert stored is not None
    monkeypatch.setattr(fs, "open", PassingFailure(fs.open, 5, error))
    assert all_numbers(stored) == list(range(25))
    assert fs.open.called > 5


@pytest.mark.usefixtures("quick")
def test_patience_ends_and_a_store_that_closes_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    fs = fsspec.filesystem("memory")
    away = PassingFailure(fs.pipe_file, 1_000_000, PASSING[1])
    monkeypatch.setattr(fs, "pipe_file", away)
    impatient = ResultStore(fs, f"/{new_id()}", patience_seconds=0.05)
    with pytest.raises(StorageAway):
        finished(impatient, 5)
    assert away.called > 3
    closed = ResultStore(fs, f"/{new_id()}", patience_seconds=3_600)
    closed.close()
    with pytest.raises(StorageAway):
        begun(closed).finish(lambda: "{}")
