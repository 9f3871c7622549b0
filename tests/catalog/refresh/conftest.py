"""A price server, and a plan that reads it, for every test of the refresh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from breakeven.catalog.refresh.download import Limits
from breakeven.catalog.refresh.run import RefreshPlan
from price_server import Site, price_server

TODAY = date(2026, 11, 23)


@pytest.fixture
def site() -> Iterator[Site]:
    """Both sources on a good day."""
    with price_server() as served:
        yield served


@pytest.fixture
def plan(site: Site, tmp_path: Path) -> Callable[..., RefreshPlan]:
    """A plan that reads the server into a folder that is not there yet."""

    def make(**changes: Any) -> RefreshPlan:
        given: dict[str, Any] = {
            "folder": tmp_path / "refreshed",
            "today": TODAY,
            "token_url": site.token_url,
            "gpu_url": site.gpu_url,
            "limits": Limits(timeout_s=5.0),
        }
        return RefreshPlan(**{**given, **changes})

    return make
