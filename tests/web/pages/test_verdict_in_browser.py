"""The sliders in a real browser: what they show is what the command prints, to the cent and to the word."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from syrupy.assertion import SnapshotAssertion

from breakeven.reports import whatif_rows as rows
from breakeven.reports.amounts import difference, money, odds
from breakeven.reports.whatif_document import OptionChangePart, WhatIfDocument
from breakeven.web.project import Project
from web.browser import opened, visit
from web.dashboards import server_of
from web.made_project import TODAY, desk_of, verb
from web.verdict_project import make_quick_project, wait_for, whatif_json

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FIGURES = """
() => Object.fromEntries([...document.querySelectorAll('[data-fig]')].map(each => [each.dataset.fig, {
  now: each.querySelector('.now').textContent.trim(),
  value: each.querySelector('.now').dataset.value ?? null,
  was: each.querySelector('.was').hidden ? '' : each.querySelector('.was s').textContent.trim(),
  change: each.querySelector('.change').hidden ? '' : each.querySelector('.change').textContent.trim(),
}]))
"""
CENT = 0.005


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_quick_project(tmp_path_factory.mktemp("verdict") / "team")


@pytest.fixture(scope="module")
def served(quick: Project) -> Iterator[str]:
    desk = desk_of(quick)
    wait_for(desk)
    with server_of(desk) as url:
        yield url


def slide(page: Page, name: str, share: float) -> str:
    """Move a slider to a share of its track; gives what its field then says."""
    stand = page.locator(f'[data-stand="{name}"]')
    handle = stand.locator('input[type="range"]')
    last = int(handle.get_attribute("max") or "0")
    place = round(share * last)
    if place == int(stand.get_attribute("data-base") or "0"):
        place += 1
    handle.fill(str(place))
    return stand.locator('input[type="text"]').input_value()


def settled(page: Page) -> str:
    """Wait until the numbers are those of the address; gives the address."""
    until = monotonic() + 60
    while (of := page.evaluate("document.getElementById('answer').dataset.of")) != (here := address(page)):
        assert monotonic() < until, f"the numbers are still those of {of}, the address says {here}"
        page.wait_for_timeout(20)
    return here


def address(page: Page) -> str:
    return str(page.evaluate("location.pathname + location.search"))


def test_what_the_sliders_show_is_what_the_command_prints(browser: Browser, served: str, quick: Project) -> None:
    """Each slider alone, then some pairs."""
    with opened(browser, f"{served}/") as it:
        page = it.page
        names = [str(each.get_attribute("data-stand")) for each in page.locator("[data-stand]").all()]
        assert len(names) >= 8
        states = [((name, 0.25 + 0.5 * (at % 2)),) for at, name in enumerate(names)]
        states += [
            (("volume", 0.9), ("gpu_rents", 0.2)),
            (("utilisation", 0.9), ("api_price", 0.9), ("horizon", 0.0)),
        ]
        changed_count = 0
        for state in states:
            page.locator(".reset-all").dispatch_event("click")
            texts = [f"{name}={slide(page, name, share)}" for name, share in state]
            settled(page)
            said = WhatIfDocument.model_validate(whatif_json(quick, in_order(page)))
            assert sorted(in_order(page)) == sorted(texts)
            shown = page.evaluate(FIGURES)
            same_as_the_command(page, shown, said)
            changed_count += any(each["was"] for each in shown.values())
        assert changed_count >= len(states) - 1
        assert it.console == []


def in_order(page: Page) -> list[str]:
    """The changes as the page's own command has them."""
    command = page.locator("#same-command").inner_text()
    return [each for each in command.split()[2:] if "=" in each]


def same_as_the_command(page: Page, shown: dict[str, Any], said: WhatIfDocument) -> None:
    sentence = page.locator("#sentence").inner_text()
    assert sentence == f"With your changes: {said.sentence[:1].lower()}{said.sentence[1:]}"
    after = said.after
    tiles = {
        "tile.present": after.present_cost_usd.mean,
        "tile.month": after.usd_per_month.mean,
    }
    for key, usd in tiles.items():
        assert float(shown[key]["value"]) == pytest.approx(usd, abs=CENT)
        assert shown[key]["now"] == money(usd)
    assert float(shown["tile.odds"]["value"]) == after.odds_fraction
    assert shown["tile.odds"]["now"] == odds(after.odds_fraction)
    for part in said.options:
        same_option(shown, part, rows.lengths_words(said))


def same_option(shown: dict[str, Any], part: OptionChangePart, lengths: str) -> None:
    here = {key.rpartition(".")[2]: each for key, each in shown.items() if key.startswith(f"option.{part.option}.")}
    for key, was, now in (
        ("present", part.before_present_cost_usd, part.after_present_cost_usd),
        ("month", part.before_usd_per_month, part.after_usd_per_month),
    ):
        assert was is not None
        assert now is not None
        assert float(here[key]["value"]) == pytest.approx(now.mean, abs=CENT)
        assert here[key]["now"] == rows.expected_usd(now)
        words = f"costs {rows.difference_words(was, now)}"
        if key == "present" and lengths and words != "costs the same":
            words = lengths
        assert here[key]["change"] == ("" if words == "costs the same" else words)
        assert here[key]["was"] == ("" if words == "costs the same" else rows.expected_usd(was))
        assert here[f"{key}_span"]["now"] == rows.span_usd(now)
    assert here["odds"]["now"] == rows.odds_after(part)
    assert float(here["odds"]["value"]) == part.after_cheapest_fraction
    assert here["breakeven"]["now"] == rows.breakeven_after(part)
    if part.option != "frontier_api":
        assert part.after_saves_usd is not None
        assert here["against"]["now"] == difference(part.after_saves_usd.mean)
        assert float(here["against"]["value"]) == pytest.approx(part.after_saves_usd.mean, abs=CENT)
    assert not re.search(r"-\$", " ".join(each["now"] + each["change"] for each in here.values()))


def test_the_words_are_in_the_table_of_the_terminal(browser: Browser, served: str, quick: Project) -> None:
    with opened(browser, f"{served}/?volume=2B&gpu_rents=0.5") as it:
        shown = it.page.evaluate(FIGURES)
        cards = it.page.locator("[data-option]")
        titles = {str(each.get_attribute("data-option")): each.locator(".name").text_content() for each in cards.all()}
        command = it.page.locator("#same-command").inner_text()
    with patch.dict(os.environ, {"COLUMNS": "220"}):
        printed = verb(quick.folder, *command.split()[1:], "--as-of", TODAY.isoformat())
    lines = {line.split("  ")[0].strip(): line for line in printed.splitlines()}
    assert len(titles) >= 5
    for name, title in titles.items():
        line = lines[str(title)]
        for key in ("present", "month"):
            assert shown[f"option.{name}.{key}"]["now"] in line
            assert shown[f"option.{name}.{key}"]["change"].removeprefix("costs ") in line
        assert shown[f"option.{name}.odds"]["now"] in line


def test_dragging_asks_one_question_at_a_time_and_leaves_one_step_back(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/?horizon=24") as it:
        page = it.page
        flying, most, asked = [0], [0], []

        def sent(request: Any) -> None:
            if "/verdict/answer" in request.url:
                asked.append(request.url)
                flying[0] += 1
                most[0] = max(most[0], flying[0])

        def over(request: Any) -> None:
            if "/verdict/answer" in request.url:
                flying[0] -= 1

        page.on("request", sent)
        page.on("requestfinished", over)
        page.on("requestfailed", over)
        handle = page.locator('[data-stand="volume"] input[type="range"]')
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.5, middle)
        page.mouse.down()
        for step in range(24):
            page.mouse.move(box["x"] + box["width"] * (0.5 + step / 80), middle)
        assert page.locator("#said").inner_text() == ""
        assert "volume=" in address(page)
        held = handle.bounding_box()
        assert held is not None and abs(held["y"] - box["y"]) <= 1, "the slider moved away under the pointer"
        page.mouse.up()
        here = settled(page)
        page.locator("#said", has_text="With your changes").wait_for(state="attached")
        assert most[0] == 1
        assert len(asked) < 24
        assert asked[-1].endswith(here.removeprefix("/"))
        page.locator("#curves:not(.is-old)").wait_for()
        page.go_back()
        assert settled(page) == "/?horizon=24"
        assert page.locator('[data-stand="volume"] input[type="text"]').input_value() == ""
        page.go_forward()
        assert settled(page) == here
        page.locator("#curves:not(.is-old)").wait_for()
        curves = page.locator("#curves").inner_text()
        page.reload()
        assert address(page) == here
        assert page.locator("#curves").inner_text() == curves
        assert "With your changes" in page.locator("#sentence").inner_text()
        assert it.console == []
        assert it.failed == []


def test_keys_move_a_slider_and_resets_put_it_back(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/") as it:
        page = it.page
        handle = page.locator('[data-stand="horizon"] input[type="range"]')
        handle.focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        settled(page)
        assert handle.get_attribute("aria-valuetext") == "34 months"
        assert address(page) == "/?horizon=34"
        page.locator('[data-stand="volume"] input[type="text"]').fill("2B")
        page.keyboard.press("Enter")
        settled(page)
        assert address(page) == "/?volume=2B&horizon=34"
        page.locator('[data-stand="horizon"] .reset').click()
        settled(page)
        assert address(page) == "/?volume=2B"
        page.locator(".reset-all").click()
        settled(page)
        assert address(page) == "/"
        assert not page.locator(".changed-bar").is_visible()
        page.locator('[data-stand="volume"] input[type="text"]').fill("<b>")
        page.keyboard.press("Enter")
        page.locator("#refused", has_text="Volume: <b> is not taken; wanted a number").wait_for()
        stand = page.locator('[data-stand="volume"]')
        assert stand.locator('input[type="text"]').input_value() == "<b>"
        assert stand.locator('input[type="text"]').get_attribute("aria-invalid") == "true"
        assert stand.locator('input[type="range"]').input_value() == stand.get_attribute("data-base")
        assert not stand.locator(".to").is_visible()
        stand.locator(".reset").click()
        page.locator("#refused").wait_for(state="detached")
        assert stand.locator('input[type="text"]').get_attribute("aria-invalid") is None
        assert it.console == []
        sentence = page.locator("#sentence").inner_text()
        told = {
            "error": {
                "type": "ScenarioError",
                "message": "scenario.yaml is not valid YAML:\n      gpu: [\n           ^",
            }
        }
        page.route("**/verdict/answer*", lambda route: route.fulfill(status=400, json=told))
        handle.press("ArrowLeft")
        box = page.locator("#refused", has_text="not valid YAML")
        box.wait_for()
        assert "because it cannot be" not in box.inner_text() and "The numbers are those of before" in box.inner_text()
        assert "\n           ^" in box.inner_text(), "the mark stands below what it marks"
        assert page.locator("#sentence").inner_text() == sentence


CUT_OFF = """
() => [...document.querySelectorAll('.side a, .side button')]
  .filter(each => each.scrollWidth > each.clientWidth || each.getBoundingClientRect().right > innerWidth)
  .map(each => each.textContent.trim())
"""
SIDES = """
() => {
  const [inner, outer] = ['main', '.sheet'].map(each => document.querySelector(each).getBoundingClientRect());
  return [inner.left - outer.left, outer.right - inner.right];
}
"""
SIGN_OUT = """
() => document.querySelector('.settings')
  .insertAdjacentHTML('beforeend', '<form><button class="plain">Sign out</button></form>')
"""
SPOTS = """
() => [...document.querySelectorAll('.explain > summary')].map(each => each.getBoundingClientRect())
  .map(each => Math.min(each.width, each.height))
"""


def test_nothing_is_cut_off_on_narrow_screens_and_a_wide_page_stands_in_the_middle(
    browser: Browser, served: str
) -> None:
    with opened(browser, f"{served}/") as it:
        page = it.page
        for is_signed_in in (False, True):
            if is_signed_in:
                page.evaluate(SIGN_OUT)
            for width in (320, 360, 400, 760, 1000):
                page.set_viewport_size({"width": width, "height": 640})
                assert page.evaluate(CUT_OFF) == [], (width, is_signed_in)
                assert min(page.evaluate(SPOTS)) >= 24, "a finger finds what explains a slider"
        page.set_viewport_size({"width": 1920, "height": 900})
        left, right = page.evaluate(SIDES)
        assert left == pytest.approx(right, abs=1) and left < 200, "a wide page stands in the middle"


def test_without_a_script_the_fields_are_a_form(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/?gpu=A100-SXM-80", javascript=False) as it:
        page = it.page
        assert not page.locator('[data-stand="volume"] input[type="range"]').is_visible()
        page.locator('[data-stand="volume"] input[type="text"]').fill("2B")
        page.locator('[data-stand="growth"] input[type="text"]').fill("1%")
        page.get_by_role("button", name="Apply").click()
        assert "With your changes" in page.locator("#sentence").inner_text()
        command = page.locator("#same-command").inner_text()
        assert command.startswith("breakeven whatif volume=2B growth=1% gpu=A100-SXM-80")
        page.locator('[data-stand="volume"] .reset').click()
        assert "volume=" not in page.locator("#same-command").inner_text()


@pytest.mark.parametrize(("query", "width", "scheme"), [("", 360, "light"), ("?volume=2B&gpu_rents=0.5", 1280, "dark")])
def test_nothing_is_wrong_with_the_page(
    browser: Browser, served: str, query: str, width: int, scheme: Any, snapshot: SnapshotAssertion
) -> None:
    seen = visit(browser, f"{served}/{query}", width, scheme).check()
    assert seen.outline == snapshot


def test_how_to_begin_fits_a_phone(browser: Browser, empty_project: Project) -> None:
    with server_of(desk_of(empty_project)) as url:
        visit(browser, f"{url}/", 360, "dark").check()
