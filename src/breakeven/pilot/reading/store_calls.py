"""Store calls: the Calls of an imported store that a pilot reads, those of a trial at the price of their day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from breakeven.pilot.reading.call_table import NAMES, conformed
from breakeven.pilot.reading.trial_rows import ARM_NAMES


def store_calls(folder: Path, since_unix_s: float) -> pa.Table:
    """The Calls from a day before `since_unix_s` on; what the log says a Call cost counts before any list of prices."""
    from breakeven.usage.store import CallStore

    first = datetime.fromtimestamp(since_unix_s, UTC) - timedelta(days=1)
    with CallStore(folder) as store:
        calls = store.calls()
        single = calls.filter((calls.grain == "request") & (calls.start_time >= first))
        found = conformed(single.select(*NAMES).to_pyarrow())
        in_trial = pc.is_in(found.column("arm"), value_set=pa.array(ARM_NAMES))
        unpriced = pc.and_(in_trial, pc.is_null(found.column("cost_usd")))
        if pc.any(unpriced).as_py():
            found = _with_prices(found, single.filter(single.arm.isin(ARM_NAMES) & single.cost_usd.isnull()))
    return found


def _with_prices(table: pa.Table, unpriced: Any) -> pa.Table:
    """Costs by the catalogue's dated prices in place of those that the log does not tell."""
    from breakeven.catalog.load import load_catalog
    from breakeven.catalog.token_prices import price_table
    from breakeven.clock import today
    from breakeven.workload.spend import price_keys, priced

    catalog = load_catalog(today())
    span = unpriced.aggregate(first=unpriced.start_time.min(), last=unpriced.start_time.max()).to_pyarrow().to_pylist()
    prices = price_table(price_keys(unpriced), span[0]["first"], span[0]["last"], (), catalog)
    with_spend = priced(unpriced, prices)
    told = with_spend.select("record_id", "spend_usd").to_pyarrow()
    usd = dict(zip(told.column("record_id").to_pylist(), told.column("spend_usd").to_pylist(), strict=True))
    ids, before = table.column("record_id").to_pylist(), table.column("cost_usd").to_pylist()
    costs = [usd.get(name) if cost is None else cost for name, cost in zip(ids, before, strict=True)]
    at = table.schema.get_field_index("cost_usd")
    values = np.array([np.nan if each is None else float(each) for each in costs], dtype=np.float64)
    return table.set_column(at, table.schema.field(at), pa.array(values, from_pandas=True))
