"""Tally: the cells of the hourly aggregate in memory, priced and added up exactly, whatever engine made them.

Tokens are whole numbers, weights and prices are the decimal numbers that people wrote, so sums are fractions of whole
numbers and are rounded once, at the end. The same calls give the same figures to the last digit, in any order of rows,
in any number of parts, on any engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from breakeven.catalog.token_prices import TokenPriceRow
from breakeven.workload.hourly import AUDIO_SUMS, SQUARES, TOKEN_SUMS, Classes
from breakeven.workload.spend import FREE_STATUS, PRICE_NAMES

if TYPE_CHECKING:
    import pyarrow as pa

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_US: Final = 2**62
_US_PER_HOUR: Final = 3_600_000_000
_TOKENS_PER_MTOK: Final = Fraction(1_000_000)
_PLAIN_SUMS: Final = ("rows", "requests", "single", *TOKEN_SUMS, *AUDIO_SUMS)


@dataclass(frozen=True, slots=True)
class Tally:
    """Arrays of one value per cell; `names` of codes."""

    hours: Ints
    """Hours since 1970, UTC."""
    models: Ints
    """Places in `names`."""
    names: tuple[tuple[str, str], ...]
    """Provider and model, as prices are looked up."""
    is_error: Bools
    is_single: Bools
    """Cells of calls that the log gives one by one."""
    weights: Ints
    """Places in `weight_values`."""
    weight_values: tuple[Fraction, ...]
    sums: Mapping[str, NDArray[Any]]
    """Whole numbers, not weighted."""
    prices: Ints
    """Places in `price_rows`; -1 where no price is known."""
    price_rows: tuple[TokenPriceRow, ...]
    is_free: Bools
    """Cells of calls that the caller's own cache answered."""

    @property
    def is_unpriced(self) -> Bools:
        """Cells whose calls cost nobody knows how much."""
        return (self.prices < 0) & ~self.is_free

    def total(self, name: str, where: Bools | None = None) -> float:
        """The weighted sum of `name` over all cells, or those `where`."""
        return self.by(np.zeros(self.hours.size, np.int64), 1, name, where)[0]

    def by(self, groups: Ints, groups_count: int, name: str, where: Bools | None = None) -> list[float]:
        """Weighted sums of `name` in each group."""
        found = [Fraction(0)] * groups_count
        weights_count = len(self.weight_values)
        for code, value in _added(groups * weights_count + self.weights, self.sums[name], where):
            found[code // weights_count] += value * self.weight_values[code % weights_count]
        return [float(each) for each in found]

    def spend_usd(self, groups: Ints, groups_count: int) -> list[float | None]:
        """Spend in each group: None where no cell has a price. What the caller's own cache answered costs nothing."""
        found: list[Fraction | None] = [None] * groups_count
        weights_count, rows_count = len(self.weight_values), max(len(self.price_rows), 1)
        codes = (groups * weights_count + self.weights) * rows_count + np.maximum(self.prices, 0)
        known = ~self.is_unpriced
        for tokens, price in zip(self._kinds(), PRICE_NAMES, strict=True):
            usd_per_mtok = [_exact(getattr(row, price)) for row in self.price_rows] or [Fraction(0)]
            for code, value in _added(codes, np.where(self.is_free, 0, tokens), known):
                group, weight = divmod(code // rows_count, weights_count)
                usd = value * usd_per_mtok[code % rows_count] * self.weight_values[weight] / _TOKENS_PER_MTOK
                found[group] = (found[group] or Fraction(0)) + usd
        return [None if each is None else float(each) for each in found]

    def _kinds(self) -> tuple[Ints, ...]:
        """Tokens of each kind that has its own price, in the order of `PRICE_NAMES`."""
        reads, writes = self.sums["cache_read_tokens"], self.sums["cache_write_tokens"]
        hour_writes = self.sums["cache_write_1h_tokens"]
        heard, spoken = self.sums["audio_input_tokens"], self.sums["audio_output_tokens"]
        plain = self.sums["input_tokens"] - reads - writes - heard
        return plain, reads, writes - hour_writes, hour_writes, self.sums["output_tokens"] - spoken, heard, spoken


def classes_of(rows: Sequence[TokenPriceRow]) -> Classes:
    """The edges of size and time at which the prices of `rows` change."""
    sizes = {row.input_tokens_from for row in rows if row.input_tokens_from > 0}
    times = {edge for row in rows for edge in (row.since, row.until) if edge is not None}
    offsets = {-(-((each.minute * 60 + each.second) * 10**6 + each.microsecond) // 10**6) for each in times}
    return Classes(tuple(sorted(sizes)), tuple(sorted(offsets - {0})))


def tally_of(cells: pa.Table, rows: Sequence[TokenPriceRow], classes: Classes) -> Tally:
    """Price `cells`, made with `classes`, by `rows`."""
    weights, weight_codes = np.unique(cells.column("weight").to_numpy(), return_inverse=True)
    names, codes = _names(cells, ("price_provider", "price_model"))
    priced = [row for row in rows if row.status == "priced"]
    sums = {name: cells.column(name).to_numpy().astype(np.int64) for name in _PLAIN_SUMS}
    whole = {name: np.array([int(each) for each in cells.column(name).to_pylist()], dtype=object) for name in SQUARES}
    return Tally(
        hours=cells.column("hour").to_numpy().astype("datetime64[us]").astype(np.int64) // _US_PER_HOUR,
        models=codes,
        names=tuple((provider, model) for provider, model in names),
        is_error=_equals(cells, "status", "error"),
        is_single=_equals(cells, "grain", "request"),
        weights=weight_codes.astype(np.int64),
        weight_values=tuple(_exact(float(each)) for each in weights),
        sums={**sums, **whole},
        prices=_price_places(cells, priced, classes),
        price_rows=tuple(priced),
        is_free=_equals(cells, "status", FREE_STATUS),
    )


def _price_places(cells: pa.Table, rows: Sequence[TokenPriceRow], classes: Classes) -> Ints:
    """For each cell, which of `rows` prices its calls; -1 where none does."""
    keys, codes = _names(cells, ("price_provider", "price_model", "price_tier", "price_batch"))
    edges = (0, *classes.offsets_s)
    offset_us = np.array(edges, np.int64)[cells.column("offset").to_numpy()] * 10**6
    times = cells.column("hour").to_numpy().astype("datetime64[us]").astype(np.int64) + offset_us
    sizes = np.array((0, *classes.sizes_tokens), np.int64)[cells.column("size_class").to_numpy()]
    kinds = ("output", "audio_input", "audio_output")
    uses = {kind: cells.column(f"has_{kind}").to_numpy(zero_copy_only=False) for kind in kinds}
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(keys) + 1))
    code_of = {key: code for code, key in enumerate(keys)}
    places = np.full(times.size, -1, np.int64)
    for place, row in enumerate(rows):
        code = code_of.get((row.provider or "", row.model or "", row.service_tier or "", row.is_batch))
        if code is None or not row.model:
            continue
        at = order[bounds[code] : bounds[code + 1]]
        fits = (times[at] >= _microseconds(row.since, -_LATEST_US)) & (times[at] < _microseconds(row.until, _LATEST_US))
        fits &= (sizes[at] >= row.input_tokens_from) & (sizes[at] < (row.input_tokens_until or _LATEST_US))
        for kind, has_kind in uses.items():
            if getattr(row, f"{kind}_usd_per_mtok") is None:
                fits &= ~has_kind[at]
        places[at[fits]] = place
    return places


def _names(cells: pa.Table, columns: Sequence[str]) -> tuple[list[tuple[Any, ...]], Ints]:
    """The distinct values of `columns` together, in order, and the place of each cell's among them."""
    parts = [cells.column(name).combine_chunks().dictionary_encode() for name in columns]
    codes = np.zeros(cells.num_rows, np.int64)
    for part in parts:
        codes = codes * max(len(part.dictionary), 1) + part.indices.to_numpy()
    _, firsts, found = np.unique(codes, return_index=True, return_inverse=True)
    values = [tuple(part[int(first)].as_py() for part in parts) for first in firsts]
    order = sorted(range(len(values)), key=values.__getitem__)
    place = np.empty(len(values), np.int64)
    place[order] = np.arange(len(values))
    return [values[each] for each in order], place[found]


def _added(codes: Ints, values: NDArray[Any], where: Bools | None = None) -> list[tuple[int, int]]:
    """Each code with the exact sum of its values."""
    if where is not None:
        codes, values = codes[where], values[where]
    if not codes.size:
        return []
    order = np.argsort(codes, kind="stable")
    found, starts = np.unique(codes[order], return_index=True)
    sums = np.add.reduceat(values[order], starts)
    return [(int(code), int(value)) for code, value in zip(found, sums, strict=True)]


def _equals(cells: pa.Table, name: str, value: str) -> Bools:
    import pyarrow.compute as pc

    found: Bools = pc.fill_null(pc.equal(cells.column(name), value), False).to_numpy()
    return found


def _exact(number: float | None) -> Fraction:
    """The decimal number that `number` is printed as: 0.1 is a tenth."""
    return Fraction(repr(number)) if number else Fraction(0)


def _microseconds(moment: datetime | None, otherwise: int) -> int:
    """Since 1970."""
    if moment is None:
        return otherwise
    return (moment - _EPOCH) // timedelta(microseconds=1)
