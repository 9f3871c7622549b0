"""Given prices: what Calls without a price cost by prices that somebody gave later; what a Call says itself stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from breakeven.outcomes.reading import NUMBERS_MAX_COUNT
from breakeven.pilot.observations import Floats, Problem
from breakeven.routing.policy_document import PricedModel
from breakeven.units import TOKENS_PER_MTOK

COST_MAX_USD: Final = NUMBERS_MAX_COUNT["cost_usd"]


def with_prices(calls: pa.Table, prices: Sequence[PricedModel]) -> tuple[pa.Table, tuple[Problem, ...]]:
    """The Calls with costs in place of those that are not there, and a word on how many."""
    cost = np.asarray(pc.fill_null(calls.column("cost_usd"), float("nan")).to_numpy(), dtype=np.float64).copy()
    problems = list(_odd(cost))
    named = pc.coalesce(calls.column("model_key"), calls.column("response_model"), calls.column("request_model"))
    tokens = [
        np.asarray(pc.fill_null(calls.column(each), 0).to_numpy(), dtype=np.float64)
        for each in ("input_tokens", "output_tokens")
    ]
    for price in prices:
        mine = np.isnan(cost) & np.asarray(pc.fill_null(pc.equal(named, price.name), False).to_numpy(), dtype=np.bool_)
        if price.usd_per_request is not None:
            cost[mine] = price.usd_per_request
        else:
            per_mtok = (price.input_usd_per_mtok or 0.0, price.output_usd_per_mtok or 0.0)
            cost[mine] = (tokens[0] * per_mtok[0] + tokens[1] * per_mtok[1])[mine] / TOKENS_PER_MTOK
        if count := int(mine.sum()):
            words = f"{price.name}: {count:,} calls without a price cost what was given with --price."
            problems.append(Problem("given_price", words, count))
    at = calls.schema.get_field_index("cost_usd")
    return calls.set_column(at, calls.schema.field(at), pa.array(cost, from_pandas=True)), tuple(problems)


def _odd(cost_usd: Floats) -> tuple[Problem, ...]:
    """Take out costs that no call has, and say so: below 0 or beyond `COST_MAX_USD` is another unit, or damage."""
    odd = (cost_usd < 0) | (cost_usd > COST_MAX_USD)
    if not odd.any():
        return ()
    first, count = float(cost_usd[odd][0]), int(odd.sum())
    cost_usd[odd] = np.nan
    words = (
        f"{count:,} calls have a cost that none can have (the first: {first:g} USD; wanted 0 to {COST_MAX_USD:,.0f}); "
        "they count as calls without a price."
    )
    return (Problem("cost_out_of_range", words, count),)
