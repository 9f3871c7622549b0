"""Price window: a stretch of time in which the token prices of one thing do not change, and layers of such windows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from breakeven.facts.source import Source

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TierPrices:
    """Prices of a call whose whole input has at least `input_tokens_from` and less than `input_tokens_until` tokens.

    Every price is in USD per million tokens. None: that kind of token has no price.
    """

    input_tokens_from: int
    input_tokens_until: int | None
    input_usd_per_mtok: float
    cache_read_usd_per_mtok: float
    cache_write_usd_per_mtok: float
    cache_write_1h_usd_per_mtok: float
    output_usd_per_mtok: float | None
    audio_input_usd_per_mtok: float | None = None
    """Audio is never billed as text: without a price of its own it has none."""
    audio_output_usd_per_mtok: float | None = None


@dataclass(frozen=True, slots=True)
class PriceWindow:
    """What one price list says about a stretch of time."""

    since: datetime | None
    """None: as far back as the list goes."""
    until: datetime | None
    """Exclusive. None: no end is known."""
    tiers: tuple[TierPrices, ...]
    """Empty: unpriced; `reason` says why."""
    source: Source
    matched_model: str = ""
    """The entry of the price list, as provider/model."""
    reason: str = ""
    """Why unpriced; or, for a priced window, what was assumed."""

    def covers(self, moment: datetime) -> bool:
        """Whether the window holds at `moment`."""
        return (self.since or BEGINNING) <= moment < (self.until or END)


def utc(moment: datetime) -> datetime:
    """`moment` in UTC; one without a zone is taken to be UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def filled_tier(
    input_usd_per_mtok: float,
    output_usd_per_mtok: float | None,
    cache_read_usd_per_mtok: float | None = None,
    cache_write_usd_per_mtok: float | None = None,
    cache_write_1h_usd_per_mtok: float | None = None,
    input_tokens_from: int = 0,
    input_tokens_until: int | None = None,
) -> TierPrices:
    """A tier whose unlisted cache prices are those of the next wider kind of token, as price lists mean it.

    Cache reads and writes without a price of their own are input; one-hour writes without one are writes.

    >>> filled_tier(3.0, 15.0, cache_write_usd_per_mtok=3.75).cache_write_1h_usd_per_mtok
    3.75
    """
    write = input_usd_per_mtok if cache_write_usd_per_mtok is None else cache_write_usd_per_mtok
    return TierPrices(
        input_tokens_from,
        input_tokens_until,
        input_usd_per_mtok,
        input_usd_per_mtok if cache_read_usd_per_mtok is None else cache_read_usd_per_mtok,
        write,
        write if cache_write_1h_usd_per_mtok is None else cache_write_1h_usd_per_mtok,
        output_usd_per_mtok,
    )


def layered(
    layers: Sequence[Sequence[PriceWindow]], first: datetime, last: datetime, otherwise: PriceWindow
) -> list[PriceWindow]:
    """The windows that cover `first` to `last` (inclusive), each from the first layer that knows that time.

    Where no layer does: `otherwise`. Neighbours that say the same are joined.
    """
    edges = _edges(window for layer in layers for window in layer)
    ordered = [sorted(layer, key=lambda window: window.since or BEGINNING) for layer in layers]
    found = []
    for since, until in zip([None, *edges], [*edges, None], strict=True):
        if (since or BEGINNING) > last or (until or END) <= first:
            continue
        at = (_window_at(layer, since or BEGINNING) for layer in ordered)
        known = next((window for window in at if window is not None), otherwise)
        found.append(replace(known, since=since, until=until))
    return joined(found)


def _window_at(layer: Sequence[PriceWindow], moment: datetime) -> PriceWindow | None:
    position = bisect_right(layer, moment, key=lambda window: window.since or BEGINNING)
    window = layer[position - 1] if position else None
    return window if window is not None and window.covers(moment) else None


def joined(windows: Iterable[PriceWindow]) -> list[PriceWindow]:
    """`windows`, in order of time, with neighbours that say the same made one."""
    result: list[PriceWindow] = []
    for window in windows:
        if result and result[-1].until == window.since and _says_the_same(result[-1], window):
            result[-1] = replace(result[-1], until=window.until)
        else:
            result.append(window)
    return result


def _says_the_same(one: PriceWindow, other: PriceWindow) -> bool:
    return replace(one, since=None, until=None) == replace(other, since=None, until=None)


def _edges(windows: Iterable[PriceWindow]) -> list[datetime]:
    return sorted({edge for window in windows for edge in (window.since, window.until) if edge is not None})
