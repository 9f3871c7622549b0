"""Pieces: the additive tables of a log (spans, cells, lengths, parts), kept from earlier days or made now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from breakeven.catalog.token_prices import PriceKey, TokenPriceRow
from breakeven.workload import hourly
from breakeven.workload.spend import PRICE_KEYS
from breakeven.workload.tally import Tally, classes_of, tally_of

if TYPE_CHECKING:
    import pyarrow as pa
    from ibis import Table

SPANS_VERSION: Final = "2"


class DailyTables(Protocol):
    """Keeps an additive table per day, so that a new day costs a day."""

    def daily(self, name: str, key: str, expression: Callable[[Table], Table]) -> Table | None:
        """The rows of `expression` for every day, kept under `name` and `key`; None: not worth keeping."""
        ...


@dataclass(frozen=True, slots=True)
class Pieces:
    """The additive tables of `hourly` over some calls."""

    calls: Table
    kept: DailyTables | None

    def table(self, name: str, key: str, expression: Callable[..., Table], **coarse: bool) -> pa.Table:
        """The piece; days and tasks are told apart only in what is kept for other questions (`coarse` says how not)."""
        if self.kept is not None:
            found = self.kept.daily(name, key, expression)
            if found is not None:
                return hourly.merged(found, drop=[each.removeprefix("by_") for each in coarse]).to_pyarrow()
        return expression(self.calls, **coarse).to_pyarrow()

    def spans(self) -> list[dict[str, Any]]:
        """Rows, first and last time by day and price key."""
        rows: list[dict[str, Any]] = self.table("spans", SPANS_VERSION, hourly.spans).to_pylist()
        return rows

    def tally(self, rows: Sequence[TokenPriceRow]) -> Tally:
        """All cells, priced by `rows`."""
        classes = classes_of(rows)
        cells = self.table("cells", classes.key, partial(hourly.cells, classes=classes), by_task=False)
        return tally_of(cells, rows, classes)


def keys_of(spans: Sequence[dict[str, Any]]) -> list[PriceKey]:
    """The distinct price keys that name a model, in order."""
    found = sorted({tuple(row[name] for name in PRICE_KEYS) for row in spans})
    return [PriceKey(provider or None, model, tier or None, batch) for provider, model, tier, batch in found if model]
