"""GPU rents: a feed's rows become a new dated row for each market offer of the catalogue, by the rule of market.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import median
from typing import Any, Final

from breakeven.catalog.asof import in_force
from breakeven.catalog.files import CatalogFiles
from breakeven.catalog.market import Quote, market_range, provider_quotes
from breakeven.catalog.overlay import REFRESHED
from breakeven.catalog.refresh.gpuhunt_feed import FeedRow, ProviderFeed
from breakeven.catalog.refresh.moves import Move, Status, is_accepted, is_jump
from breakeven.catalog.schema import AssumptionEntry, DatedRange, GpuOfferEntry
from breakeven.catalog.staleness import LIMIT_DAYS, Kind

RENT: Final = "gpu_rent_usd_per_gpu_hour"
FEWEST_PROVIDERS: Final = 3
"""Fewer than this are no market."""
_READ_ON: Final = "read "
"""Stands with a day as the segment of a quote that was carried over: when it was really read."""
_SPOT_BY_TERM: Final = {"on_demand": False, "spot": True}


@dataclass(frozen=True, slots=True)
class RentRow:
    """A dated row to append to an offer, as YAML will hold it."""

    offer: str
    entry: GpuOfferEntry
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RentProposal:
    """What a feed would change."""

    moves: tuple[Move, ...]
    rows: tuple[RentRow, ...]
    """Of the moves that are not held back."""


def propose(
    files: CatalogFiles, feeds: Sequence[ProviderFeed], link: str, accepted: frozenset[str], today: date
) -> RentProposal:
    """A row for every market offer that the feed has enough providers for, and why the others keep theirs."""
    by_good: dict[tuple[str, bool], list[FeedRow]] = defaultdict(list)
    for feed in feeds:
        for row in feed.rows:
            by_good[row.gpu, row.is_spot].append(row)
    published = {feed.provider: feed.day for feed in feeds}
    moves, rows = [], []
    for name, entry, rent in _market_offers(files):
        on_demand = _quotes(by_good[entry.gpu, False])
        fresh = on_demand
        if _SPOT_BY_TERM[entry.term]:
            ceiling = {quote.provider: quote.usd_per_gpu_hour for quote in on_demand.values()}
            fresh = _quotes(by_good[entry.gpu, True], ceiling)
        basket = _basket(in_force(rent.values, today), fresh, published)
        value = _value(entry, basket, link)
        move = _move(name, rent, value, basket, accepted, today)
        moves.append(move)
        if value is not None and move.status in (Status.CHANGED, Status.UNCHANGED, Status.NEW):
            rows.append(RentRow(name, entry, value))
    return RentProposal(tuple(moves), tuple(rows))


def _market_offers(files: CatalogFiles) -> Iterator[tuple[str, GpuOfferEntry, AssumptionEntry]]:
    for file in files.gpu_offers:
        for name, entry in file.content.root.items():
            if entry.provider == "market" and entry.term in _SPOT_BY_TERM and RENT in entry.facts:
                yield name, entry, entry.facts[RENT]


def _quotes(rows: Sequence[FeedRow], ceiling: Mapping[str, float] | None = None) -> dict[str, Quote]:
    """One believable quote per provider; an instance sold in many regions counts at its median price."""
    by_instance: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    for row in rows:
        by_instance[row.provider, row.instance, row.gpus_count].append(row.usd_per_gpu_hour)
    return provider_quotes(
        [Quote(provider, gpus, median(prices)) for (provider, _, gpus), prices in by_instance.items()], ceiling
    )


@dataclass(frozen=True, slots=True)
class _Basket:
    """The quotes behind a new row: read now, and carried over from the row before."""

    day: date | None
    """The oldest day of the fresh ones; None when there are none."""
    fresh: Mapping[str, Quote]
    carried: Mapping[str, Quote]
    """Of providers that the feed does not publish: without them, a change of basket would look like one of prices."""
    """Their segment says when they were read."""
    same_providers_ratio: float | None
    """Median of new over old price over the providers in both rows."""

    @property
    def quotes(self) -> dict[str, Quote]:
        """All of them, those further than the rule's factor from the median left out."""
        return provider_quotes([*self.fresh.values(), *self.carried.values()])

    @property
    def told(self) -> str:
        """What the new row rests on, in words."""
        kept = f" and {len(self.carried)} carried over" if self.carried else ""
        same = self.same_providers_ratio
        moved = (
            f"; providers in both rows {100 * (same - 1):+.0f} %" if same is not None else "; no provider in both rows"
        )
        return f"{len(self.fresh)} read{kept}{moved}"


def _basket(now: DatedRange | None, fresh: Mapping[str, Quote], published: Mapping[str, date]) -> _Basket:
    before = {quote.provider: quote for quote in (now.quotes or ())} if now else {}
    same = [fresh[name].usd_per_gpu_hour / before[name].usd_per_gpu_hour for name in fresh if name in before]
    day = min((published[name] for name in fresh), default=None)
    carried: dict[str, Quote] = {}
    for name, each in before.items():
        if now is not None and day is not None and name not in published and name.split("-")[0] not in published:
            read = _read_on(each.segment) or now.source.read
            if (day - read).days <= LIMIT_DAYS[Kind.PRICE]:
                carried[name] = Quote(name, each.gpus_count, each.usd_per_gpu_hour, f"{_READ_ON}{read}")
    return _Basket(day, fresh, carried, median(same) if same else None)


def _read_on(segment: str) -> date | None:
    return date.fromisoformat(segment.removeprefix(_READ_ON)) if segment.startswith(_READ_ON) else None


def _value(entry: GpuOfferEntry, basket: _Basket, link: str) -> Mapping[str, Any] | None:
    """The row; None when too few providers were read for it."""
    if basket.day is None or len(basket.fresh) < max(FEWEST_PROVIDERS, len(basket.carried)):
        return None
    found = [replace(each, usd_per_gpu_hour=round(each.usd_per_gpu_hour, 4)) for each in basket.quotes.values()]
    span = market_range([each.usd_per_gpu_hour for each in found])
    term = entry.term.replace("_", "-")
    carried = ", ".join(basket.carried)
    kept = f" Carried over, because gpuhunt does not publish them: {carried}." if carried else ""
    return {
        "since": basket.day,
        "range": {"low": span.low, "typical": span.typical, "high": span.high},
        "quotes": [_quote(each) for each in found],
        "source": {
            "title": f"{entry.gpu} {term} prices of {len(found)} providers, gpuhunt's daily catalogue",
            "link": link,
            "read": basket.day,
            "grade": "quoted",
        },
        "note": f"{REFRESHED}; median over regions.{kept}",
    }


def _quote(quote: Quote) -> dict[str, Any]:
    told = {"provider": quote.provider, "usd_per_gpu_hour": quote.usd_per_gpu_hour, "gpus_count": quote.gpus_count}
    return {**told, "segment": quote.segment} if quote.segment else told


def _move(
    name: str,
    rent: AssumptionEntry,
    value: Mapping[str, Any] | None,
    basket: _Basket,
    accepted: frozenset[str],
    today: date,
) -> Move:
    now = in_force(rent.values, today)
    old = now.value.typical if now and now.value else None

    def move(status: Status, reason: str, new_usd: float | None) -> Move:
        return Move("gpus", name, "rent", rent.unit, old, new_usd, status, reason)

    if value is None:
        return move(Status.KEPT, _too_few(basket), None)
    typical = value["range"]["typical"]
    newest = max(each.since for each in rent.values)
    if value["since"] <= newest:
        return move(Status.KEPT, f"gpuhunt's day {value['since']} is not after the row of {newest}", typical)
    if old is None:
        return move(Status.NEW, basket.told, typical)
    if is_jump(typical / old) and not is_accepted(name, accepted):
        return move(Status.HELD_BACK, f"moved by more than 50 %: --accept {name} ({basket.told})", typical)
    return move(Status.UNCHANGED if typical == old else Status.CHANGED, basket.told, typical)


def _too_few(basket: _Basket) -> str:
    if not basket.fresh:
        return "no provider of the feed sells it"
    wanted = max(FEWEST_PROVIDERS, len(basket.carried))
    return f"only {len(basket.fresh)} of the {wanted} providers that a new row needs ({', '.join(basket.fresh)})"
