"""Page words: a page as a reader hears it, and patience for what comes by itself."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable

from starlette.testclient import TestClient


def words(text: str) -> str:
    """A page as a reader hears it."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


def main_words(text: str) -> str:
    """The same without what frames every page."""
    return words(text[text.index("<main") :]).strip()


def when_done(client: TestClient, url: str) -> str:
    """The answer once the work behind it is done."""
    for _ in range(1200):
        response = client.get(url)
        if response.status_code != 202 and "data-wait" not in response.text:
            return response.text
        time.sleep(0.1)
    raise AssertionError(response.text[:2000])


def until(holds: Callable[[], object], within_s: float = 30.0) -> None:
    """Until it holds."""
    give_up_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < give_up_s
        time.sleep(0.05)
