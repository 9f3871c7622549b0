"""Fixtures: an empty store, and a short way to import one text."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from breakeven.usage.ingest_report import IngestReport
from breakeven.usage.store.call_store import CallStore
from usage_black_box.logs import ingest, write

SECONDS_MAX = 180


class Hanging(BaseException):
    """No Exception, so that nothing under test takes it for a file that cannot be read."""


@pytest.fixture(autouse=True)
def no_hanging() -> Iterator[None]:
    """A test that waits for something that never comes fails instead of stopping the suite."""

    def give_up(*_: object) -> None:
        raise Hanging(f"longer than {SECONDS_MAX} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(SECONDS_MAX)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def store() -> Iterator[CallStore]:
    """An empty store."""
    with CallStore.temporary() as fresh:
        yield fresh


@pytest.fixture
def take(store: CallStore, tmp_path: Path) -> Callable[..., IngestReport]:
    """Import one content as a file of the given name."""

    def take_one(content: str | bytes, name: str = "log.jsonl", **settings: str) -> IngestReport:
        return ingest(store, write(tmp_path / name, content), **settings)

    return take_one
