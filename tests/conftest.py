"""Shared by all tests: the folder of public data beside the project, where there is one."""

from __future__ import annotations

import csv
import gc
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["BREAKEVEN_CATALOGUE"] = ""  # prices refreshed on this machine change no test, in children either
os.environ.pop("COLUMNS", None)  # test workers have one; pages are as wide as where nobody says
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # tests start many processes, which should not compile all again
sys.dont_write_bytecode = False

sys.path.insert(0, str(Path(__file__).parent))

# the same examples on every machine, and none is timed
settings.register_profile("seeded", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("seeded")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collecting makes millions of objects that all stay: nobody looks for rubbish among them, then or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        gc.enable()


@pytest.fixture
def shared_data() -> Path:
    """`../shared/data`, or a skip that says it is not there."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no public data at {SHARED_DATA.name}: ../shared/data is absent")
    return SHARED_DATA


@pytest.fixture
def long_csv_fields() -> Iterator[None]:
    """Prompts of any length in a CSV; the limit is the process's, so it is put back."""
    before = csv.field_size_limit(10**9)
    yield
    csv.field_size_limit(before)
