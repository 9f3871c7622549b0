"""Facts, traces and exports in a real browser: what a person sees, and what works without a script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from syrupy.assertion import SnapshotAssertion

from breakeven.decision.scenario import load_scenario
from breakeven.web.project import Project
from web.browser import opened, visit
from web.dashboards import server_of
from web.made_project import desk_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAY = "engineer_usd_per_year"


@pytest.fixture
def own_served(empty_project: Project) -> Iterator[str]:
    """Address of a dashboard whose scenario may change; it has no calls."""
    empty_project.scenario.write_text("# ours\nseed: 3\n")
    with server_of(desk_of(empty_project)) as url:
        yield url


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_pages_are_sound(
    browser: Browser, served_compared: str, snapshot: SnapshotAssertion, width: int, scheme: str
) -> None:
    outlines = []
    for path in (
        "/facts?q=gpu",
        f"/facts/fact?name={PAY}",
        "/trace?path=rented_on_demand.engineering_labour",
        "/export",
    ):
        seen = visit(browser, served_compared + path, width, scheme)  # type: ignore[arg-type]
        outlines.append(f"{path}\n{seen.check().outline}")
    assert "\n\n".join(outlines) == snapshot


@pytest.mark.parametrize("path", ["/facts/scenarios", "/trace", "/trace?path=horizon.frontier_api.present_cost_usd"])
def test_the_pages_below_are_sound(browser: Browser, served_compared: str, path: str) -> None:
    visit(browser, served_compared + path, 760, "dark").check()


def test_a_number_is_opened_step_by_step(browser: Browser, served_compared: str) -> None:
    with opened(browser, f"{served_compared}/trace?q=rented") as it:
        it.page.get_by_role("link", name="Total a month").last.click()
        it.page.get_by_role("button", name="Open all").click()
        closed = it.page.locator(".tree details:not([open])").count()
        assert closed == 0
        it.page.get_by_role("link", name="shown above").first.click()
        assert "#step-" in it.page.url
        assert it.console == []


@pytest.mark.parametrize("javascript", [True, False])
def test_a_fact_is_changed_and_taken_back(
    browser: Browser, own_served: str, empty_project: Project, javascript: bool
) -> None:
    with opened(browser, f"{own_served}/facts?q=salary+engineer", javascript=javascript) as it:
        page = it.page
        page.goto(f"{own_served}/facts/fact?name={PAY}")
        page.get_by_label("Typical", exact=True).fill("1,5")
        page.get_by_role("button", name="Save").click()
        assert "The decimal sign is a point" in page.inner_text("main")
        page.get_by_label("Typical", exact=True).fill("180000")
        page.get_by_label("Low", exact=True).fill("")
        page.get_by_label("High", exact=True).fill("")
        page.get_by_role("button", name="Save").click()
        assert "$180,000/year" in page.inner_text("main")
        assert load_scenario(empty_project.scenario).overrides == {PAY: 180_000}
        page.get_by_role("button", name="Undo").click()
        assert load_scenario(empty_project.scenario).overrides == {}
        page.get_by_role("button", name="Redo").click()
        page.get_by_role("button", name="Reset").click()
        assert empty_project.scenario.read_text().startswith("# ours\nseed: 3\n")
        assert [each for each in it.console if "400" not in each] == []


def test_two_people_in_two_windows(browser: Browser, own_served: str, empty_project: Project) -> None:
    address = f"{own_served}/facts/fact?name={PAY}"
    with opened(browser, address) as one, opened(browser, address) as two:
        for it, value in ((one, "180000"), (two, "150000")):
            it.page.get_by_label("Low", exact=True).fill("")
            it.page.get_by_label("High", exact=True).fill("")
            it.page.get_by_label("Typical", exact=True).fill(value)
        one.page.get_by_role("button", name="Save").click()
        two.page.get_by_role("button", name="Save").click()
        assert "Somebody changed it meanwhile" in two.page.inner_text("h1")
        row = two.page.locator("table.three tbody td").all_inner_texts()
        assert row == ["as the catalogue says", "180000", "150000"]
        seen = two.seen(1280, "light", 200)
        assert not seen.violations
        two.page.get_by_role("button", name="Apply mine on top").click()
        assert load_scenario(empty_project.scenario).overrides == {PAY: 150_000}
