"""Shared by all tests: the folder of public data beside the project, where there is one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["BREAKEVEN_CATALOGUE"] = ""  # prices refreshed on this machine change no test, in children either
os.environ.pop("COLUMNS", None)  # test workers have one; pages are as wide as where nobody says

sys.path.insert(0, str(Path(__file__).parent))

# the same examples on every machine, and none is timed
settings.register_profile("seeded", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("seeded")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """`../shared/data`, or a skip that says it is not there."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no public data at {SHARED_DATA.name}: ../shared/data is absent")
    return SHARED_DATA
