"""Refreshed tokens: prices of the lists that `catalog refresh` read, as layers over the installed package's list.

Each edition governs from the day the one before it was read (the first: from the day the installed release was
checked), so that the past keeps its price; a model that no earlier list had is priced as far back as its list goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time

from breakeven.catalog.genai_price_list import Listing, find_listing, price_windows
from breakeven.catalog.overlay import TokenList, read_token_list
from breakeven.catalog.price_windows import BEGINNING, END, PriceWindow


def refreshed_layers(
    lists: Sequence[TokenList],
    provider: str | None,
    model: str,
    service_tier: str,
    is_batch: bool,
    span: tuple[datetime, datetime],
    checked: date | None,
) -> list[list[PriceWindow]]:
    """Windows over `span`, one layer per edition, newest first; nothing without editions.

    `checked`: when the installed release was checked; None: nobody has, so the first edition governs from its own day.
    """
    layers: list[list[PriceWindow]] = []
    is_known = isinstance(find_listing(provider, model), Listing)
    before = checked
    for edition in lists:
        listing = find_listing(provider, model, read_token_list(edition))
        if isinstance(listing, Listing) and listing.name not in edition.held_back:
            windows = price_windows(listing, service_tier, is_batch, *span, edition.read)
            since = _start_of(before or edition.read) if is_known else BEGINNING
            layers.append([_titled(each, listing, edition) for each in _clipped(windows, since)])
            is_known = True
        before = edition.read
    return layers[::-1]


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def _clipped(windows: Sequence[PriceWindow], since: datetime) -> Iterator[PriceWindow]:
    for window in windows:
        if (window.until or END) > since:
            yield window if (window.since or BEGINNING) >= since else replace(window, since=since)


def _titled(window: PriceWindow, listing: Listing, edition: TokenList) -> PriceWindow:
    title = f"genai-prices, list of {edition.read}: {listing.name}"
    return replace(window, source=replace(window.source, title=title))
