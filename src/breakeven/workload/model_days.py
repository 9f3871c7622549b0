"""Model days: what each model of a log did day by day, and which prices its calls were given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.catalog.token_prices import TokenPriceRow, price_table
from breakeven.workload.pieces import DailyTables, Pieces, keys_of
from breakeven.workload.tally import Ints, Tally

if TYPE_CHECKING:
    from ibis import Table

_HOURS_PER_DAY: Final = 24
_FIRST_DAY: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class ModelDays:
    """One model of the log; tuples have a value for each day."""

    provider: str
    model: str
    """Both empty where the log names none."""
    requests_count: int
    reasoning_tokens: int
    unpriced_tokens: int
    tokens: tuple[int, ...]
    """Input and output of each day."""
    spend_usd: tuple[float | None, ...]
    """Of its priced calls; None on a day without any."""
    prices: tuple[TokenPriceRow, ...]
    """The prices that its calls were given, oldest first."""
    reason: str
    """Why calls of it have no price; empty where all have one."""


def model_days(
    calls: Table,
    first_day: date,
    days_count: int,
    *,
    catalog: Catalog,
    contract: Sequence[ContractPrice] = (),
    kept: DailyTables | None = None,
) -> tuple[ModelDays, ...]:
    """Each model of `calls` on `days_count` days from `first_day` on, most tokens first: the cells of the profile.

    Days are UTC. What lies before or after them counts for the first or last.
    """
    pieces = Pieces(calls, kept)
    spans = pieces.spans()
    if not spans:
        return ()
    times = [row["last"] for row in spans] + [row["bucket_end"] for row in spans if row["bucket_end"]]
    rows = price_table(keys_of(spans), min(row["first"] for row in spans), max(times), contract, catalog)
    tally = pieces.tally(rows)
    days = np.clip(tally.hours // _HOURS_PER_DAY - (first_day - _FIRST_DAY).days, 0, days_count - 1)
    found = _by_model(tally, days, days_count, [row for row in rows if row.status == "unpriced"])
    return tuple(sorted(found, key=lambda each: (-sum(each.tokens), each.provider, each.model)))


def _by_model(tally: Tally, days: Ints, days_count: int, unpriced: Sequence[TokenPriceRow]) -> list[ModelDays]:
    models, names_count = tally.models, len(tally.names)
    groups, groups_count = models * days_count + days, names_count * days_count
    inputs, outputs = (tally.by(groups, groups_count, name) for name in ("input_tokens", "output_tokens"))
    spend = tally.spend_usd(groups, groups_count)
    requests, reasoning = (tally.by(models, names_count, name) for name in ("requests", "reasoning_tokens"))
    missing = [tally.by(models, names_count, name, tally.is_unpriced) for name in ("input_tokens", "output_tokens")]
    found = []
    for at, (provider, model) in enumerate(tally.names):
        mine = slice(at * days_count, (at + 1) * days_count)
        tokens = tuple(round(a + b) for a, b in zip(inputs[mine], outputs[mine], strict=True))
        lost = round(missing[0][at] + missing[1][at])
        if not (model or any(tokens) or requests[at]):
            continue  # an empty bucket says that there was nothing; it is no model
        found.append(
            ModelDays(
                provider, model, round(requests[at]), round(reasoning[at]), lost, tokens, tuple(spend[mine]),
                _prices(tally, at), _reason(provider, model, unpriced) if lost else "",
            )
        )  # fmt: skip
    return found


def _prices(tally: Tally, at: int) -> tuple[TokenPriceRow, ...]:
    """What the cells of one model were priced by."""
    places = np.unique(tally.prices[(tally.models == at) & (tally.prices >= 0)]).tolist()
    used = [tally.price_rows[place] for place in places]
    return tuple(sorted(used, key=_since))


def _since(row: TokenPriceRow) -> tuple[Any, ...]:
    return (row.since or datetime.min.replace(tzinfo=UTC), row.service_tier or "", row.is_batch, row.input_tokens_from)


def _reason(provider: str, model: str, unpriced: Sequence[TokenPriceRow]) -> str:
    """Why a model has no price."""
    if not model:
        return "the log names no model"
    reasons = {row.reason for row in unpriced if (row.provider or "", row.model or "") == (provider, model)}
    return "; ".join(sorted(reasons)) or "its prices do not cover every kind of token that these calls used"
