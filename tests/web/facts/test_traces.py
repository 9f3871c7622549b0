"""Trace pages: the tree that `breakeven explain` prints, of every number that it knows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from breakeven.cli.main import group
from breakeven.reports.document import Document
from breakeven.reports.explain import explainable, find_trace
from breakeven.web import documents
from breakeven.web.facts.traces import Step, steps_of
from breakeven.web.project import Project
from web.dashboards import client_of
from web.made_project import desk_of


@pytest.fixture(scope="module")
def document(compared: Project) -> Document:
    """The project's comparison."""
    found = documents.comparison(desk_of(compared))
    assert isinstance(found, Document)
    return found


def test_the_tree_has_every_step_once_and_in_the_order_of_the_terminal(document: Document) -> None:
    for root in list(explainable(document).values())[:12]:
        order: list[str] = []
        _terminal_order(document, root, order)
        steps = list(_walk(steps_of(document, root)))
        assert [each.name for each in steps if not each.again][: len(order)] or order == []
        shown = [each for each in steps if each.inputs or each.source or not each.again]
        assert {each.anchor for each in shown} == {f"step-{number}" for number in range(len(order))}


def _terminal_order(document: Document, key: str, order: list[str]) -> None:
    if key not in order:
        order.append(key)
        for each in document.trace[key].inputs:
            _terminal_order(document, each, order)


def _walk(step: Step) -> list[Step]:
    return [step, *(below for each in step.inputs for below in _walk(each))]


@pytest.mark.parametrize(
    "path",
    [
        "rented_on_demand.engineering_labour",
        "frontier_api.total_usd_per_month",
        "frontier_api.cost_usd_per_success",
        "engineer_usd_per_year",
        "horizon.frontier_api.present_cost_usd",
        "answers.volume_bands.1",
        "",
    ],
)
def test_the_json_is_that_of_explain(compared: Project, document: Document, tmp_path: Path, path: str) -> None:
    text = documents.comparison_text(desk_of(compared))
    assert isinstance(text, str)
    (tmp_path / "report.json").write_text(text)
    words = ["explain", str(tmp_path / "report.json"), *([path] if path else []), "--json"]
    told = CliRunner().invoke(group, words, catch_exceptions=False)
    with client_of(desk_of(compared)) as client:
        found = client.get("/api/trace", params={"path": path})
        assert found.json() == json.loads(told.stdout)
        page = client.get("/trace", params={"path": path})
        assert page.status_code == 200


def test_the_page_says_what_the_terminal_says(compared: Project, document: Document) -> None:
    path = "rented_on_demand.engineering_labour"
    node = document.trace[find_trace(document, path)]
    with client_of(desk_of(compared)) as client:
        page = client.get("/trace", params={"path": path}).text
    assert node.formula in page
    for each in document.trace.values():
        if each.name == "engineer_usd_per_year" and each.source:
            assert each.source.title in page
            break


def test_every_number_of_the_list_leads_to_a_tree(compared: Project, document: Document) -> None:
    with client_of(desk_of(compared)) as client:
        paths = set(re.findall(r'href="/trace\?path=([^"]+)"', client.get("/trace").text))
        assert len(paths) == len(explainable(document))
        for each in sorted(paths)[:: max(1, len(paths) // 10)]:
            assert client.get(f"/trace?path={each}").status_code == 200


@pytest.mark.parametrize(
    "path", ["nobody", "<script>alert(1)</script>", "../../x", "frontier_api.nothing", "a" * 3_000]
)
def test_a_path_that_leads_nowhere_shows_what_there_is(compared: Project, path: str) -> None:
    with client_of(desk_of(compared)) as client:
        found = client.get("/trace", params={"path": path})
        assert found.status_code == 404
        assert "<script>alert" not in found.text
        assert client.get("/api/trace", params={"path": path}).status_code == 400


def test_without_calls_it_says_what_brings_them(empty_project: Project) -> None:
    with client_of(desk_of(empty_project)) as client:
        page: TestClient = client
        assert "breakeven import" in page.get("/trace?path=x").text
