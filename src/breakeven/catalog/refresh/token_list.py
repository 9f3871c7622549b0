"""Token list: the published list of genai-prices, compared model by model with the prices in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from itertools import zip_longest
from typing import Final

from breakeven.catalog.files import CatalogFiles
from breakeven.catalog.genai_price_list import PriceList, bundled_list, listed_tiers, parse_price_list
from breakeven.catalog.overlay import TokenList, read_token_list
from breakeven.catalog.price_windows import TierPrices
from breakeven.catalog.refresh.moves import Move, Status, is_accepted, is_jump
from breakeven.errors import CatalogError, RefreshError

UNIT: Final = "usd/mtok"
FEWEST_MODELS_FRACTION: Final = 0.8
"""A list with fewer than this share of the models known now is partial."""
DEAREST_USD_PER_MTOK: Final = 2_000.0
"""No model has ever cost a third of this; a higher price is a slip of units."""
_PRICES: Final = {
    "input": "input_usd_per_mtok",
    "output": "output_usd_per_mtok",
    "cache read": "cache_read_usd_per_mtok",
}

Tiers = Sequence[TierPrices]
ListPrices = dict[str, Mapping[str, Tiers]]
"""provider/model -> standard and batch -> tiers."""


@dataclass(frozen=True, slots=True)
class TokenProposal:
    """What a list would change."""

    moves: tuple[Move, ...]
    held_back: tuple[str, ...]
    """provider/model of each price that is not believed."""
    models_count: int


def propose(raw: bytes, url: str, files: CatalogFiles, accepted: frozenset[str], today: date) -> TokenProposal:
    """Compare the list `raw`, read at `url`, with what is in use; raises RefreshError for a list not to be trusted."""
    try:
        fresh = parse_price_list(raw)
    except CatalogError as error:
        raise RefreshError(f"{url}: {error}") from None
    new, old = _prices(fresh, today), prices_in_use(files.token_lists, today)
    if len(new) < FEWEST_MODELS_FRACTION * len(old):
        raise RefreshError(f"{url}: {len(new):,} priced models where {len(old):,} are known; the list is partial.")
    sold = {
        f"{offer.genai_prices.provider}/{offer.genai_prices.model}": name
        for file in files.token_offers
        for name, offer in file.content.root.items()
        if offer.genai_prices
    }
    moves, held = [], []
    for listed in sorted(set(old) | set(new)):
        found = list(_moves(listed, old.get(listed, {}), new.get(listed, {}), accepted, sold.get(listed)))
        moves += found
        if any(move.status is Status.HELD_BACK for move in found):
            held.append(listed)
    return TokenProposal(tuple(moves), tuple(held), len(new))


def prices_in_use(lists: Sequence[TokenList], today: date) -> ListPrices:
    """What every listed model costs now: the package's list under the refreshed ones, without what they hold back."""
    found = dict(_bundled_prices(today))
    for each in lists:
        fresh = _prices(read_token_list(each), today)
        found.update({name: tiers for name, tiers in fresh.items() if name not in each.held_back})
    return found


@cache
def _bundled_prices(today: date) -> ListPrices:
    return _prices(bundled_list(), today)


def _prices(prices: PriceList, today: date) -> ListPrices:
    """Of the models that have a price."""
    noon = datetime.combine(today, time(12), tzinfo=UTC)
    found: ListPrices = {}
    for name, listing in prices.listings().items():
        tiers = listed_tiers(listing, noon)
        if tiers["standard"]:
            found[name] = tiers
    return found


def _moves(
    listed: str, old: Mapping[str, Tiers], new: Mapping[str, Tiers], accepted: frozenset[str], offer: str | None
) -> Iterator[Move]:
    """One move per price of the model, standard and batch; all of a model are held back when one is."""
    name = offer or listed

    def move(pair: Pair, status: Status, reason: str = "") -> Move:
        what, before, after = pair
        return Move("tokens", name, what, UNIT, before, after, status, reason, in_catalogue=offer is not None)

    if not new:
        yield move(("input", _first(old, "input"), None), Status.KEPT, "no longer listed; its last price is kept")
        return
    pairs = list(_pairs(old, new))
    problem = next(filter(None, (_problem(pair, bool(old), is_accepted(name, accepted), name) for pair in pairs)), "")
    for pair in pairs:
        what, before, after = pair
        if problem:
            if before != after:
                yield move(pair, Status.HELD_BACK, problem)
        elif not old:
            if what in ("input", "output"):  # the others follow from these unless the list says so
                yield move(pair, Status.NEW)
        else:
            yield move(pair, Status.UNCHANGED if before == after else Status.CHANGED)


Pair = tuple[str, float | None, float | None]


def _pairs(old: Mapping[str, Tiers], new: Mapping[str, Tiers]) -> Iterator[Pair]:
    """Old and new price of everything that the list bills by; a batch price is told only where it differs."""
    for context in ("standard", "batch"):
        tiers = list(zip_longest(old.get(context, ()), new.get(context, ())))
        for index, (before, after) in enumerate(tiers):
            for what, field in _PRICES.items():
                was = getattr(before, field) if before else None
                now = getattr(after, field) if after else None
                label = " ".join(filter(None, ("batch" if context == "batch" else "", what, _tier(index))))
                if context == "standard" or was != now:
                    yield label, was, now


def _tier(index: int) -> str:
    return f"(tier {index + 1})" if index else ""


def _problem(pair: Pair, is_known: bool, accepted: bool, name: str) -> str:
    """Why a price is not believed; empty when it is."""
    what, before, after = pair
    if after is not None and after > DEAREST_USD_PER_MTOK:
        return f"{what} of {after:,.0f} USD per Mtok is implausible"
    if after == 0 and before:
        return f"{what} fell to 0, which is no price"
    if is_known and before and after and is_jump(after / before) and not accepted:
        return f"{what} moved by more than 50 %: --accept {name}"
    return ""


def _first(prices: Mapping[str, Tiers], what: str) -> float | None:
    tiers = prices.get("standard", ())
    return getattr(tiers[0], _PRICES[what]) if tiers else None
