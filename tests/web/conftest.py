"""Shared by the dashboard's tests: a small project, a client, a server on a loopback port, a browser."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from breakeven.web.jobs import Job
from breakeven.web.page import Desk
from breakeven.web.project import Project
from web.browser import CHROMIUM
from web.dashboards import client_of, server_of
from web.made_project import desk_of, make_project

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with everything in it; read only, made once for all workers. To change it take `own_project`."""
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "dashboard"
    shared.mkdir(exist_ok=True)
    folder = shared / "support-desk"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            half = shared / "half"
            shutil.rmtree(half, ignore_errors=True)
            make_project(half)
            half.rename(folder)
    return Project.at(folder)


@pytest.fixture(scope="session")
def compared(project: Project) -> Project:
    """The project, with its comparison computed and kept."""
    from breakeven.web import documents

    desk = desk_of(project)
    with (project.folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for _ in range(4):
            found = documents.comparison(desk)
            if not isinstance(found, Job):
                return project
            found.wait(300)
    raise AssertionError(f"{found.state}: {found.error}")


@pytest.fixture
def own_project(project: Project, tmp_path: Path) -> Project:
    """A copy of the project that a test may change; nothing is computed yet."""
    shutil.copytree(project.folder, tmp_path / "own", ignore=shutil.ignore_patterns("ui"))
    return Project.at(tmp_path / "own")


@pytest.fixture
def empty_project(tmp_path: Path) -> Project:
    """A folder with nothing in it."""
    (tmp_path / "new-team").mkdir()
    return Project.at(tmp_path / "new-team")


@pytest.fixture
def desk(project: Project) -> Desk:
    """The desk of the project."""
    return desk_of(project)


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    """Asks the app directly; brings the token along."""
    with client_of(desk) as made:
        yield made


@pytest.fixture(scope="module")
def served(project: Project) -> Iterator[str]:
    """Address of the project's dashboard."""
    with server_of(desk_of(project)) as url:
        yield url


@pytest.fixture(scope="module")
def served_compared(compared: Project) -> Iterator[str]:
    """Address of the dashboard of a project whose comparison is at hand."""
    with server_of(desk_of(compared)) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium, the distribution's own. For one module: while it is there, no test can `asyncio.run`."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()
