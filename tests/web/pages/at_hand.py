"""At hand: a page asked for until its work is done, so that a browser finds it at once."""

from __future__ import annotations

import time
import urllib.request

TRIES_COUNT = 1800


def at_hand(url: str) -> str:
    """The address, once its page waits for nothing."""
    for _ in range(TRIES_COUNT):
        with urllib.request.urlopen(url) as response:
            if b"data-wait" not in response.read():
                return url
        time.sleep(0.1)
    raise AssertionError(f"{url} still waits")
