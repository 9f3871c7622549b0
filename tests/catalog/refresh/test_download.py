"""Download: whole and of the expected kind, or a sentence that says what went wrong."""

from __future__ import annotations

import socket

import pytest

from breakeven.catalog.refresh.download import Limits, download
from breakeven.errors import RefreshError
from price_server import Answer, Site

LIMITS = Limits(timeout_s=2.0, largest_count=1_000)


def test_the_body_as_it_is(site: Site) -> None:
    site.answers["/x"] = Answer(b"prices")
    assert download(f"{site.address}/x", LIMITS) == b"prices"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(b"oops", status=500), "answered 500"),
        (Answer(b"gone", status=404), "answered 404"),
        (Answer(b"<html>sign in</html>", kind="text/html; charset=utf-8"), r"a web page \(text/html\)"),
        (Answer(b"half of it", promise=20), "10 of 20 bytes came"),
        (Answer(b""), "the answer is empty"),
        (Answer(b"x" * 1_001), "longer than 1,000 bytes"),
    ],
)
def test_what_is_not_the_whole_list_is_refused(site: Site, answer: Answer, message: str) -> None:
    site.answers["/x"] = answer
    with pytest.raises(RefreshError, match=message) as caught:
        download(f"{site.address}/x", LIMITS)
    assert f"{site.address}/x" in str(caught.value)


def test_a_slow_answer_is_given_up_on(site: Site) -> None:
    site.answers["/x"] = Answer(b"never the second half", delay_s=30.0)
    with pytest.raises(RefreshError, match=r"within 0.2 s"):
        download(f"{site.address}/x", Limits(timeout_s=0.2))


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
        with pytest.raises(RefreshError, match="cannot be reached"):
            download(address, LIMITS)


@pytest.mark.parametrize("address", ["file:///etc/hosts", "ftp://example.org/x", "prices.json"])
def test_only_the_web_is_read(address: str) -> None:
    with pytest.raises(RefreshError, match="wanted an http or https address"):
        download(address, LIMITS)
