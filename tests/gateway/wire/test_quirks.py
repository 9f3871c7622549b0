"""The table of vendors."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.gateway.wire.quirks import QUIRKS, auth_headers, quirks_of, recognised

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "upstreams.md"


@pytest.mark.parametrize("name", sorted(QUIRKS))
def test_every_vendor_is_whole(name: str) -> None:
    vendor = QUIRKS[name]
    assert vendor.base_url.startswith(("https://", "http://localhost"))
    assert not vendor.base_url.endswith("/")
    assert vendor.title
    for host in vendor.hosts:
        assert recognised(host) is vendor
        assert recognised("eu." + host) is vendor
        assert recognised("not" + host) is not vendor or vendor.name == "openai"
    (header,) = auth_headers(vendor, "secret")
    assert b"secret" in header[1]


def test_unknown_vendors_are_taken_as_openai() -> None:
    assert quirks_of("nobody") is quirks_of("openai")
    assert recognised("models.example.com") is quirks_of("openai")
    assert recognised("api.openai.com.evil.example") is quirks_of("openai")


@pytest.mark.parametrize("name", sorted(QUIRKS))
def test_the_page_shows_every_vendor(name: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    vendor = QUIRKS[name]
    (row,) = [line for line in page.splitlines() if line.startswith(f"| {vendor.title} |")]
    assert f"`{name}`" in row
    assert f"`{vendor.base_url}`" in row
    for field in sorted(vendor.dropped):
        assert f"`{field}`" in row


def test_keys_are_not_shown() -> None:
    assert auth_headers(QUIRKS["anthropic"], "k") == ((b"x-api-key", b"k"),)
    assert auth_headers(QUIRKS["openai"], "k") == ((b"authorization", b"Bearer k"),)


def test_the_page_says_who_has_no_responses() -> None:
    page = PAGE.read_text(encoding="utf-8")
    said = page[page.index("Without `/v1/responses`: ") : page.index("## Usage in streams")].replace("\n", " ")
    for vendor in QUIRKS.values():
        if vendor.dialect == "openai":
            assert (f"{vendor.title}," in said) is not vendor.has_responses, vendor.title
