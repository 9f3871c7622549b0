"""The fleet page in a real browser: nothing overflows or collides, and the form answers without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from syrupy.assertion import SnapshotAssertion

from web.browser import opened, visit
from web.pages.at_hand import at_hand

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ASKED = "model=Llama-3.1-8B&gpu=L4&gpus=1&ttft_ms=9000&tpot_ms=200&share=0.8&autoscale=yes&rent_one_year=0.4"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_page(browser: Browser, served: str, width: int, scheme: str, snapshot: SnapshotAssertion) -> None:
    seen = visit(browser, at_hand(f"{served}/fleet?{ASKED}"), width, scheme).check()  # type: ignore[arg-type]
    assert seen.outline == snapshot


def test_the_form_asks_another_question_without_a_script(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/fleet?{ASKED}&ttft_ms=soon", javascript=False) as it:
        assert it.status == 400
        page = it.page
        assert page.locator("#problem-ttft_ms").inner_text().startswith("'soon'")
        page.fill("#f-ttft_ms", "9000")
        page.get_by_role("button", name="Plan this fleet").click()
        assert "ttft_ms=9000" in page.url and "rent_one_year=0.4" in page.url and "autoscale=yes" in page.url


def test_the_question_is_wide_enough_on_a_phone(browser: Browser, served: str) -> None:
    with opened(browser, at_hand(f"{served}/fleet?{ASKED}"), 360) as it:
        it.page.locator("details.question > summary").click()
        seen = it.seen(360, "light", it.status)
        seen.check()
        assert "Plan this fleet" in seen.outline
