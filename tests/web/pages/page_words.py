"""Page words: a page as a reader hears it, and patience for what comes by itself."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable


def words(text: str) -> str:
    """A page as a reader hears it."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


def until(holds: Callable[[], object], within_s: float = 30.0) -> None:
    """Until it holds."""
    give_up_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < give_up_s
        time.sleep(0.05)
